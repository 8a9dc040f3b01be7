"""How late a 10 ms timer in the window's thread is while a scan is opened and reconstructed.

    python -m tests.benchmarks.gui_latency [SCAN] [--nfe N]

Needs a display (xvfb-run will do). Prints, for the start, the opening and the run, how often the timer fired and by how
much it was late: median, 99th percentile and worst, in milliseconds.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer

from app.state.session import Session
from app.views.files import demo_path
from app.window import build

INTERVAL_MS = 10


class Watch(QObject):
    """A timer that notes its own lateness, by what the session is doing."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._last = time.perf_counter()
        self.late: dict[str, list[float]] = {}
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(INTERVAL_MS)

    def _tick(self) -> None:
        now = time.perf_counter()
        late = (now - self._last) * 1e3 - INTERVAL_MS
        self._last = now
        current = self._session.runs.current
        doing = "reading and torch" if current is None else "reconstruction" if current.is_dds else "classical image"
        self.late.setdefault(doing, []).append(max(late, 0.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scan", nargs="?", default=demo_path())
    parser.add_argument("--nfe", type=int, default=20)
    arguments = parser.parse_args()
    app, window = build()
    window.show()
    app.processEvents()
    session = window.session
    watch = Watch(session)
    window.bridge.warm_up()
    window.open_path(arguments.scan, remember=False)

    def look() -> None:
        runs = list(session.runs)
        if session.notice is not None and session.notice.error:
            print(session.notice.what)
            window.leave()
        elif runs and runs[-1].volume is not None:
            if runs[-1].is_dds:
                session.runs.changed.disconnect(look)
                QTimer.singleShot(0, window.leave)
            else:
                session.choice.set(nfe=arguments.nfe)
                QTimer.singleShot(0, window.bridge.reconstruct)

    session.runs.changed.connect(look)
    session.notice_changed.connect(look)
    app.exec()
    window.bridge.wait_for_end()
    print(f"{'':22}{'ticks':>8}{'median':>9}{'p99':>9}{'worst':>9}   ms late")
    for doing, late in watch.late.items():
        p50, p99 = np.percentile(late, [50, 99])
        print(f"{doing:22}{len(late):8}{p50:9.1f}{p99:9.1f}{max(late):9.1f}")


if __name__ == "__main__":
    main()
