"""Checks this machine in a thread of its own."""

from __future__ import annotations

import threading
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.bridge.machine import Finding, examine
from app.bridge.mailbox import Mailbox
from app.bridge.worker import Worker


class MachineDesk(QObject):
    """Emits `found` with each Finding, and `ended`, in the window's thread."""

    found = Signal(object)
    ended = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mailbox = Mailbox(self)
        self._worker = Worker("machine", self)
        self._stop = threading.Event()

    def check(self) -> None:
        """Begin anew; of what went on before nothing more is told."""
        self._stop.set()
        self._stop = threading.Event()
        self._worker.submit(partial(self._check, self._stop))

    def stop(self) -> None:
        """No more findings after the one that is looked for now."""
        self._stop.set()

    def close(self) -> None:
        """Stop, and wait for the end."""
        self._stop.set()
        self._mailbox.close()
        if self._worker.isRunning():
            self._worker.leave()
            self._worker.ended()

    def _check(self, stop: threading.Event) -> None:
        for finding in examine(stop.is_set):
            self._mailbox.post(partial(self._tell, stop, finding))
        self._mailbox.post(partial(self._tell, stop, None))

    def _tell(self, stop: threading.Event, finding: Finding | None) -> None:
        """A finding, or the end."""
        if stop.is_set():
            return
        if finding is None:
            self.ended.emit()
        else:
            self.found.emit(finding)
