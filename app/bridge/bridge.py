"""The bridge: carries what the user wants to the engine and what the engine tells to the session."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from app.bridge.engine import Engine, Machine, needs_axes
from app.bridge.facts import facts_of
from app.bridge.mailbox import Mailbox
from app.bridge.run_queue import RunQueue
from app.bridge.worker import Worker
from app.state.runs import Run
from app.state.session import AxesQuestion, Notice, OpenScan, Session
from core.engine.job import JobSpec, ScanSource
from core.engine.settings import ReconSettings
from core.errors import ScanError, UserError
from core.scan import Scan


class Bridge(QObject):
    """Lives in the window's thread and never waits, except in `shut_down`.

    Two threads work for it: one reads and writes files, one computes.
    """

    def __init__(self, session: Session, engine: Engine | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.engine = engine or Engine()
        self._mailbox = Mailbox(self)
        self._files = Worker("files", self)
        self._computer = Worker("computer", self)
        self.queue = RunQueue(session, self.engine.run, self._mailbox, self._computer)
        self._ticket = 0
        self._saving = 0
        self._closing = False
        self._preloaded = threading.Event()

    def warm_up(self) -> None:
        """Load what computes, in the background, and ask what there is on this machine."""
        self._files.submit(self._preload)
        self._computer.submit(self._survey)

    def open(self, path: str, axes: str = "", domain: str = "kspace") -> None:
        """Read a scan and open it; if it cannot be, say why and leave everything as it is. The latest request wins."""
        self._ticket += 1
        self.session.set_reading(Path(path).name)
        ask = needs_axes(path) and not axes
        task = (
            partial(self._guess, self._ticket, path) if ask else partial(self._read, self._ticket, path, axes, domain)
        )
        self._files.submit(task)

    def reconstruct(self) -> Run | None:
        """Queue a run with the settings chosen now."""
        opened = self.session.scan
        if opened is None:
            return None
        choice = self.session.choice
        shown = self.session.shown_slice
        slices = (shown, shown + 1) if choice.only_this_slice and opened.slices > 1 else None
        return self._queue_run(opened, choice.settings, choice.undersample, slices)

    def save(self, run: Run, path: str) -> None:
        """Write a run's volume; tell when it is done or why not."""
        self._saving += 1
        self._files.submit(partial(self._write, run, path))

    @property
    def busy(self) -> bool:
        """A run or a file is being worked on."""
        return bool(self.session.runs.current or self.session.reading or self._saving)

    def shut_down(self, seconds: float = 2.0) -> bool:
        """Stop everything, wait so long at most; True if no thread is left. Files being written are finished."""
        self._closing = True
        self.queue.stop()
        self._mailbox.close()
        for worker in (self._computer, self._files):
            worker.leave()
        until = time.monotonic() + seconds
        return all(w.ended(max(round((until - time.monotonic()) * 1000), 0)) for w in (self._computer, self._files))

    def wait_for_end(self) -> None:
        """After `shut_down`: wait for what could not be interrupted."""
        self._computer.ended()
        self._files.ended()

    def _preload(self) -> None:
        """In the file thread, so that no file reader loads a library at the same time: it would wait with Python's
        lock in its hand until this is done."""
        try:
            self.engine.preload()
        finally:
            self._preloaded.set()

    def _survey(self) -> None:
        self._preloaded.wait()
        if self._closing:
            return
        try:
            machine = self.engine.survey()
        except Exception as error:
            traceback.print_exc()
            notice = Notice("The computing part could not be loaded.", str(error), "Run: dds-viewer doctor")
            self._mailbox.post(partial(self.session.tell, notice))
        else:
            self._mailbox.post(partial(self._offer, machine))

    def _offer(self, machine: Machine) -> None:
        self.session.choice.offer(machine.priors, machine.cuda)
        self.session.runs.changed.connect(self._rehearse_when_idle)
        self._rehearse_when_idle()

    def _rehearse_when_idle(self) -> None:
        """Once, when nothing else is to be done: what only the first run of a prior would have to wait for."""
        if not self.busy and not self.session.runs.waiting:
            self.session.runs.changed.disconnect(self._rehearse_when_idle)
            self._computer.submit(partial(self._rehearse, self.session.choice.settings))

    def _rehearse(self, settings: ReconSettings) -> None:
        if not self._closing:
            with suppress(UserError):
                self.engine.rehearse(settings)

    def _guess(self, ticket: int, path: str) -> None:
        def work() -> Callable[[], None]:
            question = AxesQuestion(path, self.engine.guess_axes(path))
            return partial(self.session.axes_asked.emit, question)

        self._try_to_read(ticket, path, work)

    def _read(self, ticket: int, path: str, axes: str, domain: str) -> None:
        def work() -> Callable[[], None]:
            scan = self.engine.open_scan(path, axes, domain)
            facts = facts_of(self.engine.describe(scan))
            source = ScanSource(path, axes, domain)
            return partial(self._opened, OpenScan(source, scan, facts, scan.fully_sampled, single_slices(scan)))

        self._try_to_read(ticket, path, work)

    def _try_to_read(self, ticket: int, path: str, work: Callable[[], Callable[[], None]]) -> None:
        """In the file thread: post what `work` returns, or the notice of its failure."""
        if self._closing:
            return
        try:
            delivery = work()
        except UserError as error:
            delivery = partial(self.session.tell, Notice.of(error))
        except MemoryError:
            error = ScanError(f"{Path(path).name} does not fit into memory.", "", "Close other programs.")
            delivery = partial(self.session.tell, Notice.of(error))
        except Exception as error:
            traceback.print_exc()
            notice = Notice(f"{Path(path).name} could not be read.", f"{type(error).__name__}: {error}")
            delivery = partial(self.session.tell, notice)
        self._mailbox.post(partial(self._read_done, ticket, delivery))

    def _read_done(self, ticket: int, delivery: Callable[[], None]) -> None:
        if ticket == self._ticket:
            self.session.set_reading("")
            delivery()

    def _opened(self, opened: OpenScan) -> None:
        self.queue.stop()
        self.session.tell(None)
        self.session.open(opened)
        classical = ReconSettings(method="cg-sense", device=self.session.choice.settings.device)
        self._queue_run(opened, classical)

    def _queue_run(
        self,
        opened: OpenScan,
        settings: ReconSettings,
        undersample: str = "",
        slices: tuple[int, int] | None = None,
    ) -> Run:
        source = opened.source
        job = JobSpec(
            ScanSource(source.path, source.axes, source.domain, undersample, slices),
            settings,
            opened.scan,
            threads=max(1, (os.cpu_count() or 2) - 1),
        )
        return self.queue.add(job)

    def _write(self, run: Run, path: str) -> None:
        assert run.volume is not None
        try:
            self.engine.save(run.volume, path)
        except UserError as error:
            self._mailbox.post(partial(self._write_done, run, path, Notice.of(error)))
        except Exception as error:
            traceback.print_exc()
            notice = Notice(f"{Path(path).name} could not be written.", str(error), "Choose another place.")
            self._mailbox.post(partial(self._write_done, run, path, notice))
        else:
            self._mailbox.post(partial(self._write_done, run, path, None))

    def _write_done(self, run: Run, path: str, failure: Notice | None) -> None:
        self._saving -= 1
        if failure is not None:
            self.session.tell(failure)
            return
        run.saved = True
        self.session.runs.changed.emit()
        self.session.saved.emit(path)


def single_slices(scan: Scan) -> int:
    """How many slices can be reconstructed one by one; 0 where undersampling along kz ties them together."""
    if not scan.is_3d:
        return scan.sizes["slice"]
    mask = scan.mask
    return scan.sizes["kz"] if (mask == mask[:, :, :, :1]).all() else 0
