"""Slices, runs, pictures and troubles of the rendering, and who may import VTK."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.bridge.preload import preload_vtk
from app.state.room.item import Kind
from app.state.room.solid import SolidModel
from app.views.room_rendering import RoomRendering
from app.views.room_solid_aside import load_vtk
from tests.app.solid_bench import LEFT, brightness, centre, item_of, phantom, put, settle
from tests.app.test_parameters import choose

ROOT = Path(__file__).parents[2]


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
    found -= {"bridge/machine_probe.py"}  # a program of its own, which may end of it
    assert all(file.startswith("views/volume3d/") for file in found)
    assert bool(found) is (folder == "app")
