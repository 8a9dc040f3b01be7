"""Runs a sweep: a generator of events, one cell after the other, that goes on where an earlier one ended."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from core.engine.events import Failed, Finished, Started
from core.engine.job import JobSpec
from core.engine.runner import run
from core.engine.stop import Stop
from core.engine.sweep_plan import SweepPlan
from core.engine.tasks import (
    Store,
    Task,
    TaskDone,
    TaskEvent,
    TaskFailed,
    TaskStarted,
    TaskStep,
    Workplace,
    kept,
    outstanding,
)
from core.engine.work import Here
from core.errors import JobError

MANY = 200
"""Cells that are not computed unless they are asked for."""

CellStarted, CellStep, CellDone, CellFailed = TaskStarted, TaskStep, TaskDone, TaskFailed


@dataclass(frozen=True)
class SweepDone:
    """The end. done: cells with a result, `again` of them from before. left: stopped before they were done."""

    done: int
    again: int
    failed: int
    left: int


def run_sweep(
    plan: SweepPlan, stop: Stop, store: Store, workplace: Workplace | None = None
) -> Iterator[TaskEvent | SweepDone]:
    """Do the cells of a plan that are not in the store; ends with SweepDone.

    Events: CellStarted, CellStep, then CellDone or CellFailed, of each cell; of one that was done before CellDone
    alone. stop: pauses, or ends the sweep; of the cell on its way nothing is kept then, whether it is to keep or to
    discard. workplace: where the cells are done; None is here.
    """
    yield from performed(plan.cells, len(plan.cells), stop, store, workplace)


def performed(
    tasks: Iterable[Task | TaskEvent], total: int, stop: Stop, store: Store, workplace: Workplace | None = None
) -> Iterator[TaskEvent | SweepDone]:
    """Do tasks that are not in the store; ends with SweepDone. total: of the tasks."""
    done = again = failed = 0
    with closing((workplace or Here()).work(outstanding(tasks, store), stop)) as working:
        for event in kept(working, store):
            if isinstance(event, TaskDone):
                done += 1
                again += event.again
            failed += isinstance(event, TaskFailed)
            yield event
    yield SweepDone(done, again, failed, total - done - failed)


def check_size(plan: SweepPlan, most: int = MANY) -> None:
    """Raise JobError for a plan of more than `most` cells; it says how long they may take, which takes a moment."""
    if len(plan.cells) > most:
        seconds = expected_seconds(plan)
        takes = "" if seconds is None else f"They may take {spoken(seconds)}. "
        raise JobError(
            f"This sweep has {len(plan.cells)} cells.",
            f"{takes}More than {most} are not computed unasked.",
            "Take fewer values, or add --yes.",
        )


def expected_seconds(plan: SweepPlan) -> float | None:
    """For all cells, from the first one: its estimate, or its run where it has none; None where it fails.

    Network evaluations are taken to count, all else to be as in the first.
    """
    first = plan.cells[0].job
    with closing(run(first, Stop())) as events:  # type: ignore[type-var]
        for event in events:
            if isinstance(event, Started) and event.estimate.seconds is not None:
                return event.estimate.seconds * _relative(plan, first)
            if isinstance(event, Finished):
                return float(event.card["outcome"]["seconds"]) * _relative(plan, first)
            if isinstance(event, Failed):
                return None
    return None


def _relative(plan: SweepPlan, first: JobSpec) -> float:
    def work(job: JobSpec) -> int:
        return job.settings.nfe * job.settings.samples if job.settings.method == "dds" else 1

    return sum(work(cell.job) for cell in plan.cells) / work(first)


def spoken(seconds: float) -> str:
    """A time for a person."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def pareto(records: Sequence[dict[str, Any]], quality: str = "psnr") -> list[int]:
    """The numbers of the records that no other one beats in both time and quality, quickest first.

    A record beats another if it is neither slower nor worse, and quicker or better. quality: "psnr" or "ssim", which
    are better if higher, "nrmse", "hfen" or "residual", better if lower. Records without it, or without a number, are
    none.
    """
    sign = -1 if quality in ("nrmse", "hfen", "residual") else 1
    points = []
    for number, record in enumerate(records):
        found = record.get("residual") if quality == "residual" else record["metrics"].get(quality)
        if found is not None and not math.isnan(found):
            points.append((float(record["seconds"]), sign * float(found), number))
    best: list[int] = []
    highest, since = -math.inf, math.nan
    for seconds, value, number in sorted(points, key=lambda point: (point[0], -point[1], point[2])):
        alike = value == highest and seconds == since
        if value > highest or alike:
            best.append(number)
            highest, since = value, seconds
    return best
