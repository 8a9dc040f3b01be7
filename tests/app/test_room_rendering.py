"""The rendering in the viewing room: sides, letters, mouse, keys, editor, surface, cuts, slices, what is saved."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import theme
from app.bridge.preload import preload_vtk
from app.state.picture import Levels
from app.state.rendering import room_presets
from app.state.room.item import Item, Kind
from app.state.room.pane import Face
from app.state.room.room import Room
from app.state.room.solid import SolidModel, coloured, moved, whole_box, with_point, without_point
from app.views.room_rendering import RoomRendering
from app.views.room_solid_aside import load_vtk
from app.views.room_solid_cube import FACES, seen_faces
from core.orientation import Affine
from tests.app.test_parameters import choose

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
ROOT = Path(__file__).parents[2]
SHAPE = (20, 24, 28)
TOWARDS = np.array([1.0, -1.0, 1.0])
"""Where the bright block lies from the middle, LPS: left, front, head."""


def turned(degrees_x: float, degrees_z: float) -> npt.NDArray[np.float64]:
    a, b = np.deg2rad([degrees_x, degrees_z])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return about_z @ about_x


SHEAR = np.array([[1.0, 0, 0], [0, 1.0, 0.3], [0, 0, 1.0]])
LYING = {
    "straight": np.diag([2.0, 2.0, 2.0]),
    "flipped": np.diag([-2.0, 2.0, -3.0]),
    "permuted": np.eye(3)[:, [2, 0, 1]] @ np.diag([2.0, -2.0, 2.0]),
    "oblique": turned(18, 14) @ np.diag([2.0, 2.5, 2.0]),
    "sheared": SHEAR @ np.diag([2.0, 2.0, -2.5]),
}


def phantom(steps: npt.NDArray[np.float64] = LYING["straight"]) -> tuple[npt.NDArray[np.int16], Affine]:
    """(values (z, y, x) in HU, affine): a body of soft tissue with a block of bone to the left, the front, the head."""
    sizes = np.array(SHAPE[::-1])
    affine = np.eye(4)
    affine[:3, :3] = steps
    affine[:3, 3] = np.array([30.0, -50.0, 400.0]) - steps @ ((sizes - 1) / 2)
    towards = np.sign((steps / np.linalg.norm(steps, axis=0)).T @ TOWARDS)
    x, y, z = np.round((sizes - 1) / 2 + towards * sizes / 4).astype(int)
    values = np.full(SHAPE, -1000, np.int16)
    values[z - 2 : z + 3, y - 2 : y + 3, x - 2 : x + 3] = 1200
    return values, affine


def item_of(values: npt.NDArray[np.int16], affine: Affine, key: str = "file a", **changes: object) -> Item:
    made = Item(key, "phantom", Kind.VOLUME, values[None], affine, True, "HU", Levels(-160, 240))
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def pane(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[RoomRendering]:
    """A pane, shown, with nothing in it, that rests no longer than it must."""
    theme.apply("dark")
    monkeypatch.setattr("app.views.room_solid_frames.REST_MS", 1)
    room = Room()
    room.set_pane(0, face=Face.RENDERED)
    made = RoomRendering(room, 0)
    qtbot.addWidget(made)
    made.resize(240, 260)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.release()
    qtbot.waitUntil(lambda: not made.aside.busy, timeout=30_000)


def settle(pane: RoomRendering, qtbot: QtBot) -> QImage:
    """Wait for the fine picture of what is asked for."""
    QApplication.processEvents()
    qtbot.waitUntil(lambda: bool(pane.trouble) or (pane.frames.settled and not pane.aside.busy), timeout=30_000)
    if pane.trouble:
        pytest.skip(f"no rendering here: {pane.trouble}")
    return pane.view.image.copy()


def put(pane: RoomRendering, qtbot: QtBot, item: Item) -> QImage:
    """Into the room, and wait until it is rendered."""
    pane.room.put(item)
    pane.show_item(item)
    return settle(pane, qtbot)


@pytest.fixture
def rendered(pane: RoomRendering, qtbot: QtBot) -> RoomRendering:
    """The straight phantom; skips where there is no OpenGL."""
    put(pane, qtbot, item_of(*phantom()))
    return pane


def brightness(image: QImage) -> npt.NDArray[np.float64]:
    """(height, width) 0 to 255."""
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    pixels = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    return pixels[:, : grey.width()].astype(np.float64)


def centre(image: QImage) -> tuple[float, float]:
    """Where the bright parts lie: (x, y) from the middle, in halves of the picture, to the right and downwards."""
    bright = brightness(image)
    assert bright.max() > 40, "nothing is seen"
    height, width = bright.shape
    y, x = np.mgrid[:height, :width]
    return (
        float((x * bright).sum() / bright.sum()) / (width - 1) * 2 - 1,
        float((y * bright).sum() / bright.sum()) / (height - 1) * 2 - 1,
    )


def pixels_of(image: QImage) -> npt.NDArray[np.int64]:
    """(height, width, 3) red, green, blue."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(np.int64)


def drag(pane: RoomRendering, qtbot: QtBot, button: Qt.MouseButton, by: QPoint) -> None:
    view, start = pane.view, QPoint(100, 100)
    qtbot.mousePress(view, button, pos=start)
    qtbot.mouseMove(view, start + by)
    qtbot.mouseRelease(view, button, pos=start + by)


class TestSides:
    @pytest.mark.parametrize("steps", LYING.values(), ids=LYING)
    def test_the_block_appears_where_the_letters_say(
        self, pane: RoomRendering, qtbot: QtBot, steps: npt.NDArray[np.float64]
    ) -> None:
        """From all six sides: the bright pixels lie towards the letters of the sides on which the block lies."""
        put(pane, qtbot, item_of(*phantom(steps)))
        is_there = {"L": True, "R": False, "A": True, "P": False, "H": True, "F": False}
        for side in "APLRHF":
            qtbot.mouseClick(pane.bar.buttons[side], LEFT)
            x, y = centre(settle(pane, qtbot))
            left, right, top, bottom = pane.view.overlay.letters or ("", "", "", "")
            for name, far in ((left, -x), (right, x), (top, -y), (bottom, y)):
                assert (far > 0.1) == is_there[name[0]], f"from {side}: {name} at {far:.2f}"
                assert abs(far) > 0.1
            assert pane.view.directions is not None
            assert seen_faces(*pane.view.directions)[-1] == side

    @pytest.mark.parametrize("steps", LYING.values(), ids=LYING)
    def test_light_comes_from_the_viewer(
        self, pane: RoomRendering, qtbot: QtBot, steps: npt.NDArray[np.float64]
    ) -> None:
        """The block is as bright from every side, however large its voxels are and whichever way they run."""
        put(pane, qtbot, item_of(*phantom(steps)))
        assert pane.renderer is not None
        for side in "APLRHF":
            pane.renderer.look_from(side)
            assert pane.renderer.picture(80, 80).max() > 200, side

    def test_the_place_of_the_block_is_exact(self, pane: RoomRendering, qtbot: QtBot) -> None:
        """Also on a reduced grid, and with a sheared affine."""
        values, affine = phantom(LYING["sheared"])
        x, y, z = np.argwhere(values == 1200).mean(axis=0)[::-1]
        put(pane, qtbot, item_of(values, affine))
        qtbot.mouseClick(pane.bar.buttons["A"], LEFT)
        image = settle(pane, qtbot)
        assert pane.renderer is not None
        there = pane.renderer.position_of((affine @ [x, y, z, 1])[:3], image.width(), image.height())
        across, down = centre(image)
        found = ((across + 1) / 2 * (image.width() - 1), (down + 1) / 2 * (image.height() - 1))
        np.testing.assert_allclose(found, there, atol=2.0)

    def test_every_letter_on_the_cube_reads_from_left_to_right(self) -> None:
        for normal, up in FACES.values():
            across = np.cross(up, normal)
            np.testing.assert_allclose(np.cross(across, -np.array(up)), -np.array(normal))

    def test_the_cube_turns_with_the_patient(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        qtbot.mouseClick(rendered.bar.buttons["A"], LEFT)
        for _ in range(18):
            qtbot.keyClick(rendered.view, Qt.Key.Key_Right)
        assert rendered.view.directions is not None
        assert seen_faces(*rendered.view.directions) == ["R"], "turned by 90 degrees to the right: the right side"
        assert rendered.view.overlay.letters == ("P", "A", "H", "F")

    def test_an_unknown_position_has_no_letters(self, pane: RoomRendering, qtbot: QtBot) -> None:
        put(pane, qtbot, item_of(*phantom(), placed=False))
        assert pane.view.overlay.letters is None
        assert pane.view.directions is None
        assert not pane.bar.buttons["A"].isVisible()


class TestMouseAndKeys:
    def test_left_drag_turns_and_a_letter_looks_from_there_again(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        qtbot.mouseClick(rendered.bar.buttons["A"], LEFT)
        before = settle(rendered, qtbot)
        drag(rendered, qtbot, LEFT, QPoint(80, 0))
        assert not rendered.frames.settled
        x, _ = centre(settle(rendered, qtbot))
        assert x > centre(before)[0], "what is in front goes with the hand"
        qtbot.mouseClick(rendered.bar.buttons["A"], LEFT)
        assert np.abs(brightness(settle(rendered, qtbot)) - brightness(before)).mean() < 1

    def test_middle_drag_pans(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        qtbot.mouseClick(rendered.bar.buttons["A"], LEFT)
        x, y = centre(settle(rendered, qtbot))
        drag(rendered, qtbot, MIDDLE, QPoint(-30, 40))
        to_x, to_y = centre(settle(rendered, qtbot))
        view = rendered.view
        assert (to_x - x) * view.width() / 2 == pytest.approx(-30, abs=2)
        assert (to_y - y) * view.height() / 2 == pytest.approx(40, abs=2)

    def test_right_drag_wheel_and_keys_zoom(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        qtbot.mouseClick(rendered.bar.buttons["A"], LEFT)

        def seen() -> float:
            return float((brightness(settle(rendered, qtbot)) > 20).mean())

        for _ in range(5):
            qtbot.keyClick(rendered.view, Qt.Key.Key_Minus)
        sizes = [seen()]
        drag(rendered, qtbot, RIGHT, QPoint(0, -12))
        sizes.append(seen())
        qtbot.keyClick(rendered.view, Qt.Key.Key_Plus)
        sizes.append(seen())
        place = QPointF(100, 100)
        notch = QWheelEvent(
            place, place, QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(rendered.view, notch)
        sizes.append(seen())
        assert sizes == sorted(set(sizes))
        qtbot.keyClick(rendered.view, Qt.Key.Key_Minus)
        assert seen() < sizes[-1]

    def test_a_double_click_asks_for_this_pane_alone(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        with qtbot.waitSignal(rendered.doubled):
            qtbot.mouseDClick(rendered.view, LEFT)

    def test_moves_share_a_coarse_picture_and_then_it_settles(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        settle(rendered, qtbot)
        fine, drawn = rendered.view.image.size(), []
        rendered.frames.drawn.connect(lambda: drawn.append(rendered.frames.image.size()))
        for step in range(5):
            drag(rendered, qtbot, LEFT, QPoint(10 + step, 0))
        assert not drawn
        qtbot.waitUntil(lambda: bool(drawn))
        assert drawn[0].width() < fine.width()
        assert settle(rendered, qtbot).size() == fine


def speckled() -> Item:
    """A head of which every pixel is another, with all its voxels."""
    values, affine = phantom(LYING["oblique"])
    return item_of(np.random.default_rng(1).integers(-200, 1500, values.shape).astype(np.int16), affine)


class TestStrips:
    @pytest.mark.parametrize("height", [97, 180, 261])
    @pytest.mark.parametrize("preset", ["Bone", "MIP"])
    def test_the_settled_picture_has_no_seams(
        self, pane: RoomRendering, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, height: int, preset: str
    ) -> None:
        """It is drawn in many strips here, and is what one picture of all of them is, to the last row."""
        monkeypatch.setattr("app.views.room_solid_frames.STRIP_S", 1e-6)
        pane.resize(150, height + pane.bar.height())
        put(pane, qtbot, speckled())
        choose(pane.bar.preset, preset)
        for _ in range(4):
            qtbot.keyClick(pane.view, Qt.Key.Key_Plus)
        settle(pane, qtbot)
        percents: list[int] = []
        pane.frames.drawn.connect(lambda: percents.append(pane.frames.percent))
        qtbot.keyClick(pane.view, Qt.Key.Key_Left)
        strips = pixels_of(settle(pane, qtbot))
        assert len(set(percents)) > 8
        assert pane.renderer is not None
        whole = pane.renderer.picture(strips.shape[1], strips.shape[0]).astype(int)
        assert whole[0].max() > 40, "it fills the view"
        assert whole[-1].max() > 40
        assert np.abs(strips - whole).max() <= 2

    def test_strips_keep_what_is_cut_off(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        """The rows are cut out of a scene that has planes of its own, which stay."""
        item = rendered.item
        assert item is not None
        assert rendered.renderer is not None
        box = tuple((low + 8, high - 8) for low, high in whole_box(item))
        rendered.model.change("box", box=box, depth=-18.0)
        settle(rendered, qtbot)
        whole = rendered.renderer.picture(120, 100).astype(int)
        strips = np.concatenate([rendered.renderer.strip(120, 100, top, 20) for top in range(0, 100, 20)])
        assert np.abs(whole - strips).max() <= 2
        np.testing.assert_array_equal(rendered.renderer.picture(120, 100), whole)

    def test_a_surface_is_drawn_at_once(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        choose(rendered.bar.preset, "Surface at a threshold")
        qtbot.waitUntil(lambda: rendered.skin is not None)
        settle(rendered, qtbot)
        drawn: list[int] = []
        rendered.frames.drawn.connect(lambda: drawn.append(rendered.frames.percent))
        qtbot.keyClick(rendered.view, Qt.Key.Key_Left)
        settle(rendered, qtbot)
        assert drawn[-1] == 100
        assert len(drawn) <= 2


class TestLight:
    @pytest.mark.parametrize("unit", ["HU", "a.u."])
    def test_a_shell_is_lit_evenly(self, pane: RoomRendering, qtbot: QtBot, unit: str) -> None:
        """Brightest where it faces the viewer, with no dark patches in between."""
        z, y, x = np.mgrid[-23.5:24, -23.5:24, -23.5:24]
        radius = np.sqrt(x**2 + y**2 + z**2)
        values = np.where((radius > 13) & (radius < 20), 1400, -1000).astype(np.int16)
        affine = np.diag([1.0, 1.0, 1.0, 1.0])
        affine[:3, 3] = -23.5
        put(pane, qtbot, item_of(values, affine, unit=unit, offered=Levels(-1000, 1400)))
        for side in "ALH":
            qtbot.mouseClick(pane.bar.buttons[side], LEFT)
            bright = brightness(settle(pane, qtbot))
            assert pane.renderer is not None
            across = 19 * bright.shape[0] / pane.renderer.camera.height_mm
            down, right = np.mgrid[: bright.shape[0], : bright.shape[1]]
            out = np.hypot(down - (bright.shape[0] - 1) / 2, right - (bright.shape[1] - 1) / 2) / across
            rings = [bright[(out >= low) & (out < low + 0.1)] for low in np.arange(0, 0.8, 0.1)]
            means = [ring.mean() for ring in rings]
            assert means[0] > 150, side
            assert all(after < before + 8 for before, after in pairwise(means)), (side, means)
            assert all(ring.min() > 0.7 * ring.mean() for ring in rings), side

    def test_there_is_one_lamp(self, rendered: RoomRendering) -> None:
        assert rendered.renderer is not None
        assert rendered.renderer._room.GetLights().GetNumberOfItems() == 1


class TestReduced:
    def test_the_middle_of_a_block_lies_where_its_voxels_lie(
        self, pane: RoomRendering, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Rays and surface, each of the means of 3 x 3 x 3 voxels."""
        monkeypatch.setattr("app.state.room.solid_parts.SETTLED", 10)
        monkeypatch.setattr("app.state.room.solid_parts.SURFACE_SIDE", 10)
        values, affine = phantom(LYING["permuted"])
        values[:] = -1000
        values[6:12, 9:15, 18:24] = 3000
        place = (affine @ [20.5, 11.5, 8.5, 1])[:3]
        put(pane, qtbot, item_of(values, affine))
        assert pane.prepared is not None
        assert pane.prepared.stack.step == (3, 3, 2)
        for surface in (False, True):
            pane.model.change("surface", surface=surface, threshold=1000.0)
            qtbot.waitUntil(lambda wanted=surface: (pane.skin is not None) is wanted)
            for side in "AH":
                qtbot.mouseClick(pane.bar.buttons[side], LEFT)
                for _ in range(3):
                    qtbot.keyClick(pane.view, Qt.Key.Key_Minus)
                image = settle(pane, qtbot)
                assert pane.renderer is not None
                there = pane.renderer.position_of(place, image.width(), image.height())
                across, down = centre(image)
                found = ((across + 1) / 2 * (image.width() - 1), (down + 1) / 2 * (image.height() - 1))
                np.testing.assert_allclose(found, there, atol=2.5, err_msg=f"{surface} {side}")


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


class TestSlicesAndRuns:
    def test_slices_stand_where_they_lie(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        """Through the block they show its section; the crosshair elsewhere takes them away from it."""
        values, affine = phantom()
        item = rendered.item
        assert item is not None
        rendered.model.change("plane", points=((-1000, 0, 0, 0, 0), (3000, 0, 0, 0, 0)))
        assert brightness(settle(rendered, qtbot)).max() < 10, "the rays see nothing"
        rendered.room.cross = (affine @ [*np.argwhere(values == 1200).mean(axis=0)[::-1], 1])[:3]
        rendered.model.change("slices", slices=True)
        qtbot.mouseClick(rendered.bar.buttons["A"], LEFT)
        image = settle(rendered, qtbot)
        assert rendered.renderer is not None
        there = rendered.renderer.position_of(rendered.room.cross, image.width(), image.height())
        across, down = centre(image)
        found = ((across + 1) / 2 * (image.width() - 1), (down + 1) / 2 * (image.height() - 1))
        np.testing.assert_allclose(found, there, atol=2)
        rendered.room.cross = item.middle
        rendered.show_item(item)
        assert brightness(settle(rendered, qtbot)).max() < 10

    def test_the_estimates_of_a_run_take_its_place(self, pane: RoomRendering, qtbot: QtBot) -> None:
        values, affine = phantom()
        large = np.repeat(np.repeat(np.repeat(values, 5, 0), 5, 1), 5, 2)
        fine = affine.copy()
        fine[:3, :3] /= 5
        first = item_of(large, fine, key="run", state="step 3 of 20", final=False)
        before = put(pane, qtbot, first)
        assert pane.view.overlay.title == "phantom — step 3 of 20"
        assert pane.view.overlay.cursor == ("70 × 60 × 50", "of 140 × 120 × 100")
        qtbot.keyClick(pane.view, Qt.Key.Key_Right)
        turned_to = pane.view.directions
        after = put(pane, qtbot, item_of(large // 2, fine, key="run"))
        assert after != before
        assert pane.view.directions is not None
        assert turned_to is not None
        np.testing.assert_allclose(pane.view.directions, turned_to, err_msg="the camera stays")

    def test_only_the_latest_estimate_is_made(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        values, affine = phantom()
        items = [item_of(values, affine, state=f"step {n}", final=False) for n in range(6)]
        for item in items:
            rendered.room.put(item)
            rendered.show_item(item)
        settle(rendered, qtbot)
        assert rendered.prepared is not None
        assert rendered.prepared.item is items[-1]

    @pytest.mark.parametrize("kind", [Kind.SPREAD, Kind.DIFFERENCE])
    def test_what_is_no_image_is_not_rendered(self, pane: RoomRendering, qtbot: QtBot, kind: Kind) -> None:
        item = item_of(*phantom(), kind=kind)
        pane.room.put(item)
        pane.show_item(item)
        assert pane.view.words.endswith("is not rendered.")
        put(pane, qtbot, item_of(*phantom(), key="b"))
        assert pane.view.words == ""

    def test_no_numbers_are_air(self, pane: RoomRendering, qtbot: QtBot) -> None:
        values, affine = phantom()
        holes = values.astype(np.float32)
        holes[holes < 0] = np.nan
        image = put(pane, qtbot, item_of(holes, affine))  # type: ignore[arg-type]
        assert brightness(image).max() < 60, "all of its numbers are the same, none is opaque more than another"

    def test_a_volume_of_one_slice(self, pane: RoomRendering, qtbot: QtBot) -> None:
        values, affine = phantom()
        put(pane, qtbot, item_of(values[14:15], affine))
        pane.model.change("surface", surface=True)
        settle(pane, qtbot)


class TestPictures:
    def test_a_larger_picture_is_saved(self, rendered: RoomRendering, qtbot: QtBot, tmp_path: Path) -> None:
        settle(rendered, qtbot)
        rendered.export.ask_file = lambda *_: str(tmp_path / "saved.png")
        rendered.export.save_picture()
        qtbot.waitUntil(lambda: not rendered.export.busy, timeout=60_000)
        assert rendered.panel.picture_words.text() == "Saved: saved.png"
        picture = QImage(str(tmp_path / "saved.png"))
        assert max(picture.width(), picture.height()) == 2000
        np.testing.assert_allclose(centre(picture), centre(rendered.view.image), atol=0.2)
        assert picture.text("Comment") == "Research use only. Not for diagnosis."
        corner = brightness(picture)[-60:, picture.width() // 2 :]
        assert (corner > 120).sum() > 100, "the mark"

    def test_nothing_of_the_name_is_in_it(self, rendered: RoomRendering, qtbot: QtBot) -> None:
        assert rendered.overlay("3-D", ()).title == "3-D"


class TestTrouble:
    def test_a_driver_that_fails_costs_the_pane(
        self, pane: RoomRendering, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_screen(*_: object) -> None:
            raise RuntimeError("The driver is from 1998.")

        monkeypatch.setattr("app.views.volume3d.VolumeRenderer.__init__", no_screen)
        monkeypatch.setattr("app.views.room_rendering.QGuiApplication.platformName", lambda: "xcb")
        item = item_of(*phantom())
        pane.room.put(item)
        pane.show_item(item)
        qtbot.waitUntil(lambda: bool(pane.trouble), timeout=30_000)
        assert pane.view.words == "The volume cannot be rendered here. The driver is from 1998."
        qtbot.keyClick(pane.view, Qt.Key.Key_Left)
        pane.show_item(item)

    def test_an_offscreen_platform_says_so(self, pane: RoomRendering, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("app.views.room_rendering.QGuiApplication.platformName", lambda: "offscreen")
        item = item_of(*phantom())
        pane.room.put(item)
        pane.show_item(item)
        assert "no OpenGL" in pane.view.words

    def test_a_context_that_is_lost_later(
        self, rendered: RoomRendering, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lost(*_: object, **__: object) -> None:
            raise RuntimeError("The context was lost.")

        monkeypatch.setattr("app.views.volume3d.VolumeRenderer.picture", lost)
        choose(rendered.bar.preset, "Lung")
        qtbot.waitUntil(lambda: bool(rendered.trouble))
        assert rendered.view.words == "The volume cannot be rendered here. The context was lost."

    def test_closing_while_something_is_made(self, pane: RoomRendering) -> None:
        item = item_of(*phantom())
        pane.room.put(item)
        pane.show_item(item)
        pane.release()

    def test_the_graphics_card_shows_the_same_and_failing_is_replaced(self, rendered: RoomRendering) -> None:
        from app.views.volume3d import VolumeRenderer

        assert rendered.prepared is not None
        assert rendered.renderer is not None
        card = VolumeRenderer(graphics_card=True)
        card.show_stack(rendered.prepared.stack, rendered.prepared.item.affine)
        card.take_view(rendered.renderer)
        preset = rendered.model.preset
        card.colour(rendered.model.points, mip=preset.mip, shade=preset.shade)
        assert card.on_graphics_card
        there = card.picture(100, 100).astype(int)
        if card.on_graphics_card:  # else the driver refused, and the processor has drawn it
            assert np.abs(there - rendered.renderer.picture(100, 100)).mean() < 12
        card.give_up_graphics_card()
        assert not card.on_graphics_card
        assert card.picture(100, 100).max() > 40
        card.release()


class TestModel:
    def test_each_scale_keeps_what_was_set(self) -> None:
        values, affine = phantom()
        model = SolidModel()
        model.take(item_of(values, affine))
        model.change("a", preset="Lung")
        model.take(item_of(values, affine, key="mr", unit="a.u."))
        assert model.preset.name == "Default"
        model.history.undo()
        assert model.preset.name == "Default", "it was of the other one"
        model.take(item_of(values, affine))
        assert model.preset.name == "Bone"


def test_vtk_is_loaded_without_the_window() -> None:
    """The libraries are mapped before Python imports them; twice does no harm."""
    preload_vtk()
    preload_vtk()
    load_vtk(bool)


def importers(name: str, folder: Path) -> set[str]:
    """Files that import a module, by their place."""
    found = set()
    for file in folder.rglob("*.py"):
        text = file.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if name in text else ():
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(n.split(".")[0] == name for n in names):
                found.add(file.relative_to(folder).as_posix())
    return found


@pytest.mark.parametrize("folder", ["app", "core"])
def test_only_one_package_imports_vtk(folder: str) -> None:
    found = importers("vtkmodules", ROOT / folder) | importers("vtk", ROOT / folder)
    assert all(file.startswith("views/volume3d/") for file in found)
    assert bool(found) is (folder == "app")
