"""Simulates scans from image volumes, in the file thread."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from app.bridge.engine import Engine
from app.bridge.file_desk import notice_of
from app.bridge.mailbox import Mailbox
from app.bridge.worker import Worker
from app.state.notice import Notice
from app.state.session import Session
from app.state.simulation import Plan
from core.export.whole import write_whole
from core.formats.volume_parts import Opened

ENDING = ".h5"


class Stopped(Exception):
    """The user wants the work to end."""


class SimulationDesk:
    """Takes requests in the window's thread and answers there, through the mailbox. A file is whole or not there."""

    def __init__(self, session: Session, engine: Engine, mailbox: Mailbox, files: Worker) -> None:
        self._simulation = session.simulation
        self._engine = engine
        self._mailbox = mailbox
        self._files = files
        self._stop = threading.Event()

    @property
    def busy(self) -> bool:
        return bool(self._simulation.doing)

    def make(self, path: str) -> None:
        """Simulate what the plan says, and write it to a path."""
        volume, plan = self._simulation.volume, self._simulation.plan
        if self.busy or volume is None or plan is None:
            return
        self._stop = threading.Event()
        self._simulation.go_on("Preparing", None)
        self._files.submit(partial(self._make, self._stop, volume, plan, path))

    def cancel(self) -> None:
        """End the work as soon as it can be interrupted; nothing is written."""
        if self.busy:
            self._stop.set()
            self._simulation.stop()

    def close(self) -> None:
        self._stop.set()

    def _make(self, stop: threading.Event, volume: Opened, plan: Plan, path: str) -> None:
        """In the file thread."""

        def tell(words: str, done: int, of: int) -> None:
            if stop.is_set():
                raise Stopped
            share = done / of if of else None
            self._mailbox.post(partial(self._simulation.go_on, words, share), self)

        def write(part: Path) -> None:
            self._engine.write_scan(plan, volume, str(part), tell)
            tell("Writing", 1, 1)

        trouble: Notice | None = None
        try:
            # The part is made first, so that a folder that cannot be written to is told before the work.
            write_whole(Path(path), ENDING, write)
        except Stopped:
            self._mailbox.post(self._simulation.end)
            return
        except OSError as error:
            what = f"{Path(path).name} could not be written."
            trouble = Notice(what, f"{error.strerror or error}.", "Choose another place.")
        except Exception as error:
            trouble = notice_of(error, "The scan could not be simulated.")
        self._mailbox.post(partial(self._done, trouble, path))

    def _done(self, trouble: Notice | None, path: str) -> None:
        self._simulation.end(trouble)
        if trouble is None:
            self._simulation.made.emit(path)
