"""What can be changed in the rendering: presets, surface, cuts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from app.state.picture import Levels
from app.state.rendering import room_presets
from app.state.room.solid import coloured, moved, whole_box, with_point, without_point
from app.views.room_rendering import RoomRendering
from tests.app.solid_bench import LEFT, LYING, RIGHT, SHAPE, brightness, centre, item_of, phantom, put, settle
from tests.app.test_parameters import choose

ROOT = Path(__file__).parents[2]


class TestPresetsAndEditor:
    def test_presets_by_unit(self, pane: RoomRendering, qtbot: QtBot) -> None:
        put(pane, qtbot, item_of(*phantom()))
        box = pane.bar.preset
        names = [box.itemText(i) for i in range(box.count()) if box.itemText(i)]
        assert names == ["Bone", "Soft tissue", "Lung", "MIP", "Vessels (MIP)", "Skin", "Surface at a threshold"]
        values, affine = phantom()
        put(pane, qtbot, item_of(values, affine, key="mr", unit="a.u.", offered=Levels(-1000, 1200)))
        assert (box.itemText(0), box.currentText()) == ("Default", "Default")
        assert "MIP" in [box.itemText(i) for i in range(box.count())]
        put(pane, qtbot, item_of(values, affine))
        assert box.currentText() == "Bone"

    @pytest.mark.parametrize("unit", ["HU", "a.u.", "1/mm"])
    def test_all_presets_rise_and_have_names_of_their_own(self, unit: str) -> None:
        presets = room_presets(unit)
        assert len({p.name for p in presets}) == len(presets) >= 2
        for preset in presets:
            values = [point[0] for point in preset.points]
            assert values == sorted(set(values))
            assert all(0 <= part <= 1 for point in preset.points for part in point[1:])

    def test_a_preset_changes_the_picture(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        before = settle(rendered, qtbot)
        choose(rendered.bar.preset, "MIP")
        assert settle(rendered, qtbot) != before

    @pytest.fixture
    def editing(self, rendered: RoomRendering, qtbot: QtBot) -> RoomRendering:
        rendered.resize(700, 500)
        qtbot.mouseClick(rendered.bar.adjust, LEFT)
        settle(rendered, qtbot)
        return rendered

    def test_a_point_is_dragged_in_one_step_and_undone(self, editing: RoomRendering, qtbot: QtBot) -> None:
        editor, model = editing.panel.editor, editing.model
        start, before = model.points, settle(editing, qtbot)
        value, *_, opacity = start[3]
        at = editor.position_of(value, opacity).toPoint()
        to = editor.position_of(value, 0.05).toPoint()
        qtbot.mousePress(editor, LEFT, pos=at)
        qtbot.mouseMove(editor, (at + to) / 2)
        qtbot.mouseMove(editor, to)
        qtbot.mouseRelease(editor, LEFT, pos=to)
        assert model.points[3][4] == pytest.approx(0.05, abs=0.03)
        assert model.points[3][0] == pytest.approx(value, abs=30)
        assert settle(editing, qtbot) != before, "seen at once"
        qtbot.keyClick(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert model.points == start
        qtbot.keyClick(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert model.points == start
        qtbot.mouseClick(editing.panel.redo, LEFT)
        assert model.points != start
        qtbot.mouseClick(editing.panel.reset, LEFT)
        assert model.points == start
        assert not editing.panel.reset.isEnabled()

    def test_points_are_added_removed_and_coloured(self, editing: RoomRendering, qtbot: QtBot) -> None:
        editor, model = editing.panel.editor, editing.model
        count = len(model.points)
        qtbot.mouseDClick(editor, LEFT, pos=editor.position_of(800, 0.2).toPoint())
        assert len(model.points) == count + 1
        value, *_, opacity = next(p for p in model.points if p[0] == pytest.approx(800, abs=20))
        assert opacity == pytest.approx(0.2, abs=0.03)
        editor.ask_colour = lambda _: QColor(0, 255, 0)
        at = editor.position_of(value, opacity).toPoint()
        qtbot.mouseClick(editor, LEFT, pos=at)
        assert next(p for p in model.points if p[0] == value)[1:4] == (0, 1, 0)
        editor.ask_colour = lambda _: None
        qtbot.mouseClick(editor, LEFT, pos=at)
        assert next(p for p in model.points if p[0] == value)[1:4] == (0, 1, 0)
        qtbot.mouseClick(editor, RIGHT, pos=at)
        assert len(model.points) == count
        qtbot.mouseClick(editor, LEFT, pos=editor.position_of(*np.array(model.points[2])[[0, 4]]).toPoint())
        qtbot.keyClick(editor, Qt.Key.Key_Delete)
        assert len(model.points) == count - 1

    def test_keys_move_a_point(self, editing: RoomRendering, qtbot: QtBot) -> None:
        editor, model = editing.panel.editor, editing.model
        before = model.points
        editor.setFocus()
        qtbot.keyClick(editor, Qt.Key.Key_PageDown)
        qtbot.keyClick(editor, Qt.Key.Key_Up)
        qtbot.keyClick(editor, Qt.Key.Key_Right)
        assert model.points[1][4] == pytest.approx(before[1][4] + 0.01)
        assert model.points[1][0] > before[1][0]
        assert model.history.labels == ("opacity",)

    def test_two_points_always_stay(self) -> None:
        points = ((0.0, 0, 0, 0, 0.0), (1.0, 1, 1, 1, 1.0))
        assert without_point(points, 0) == points
        assert with_point(points, 1.0, 0.5) == points
        assert with_point(points, 0.25, 2.0)[1] == (0.25, 0.25, 0.25, 0.25, 1.0)
        assert moved(points, 0, 9.0, -1.0)[0][0] < 1.0
        assert coloured(points, 0, (1, 0, 0))[0] == (0.0, 1, 0, 0, 0.0)


class TestSurface:
    def test_a_surface_lies_where_the_block_lies_and_says_its_grid(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        qtbot.mouseClick(rendered.bar.buttons["A"], LEFT)
        before = centre(settle(rendered, qtbot))
        choose(rendered.bar.preset, "Surface at a threshold")
        qtbot.waitUntil(lambda: rendered.skin is not None)
        after = centre(settle(rendered, qtbot))
        np.testing.assert_allclose(after, before, atol=0.05)
        assert rendered.panel.surface_words.text().endswith("triangles, made on all 28 × 24 × 20 voxels.")
        choose(rendered.bar.preset, "Bone")
        assert centre(settle(rendered, qtbot)) == pytest.approx(before, abs=0.01)

    def test_the_slider_moves_it_and_too_high_a_threshold_says_why(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        qtbot.mouseClick(rendered.bar.adjust, LEFT)
        panel = rendered.panel
        for _ in range(3):
            qtbot.keyClick(panel.threshold, Qt.Key.Key_PageUp)
        settle(rendered, qtbot)
        assert rendered.model.now.surface
        assert rendered.model.now.threshold > 300
        assert rendered.skin is not None
        panel.threshold_edit.setFocus()
        panel.threshold_edit.selectAll()
        qtbot.keyClicks(panel.threshold_edit, "5000")
        qtbot.keyClick(panel.threshold_edit, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: "no surface" in panel.surface_words.text())

    def test_it_is_saved_as_stl(self, rendered: RoomRendering, qtbot: QtBot, tmp_path: Path) -> None:
        asked = []
        rendered.export.ask_file = lambda name, _: asked.append(name) or str(tmp_path / "block")  # type: ignore[func-returns-value]
        choose(rendered.bar.preset, "Surface at a threshold")
        qtbot.waitUntil(lambda: rendered.skin is not None)
        qtbot.mouseClick(rendered.bar.adjust, LEFT)
        rendered.panel.stl.click()
        qtbot.waitUntil(lambda: not rendered.export.busy)
        assert asked == ["surface.stl"]
        facets = np.frombuffer((tmp_path / "block.stl").read_bytes()[84:], np.dtype([("v", "<f4", 12), ("a", "<u2")]))
        corners = facets["v"].reshape(-1, 4, 3)[:, 1:].reshape(-1, 3)
        values, affine = phantom()
        place = (affine @ [*np.argwhere(values == 1200).mean(axis=0)[::-1], 1])[:3]
        np.testing.assert_allclose((corners.min(axis=0) + corners.max(axis=0)) / 2, place, atol=0.1)

    def test_a_folder_that_is_not_there(self, rendered: RoomRendering, qtbot: QtBot, tmp_path: Path) -> None:
        rendered.export.ask_file = lambda *_: str(tmp_path / "gone" / "picture.png")
        rendered.export.save_picture()
        qtbot.waitUntil(lambda: not rendered.export.busy, timeout=30_000)
        assert "does not exist" in rendered.panel.picture_words.text()


class TestCuts:
    def test_a_box_cuts_what_lies_beside_it(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        """The block lies to the left: without the left half nothing is seen, without the right half all of it is."""
        qtbot.mouseClick(rendered.bar.adjust, LEFT)
        qtbot.mouseClick(rendered.bar.buttons["A"], LEFT)
        whole = settle(rendered, qtbot)
        item = rendered.item
        assert item is not None
        start, end = rendered.panel.cut.sliders[0]
        start.setValue(500)
        assert rendered.model.now.box is not None
        assert rendered.model.now.box[0] == pytest.approx((30.0, whole_box(item)[0][1]))
        assert np.abs(brightness(settle(rendered, qtbot)) - brightness(whole)).mean() < 1
        assert "Cut open" in rendered.view.overlay.marks
        start.setValue(0)
        end.setValue(500)
        assert brightness(settle(rendered, qtbot)).max() < 10
        rendered.model.history.undo()
        assert centre(settle(rendered, qtbot)) == pytest.approx(centre(whole), abs=0.02)

    @pytest.mark.parametrize("axis", [0, 1, 2])
    def test_the_edge_of_the_box_is_exact(self, pane: RoomRendering, qtbot: QtBot, axis: int) -> None:
        """Of an oblique stack that is full: it ends where the box ends, in rays as on the surface."""
        affine = phantom(LYING["oblique"])[1]
        item = item_of(np.full(SHAPE, 1000, np.int16), affine)
        put(pane, qtbot, item)
        values = item.stacks[0].copy()
        values[0, 0, 0] = -1000
        item = item_of(values, affine)
        qtbot.mouseClick(pane.bar.buttons["L" if axis else "A"], LEFT)
        place = item.middle
        box = [list(pair) for pair in whole_box(item)]
        box[axis][1] = place[axis]
        put(pane, qtbot, item)
        pane.model.change("box", box=tuple(map(tuple, box)))
        for surface in (False, True):
            pane.model.change("surface", surface=surface, threshold=0.0)
            qtbot.waitUntil(lambda wanted=surface: (pane.skin is not None) is wanted)
            image = settle(pane, qtbot)
            seen = brightness(image) > 12
            assert pane.renderer is not None
            at = pane.renderer.position_of(place, image.width(), image.height())
            right, down = pane.renderer.screen_axes()
            along = np.array([right[axis], down[axis]])
            lit = np.argwhere(seen)[:, ::-1] + 0.5
            beyond = (lit - at) @ along
            assert beyond.max() == pytest.approx(0, abs=2.0), surface

    def test_seven_planes_cut_a_surface(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        """One more than OpenGL has for it."""
        item = rendered.item
        assert item is not None
        choose(rendered.bar.preset, "Surface at a threshold")
        qtbot.waitUntil(lambda: rendered.skin is not None)
        box = tuple((low + 1, high - 1) for low, high in whole_box(item))
        rendered.model.change("box", box=box, depth=-20.0)
        before = brightness(settle(rendered, qtbot))
        assert before.max() > 40
        rendered.model.change("box", box=(*box[:2], (box[2][0], box[2][0] + 5)))
        assert brightness(settle(rendered, qtbot)).max() < 10

    def test_the_plane_follows_the_view(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        """The block lies in front: seen from there the plane through the middle takes it off, from behind it stays."""
        qtbot.mouseClick(rendered.bar.adjust, LEFT)
        rendered.panel.cut.plane.click()
        for side, seen in {"A": False, "P": True, "L": False, "R": True, "H": False, "F": True}.items():
            qtbot.mouseClick(rendered.bar.buttons[side], LEFT)
            assert (brightness(settle(rendered, qtbot)).max() > 40) == seen, side
