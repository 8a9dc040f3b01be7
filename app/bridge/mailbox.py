"""The mailbox through which the worker threads reach the window."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Hashable

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

Delivery = Callable[[], None]
INTERVAL_S = 1 / 25


class Mailbox(QObject):
    """Deliveries made in any thread and carried out in the window's, in order.

    A delivery with a slot replaces the one that still lies there, so that of previews only the latest is drawn and
    never more than one is kept. The box is emptied 25 times a second at most, however fast it is filled.
    """

    _wake = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, Delivery] = {}
        self._open = True
        self._emptied = -INTERVAL_S
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.deliver)
        self._wake.connect(self._arrived, Qt.ConnectionType.QueuedConnection)

    def post(self, delivery: Delivery, slot: Hashable | None = None) -> None:
        """Have `delivery` called in the window's thread. From any thread."""
        with self._lock:
            if not self._open:
                return
            first = not self._waiting
            if slot is not None:
                self._waiting.pop(slot, None)
            self._waiting[object() if slot is None else slot] = delivery
        if first:
            self._wake.emit()

    @Slot()
    def _arrived(self) -> None:
        """Deliver now, or as soon as the last time is long enough ago."""
        wait = self._emptied + INTERVAL_S - time.monotonic()
        if wait <= 0:
            self.deliver()
        elif self._open:
            self._timer.start(math.ceil(wait * 1000))

    def deliver(self) -> None:
        """Carry out what has arrived. One that fails is reported and does not hold up the rest."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        self._emptied = time.monotonic()
        for delivery in waiting.values():
            try:
                delivery()
            except Exception:
                sys.excepthook(*sys.exc_info())

    def close(self) -> None:
        """Take no more deliveries and forget what lies there."""
        with self._lock:
            self._open = False
            self._waiting.clear()
        self._timer.stop()
