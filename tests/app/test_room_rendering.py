"""The rendering of the viewing room: sides, mouse, light, and how a picture is put together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.state.picture import Levels
from app.state.room.item import Item
from app.state.room.solid import whole_box
from app.views.room_rendering import RoomRendering
from app.views.room_solid_cube import FACES, seen_faces
from tests.app.solid_bench import LEFT, LYING, MIDDLE, RIGHT, brightness, centre, item_of, phantom, put, settle
from tests.app.test_parameters import choose


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
