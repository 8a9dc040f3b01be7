"""Batches: many scans with the same settings, each image written when it is done."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.bridge.crew import Crew
from app.bridge.file_desk import notice_of
from app.bridge.mailbox import Mailbox
from app.bridge.task_pump import Events, TaskPump
from app.bridge.volumes import Tell
from app.bridge.worker import Worker
from app.state.notice import Notice
from app.state.session import Session
from app.state.tune.batch import Batch as Bench
from app.state.tune.place import Place
from core.engine.job import ScanSource
from core.engine.settings import ReconSettings, used_by
from core.engine.stop import Halt, Stop
from core.engine.tasks import Store, TaskDone, TaskFailed, TaskStarted, TaskStep, Workplace
from core.export.batch_folder import BatchFolder, Named
from core.formats.folder import Entry as FolderEntry
from core.scan import Volume

if TYPE_CHECKING:
    from core.engine.batch import BatchPlan

Batch = Callable[..., Events]
"""As core.engine.batch.run_batch: of plan, stop and store, and of the workplace where that is elsewhere."""
Contents = Callable[[str, Tell], Iterable[FolderEntry]]
FAILED = "The batch could not be done."


@dataclass(frozen=True)
class BatchAsked:
    """What is to be done: scans by their paths, settings for all, how each is read, and where the images go.

    ending: one of app.state.tune.batch.FORMATS. hounsfield: CT in HU.
    """

    paths: tuple[str, ...]
    given: Mapping[str, Any]
    source: ScanSource
    folder: str
    ending: str = "nii.gz"
    hounsfield: bool = False


class BatchDesk:
    """Takes requests in the window's thread and tells the bench there, through the mailbox.

    contents: what a folder holds. batch: core.engine.batch.run_batch unless another is given.
    """

    def __init__(
        self,
        session: Session,
        mailbox: Mailbox,
        computer: Worker,
        files: Worker,
        crew: Crew,
        contents: Contents,
        batch: Batch | None = None,
    ) -> None:
        self.bench = Bench()
        self._files, self._contents = files, contents
        self.crew, self.at = crew, Place()
        self._session, self._mailbox = session, mailbox
        self._batch = batch or _run_batch
        self._pump = TaskPump(computer, crew, FAILED)
        self._stop = Stop()
        self._closed = False

    @property
    def busy(self) -> bool:
        return self.bench.busy

    @property
    def place(self) -> Place:
        """Where the next batch is computed."""
        return self.crew.place

    def asked(
        self, settings: ReconSettings, undersample: str, folder: str, ending: str, *, hounsfield: bool
    ) -> BatchAsked:
        """What the list with these settings would be. Plain arrays are read as the open scan is."""
        opened = self._session.scan
        axes, domain = (opened.source.axes, opened.source.domain) if opened is not None else ("", "kspace")
        given = {name: getattr(settings, name) for name in used_by(settings.method)} | {"method": settings.method}
        if settings.prior == self._session.choice.usual_prior:
            given.pop("prior", None)  # so that each scan has the one that is usual for it
        source = ScanSource("", axes, domain, undersample)
        paths = tuple(entry.path for entry in self.bench.entries)
        return BatchAsked(paths, given, source, folder, ending, hounsfield)

    def start(self, asked: BatchAsked) -> None:
        """Do the scans whose images are not in the folder yet."""
        if not self.busy and asked.paths:
            self._stop = Stop()
            self.bench.begin()
            self.at = self.place
            self._pump.start(_BatchErrand(self, self._stop, asked), self.at, self._stop)

    def stop(self) -> None:
        """End after what cannot be interrupted. Images that are written stay, and another start does the others."""
        self._stop.discard()
        self.bench.stopping()

    def look_into(self, folder: str) -> None:
        """Add the raw scans in a folder and those within it."""
        if not self.busy:
            self.bench.look()
            self._files.submit(partial(self._look, folder))

    def close(self) -> None:
        """The window closes."""
        self._closed = True
        self._stop.discard()

    def _look(self, folder: str) -> None:
        """In the file thread."""
        name, paths = Path(folder).name, []
        note = f"There is no raw scan in {name}."
        try:
            if not self._closed:
                paths = [entry.path for entry in self._contents(folder, self._tell_look) if entry.kind == "scan"]
        except Halt:
            return
        except Exception as error:
            trouble = notice_of(error, f"The folder {name} could not be read.")
            note = f"{trouble.what} {trouble.rest}"
        self._mailbox.post(partial(self.bench.looked, paths, "" if paths else note))

    def _tell_look(self, doing: str, done: int, of: int) -> None:
        if self._closed:
            raise Halt

    def post(self, stop: Stop, delivery: Callable[[], None], slot: Hashable | None = None) -> None:
        """From the thread that does it; not from a batch before this one."""
        self._mailbox.post(partial(self._if_current, stop, delivery), slot)

    def _if_current(self, stop: Stop, delivery: Callable[[], None]) -> None:
        if stop is self._stop:
            delivery()

    def events(self, plan: BatchPlan, stop: Stop, store: BatchFolder, workplace: Workplace | None) -> Events:
        """Of the batch itself."""
        return self._batch(plan, stop, store, *(() if workplace is None else (workplace,)))


class _Folder(BatchFolder):
    """Hounsfield units where they are known, since a batch may hold scans of all kinds."""

    def write(self, task: Named, record: dict[str, Any], volume: Volume | None) -> None:
        wanted = self.hounsfield
        self.hounsfield = wanted and volume is not None and volume.unit == "HU"
        try:
            super().write(task, record, volume)
        finally:
            self.hounsfield = wanted


class _BatchErrand:
    """One batch in the thread that does it; see app.bridge.task_pump.Errand."""

    def __init__(self, desk: BatchDesk, stop: Stop, asked: BatchAsked) -> None:
        self._desk, self._stop, self._asked = desk, stop, asked

    def prepare(self, *, elsewhere: bool) -> None:
        """One processor is left to the window; workers elsewhere know their own threads."""
        from core.engine.batch import plan_batch

        asked = self._asked
        threads = 0 if elsewhere else max(1, (os.cpu_count() or 2) - 1)
        self._store = _Folder(Path(asked.folder), asked.ending, hounsfield=asked.hounsfield)
        self._plan = plan_batch(asked.paths, asked.source, asked.given, threads=threads)
        # Two paths of the list may be one file; the plan has it once.
        places = {str(Path(path).resolve()): number for number, path in reversed(list(enumerate(asked.paths, 1)))}
        self._numbers = [places[path] for path in self._plan.paths]
        self._post(self._desk.bench.going)

    def events(self, workplace: Workplace | None) -> Events:
        return self._desk.events(self._plan, self._stop, self._store, workplace)

    def joined(self, workers: int) -> None:
        self._post(partial(self._desk.bench.joined, workers))

    def tell(self, event: Any) -> None:
        bench = self._desk.bench
        if isinstance(event, (TaskStarted, TaskStep, TaskDone, TaskFailed)):
            number = self._numbers[event.task.number - 1]
        if isinstance(event, TaskStarted):
            self._post(partial(bench.started, number))
        elif isinstance(event, TaskStep):
            share = event.step / max(event.total, 1)
            self._post(partial(bench.stepped, number, share), (self._desk, number))
        elif isinstance(event, TaskFailed):
            self._post(partial(bench.failed, number, str(event.error)))
        elif isinstance(event, TaskDone):
            seconds = event.record.get("seconds")
            result = str(self._store.path_of(event.task))
            took = float(seconds) if isinstance(seconds, (int, float)) else None
            self._post(partial(bench.done, number, result, took, event.again))

    def ended(self, trouble: Notice | None) -> None:
        self._post(partial(self._desk.bench.ended, trouble))

    def _post(self, delivery: Callable[[], None], slot: Hashable | None = None) -> None:
        self._desk.post(self._stop, delivery, slot)


def _run_batch(plan: BatchPlan, stop: Stop, store: Store, workplace: Workplace | None = None) -> Events:
    from core.engine.batch import run_batch

    return run_batch(plan, stop, store, workplace)
