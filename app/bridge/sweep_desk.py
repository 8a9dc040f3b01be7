"""Sweeps in the computing thread, one cell after the other, with runs in between; or by workers elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt

from app.bridge.crew import Crew
from app.bridge.file_desk import notice_of
from app.bridge.mailbox import Mailbox
from app.bridge.task_pump import Events, TaskPump
from app.bridge.worker import Worker
from app.state.notice import Notice
from app.state.picture import Levels
from app.state.session import OpenScan, Session
from app.state.tune.cells import Bench, Cell, levels_of, reduced
from app.state.tune.draft import given_of
from app.state.tune.place import Place
from app.state.tune.store import CellStore, folder_for, forget_old, sweeps_folder
from core.engine.job import ScanSource
from core.engine.reference_source import ReferenceSource
from core.engine.stop import Stop
from core.engine.sweep_plan import Axis, SweepPlan, plan_sweep
from core.engine.tasks import Store, TaskDone, TaskFailed, TaskStarted, TaskStep, Workplace
from core.scan import Volume

Sweep = Callable[..., Events]
"""As core.engine.sweep.run_sweep: of plan, stop and store, and of the workplace where that is elsewhere."""
Expect = Callable[[SweepPlan], "float | None"]
FAILED = "The sweep could not be done."
Answer = Callable[["float | None", "Notice | None"], None]


@dataclass(frozen=True)
class Asked:
    """What is to be swept: the axes, and the settings, the source and the reference that stay the same."""

    opened: OpenScan
    axes: tuple[Axis, ...]
    given: dict[str, Any]
    source: ScanSource
    levels: Levels
    spacing: tuple[float, float]
    reference: ReferenceSource = ReferenceSource()


class SweepDesk:
    """Takes requests in the window's thread and tells the bench there, through the mailbox.

    sweep, expect: of core.engine.sweep unless others are given. root: the folder of all sweeps; None for the user's.
    crew: whose place is chosen; without it all is done here.
    """

    def __init__(
        self,
        session: Session,
        mailbox: Mailbox,
        computer: Worker,
        sweep: Sweep | None = None,
        expect: Expect | None = None,
        root: Path | None = None,
        crew: Crew | None = None,
    ) -> None:
        self.bench = Bench()
        self.crew, self.at = crew, Place()
        self._session = session
        self._mailbox = mailbox
        self._computer = computer
        self._sweep = sweep or _run_sweep
        self._expect = expect or _expected_seconds
        self._root = root
        self._pump = TaskPump(computer, crew, FAILED)
        self._stop = Stop()
        self._store: CellStore | None = None
        self._closed = False
        self.estimating = False
        session.opened.connect(self._opened)

    @property
    def busy(self) -> bool:
        """It computes, or wants to."""
        return self.bench.busy or self.estimating

    @property
    def place(self) -> Place:
        """Where the next sweep is computed."""
        return self.crew.place if self.crew is not None else Place()

    def asked(self, axes: tuple[Axis, ...], only_this_slice: bool) -> Asked | None:
        """What a sweep of the open scan with the settings chosen now would be; None while nothing is open."""
        opened, choice = self._session.scan, self._session.choice
        if opened is None:
            return None
        shown = self._session.shown_slice
        slices = (shown, shown + 1) if only_this_slice and opened.slices > 1 else None
        source = replace(
            opened.source, undersample=choice.undersample, slices=slices, center=choice.center, size=choice.size
        )
        spacing = opened.spacing_mm or (1.0, 1.0, 1.0)
        return Asked(
            opened,
            axes,
            given_of(choice.settings, axes, choice.used),
            source,
            levels_of(self._session.display),
            (spacing[0], spacing[1]),
            self._session.reference.source(choice.undersample),
        )

    def start(self, asked: Asked) -> None:
        """Do the cells that are not there yet."""
        if self.busy:
            return
        self._stop = Stop()
        self.bench.begin()
        self.at = self.place
        self._pump.start(_SweepErrand(self, self._stop, asked), self.at, self._stop)

    def stop(self) -> None:
        """End after what cannot be interrupted. The cells that are done stay, and another start goes on from them."""
        self._stop.discard()
        self.bench.stopping()

    def hold(self) -> None:
        """Compute no further until `go_on`."""
        self._stop.pause()

    def go_on(self) -> None:
        self._stop.resume()

    def estimate(self, asked: Asked, answer: Answer) -> None:
        """Find out how long a sweep takes, by beginning its first cell. answer: seconds or None, or what went wrong."""
        if not self.busy:
            self.estimating = True
            self._computer.submit(partial(self._estimate, asked, answer))

    def middle_of(self, cell: Cell) -> npt.NDArray[Any] | None:
        """The picture of a cell in full, (y, x); its small one where the file has gone."""
        try:
            return cell.plane if self._store is None else self._store.middle(cell.task)
        except (OSError, ValueError):
            return cell.plane

    def volume_of(self, cell: Cell) -> Volume:
        """The image of a cell that is done. Raises OSError, ValueError, KeyError or TypeError."""
        if self._store is None or cell.record is None:
            raise ValueError("it is not there")
        return self._store.volume(cell.task, cell.record["card"])

    def pareto(self, quality: str) -> list[int]:
        """The numbers of the bench's records that no other one beats in both time and quality, quickest first."""
        if not self.bench.records:
            return []
        from core.engine.sweep import pareto

        return pareto(self.bench.records, quality)

    def forget(self) -> None:
        """Delete the cells of all sweeps of the open scan."""
        opened = self._session.scan
        if opened is None or self.busy:
            return
        self.bench.clear()
        self._store = None
        self._computer.submit(partial(self._delete, opened))

    def _delete(self, opened: OpenScan) -> None:
        folder = self._folder_of(opened)
        if folder.exists():
            try:
                shutil.rmtree(folder)
            except OSError as error:
                trouble = notice_of(error, "Not all cells of the sweeps could be deleted.")
                self._mailbox.post(partial(self._session.tell, trouble))

    def close(self) -> None:
        """The window closes."""
        self._closed = True
        self._stop.discard()

    def _opened(self) -> None:
        self._stop.discard()
        self._stop = Stop()
        self.bench.clear()

    def _folder_of(self, opened: OpenScan) -> Path:
        return folder_for(opened.scan, self._root or sweeps_folder())

    def plan(self, asked: Asked, *, elsewhere: bool = False) -> SweepPlan:
        """One processor is left to the window; workers elsewhere know their own threads."""
        threads = 0 if elsewhere else max(1, (os.cpu_count() or 2) - 1)
        scan = asked.opened.scan
        against = asked.reference
        return plan_sweep(
            scan, asked.source, asked.axes, asked.given, reference=against, keep_images=True, threads=threads
        )

    def store(self, asked: Asked) -> CellStore:
        """Where the cells of a scan are kept; those of scans long ago are forgotten."""
        made = CellStore(self._folder_of(asked.opened))
        forget_old(made.folder.parent)
        return made

    def events(self, plan: SweepPlan, stop: Stop, store: Store, workplace: Workplace | None) -> Events:
        """Of the sweep itself."""
        return self._sweep(plan, stop, store, *(() if workplace is None else (workplace,)))

    def planned(self, plan: SweepPlan, store: CellStore, asked: Asked) -> None:
        """One store for all that is written and read: another one would take what is half written for leftovers."""
        self._store = store
        self.bench.planned(plan.axes, plan.cells, asked.levels, asked.spacing)

    def _estimate(self, asked: Asked, answer: Answer) -> None:
        seconds, trouble = None, None
        try:
            if not self._closed:
                seconds = self._expect(self.plan(asked))
        except Exception as error:
            trouble = notice_of(error, FAILED)
        self._mailbox.post(partial(self._answered, seconds, trouble, answer))

    def _answered(self, seconds: float | None, trouble: Notice | None, answer: Answer) -> None:
        self.estimating = False
        answer(seconds, trouble)

    def post(self, stop: Stop, delivery: Callable[[], None], slot: Hashable | None = None) -> None:
        self._mailbox.post(partial(self._if_current, stop, delivery), slot)

    def _if_current(self, stop: Stop, delivery: Callable[[], None]) -> None:
        """Not from a sweep of a scan that is open no more."""
        if stop is self._stop:
            delivery()


class _SweepErrand:
    """One sweep in the thread that does it; see app.bridge.task_pump.Errand."""

    def __init__(self, desk: SweepDesk, stop: Stop, asked: Asked) -> None:
        self._desk, self._stop, self._asked = desk, stop, asked

    def prepare(self, *, elsewhere: bool) -> None:
        desk, asked = self._desk, self._asked
        self._plan = desk.plan(asked, elsewhere=elsewhere)
        self._store = desk.store(asked)
        self._post(partial(desk.planned, self._plan, self._store, asked))

    def events(self, workplace: Workplace | None) -> Events:
        return self._desk.events(self._plan, self._stop, self._store, workplace)

    def joined(self, workers: int) -> None:
        self._post(partial(self._desk.bench.joined, workers))

    def tell(self, event: Any) -> None:
        bench = self._desk.bench
        if isinstance(event, TaskStarted):
            self._post(partial(bench.started, event.task.number))
        elif isinstance(event, TaskStep):
            share = event.step / max(event.total, 1)
            slot = None if event.preview is not None else (self._desk, event.task.number, "step")
            self._post(partial(bench.stepped, event.task.number, share, event.preview), slot)
        elif isinstance(event, TaskFailed):
            self._post(partial(bench.failed, event.task.number, str(event.error)))
        elif isinstance(event, TaskDone):
            try:
                plane = reduced(self._store.middle(event.task))
            except (OSError, ValueError):
                plane = None
            self._post(partial(bench.done, event.task.number, event.record, plane, event.again))

    def ended(self, trouble: Notice | None) -> None:
        self._post(partial(self._desk.bench.ended, trouble))

    def _post(self, delivery: Callable[[], None], slot: Hashable | None = None) -> None:
        self._desk.post(self._stop, delivery, slot)


def _run_sweep(plan: SweepPlan, stop: Stop, store: Store, workplace: Workplace | None = None) -> Events:
    from core.engine.sweep import run_sweep

    return run_sweep(plan, stop, store, workplace)


def _expected_seconds(plan: SweepPlan) -> float | None:
    from core.engine.sweep import expected_seconds

    return expected_seconds(plan)
