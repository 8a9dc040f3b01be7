"""How fast the viewing room scrolls, windows and changes its layout, and what memory it takes.

`python -m tests.benchmarks.viewing` under an X server. Times go from an event to the end of the painting it causes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import cycle

import numpy as np
import psutil
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from app import theme
from app.state.picture import Levels
from app.state.room.item import Item, Kind
from app.state.room.pane import Face, Layout
from app.state.room.room import Room
from app.views.room_page import RoomPage

REPEATS = 100


def volume(side: int) -> np.ndarray:
    """(z, y, x) int16: smooth shapes and noise, so that no plane is like the next."""
    rng = np.random.default_rng(0)
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    made = np.empty((side, side, side), dtype=np.int16)
    noise = rng.integers(-100, 100, (side, side), dtype=np.int16)
    for z in range(side):
        made[z] = 1000 * (axis[z] ** 2 + axis[:, None] ** 2 + axis[None] ** 2 < 0.8) - 500 + np.roll(noise, z)
    return made


def painted(page: RoomPage, event: Callable[[], object]) -> float:
    """Milliseconds from an event until every visible canvas that it concerns has been painted."""
    app = QApplication.instance()
    assert app is not None
    before = page.active.canvas.frames_painted
    started = time.perf_counter()
    event()
    while page.active.canvas.frames_painted == before:
        app.processEvents()
    return (time.perf_counter() - started) * 1000


def told(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    tail = ordered[int(0.95 * (len(ordered) - 1))]
    print(f"{name:34s} median {statistics.median(times):6.1f} ms   95 % {tail:6.1f} ms   worst {ordered[-1]:6.1f} ms")


def wheel(page: RoomPage, steps: int) -> None:
    canvas = page.active.canvas
    at = QPointF(canvas.width() / 2, canvas.height() / 2)
    none = Qt.KeyboardModifier.NoModifier
    turned = QWheelEvent(
        at,
        at,
        QPointF(0, 0).toPoint(),
        QPointF(0, 120 * steps).toPoint(),
        Qt.MouseButton.NoButton,
        none,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, turned)


def drag(page: RoomPage, to: QPointF) -> None:
    moved = QMouseEvent(
        QEvent.Type.MouseMove,
        to,
        to,
        Qt.MouseButton.NoButton,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(page.active.canvas, moved)


def press(page: RoomPage, at: QPointF, kind: QEvent.Type) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(page.active.canvas, QMouseEvent(kind, at, at, left, left, none))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=512)
    side = parser.parse_args().side
    app = QApplication([])
    theme.apply("dark")
    process = psutil.Process()
    idle = process.memory_info().rss
    values = volume(side)
    room = Room()
    room.put(Item("a", "Cube", Kind.VOLUME, values[None], np.diag([0.7, 0.7, 0.7, 1.0]), True, "HU", Levels(-600, 600)))
    page = RoomPage(room)
    page.resize(1280, 720)
    page.show()
    app.processEvents()
    turns = cycle((1, 1, 1, -1))
    for face in (Face.AXIAL, Face.CORONAL, Face.SAGITTAL):
        room.set_pane(0, face=face)
        told(f"wheel, {face.value.lower()}", [painted(page, lambda: wheel(page, next(turns))) for _ in range(REPEATS)])
    room.set_pane(0, face=Face.AXIAL)
    start = QPointF(300, 300)
    press(page, start, QEvent.Type.MouseButtonPress)
    places = cycle(QPointF(300 + i, 300 - i) for i in range(1, 50))
    told("window and level", [painted(page, lambda: drag(page, next(places))) for _ in range(REPEATS)])
    press(page, start, QEvent.Type.MouseButtonRelease)
    room.set_layout(Layout.FOUR)
    for i in range(4):
        room.set_pane(i, item="a", face=(Face.AXIAL, Face.CORONAL, Face.SAGITTAL, Face.STORED)[i])
    app.processEvents()
    told("wheel, four linked panes", [painted(page, lambda: wheel(page, next(turns))) for _ in range(REPEATS)])
    layouts = cycle((Layout.ONE, Layout.SIDE, Layout.FOUR))
    told("layout", [painted(page, lambda: room.set_layout(next(layouts))) for _ in range(30)])
    rss = process.memory_info().rss
    more = (rss - idle) / 2**20
    print(f"memory {more:.0f} MB more than idle ({idle / 2**20:.0f} MB): {(rss - idle) / values.nbytes:.2f} volumes")


if __name__ == "__main__":
    main()
