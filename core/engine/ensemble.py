"""An ensemble as tasks, so that its samples can be drawn on several machines: their mean, spread and uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.engine.job import JobSpec
from core.engine.offers import unit_of
from core.engine.result import stack_of, summary_of_spread
from core.engine.run_card import make_card
from core.engine.scan_source import as_asked, load_scan
from core.engine.stop import Stop
from core.engine.sweep_plan import SweepPlan, prior_hash
from core.engine.tasks import Task, TaskFailed, TaskResult, TaskStep, Workplace, digest_of
from core.engine.trust.ensemble import SAMPLES_BYTES, Ensemble, Gathered
from core.errors import JobError
from core.projections import Projections
from core.scan import Volume

Values = npt.NDArray[Any]


def check_ensemble(plan: SweepPlan) -> None:
    """Raise JobError for a sweep that is no ensemble: two seeds or more, one after the other, and nothing else."""
    axis = plan.axes[0]
    run = tuple(range(axis.values[0], axis.values[0] + len(axis.values))) if axis.name == "seed" else ()
    first = plan.cells[0].job.settings
    if len(plan.axes) != 1 or len(run) < 2 or axis.values != run or first.samples != 1 or first.method != "dds":
        raise JobError(
            "This sweep is no ensemble.",
            "A mean is that of DDS samples which differ in their seed alone, one seed after the other.",
            "Vary seed alone, for example --vary seed=0:7:1, or leave out --mean.",
        )


def ensemble_of(plan: SweepPlan, image_of: Callable[[Task], Values], records: Iterable[dict[str, Any]]) -> Volume:
    """The mean of the cells' images with their spread, as a run with so many samples makes them, and a run card.

    image_of: the image of a cell, (frame, y, x); each is asked for twice, so that no more than one is in memory.
    records: of the cells. Raises JobError for a plan that is no ensemble.
    """
    check_ensemble(plan)
    first = image_of(plan.cells[0])
    total = np.zeros(first.shape, np.complex128 if np.iscomplexobj(first) else np.float64)
    for cell in plan.cells:
        total += image_of(cell)
    mean = total / len(plan.cells)
    squares = np.zeros(first.shape)
    for cell in plan.cells:
        squares += np.abs(image_of(cell) - mean) ** 2
    spread = np.sqrt(squares / (len(plan.cells) - 1)).astype(np.float32)
    return _volume(plan, mean.astype(first.dtype), spread, list(records))


def sample_tasks(job: JobSpec, count: int) -> list[Task]:
    """A task for each sample of a job of DDS: its seed and those that follow, each the image of that seed alone.

    Raises JobError where workers could not read the scan.
    """
    if not Path(job.source.path).exists():
        raise JobError(
            "The samples cannot be drawn by workers.",
            "They read the scan by its path, and its file is not there any more.",
            "Put it back, or compute in this window.",
        )
    scan, first, tasks = load_scan(job), job.settings.seed, []
    job = replace(job, scan=scan, threads=0, keep_at=None, keep_image="", samples_at_once=0)
    for number in range(1, count + 1):
        seed = first + number - 1
        each = replace(job, settings=job.settings.replace(seed=seed, samples=1))
        digest = digest_of(each, scan.provenance.sha256, prior_hash(each.settings))
        tasks.append(Task(number, f"seed {seed}", each, digest, {"seed": seed}, keep_image=True))
    return tasks


def draw_at(
    workplace: Workplace, job: JobSpec, count: int, stop: Stop, samples_bytes: int = SAMPLES_BYTES
) -> Generator[float, None, Ensemble | None]:
    """As core.engine.trust.ensemble.draw, a sample a task; yields how many samples are done, parts of one included.

    Whichever is done first, they count in the order of their seeds, so that the ensemble is the same to the bit.
    Raises JobError where they cannot be sent, and what a sample fails of.
    """
    gathered, shares = Gathered(samples_bytes), [0.0] * (count + 1)
    early: dict[int, Any] = {}
    with closing(workplace.work(sample_tasks(job, count), stop)) as events:
        for event in events:
            if isinstance(event, TaskFailed):
                raise event.error
            if isinstance(event, TaskStep):
                shares[event.task.number] = event.step / max(event.total, 1)
            elif isinstance(event, TaskResult):
                shares[event.task.number] = 1.0
                early[event.task.number] = event.volume
                while gathered.count + 1 in early:
                    gathered.add(early.pop(gathered.count + 1))
            yield sum(shares)
    return gathered.ensemble() if gathered.count == count and not stop.discarding else None


def _volume(plan: SweepPlan, mean: Values, spread: npt.NDArray[np.float32], records: list[dict[str, Any]]) -> Volume:
    scan = as_asked(plan.scan, plan.source)
    affine, slices = scan.picture_affine, plan.source.slices
    if affine is not None and slices:
        affine = affine.copy()
        affine[:3, 3] += affine[:3, 2] * slices[0]
    spacing = scan.picture_spacing_mm or (1.0, 1.0, 1.0)
    air = -1000.0 if unit_of(scan) == "HU" else 0.0
    outcomes = [record["card"]["outcome"] for record in records]
    outcome = {
        **outcomes[0],
        "seconds": sum(each["seconds"] for each in outcomes),
        "nfe": sum(each["nfe"] for each in outcomes),
        "network_seconds": sum(each["network_seconds"] for each in outcomes),
        "samples": len(records),
        "residual": None,
        "metrics": {},
        "spread": summary_of_spread(mean - air if air else mean, spread),
    }
    job = plan.cells[0].job
    job = replace(job, settings=job.settings.replace(samples=len(records)))
    card = make_card(job, records[0]["card"]["inputs"], outcome)
    volume = Volume(mean, unit_of(scan), affine, spacing, stack_of(scan, mean), (), card, spread)
    return replace(volume, mu_water=scan.mu_water) if isinstance(scan, Projections) else volume
