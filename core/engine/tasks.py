"""Runs that belong together, cells of a sweep or scans of a batch: one of them, and what is told of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from core.engine.job import JobSpec
from core.engine.settings import used_by
from core.engine.stop import Stop
from core.errors import UserError
from core.scan import Volume

Thumbnail = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Task:
    """One run of several.

    name: for a person, such as "nfe 20, cg_steps 5". digest: of all that its result depends on (see `digest_of`).
    values: of the settings that are varied. keep_image: its image is wanted, not only its figures.
    """

    number: int
    name: str
    job: JobSpec
    digest: str
    values: dict[str, Any] = field(default_factory=dict)
    keep_image: bool = False


@dataclass(frozen=True)
class TaskEvent:
    """Anything that is told of a task."""

    task: Task


@dataclass(frozen=True)
class TaskStarted(TaskEvent):
    """It has begun; once more when its worker was lost. worker: where, "" for this process."""

    worker: str = ""


@dataclass(frozen=True)
class TaskStep(TaskEvent):
    """Step `step` of `total` is done. preview: uint8 (rows, columns) of the middle slice, not at every step."""

    step: int
    total: int
    residual: float
    seconds_left: float
    preview: Thumbnail | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class TaskResult(TaskEvent):
    """It has run, and nothing has been kept yet. record: see core.engine.work. volume: where the image is wanted."""

    record: dict[str, Any] = field(repr=False)
    volume: Volume | None = field(default=None, repr=False)


@dataclass(frozen=True)
class TaskDone(TaskEvent):
    """Its result is in the store. again: it was there already."""

    record: dict[str, Any] = field(repr=False)
    again: bool = False


@dataclass(frozen=True)
class TaskFailed(TaskEvent):
    """It could not be done; the others go on."""

    error: UserError


class Store(Protocol):
    """Where results are kept, each whole or not at all, by the digest of its task."""

    def read(self, task: Task) -> dict[str, Any] | None:
        """The record of a task that is done, else None."""

    def write(self, task: Task, record: dict[str, Any], volume: Volume | None) -> None:
        """Keep a result. Raises UserError when it cannot be written."""


class Workplace(Protocol):
    """Where tasks are done: this process, or a cluster."""

    def work(self, tasks: Iterable[Task | TaskEvent], stop: Stop) -> Generator[TaskEvent, None, None]:
        """What happens to the tasks, each to end in TaskResult or TaskFailed unless `stop` ends it all.

        Tasks are taken one by one as there is room for them; a TaskEvent among them is passed on.
        """


def digest_of(job: JobSpec, scan: str, prior: str = "", reference: str = "") -> str:
    """SHA-256 over what the result of a job depends on: equal for the same scan wherever it lies.

    scan, prior: hashes of their files. reference: see core.engine.reference_source.digest_of_source. Settings that the
    method does not use, and how many threads there are, do not count.
    """
    told = job.to_dict()
    settings = {name: told["settings"][name] for name in used_by(job.settings.method)}
    if prior:
        settings.pop("prior", None)
    source = {key: value for key, value in told["source"].items() if key != "path"}
    named = {"source": source, "settings": settings, "scan": scan, "prior": prior, "reference": reference}
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()


def outstanding(tasks: Iterable[Task | TaskEvent], store: Store) -> Iterator[Task | TaskEvent]:
    """The tasks that are not done yet, with TaskDone in the place of those that are; events are passed on."""
    for task in tasks:
        if isinstance(task, TaskEvent):
            yield task
            continue
        record = store.read(task)
        yield task if record is None else TaskDone(task, record, again=True)


def kept(events: Iterable[TaskEvent], store: Store) -> Generator[TaskEvent, None, None]:
    """The events with results put into the store: TaskDone, or TaskFailed where it cannot be written."""
    for event in events:
        if isinstance(event, TaskResult):
            try:
                store.write(event.task, event.record, event.volume)
            except UserError as error:
                yield TaskFailed(event.task, error)
            else:
                yield TaskDone(event.task, event.record)
        else:
            yield event
