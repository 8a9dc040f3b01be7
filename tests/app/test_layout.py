"""Three planes and a rendering beside the slice: layout, crosshair, scrolling, levels, letters, 3-D."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.preferences import Preferences
from app.state.display import PLANES, SLICE
from app.views.main_window import MainWindow
from app.views.slice_view import SliceView
from tests.app.conftest import finished, open_file
from tests.app.fakes import FakeEngine, scan
from tests.app.fakes_ct import CT_SHAPE, CT_SPACING, ct_scan, hu_image

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NO_KEY = Qt.KeyboardModifier.NoModifier


def views(window: MainWindow) -> tuple[SliceView, SliceView, SliceView]:
    """Axial, coronal and sagittal of the fake scan."""
    return window.viewer.planes.views


def middle(view: SliceView) -> tuple[float, float]:
    """The pixel where the planes meet, as the crosshair shows it."""
    x, y = view.cross
    assert x is not None
    assert y is not None
    return x, y


def turn_wheel(view: SliceView, notches: int) -> None:
    place = QPointF(view.viewport().rect().center())
    at = QPointF(view.viewport().mapToGlobal(place.toPoint()))
    none, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(place, at, QPoint(), QPoint(0, 120 * notches), none, NO_KEY, phase, False)
    QApplication.sendEvent(view.viewport(), event)


class TestLayout:
    def test_a_thick_stack_opens_in_three_planes(self, ct: MainWindow) -> None:
        assert all(view.isVisible() for view in views(ct))
        assert ct.viewer.planes.volume.isVisible()
        assert ct.actions_["planes"].isChecked()
        assert [view.overlay.title for view in views(ct)] == ["FBP (classical)", "Coronal", "Sagittal"]

    def test_the_switch_is_remembered(self, ct: MainWindow, qtbot: QtBot) -> None:
        qtbot.keyClick(ct, Qt.Key.Key_M)
        assert ct.session.display.layout == SLICE
        assert not any(view.isVisible() for view in views(ct)[1:])
        assert Preferences().planes is False
        open_file(ct, qtbot, "chest.h5")
        assert ct.session.display.layout == SLICE
        qtbot.keyClick(ct, Qt.Key.Key_M)
        assert ct.session.display.layout == PLANES
        assert Preferences().planes is True

    def test_a_thin_stack_opens_as_a_slice_and_can_be_cut(self, window: MainWindow, qtbot: QtBot) -> None:
        window.viewer.planes.volume.trouble = "Not in this test."
        open_file(window, qtbot, "head.h5")
        assert not views(window)[1].isVisible()
        window.actions_["planes"].trigger()
        assert views(window)[1].isVisible()
        shown = window.session.runs.front.classical["cg-sense"]
        np.testing.assert_array_equal(views(window)[1].image.image, shown.values[::-1, 12])
        window.session.display.set_component("phase")
        expected = np.angle(shown.image[::-1, 12])
        np.testing.assert_allclose(views(window)[1].image.image, expected, rtol=1e-6)

    def test_one_slice_has_no_planes(self, window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        fake.files["one.h5"] = scan("one.h5", slices=1)
        window.preferences.planes = True
        open_file(window, qtbot, "one.h5")
        assert not views(window)[1].isVisible()
        assert not window.actions_["planes"].isEnabled()

    def test_four_panes_of_one_size(self, ct: MainWindow) -> None:
        sizes = [pane.size() for pane in (*views(ct), ct.viewer.planes.volume)]
        assert max(s.width() for s in sizes) - min(s.width() for s in sizes) <= 1
        assert max(s.height() for s in sizes) - min(s.height() for s in sizes) <= 1


class TestPlanes:
    def test_they_show_the_voxels_through_the_crosshair(self, ct: MainWindow) -> None:
        stack = hu_image(40)
        ct.session.display.go_to_point(20, 16, 17)
        axial, coronal, sagittal = (view.image.image for view in views(ct))
        np.testing.assert_array_equal(axial, stack[17])
        np.testing.assert_array_equal(coronal, stack[::-1, 16])
        np.testing.assert_array_equal(sagittal, stack[::-1, :, 20])
        places = [view.overlay.place for view in views(ct)]
        assert places == [("slice 18",), ("17 / 24",), ("21 / 28",)]

    def test_letters_and_shape(self, ct: MainWindow) -> None:
        assert [view.overlay.letters for view in views(ct)] == [
            ("R", "L", "A", "P"),
            ("R", "L", "H", "F"),
            ("A", "P", "H", "F"),
        ]
        sx, sy, sz = CT_SPACING
        for view, ratio in zip(views(ct), (sy / sx, sz / sx, sz / sy), strict=True):
            wide = view.position_of(15, 5).x() - view.position_of(5, 5).x()
            high = view.position_of(5, 15).y() - view.position_of(5, 5).y()
            assert high / wide == pytest.approx(ratio, rel=0.04)
            assert view.overlay.millimetres

    def test_no_letters_where_the_patient_is_unknown(self, window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        window.viewer.planes.volume.trouble = "Not in this test."
        fake.files["bare.h5"] = ct_scan("bare.h5", placed=False)
        open_file(window, qtbot, "bare.h5")
        assert [view.overlay.letters for view in views(window)] == [None] * 3
        assert [view.overlay.title for view in views(window)[1:]] == ["Plane x, z", "Plane y, z"]
        np.testing.assert_array_equal(views(window)[1].image.image, hu_image(40)[:, 12])

    @pytest.mark.parametrize("pane", [0, 1, 2])
    def test_a_click_lets_them_meet_there(self, ct: MainWindow, qtbot: QtBot, pane: int) -> None:
        view = views(ct)[pane]
        qtbot.mouseClick(view.viewport(), LEFT, pos=view.position_of(6, 5))
        assert middle(view) == (6, 5)
        others = [middle(v) for v in views(ct)]
        x, y = others[0]
        top = CT_SHAPE[0] - 1 - ct.session.display.frame
        assert others[1] == (x, top)
        assert others[2] == (y, top)
        assert {0: (6, 5), 1: (6, top), 2: (x, 6)}[pane] == {0: (x, y), 1: (x, 5), 2: (x, y)}[pane]

    def test_a_right_drag_takes_them_along_and_leaves_the_levels(self, ct: MainWindow) -> None:
        view, levels = views(ct)[1], ct.session.display.levels
        kind = QMouseEvent.Type
        for event, pixel in ((kind.MouseButtonPress, (3, 4)), (kind.MouseMove, (9, 8))):
            at = view.position_of(*pixel)
            place, held = QPointF(at), RIGHT
            button = RIGHT if event is kind.MouseButtonPress else Qt.MouseButton.NoButton
            told = QMouseEvent(event, place, QPointF(view.viewport().mapToGlobal(at)), button, held, NO_KEY)
            QApplication.sendEvent(view.viewport(), told)
            assert middle(view) == pixel
        assert ct.session.display.levels == levels

    def test_a_drag_is_no_click(self, ct: MainWindow, qtbot: QtBot) -> None:
        view = views(ct)[0]
        before = middle(view)
        qtbot.mousePress(view.viewport(), LEFT, pos=view.position_of(3, 3))
        qtbot.mouseMove(view.viewport(), pos=view.position_of(9, 9))
        qtbot.mouseRelease(view.viewport(), LEFT, pos=view.position_of(9, 9))
        assert middle(view) == before

    def test_the_wheel_moves_each_along_its_own_axis(self, ct: MainWindow) -> None:
        display = ct.session.display
        display.go_to_point(10, 11, 12)
        for view, expected in zip(views(ct), ((10, 11, 13), (10, 12, 13), (11, 12, 13)), strict=True):
            turn_wheel(view, -1)
            assert (*display.point, display.frame) == expected
        for _ in range(60):
            turn_wheel(views(ct)[2], 1)
        assert display.point[0] == 0

    def test_levels_are_shared(self, ct: MainWindow, qtbot: QtBot) -> None:
        qtbot.keyClick(ct, "2")
        assert {tuple(view.image.getLevels()) for view in views(ct)} == {(-1350.0, 150.0)}
        view = views(ct)[2]
        view.levels_dragged.emit(0.1, 0.0)
        assert len({tuple(v.image.getLevels()) for v in views(ct)}) == 1

    def test_value_and_place_under_the_cursor(self, ct: MainWindow) -> None:
        ct.session.display.go_to_point(20, 16, 17)
        view = views(ct)[1]
        view.pointed.emit((20, CT_SHAPE[0] - 1 - 18))
        where, value = view.overlay.cursor
        assert value == "x 20  y 16  1200 HU"
        expected = ct.session.scan.scan.affine @ (20, 16, 18, 1)
        assert where == f"L {expected[0]:.1f} P {expected[1]:.1f} H {expected[2]:.1f} mm"

    def test_they_follow_a_run(self, ct: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        qtbot.mouseClick(ct.parameters.reconstruct, LEFT)
        fake.script.let(1)
        qtbot.waitUntil(lambda: "step 1 of 4" in views(ct)[0].overlay.title)
        assert [view.image.image.max() for view in views(ct)] == [41, 41, 41]
        fake.script.let(3)
        qtbot.waitUntil(lambda: finished(ct, 2))

    def test_every_pane_says_what_it_is_not_for(self, ct: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        fake.files["made.h5"] = ct_scan("made.h5", simulated=True)
        open_file(ct, qtbot, "made.h5")
        assert all(view.overlay.marks == ("Simulated scan",) for view in views(ct))

    def test_only_the_slice_on_view_is_no_stack(self, ct: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        fake.script.free = True
        ct.parameters.only_this_slice.click()
        ct.bridge.reconstruct()
        qtbot.waitUntil(lambda: finished(ct, 2))
        assert not views(ct)[1].isVisible()
        shown = ct.session.runs.front
        assert shown.job.source.slices == (CT_SHAPE[0] // 2, CT_SHAPE[0] // 2 + 1)
        ct.run_panel.runs.setCurrentRow(0)
        assert views(ct)[1].isVisible()
        assert ct.session.display.frame == CT_SHAPE[0] // 2, "the whole stack is where it was"
