"""Runs a batch: many scans with the same settings, those that are done already left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.engine.job import JobSpec, ScanSource
from core.engine.stop import Stop
from core.engine.sweep import SweepDone, performed
from core.engine.sweep_plan import job_for, prior_hash
from core.engine.tasks import Store, Task, TaskEvent, TaskFailed, Workplace, digest_of
from core.errors import JobError, UserError
from core.formats import open_scan

BatchDone = SweepDone


@dataclass(frozen=True)
class BatchPlan:
    """Many scans. source: how each is read; its path does not count. given, preset: as for core.engine.sweep_plan.

    threads: as in JobSpec.
    """

    paths: tuple[str, ...]
    source: ScanSource = ScanSource("")
    given: Mapping[str, Any] = field(default_factory=dict)
    preset: str = ""
    threads: int = 0


def plan_batch(
    paths: Sequence[str],
    source: ScanSource | None = None,
    given: Mapping[str, Any] | None = None,
    preset: str = "",
    threads: int = 0,
) -> BatchPlan:
    """A batch of the scans at some paths, none twice. Raises JobError for none at all, and for unknown settings."""
    places = tuple(dict.fromkeys(str(Path(path).resolve()) for path in paths))
    if not places:
        raise JobError("There is no scan to reconstruct.", "", "Name one or more.")
    return BatchPlan(places, source or ScanSource(""), dict(given or {}), preset, threads)


def run_batch(
    plan: BatchPlan, stop: Stop, store: Store, workplace: Workplace | None = None
) -> Iterator[TaskEvent | BatchDone]:
    """Reconstruct the scans that are not in the store; ends with BatchDone.

    Events as of core.engine.sweep.run_sweep. A scan that cannot be read is told as TaskFailed, and the others go on.
    Each is read here when its turn comes, to learn what it is and whether it is done.
    """
    yield from performed(_tasks(plan), len(plan.paths), stop, store, workplace)


def _tasks(plan: BatchPlan) -> Iterator[Task | TaskEvent]:
    for number, path in enumerate(plan.paths, start=1):
        source = replace(plan.source, path=path)
        name = Path(path).name.partition(".")[0] or "scan"
        try:
            scan = open_scan(path, axes=source.axes, domain=source.domain)
            job = job_for(scan, source, plan.given, plan.preset, plan.threads)
            digest = digest_of(job, scan.provenance.sha256, prior_hash(job.settings))
        except UserError as error:
            yield TaskFailed(Task(number, name, JobSpec(source), ""), error)
        else:
            yield Task(number, name, job, digest, keep_image=True)
            del scan, job  # before the next one is read
