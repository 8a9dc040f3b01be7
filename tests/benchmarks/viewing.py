"""How fast the viewing room scrolls, windows and changes its layout, and what memory it takes.

`python -m tests.benchmarks.viewing` under an X server. Times go from an event to the end of the painting it causes.
"""

from __future__ import annotations

import argparse
import statistics
from itertools import cycle

import psutil
from PySide6.QtCore import QEvent, QPointF
from PySide6.QtWidgets import QApplication

from app import theme
from app.state.room.pane import Face, Layout
from app.views.frame_times import cube, drag, painted, press, room_with, wheel

REPEATS = 100


def told(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    tail = ordered[int(0.95 * (len(ordered) - 1))]
    print(f"{name:34s} median {statistics.median(times):6.1f} ms   95 % {tail:6.1f} ms   worst {ordered[-1]:6.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=512)
    side = parser.parse_args().side
    app = QApplication([])
    theme.apply("dark")
    process = psutil.Process()
    idle = process.memory_info().rss
    values = cube(side)
    page = room_with(values)
    room = page.room
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
