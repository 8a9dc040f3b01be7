"""The image area under the mouse and the keys."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.state.picture import Levels, Picture
from app.views.main_window import MainWindow
from app.views.overlay import RESEARCH, UNKNOWN_ORIENTATION, scale_bar
from tests.app.conftest import finished
from tests.app.fakes import HEIGHT, SPACING, WIDTH, FakeEngine, scan

NO_KEY = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton


def wheel(window: MainWindow, notches: int, keys: Qt.KeyboardModifier = NO_KEY, at: QPoint | None = None) -> None:
    viewport = window.viewer.slice_view.viewport()
    place = QPointF(at or viewport.rect().center())
    event = QWheelEvent(
        place,
        QPointF(viewport.mapToGlobal(place.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)


def drag(
    window: MainWindow, start: QPoint, way: QPoint, button: Qt.MouseButton, keys: Qt.KeyboardModifier = NO_KEY
) -> None:
    """Press, move in two steps, release, as the window system would tell."""
    viewport = window.viewer.slice_view.viewport()
    kind, none = QEvent.Type, Qt.MouseButton.NoButton
    for event, at, pressed, held in (
        (kind.MouseButtonPress, start, button, button),
        (kind.MouseMove, start + way / 2, none, button),
        (kind.MouseMove, start + way, none, button),
        (kind.MouseButtonRelease, start + way, button, none),
    ):
        place = QPointF(at)
        QApplication.sendEvent(
            viewport, QMouseEvent(event, place, QPointF(viewport.mapToGlobal(at)), pressed, held, keys)
        )


def hover(window: MainWindow, at: QPoint) -> None:
    viewport = window.viewer.slice_view.viewport()
    none = Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(at), QPointF(viewport.mapToGlobal(at)), none, none, NO_KEY)
    QApplication.sendEvent(viewport, event)


def centre(window: MainWindow) -> QPoint:
    return window.viewer.slice_view.viewport().rect().center()


def test_wheel_and_keys_scroll(opened: MainWindow, qtbot: QtBot) -> None:
    view, display = opened.viewer.slice_view, opened.session.display
    steps = [
        (lambda: wheel(opened, -1), 1),
        (lambda: wheel(opened, -1), 2),
        (lambda: wheel(opened, -1), 2),
        (lambda: wheel(opened, 1), 1),
        (lambda: qtbot.keyClick(view, Qt.Key.Key_Down), 2),
        (lambda: qtbot.keyClick(view, Qt.Key.Key_Up), 1),
        (lambda: qtbot.keyClick(view, Qt.Key.Key_Home), 0),
        (lambda: qtbot.keyClick(view, Qt.Key.Key_PageDown), 2),
        (lambda: qtbot.keyClick(view, Qt.Key.Key_PageUp), 0),
        (lambda: qtbot.keyClick(view, Qt.Key.Key_End), 2),
    ]
    for act, frame in steps:
        act()
        assert display.frame == frame
        assert opened.viewer.frame_slider.value() == frame
        assert view.overlay.place[0] == f"slice {frame + 1}"
        expected = opened.session.runs.front.classical["cg-sense"].component("magnitude", frame)
        np.testing.assert_array_equal(view.image.image, expected)


def test_the_slider_scrolls(opened: MainWindow) -> None:
    opened.viewer.frame_slider.setValue(1)
    assert opened.session.display.frame == 1


def test_small_turns_of_a_fine_wheel_add_up(opened: MainWindow) -> None:
    viewport = opened.viewer.slice_view.viewport()
    for _ in range(4):
        place = QPointF(centre(opened))
        turn = QPoint(0, -30)
        event = QWheelEvent(
            place, place, QPoint(), turn, Qt.MouseButton.NoButton, NO_KEY, Qt.ScrollPhase.NoScrollPhase, False
        )
        QApplication.sendEvent(viewport, event)
    assert opened.session.display.frame == 1


def test_left_drag_is_window_and_level(opened: MainWindow) -> None:
    display = opened.session.display
    before = display.levels
    drag(opened, centre(opened), QPoint(100, 0), LEFT)
    assert display.levels.window == pytest.approx(before.window * 1.25)
    assert display.levels.level == pytest.approx(before.level)
    drag(opened, centre(opened), QPoint(0, 40), LEFT)
    assert display.levels.level == pytest.approx(before.level + 0.1 * before.window)
    drag(opened, centre(opened), QPoint(0, -40), LEFT, SHIFT)
    assert display.levels.level == pytest.approx(before.level + 0.09 * before.window)
    shown = opened.viewer.slice_view.image.getLevels()
    assert tuple(shown) == (display.levels.low, display.levels.high)


def test_levels_stay_once_they_were_touched(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    drag(opened, centre(opened), QPoint(80, 24), LEFT)
    chosen = opened.session.display.levels
    fake.script.free = True
    opened.bridge.reconstruct()
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert opened.session.display.levels == chosen
    qtbot.keyClick(opened, Qt.Key.Key_C)
    assert tuple(opened.viewer.slice_view.image.getLevels()) == (chosen.low, chosen.high)
    qtbot.keyClick(opened, Qt.Key.Key_R)
    assert opened.session.display.levels == opened.session.display.offered["magnitude"]


def test_levels_are_the_same_for_dds_and_the_classical_image(
    opened: MainWindow, fake: FakeEngine, qtbot: QtBot
) -> None:
    classical = opened.session.display.levels
    assert classical == Levels(0.0, pytest.approx(1.0, rel=0.05))
    fake.script.free = True
    opened.bridge.reconstruct()
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert opened.session.display.levels == classical


def test_typed_window_and_level(opened: MainWindow, qtbot: QtBot) -> None:
    field = opened.viewer.window_edit
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "0.5")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert opened.session.display.levels.window == pytest.approx(0.5)
    level = opened.session.display.levels.level
    opened.viewer.level_edit.setFocus()
    qtbot.keyClick(opened.viewer.level_edit, Qt.Key.Key_Up)
    assert opened.session.display.levels.level == pytest.approx(level * 1.02)
    assert "W 0.5" in opened.viewer.slice_view.overlay.levels


def test_middle_drag_pans_and_double_click_resets(opened: MainWindow, qtbot: QtBot) -> None:
    view = opened.viewer.slice_view
    before, levels = view.position_of(10, 10), opened.session.display.levels
    drag(opened, centre(opened), QPoint(30, -20), MIDDLE)
    moved = view.position_of(10, 10) - before
    assert abs(moved.x() - 30) <= 1
    assert abs(moved.y() + 20) <= 1
    assert opened.session.display.levels == levels
    qtbot.mouseDClick(view.viewport(), LEFT, pos=centre(opened))
    assert view.position_of(10, 10) == before


def test_ctrl_wheel_zooms_about_the_cursor(opened: MainWindow) -> None:
    view = opened.viewer.slice_view
    at = view.position_of(8, 6)
    zoom = view.zoom()
    wheel(opened, 3, CTRL, at)
    assert view.zoom() > 1.5 * zoom
    assert view.pixel_at(QPointF(at)) == (8, 6)
    assert opened.session.display.frame == 0
    assert view.position_of(8, 6).x() == pytest.approx(at.x(), abs=2 * view.zoom())


def test_pixels_have_the_shape_of_the_scan(opened: MainWindow) -> None:
    view = opened.viewer.slice_view
    wide = view.position_of(20, 5).x() - view.position_of(10, 5).x()
    high = view.position_of(5, 20).y() - view.position_of(5, 10).y()
    assert high / wide == pytest.approx(SPACING[1] / SPACING[0], rel=0.02)


def test_the_value_under_the_cursor(opened: MainWindow) -> None:
    view = opened.viewer.slice_view
    for x, y in ((0, 0), (31, 23), (20, 7)):
        hover(opened, view.position_of(x, y))
        place, value = view.overlay.cursor
        assert value.startswith(f"x {x}  y {y}  ")
        assert f"|{abs(opened.session.runs.front.classical['cg-sense'].image[0, y, x]):.4g}|" in value
        expected = opened.session.scan.scan.affine @ (x, y, 0, 1)
        assert f"{'L' if expected[0] >= 0 else 'R'} {abs(expected[0]):.1f}" in place
    hover(opened, QPoint(1, 1))
    assert view.overlay.cursor == ()


def test_letters_only_where_the_patient_is_known(window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    window.open_path("/scans/head.h5")
    qtbot.waitUntil(lambda: finished(window, 1))
    assert window.viewer.slice_view.overlay.letters == ("R", "L", "A", "P")
    assert window.viewer.slice_view.overlay.orientation == ""
    assert window.viewer.slice_view.overlay.millimetres
    fake.files["bare.h5"] = scan("bare.h5", placed=False)
    window.open_path("/scans/bare.h5")
    qtbot.waitUntil(lambda: window.session.scan.name == "bare.h5" and finished(window, 1))
    assert window.viewer.slice_view.overlay.letters is None
    assert window.viewer.slice_view.overlay.orientation == UNKNOWN_ORIENTATION
    assert not window.viewer.slice_view.overlay.millimetres


def test_a_field_of_view_without_a_position_gives_millimetres(
    window: MainWindow, fake: FakeEngine, qtbot: QtBot
) -> None:
    fake.files["head.h5"] = scan(placed=False, field_of_view_mm=(64.0, 96.0, 5.0))
    window.open_path("/scans/head.h5")
    qtbot.waitUntil(lambda: finished(window, 1))
    view = window.viewer.slice_view
    assert view.overlay.millimetres
    hover(window, view.position_of(WIDTH // 2 + 3, HEIGHT // 2 - 2))
    assert view.overlay.cursor[0] == "6.0, -8.0 mm from the middle"


def test_components_have_their_own_levels(opened: MainWindow, qtbot: QtBot) -> None:
    view, display = opened.viewer.slice_view, opened.session.display
    drag(opened, centre(opened), QPoint(80, 0), LEFT)
    magnitude = display.levels
    qtbot.keyClick(opened, Qt.Key.Key_2, CTRL)
    assert opened.viewer.component.currentText() == "Phase"
    assert view.overlay.place[0] == "phase"
    assert display.levels == Levels(-math.pi, math.pi)
    assert view.image.image[3, 20] == pytest.approx(0.5, abs=1e-5)
    qtbot.keyClick(opened, Qt.Key.Key_3, CTRL)
    assert display.levels.level == 0
    qtbot.keyClick(opened, Qt.Key.Key_1, CTRL)
    assert display.levels == magnitude


def test_the_image_says_what_it_is_not_for(opened: MainWindow) -> None:
    """Drawn in the image itself, at the bottom right, in every theme."""
    assert RESEARCH == "Research use only"
    picture = opened.viewer.slice_view.grab().toImage()
    corner = [
        picture.pixelColor(x, y).lightness()
        for x in range(picture.width() - 110, picture.width() - 10)
        for y in range(picture.height() - 24, picture.height() - 8)
    ]
    assert max(corner) > 200


def test_the_ground_is_dark_in_the_light_theme(opened: MainWindow, qtbot: QtBot) -> None:
    opened.set_theme("light")
    picture = opened.viewer.slice_view.grab().toImage()
    assert picture.pixelColor(3, picture.height() // 3).lightness() < 30
    qtbot.waitUntil(lambda: opened.palette().window().color().lightness() > 128)


def test_numbers_that_are_none_are_drawn_as_zero() -> None:
    image = np.full((1, 4, 4), 2 + 0j, dtype=np.complex64)
    image[0, 0] = [np.nan, np.inf, -np.inf, 1j * np.nan]
    picture = Picture(image)
    for component in ("magnitude", "phase", "real", "imaginary"):
        assert np.isfinite(picture.component(component, 0)).all()
    assert picture.levels()["magnitude"].high == pytest.approx(2)


def test_an_image_of_zeros_has_levels() -> None:
    assert Picture(np.zeros((1, 3, 3), np.complex64)).levels()["magnitude"] == Levels(0.0, 1.0)


@pytest.mark.parametrize(("zoom", "bar"), [(3.0, 50), (1.0, 100), (0.8, 200), (16.0, 10), (160.0, 1), (1600.0, 0.1)])
def test_the_scale_bar_is_a_round_length(zoom: float, bar: float) -> None:
    assert scale_bar(zoom) == pytest.approx(bar)
    assert 160 / 2.5 <= scale_bar(zoom) * zoom <= 160 * (1 + 1e-6)
