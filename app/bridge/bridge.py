"""The bridge: carries what the user wants to the engine and what the engine tells to the session."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject

from app.bridge.batch_desk import Batch, BatchDesk
from app.bridge.crew import Crew
from app.bridge.engine import Engine, Machine
from app.bridge.file_desk import FileDesk, notice_of
from app.bridge.mailbox import Mailbox
from app.bridge.prior_desk import PriorDesk
from app.bridge.quick_look import QuickLooks
from app.bridge.recovery import Place
from app.bridge.run_queue import RunQueue
from app.bridge.simulation_desk import SimulationDesk
from app.bridge.sweep_desk import Expect, Sweep, SweepDesk
from app.bridge.viewing_desk import ViewingDesk
from app.bridge.worker import Worker
from app.state.kinds import on_the_way
from app.state.notice import Notice
from app.state.runs import Run
from app.state.session import OpenScan, Session
from app.state.weights import usual_lam
from core.engine.job import JobSpec
from core.engine.reference_source import ReferenceSource
from core.engine.settings import ReconSettings
from core.errors import UserError

_LOOK_MS = 50


class Bridge(QObject):
    """Lives in the window's thread and never waits, except in `shut_down` and `wait_for_end`.

    Three threads work for it: one reads and writes files, one computes, one takes quick looks while that is paused.
    """

    def __init__(self, session: Session, engine: Engine | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.engine = engine or Engine()
        self._mailbox = Mailbox(self)
        self._files = Worker("files", self)
        self._computer = Worker("computer", self)
        self.queue = RunQueue(session, self.engine.run, self._mailbox, self._computer)
        self._looker = Worker("quick look", self)
        self.looks = QuickLooks(session, self.queue, self.engine.run, self._mailbox, self._looker)
        self._desk = FileDesk(session, self.engine, self._mailbox, self._files, self._opened)
        self.priors = PriorDesk(session, self.engine, self._mailbox, self._files)
        self.viewing = ViewingDesk(session, self.engine, self._mailbox, self._files)
        self.simulations = SimulationDesk(session, self.engine, self._mailbox, self._files)
        self.crew = Crew(self)
        self.open = self._desk.open
        self.open_volume = self._desk.open_volume
        self.open_entries = self._desk.open_entries
        self.save = self._desk.save
        self._closing = False
        self._preloaded = threading.Event()

    def reconstruct(self) -> Run | None:
        """Queue a run with the settings chosen now."""
        opened, choice = self.session.scan, self.session.choice
        if opened is None:
            return None
        shown = self.session.shown_slice
        slices = (shown, shown + 1) if choice.only_this_slice and opened.slices > 1 else None
        return self._queue_run(
            opened,
            choice.settings,
            self.session.reference.source(choice.undersample),
            undersample=choice.undersample,
            slices=slices,
            center=choice.center,
            size=choice.size,
        )

    def pause(self) -> None:
        """Pause what the user looks at, or go on with it: a quick look, else the run of the queue."""
        look = self.looks.steered()
        if look is None:
            self.looks.forget_held()
            self.queue.pause()
        elif look.stop.paused:
            look.stop.resume()
        else:
            look.stop.pause()

    def keep(self) -> None:
        """End what the user looks at with the estimate there is."""
        look = self.looks.steered()
        if look is None:
            self.queue.keep()
        else:
            look.stop.keep()

    def discard(self, run: Run) -> None:
        """End a run without a result, or take a waiting one out of the queue."""
        if run is self.looks.current:
            run.stop.discard()
        else:
            self.queue.discard(run)

    def resume(self, job: JobSpec, place: Place) -> Run:
        """Queue a run of the open scan that goes on from its checkpoint."""
        assert self.session.scan is not None
        return self.queue.add(replace(job, scan=self.session.scan.scan), place)

    def again_on_cpu(self, job: JobSpec) -> Run:
        """Queue a job of the open scan whose graphics card failed; what is begun from now on stays off the card too."""
        self.session.tell(None)
        self.session.choice.set(device="cpu")
        return self.queue.add(job)

    def sweep_desk(self, sweep: Sweep | None = None, expect: Expect | None = None) -> SweepDesk:
        """A desk for sweeps that shares the computing thread; runs come in between its cells."""
        return SweepDesk(self.session, self._mailbox, self._computer, sweep, expect, crew=self.crew)

    def batch_desk(self, batch: Batch | None = None) -> BatchDesk:
        """A desk for batches that shares the computing thread likewise."""
        return BatchDesk(
            self.session, self._mailbox, self._computer, self._files, self.crew, self.engine.contents, batch
        )

    @property
    def busy(self) -> bool:
        """A run, a file, a prior or a simulated scan is being worked on."""
        desks = (self._desk, self.priors, self.simulations, self.viewing)
        return self.session.runs.current is not None or any(desk.busy for desk in desks)

    def warm_up(self) -> None:
        """Load what computes, in the background, and ask what there is on this machine."""
        self._files.submit(self._preload)
        self._computer.submit(self._survey)

    def shut_down(self, seconds: float = 2.0) -> bool:
        """Stop everything, wait so long at most; True if no thread is left.

        Results that are being written are finished; simulated scans are given up.
        """
        self._closing = True
        self._desk.close()
        self.simulations.close()
        self.queue.stop()
        self.looks.stop()
        self._mailbox.close()
        self._preloaded.set()
        self.crew.close()
        for worker in self._workers:
            worker.leave()
        until = time.monotonic() + seconds
        return all(w.ended(max(round((until - time.monotonic()) * 1000), 0)) for w in self._workers)

    def wait_for_end(self) -> None:
        """After `shut_down`: wait for what could not be interrupted."""
        for worker in self._workers:
            worker.ended()

    def finish(self) -> bool:
        """After `shut_down`: wait for what is being written, and for the workers' cluster; True if nothing is left.

        What is still computed or read by then cannot be interrupted, and nobody will see what comes of it.
        """
        for worker in self.crew.workers:
            worker.ended()
        while not self._files.ended(_LOOK_MS):
            if self._desk.reads and self._files.alone:
                break
        return not any(worker.isRunning() for worker in self._workers)

    @property
    def _workers(self) -> tuple[Worker, ...]:
        return self._computer, self._looker, self._files, *self.crew.workers

    def _opened(self, opened: OpenScan) -> None:
        """Put a scan in the place of the one that was open, and make its classical image."""
        self.queue.stop()
        self.looks.stop()
        self.session.tell(None)
        self.session.open(opened)
        method = on_the_way(opened.scan)[-1]
        device = self.session.choice.settings.device
        settings = ReconSettings.from_dict({"method": method, "lam": usual_lam(method, opened.scan), "device": device})
        self._queue_run(opened, settings)

    def _queue_run(
        self,
        opened: OpenScan,
        settings: ReconSettings,
        reference: ReferenceSource | None = None,
        **of_source: Any,
    ) -> Run:
        """of_source: what differs from the source that was opened. One processor is left to the window."""
        source = replace(opened.source, **of_source)
        threads = max(1, (os.cpu_count() or 2) - 1)
        against = reference or ReferenceSource()
        return self.queue.add(JobSpec(source, settings, opened.scan, threads=threads, reference=against))

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
            notice = notice_of(error, "The computing part could not be loaded. Run: dds-viewer doctor")
            self._mailbox.post(partial(self.session.tell, notice))
        else:
            self._mailbox.post(partial(self._offer, machine))

    def _offer(self, machine: Machine) -> None:
        self.session.choice.offer(machine.priors, machine.cuda)
        if machine.troubles and self.session.notice is None:
            why = " ".join(machine.troubles)
            self.session.tell(Notice("Not all plug-ins can be used.", why, "Update or remove them.", error=False))
        self.session.runs.changed.connect(self._rehearse_when_idle)
        self._rehearse_when_idle()

    def _rehearse_when_idle(self) -> None:
        """Once, when nothing else is to be done: what only the first run of a prior would have to wait for."""
        if not self.busy and not self.session.runs.waiting:
            self.session.runs.changed.disconnect(self._rehearse_when_idle)
            self._computer.submit(partial(self._rehearse, self.session.choice.settings))

    def _rehearse(self, settings: ReconSettings) -> None:
        if not self._closing:
            with suppress(UserError):  # the run that needs it will tell
                self.engine.rehearse(settings)
