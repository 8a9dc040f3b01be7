"""Python's cyclic collector, kept to the window's thread.

It runs in whatever thread allocates, and what belongs to a window must not be destroyed in another one: the process
would end. So it is switched off, and a timer collects when the interpreter itself would have.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 250


class Collector(QObject):
    """Collects in the thread that it was made in, until it is stopped."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("garbage collector")
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.collect)
        self._timer.start()

    def collect(self) -> int:
        """Collect the oldest generation whose turn it is; its number, or -1 for none."""
        for generation in (2, 1, 0):
            counted, threshold = gc.get_count()[generation], gc.get_threshold()[generation]
            if counted > threshold:
                gc.collect(generation)
                return generation
        return -1

    def stop(self) -> None:
        """Leave it to the interpreter again."""
        self._timer.stop()
        gc.enable()
