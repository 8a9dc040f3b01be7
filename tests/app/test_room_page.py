"""The viewing room on a screen, driven by mouse and keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.state.picture import Levels
from app.state.room.item import Item, Kind
from app.state.room.pane import Comparison, Face, Layout
from app.state.room.room import Room
from app.views.room_page import FLICKER_KEY, RoomPage
from core.orientation import Affine

SHAPE = (20, 30, 40)
LEFT_FRONT_HEAD = np.array([10.0, -10.0, 12.0])
"""Where the bright block lies, LPS mm from the middle of the volume."""


def phantom(affine: Affine, key: str = "a", value: float = 100.0) -> Item:
    """Dark but for a block at the patient's left, front and head, wherever the affine puts the voxels."""
    z, y, x = np.indices(SHAPE)
    places = np.stack([x, y, z, np.ones(SHAPE)], axis=-1) @ affine.T
    middle = (affine @ (np.append((np.array(SHAPE[::-1]) - 1) / 2, 1)))[:3]
    near = np.abs(places[..., :3] - middle - LEFT_FRONT_HEAD).max(axis=-1) < 5
    values = np.where(near, np.float32(value), np.float32(10))
    return Item(key, f"Image {key}", Kind.VOLUME, values[None], affine, True, "HU", Levels(0, 100))


PLAIN = np.diag([1.0, 1.0, 2.0, 1.0])
TURNED = np.array([[0, 0, -2.0, 50], [-1.0, 0, 0, -7], [0, 1.0, 0, 30], [0, 0, 0, 1]])
"""Columns to the front, rows to the head, slices to the right: as a sagittal series."""
OBLIQUE = np.array([[0.94, -0.3, 0.2, 5], [0.3, 0.94, 0.2, -8], [-0.12, -0.06, 1.9, 40], [0, 0, 0, 1]])


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def page(room: Room, qtbot: QtBot) -> Iterator[RoomPage]:
    made = RoomPage(room)
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.release()


def drawn(page: RoomPage, index: int = 0) -> np.ndarray:
    """What a canvas shows, its brightness (height, width)."""
    settle(page)
    picture = page.panes[index].canvas.grab().toImage()
    pixels = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine() // 4, 4)
    return pixels[:, : picture.width(), :3].max(axis=-1).astype(int)


def settle(page: RoomPage) -> None:
    QApplication.processEvents()
    page.refresh()


def wheel(page: RoomPage, notches: int, index: int = 0, *, ctrl: bool = False) -> None:
    canvas = page.panes[index].canvas
    at = QPointF(canvas.rect().center())
    keys = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
    turned = QPoint(0, 120 * notches)
    event = QWheelEvent(
        at, QPointF(canvas.mapToGlobal(at)), QPoint(), turned, Qt.MouseButton.NoButton, keys,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)
    settle(page)


@pytest.mark.parametrize("affine", [PLAIN, TURNED, OBLIQUE], ids=["plain", "turned", "oblique"])
@pytest.mark.parametrize(
    ("face", "right", "down"), [(Face.AXIAL, "L", "P"), (Face.CORONAL, "L", "F"), (Face.SAGITTAL, "P", "F")]
)
@pytest.mark.parametrize("patient_axes", [False, True])
def test_left_front_and_head_are_where_the_letters_say(
    room: Room, page: RoomPage, affine: Affine, face: Face, right: str, down: str, patient_axes: bool
) -> None:
    item = phantom(affine)
    room.put(item)
    middle = (affine @ (np.append((np.array(SHAPE[::-1]) - 1) / 2, 1)))[:3]
    room.set_pane(0, face=face, patient_axes=patient_axes)
    room.move_to(0, middle + LEFT_FRONT_HEAD)
    settle(page)
    canvas = page.panes[0].canvas
    letters = canvas.overlay.letters
    assert letters is not None
    assert letters[1][0] == right
    assert letters[3][0] == down
    canvas.set_overlay(type(canvas.overlay)())
    canvas.active = False
    bright = np.argwhere(np.array(drawn_bare(page)) > 200).mean(axis=0)
    height, width = canvas.height(), canvas.width()
    side = {"L": 1, "P": -1}[right]
    assert (bright[1] - width / 2) * side > 20, "the left of the patient, or the front"
    assert (bright[0] - height / 2) < -20, "front or head on top"


def drawn_bare(page: RoomPage) -> np.ndarray:
    """The canvas as it is, without the words that it has been told to leave out."""
    page.setFocus()
    canvas = page.panes[0].canvas
    canvas.cross = None
    picture = canvas.grab().toImage()
    pixels = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine() // 4, 4)
    inner = pixels[3:-3, 3 : picture.width() - 3, :3].max(axis=-1).astype(int)
    return inner


def test_an_empty_room_says_what_to_do(page: RoomPage) -> None:
    settle(page)
    assert "Open a scan" in page.panes[0].canvas.words


def test_the_wheel_and_the_keys_scroll_and_the_words_follow(room: Room, page: RoomPage, qtbot: QtBot) -> None:
    room.put(phantom(PLAIN))
    settle(page)
    canvas = page.panes[0].canvas
    assert canvas.overlay.place[0] == "As stored 11 / 20"
    wheel(page, -1)
    assert canvas.overlay.place[0] == "As stored 12 / 20"
    qtbot.keyClick(canvas, Qt.Key.Key_Up)
    qtbot.keyClick(canvas, Qt.Key.Key_PageUp)
    settle(page)
    assert canvas.overlay.place[0] == "As stored 1 / 20"
    qtbot.keyClick(canvas, Qt.Key.Key_End)
    settle(page)
    assert canvas.overlay.place[0] == "As stored 20 / 20"


def test_left_drag_is_window_and_level_and_shift_is_finer(room: Room, page: RoomPage, qtbot: QtBot) -> None:
    room.put(phantom(PLAIN))
    settle(page)
    canvas = page.panes[0].canvas
    before = room.levels_of(0)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    drag(canvas, QPoint(300, 160))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(300, 160))
    after = room.levels_of(0)
    assert after.window == pytest.approx(before.window * 1.25)
    assert after.level == pytest.approx(before.level - 10)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    drag(canvas, QPoint(300, 200), Qt.KeyboardModifier.ShiftModifier)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
    assert room.levels_of(0).window == pytest.approx(before.window * 1.275)


def drag(canvas: object, to: QPoint, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(to), QPointF(to), Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, keys
    )
    QApplication.sendEvent(canvas, event)  # type: ignore[arg-type]


def test_a_click_moves_the_crosshair_in_all_planes(room: Room, page: RoomPage, qtbot: QtBot) -> None:
    room.put(phantom(PLAIN))
    room.set_layout(Layout.MPR)
    room.set_pane(3, face=Face.STORED)
    settle(page)
    canvas = page.panes[0].canvas
    target = np.array([12.0, 20.0, room.cross[2]])  # type: ignore[index]
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=canvas.position_of(target).toPoint())
    settle(page)
    assert room.cross is not None
    assert np.abs(room.cross - target).max() < 0.6
    for i in (1, 2):
        sheet = page.panes[i].canvas.sheet
        assert sheet is not None
        assert abs(sheet.depth_of(room.cross)) <= 0.5


def test_volumes_of_other_grids_meet_at_the_same_millimetre(room: Room, page: RoomPage) -> None:
    room.put(phantom(PLAIN))
    fine = replace(phantom(PLAIN), key="b", stacks=np.zeros((1, 60, 15, 20), np.float32))
    affine = np.diag([2.0, 2.0, 2.0 / 3, 1.0])
    affine[:3, 3] = (0.5, 0.5, -2.0 / 3)
    room.put(replace(fine, affine=affine))
    room.set_layout(Layout.SIDE)
    settle(page)
    wheel(page, -3)
    depths = [page.panes[i].canvas.sheet.origin[2] for i in (0, 1)]  # type: ignore[union-attr]
    assert abs(depths[0] - depths[1]) < 0.5


def test_swipe_blend_flicker_and_difference(room: Room, page: RoomPage, qtbot: QtBot) -> None:
    room.put(phantom(PLAIN))
    room.put(replace(phantom(PLAIN), key="b", name="Other", stacks=np.full((1, *SHAPE), 100, np.float32)))
    room.set_pane(0, over="b", comparison=Comparison.SWIPE)
    settle(page)
    canvas = page.panes[0].canvas
    edge = QPoint(canvas.width() // 2, canvas.height() // 2)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=edge)
    drag(canvas, QPoint(canvas.width() // 4, edge.y()))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=edge)
    assert room.panes[0].share == pytest.approx(0.25, abs=0.01)
    bright = drawn(page)
    row = canvas.height() // 2 + 60
    assert bright[row, int(0.4 * canvas.width())] > 200, "right of the edge the other image"
    room.set_pane(0, comparison=Comparison.FLICKER)
    settle(page)
    below = drawn(page)[row, 400]
    qtbot.keyPress(canvas, FLICKER_KEY)
    assert drawn_now(page, row, 400) > 200 > below
    qtbot.keyRelease(canvas, FLICKER_KEY)
    assert drawn_now(page, row, 400) == below
    room.set_pane(0, comparison=Comparison.DIFFERENCE)
    settle(page)
    assert canvas.overlay.title == "Image a minus Other"
    assert canvas.overlay.colours == ("-25", "25")
    assert canvas.overlay.palette


def drawn_now(page: RoomPage, y: int, x: int) -> int:
    colour = page.panes[0].canvas.grab().toImage().pixelColor(x, y)
    return max(colour.red(), colour.green(), colour.blue())


def test_a_double_click_shows_one_pane_alone_and_all_again(room: Room, page: RoomPage, qtbot: QtBot) -> None:
    room.put(phantom(PLAIN))
    room.set_layout(Layout.FOUR)
    settle(page)
    qtbot.mouseDClick(page.panes[0].canvas, Qt.MouseButton.LeftButton, pos=QPoint(50, 150))
    settle(page)
    assert [pane.isVisible() for pane in page.panes] == [True, False, False, False]
    qtbot.mouseDClick(page.panes[0].canvas, Qt.MouseButton.LeftButton, pos=QPoint(50, 150))
    settle(page)
    assert all(pane.isVisible() for pane in page.panes)


def test_ctrl_wheel_zooms_and_the_point_under_the_cursor_stays(room: Room, page: RoomPage) -> None:
    room.put(phantom(PLAIN))
    settle(page)
    canvas = page.panes[0].canvas
    at = QPointF(canvas.rect().center())
    before, zoom = canvas.point_at(at), canvas.zoom()
    wheel(page, 3, ctrl=True)
    assert canvas.zoom() > 1.5 * zoom
    assert np.abs(canvas.point_at(at) - before).max() < 1.0 / zoom


def test_the_layout_buttons_and_the_typed_window(room: Room, page: RoomPage, qtbot: QtBot) -> None:
    room.put(phantom(PLAIN))
    qtbot.mouseClick(page.bar.layouts[Layout.SIDE], Qt.MouseButton.LeftButton)
    assert room.layout is Layout.SIDE
    settle(page)
    edit = page.bar.window_edit
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, "80")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    settle(page)
    assert room.levels_of(0).window == 80
    qtbot.mouseClick(page.bar.links["window"], Qt.MouseButton.LeftButton)
    assert not room.linked_window


def test_every_picture_says_what_it_is_not_for_and_hides_nothing(room: Room, page: RoomPage) -> None:
    room.put(replace(phantom(PLAIN), marks=("Simulated scan",)))
    settle(page)
    assert page.panes[0].canvas.overlay.marks == ("Simulated scan",)
    room.put(replace(phantom(PLAIN), key="u", kind=Kind.SPREAD))
    room.show(0, "u")
    settle(page)
    assert any("not a confidence interval" in mark for mark in page.panes[0].canvas.overlay.marks)


def test_no_letters_where_the_position_is_not_known(room: Room, page: RoomPage) -> None:
    room.put(replace(phantom(PLAIN), placed=False))
    settle(page)
    assert page.panes[0].canvas.overlay.letters is None
    assert page.panes[0].canvas.overlay.orientation == "orientation unknown"


def test_odd_volumes_are_drawn(room: Room, page: RoomPage) -> None:
    nothing = np.full((1, 1, 8, 8), np.nan, np.float32)
    for key, values in (("nan", nothing), ("even", np.ones((1, 3, 1, 5), np.int16))):
        room.put(replace(phantom(PLAIN), key=key, stacks=values))
        room.show(0, key)
        for face in (Face.AXIAL, Face.CORONAL, Face.SAGITTAL, Face.STORED):
            room.set_pane(0, face=face)
            settle(page)
            QTest.qWait(0)
            assert page.panes[0].canvas.layers
