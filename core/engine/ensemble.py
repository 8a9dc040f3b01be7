"""An ensemble as a sweep over seeds, so that its samples can be drawn on several machines: their mean and spread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.engine.offers import unit_of
from core.engine.result import stack_of, summary_of_spread
from core.engine.run_card import make_card
from core.engine.scan_source import as_asked
from core.engine.sweep_plan import SweepPlan
from core.engine.tasks import Task
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
