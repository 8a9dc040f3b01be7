"""How long the viewing room takes from an event to the end of the painting that it causes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import cycle

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from app.state.picture import Levels
from app.state.room.item import Item, Kind
from app.state.room.pane import Face
from app.state.room.room import Room
from app.views.room_page import RoomPage

SIDE = 256
WINDOW = 1280, 720
_LONGEST_S = 5.0
"""For one frame; a canvas that nobody shows is never painted."""

Times = tuple[float, ...]


def frame_times(seconds: float, most: int = 100, side: int = SIDE) -> Iterator[tuple[str, str, Times]]:
    """(name, words, milliseconds) of the wheel over two faces, and of window and level by dragging.

    The room shows a volume of side voxels along each edge. There must be a QApplication. Raises TimeoutError where
    nothing is painted.
    """
    page = room_with(cube(side))
    page.resize(*WINDOW)
    page.show()
    QApplication.processEvents()
    turns, places = cycle((1, 1, 1, -1)), cycle(QPointF(300 + i, 300 - i) for i in range(1, 50))
    share = seconds / 3
    try:
        for face in (Face.AXIAL, Face.SAGITTAL):
            page.room.set_pane(0, face=face)
            QApplication.processEvents()
            name, words = f"wheel_{face.value.lower()}_{side}", f"Wheel to painted frame, {face.value.lower()}"
            times = repeated(lambda: painted(page, lambda: wheel(page, next(turns))), share, most)
            yield name, f"{words}, {side} x {side} x {side}", times
        press(page, QPointF(300, 300), QEvent.Type.MouseButtonPress)
        times = repeated(lambda: painted(page, lambda: drag(page, next(places))), share, most)
        press(page, QPointF(300, 300), QEvent.Type.MouseButtonRelease)
        yield f"window_level_{side}", f"Window and level to painted frame, {side} x {side} x {side}", times
    finally:
        page.close()
        page.deleteLater()


def repeated(measure: Callable[[], float], seconds: float, most: int) -> Times:
    """At least one, after one that is not counted."""
    measure()
    end = time.perf_counter() + seconds
    times = [measure()]
    while len(times) < most and time.perf_counter() < end:
        times.append(measure())
    return tuple(times)


def cube(side: int) -> npt.NDArray[np.int16]:
    """(z, y, x): smooth shapes and noise, so that no plane is like the next."""
    rng = np.random.default_rng(0)
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    made = np.empty((side, side, side), dtype=np.int16)
    noise = rng.integers(-100, 100, (side, side), dtype=np.int16)
    for z in range(side):
        made[z] = 1000 * (axis[z] ** 2 + axis[:, None] ** 2 + axis[None] ** 2 < 0.8) - 500 + np.roll(noise, z)
    return made


def room_with(values: npt.NDArray[np.int16]) -> RoomPage:
    """A viewing room that shows a volume of HU in its one pane."""
    room = Room()
    place = np.diag([0.7, 0.7, 0.7, 1.0])
    room.put(Item("a", "Cube", Kind.VOLUME, values[None], place, True, "HU", Levels(-600, 600)))
    return RoomPage(room)


def painted(page: RoomPage, event: Callable[[], object]) -> float:
    """Milliseconds from an event until the active canvas has been painted. Raises TimeoutError."""
    before = page.active.canvas.frames_painted
    started = time.perf_counter()
    event()
    while page.active.canvas.frames_painted == before:
        QApplication.processEvents()
        if time.perf_counter() - started > _LONGEST_S:
            raise TimeoutError("Nothing was painted.")
    return (time.perf_counter() - started) * 1000


def wheel(page: RoomPage, steps: int) -> None:
    """Turn the wheel over the active canvas."""
    canvas = page.active.canvas
    at = QPointF(canvas.width() / 2, canvas.height() / 2)
    turned = QWheelEvent(
        at,
        at,
        QPointF(0, 0).toPoint(),
        QPointF(0, 120 * steps).toPoint(),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, turned)


def drag(page: RoomPage, to: QPointF) -> None:
    """Move the mouse with its left button down."""
    none, left, keys = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(page.active.canvas, QMouseEvent(QEvent.Type.MouseMove, to, to, none, left, keys))


def press(page: RoomPage, at: QPointF, kind: QEvent.Type) -> None:
    """Press or release the left button."""
    left, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(page.active.canvas, QMouseEvent(kind, at, at, left, left, keys))
