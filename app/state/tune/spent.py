"""How long a sweep will take, from what runs have taken."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from app.state.runs import Run
from core.engine.job import JobSpec
from core.engine.settings import ReconSettings
from core.engine.settings_text import SOURCE_TYPES
from core.engine.sweep_plan import Axis


def evaluations(settings: ReconSettings) -> int:
    """What the time of a run grows with: network evaluations; 1 for methods without a network."""
    return settings.nfe * settings.samples if settings.method == "dds" else 1


Spent = tuple[JobSpec, float]
"""A whole run, and the seconds that it took."""


def expected_seconds(
    spent: Iterable[Spent], settings: ReconSettings, axes: tuple[Axis, ...], slices: int, stack: int
) -> float | None:
    """For all cells over so many slices, from the latest runs by the same methods; None while there is none.

    stack: the slices of the scan.
    """
    rates = _rates(spent, stack)
    total = 0.0
    names = [axis.name for axis in axes]
    for values in itertools.product(*(axis.values for axis in axes)):
        chosen = {n: v for n, v in zip(names, values, strict=True) if n not in SOURCE_TYPES}
        cell = settings.replace(**chosen)
        if cell.method not in rates:
            return None
        total += rates[cell.method] * evaluations(cell) * slices
    return total


def _rates(spent: Iterable[Spent], stack: int) -> dict[str, float]:
    """Seconds for one evaluation of one slice, by method."""
    return {job.settings.method: seconds / (evaluations(job.settings) * _slices(job, stack)) for job, seconds in spent}


def spent_on(runs: Iterable[Run]) -> list[Spent]:
    """What whole runs have taken."""
    return [(run.job, s) for run in runs if run.kept_at is None and (s := seconds_of(run)) is not None]


def seconds_of(run: Run) -> float | None:
    """What a run has taken, from its card; None while it has none."""
    outcome = run.volume.card.get("outcome", {}) if run.volume is not None else {}
    seconds = outcome.get("seconds")
    return float(seconds) if isinstance(seconds, (int, float)) else None


def _slices(job: JobSpec, stack: int) -> int:
    first, end = job.source.slices or (0, stack)
    return max(end - first, 1)
