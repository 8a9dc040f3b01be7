"""Runs that branch from a step of another run: what they take over, and the walk that comes of it."""

from __future__ import annotations

from dataclasses import replace

from core.engine.job import MOST_BRANCHES, Branch, JobSpec
from core.engine.settings import ReconSettings, help_of
from core.errors import JobError

FREE = (
    *("prior", "nfe", "spacing", "eta", "cg_steps", "gamma", "gamma_rule", "noiseless", "seed", "samples"),
    *("lam", "rho", "admm_steps", "along", "precision"),
)
"""Settings of the rest of the walk. The others say what is measured and where it begins: they stay the parent's."""


def branched(parent: JobSpec, step: int, settings: ReconSettings) -> JobSpec:
    """A job that walks as `parent` for `step` steps of every sample, and by `settings` from there on.

    Sample k of it leaves sample k of the parent, counted round where the parent has fewer. Of the settings only FREE
    are used, the rest is the parent's.
    """
    chosen = parent.settings.replace(**{name: getattr(settings, name) for name in FREE})
    origin = replace(parent, keep_at=None, keep_image="", scan=None)
    return replace(parent, settings=chosen, keep_at=None, keep_image="", start=Branch(origin, step))


def lineage(job: JobSpec) -> list[JobSpec]:
    """The run itself, after the runs that it goes back to, the first one first.

    Raises JobError for a branch that cannot be walked.
    """
    found = [job]
    while (start := found[0].start) is not None:
        _check(found[0], start)
        found.insert(0, start.job)
        if len(found) > MOST_BRANCHES + 1:
            raise JobError("The run cannot be branched.", f"It branches more than {MOST_BRANCHES} times.")
    return found


def spliced(before: tuple[int, ...], step: int, after: tuple[int, ...]) -> tuple[int, ...]:
    """The timesteps of a walk that leaves another after `step` steps.

    The noisy image has the noise of before[step], which therefore comes next; then those of `after` that are below.
    Raises JobError where there is no step left to leave.
    """
    if not 1 <= step < len(before):
        raise JobError(
            f"The run cannot be branched after step {step}.",
            f"Each of its samples takes {len(before)} steps.",
            f"Choose a step from 1 to {len(before) - 1}." if len(before) > 1 else "Choose a run of more steps.",
        )
    here = before[step]
    return (*before[: step + 1], *(t for t in after if t < here))


def _check(job: JobSpec, start: Branch) -> None:
    mine, others = job.settings.to_dict(), start.job.settings.to_dict()
    if {mine["method"], others["method"]} != {"dds"}:
        raise JobError("The run cannot be branched.", "Only DDS goes in steps.", "Choose a run of DDS.")
    for name, value in mine.items():
        if name not in FREE and value != others[name]:
            raise JobError(
                f"A branch cannot change {help_of(name).label.lower()}.",
                f"The run that it leaves has {others[name]}.",
                "Start a run of its own with that setting.",
            )
    if job.source != start.job.source:
        raise JobError("The run cannot be branched.", "It reconstructs another scan, or reads it in another way.")
