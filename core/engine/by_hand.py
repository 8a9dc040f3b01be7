"""A run in one call, and the equations of a run without the run, for scripts and notebooks."""

from __future__ import annotations

import torch

from core.engine import problem_ct, problem_mri  # noqa: F401  they register how their scans are prepared
from core.engine.events import Failed, Finished
from core.engine.job import JobSpec
from core.engine.problem import Problem, prepare
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.engine.stop import Stop
from core.errors import JobError
from core.scan import Scan


def finish(job: JobSpec, stop: Stop | None = None) -> Finished:
    """Do a job to its end: its volume and figures. Raises the error of a run that failed, JobError if discarded."""
    for event in run(job, stop):
        if isinstance(event, Failed):
            raise event.error
        if isinstance(event, Finished):
            return event
    raise JobError("The run was discarded.")


def problem_of(
    scan: Scan,
    slices: tuple[int, int] | None = None,
    device: torch.device | str = "cpu",
    settings: ReconSettings | None = None,
) -> Problem:
    """A x = y of a scan, as a run solves it: `.operator` of unit norm and `.y`, with the coil maps made.

    slices: (first, one past the last), None for all. settings: weights of the rays, for CT. Raises ScanError.
    """
    with torch.no_grad():
        steps = prepare(scan, slices, torch.device(device), Stop(), settings)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                problem: Problem = end.value
                return problem
