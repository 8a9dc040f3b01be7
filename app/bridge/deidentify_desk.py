"""Copies DICOM images without identity, in a thread of its own."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.bridge.file_desk import notice_of
from app.bridge.mailbox import Mailbox
from app.bridge.worker import Worker
from app.state.notice import Notice
from core.export.deidentify import Options, Outcome, deidentify


class Stopped(Exception):
    """The user wants the work to end."""


class DeidentifyDesk(QObject):
    """Signals come in the window's thread. told: files done and of how many. ended: an Outcome, a Notice, or None where
    it was stopped, and nothing written."""

    told = Signal(int, int)
    ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mailbox = Mailbox(self)
        self._worker = Worker("deidentify", self)
        self._stop = threading.Event()
        self.busy = False

    def begin(self, source: str, out: str, options: Options) -> None:
        if not self.busy:
            self.busy = True
            self._stop = threading.Event()
            self._worker.submit(partial(self._work, self._stop, Path(source), Path(out), options))

    def stop(self) -> None:
        """End after the file that is being copied; nothing stays."""
        self._stop.set()

    def close(self) -> None:
        """Stop, and wait for the end."""
        self._stop.set()
        self._mailbox.close()
        if self._worker.isRunning():
            self._worker.leave()
            self._worker.ended()

    def _work(self, stop: threading.Event, source: Path, out: Path, options: Options) -> None:
        def tell(_: str, done: int, of: int) -> None:
            if stop.is_set():
                raise Stopped
            self._mailbox.post(partial(self.told.emit, done, of), self)

        result: Outcome | Notice | None = None
        try:
            result = deidentify([source], out, options, tell)
        except Stopped:
            pass
        except Exception as error:
            result = notice_of(error, "The images could not be copied.")
        self._mailbox.post(partial(self._end, result))

    def _end(self, result: Outcome | Notice | None) -> None:
        self.busy = False
        self.ended.emit(result)
