"""A finished run set up again: its equations, and its image as their solution."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.engine.events import Progress
from core.engine.job import JobSpec
from core.engine.problem import Problem, prepare
from core.engine.problem_ct import TomoProblem
from core.engine.problem_mri import SenseProblem
from core.engine.run_card import job_from_card
from core.engine.runner import choose_device
from core.engine.scan_source import as_asked, load_scan, undersampled
from core.engine.stop import Stop
from core.errors import JobError
from core.operators.linear import LinearOperator, Scaled
from core.operators.planes import Planes
from core.operators.sense import Sense
from core.scan import Scan, Volume

Frames = npt.NDArray[Any]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Posed:
    """A finished run and the equations that it solved.

    scan: with what was left out on purpose; whole: without. x: the image as the problem has it, (items, a, b).
    """

    job: JobSpec
    volume: Volume
    whole: Scan = field(repr=False)
    scan: Scan = field(repr=False)
    problem: Problem = field(repr=False)
    x: Tensor = field(repr=False)


def pose(volume: Volume, job: JobSpec | None = None, stop: Stop | None = None) -> Generator[Progress, None, Posed]:
    """Yield the progress of coil maps or system matrix; return the run set up again.

    job: the run's own, by default read from the run card of the volume. A job that carries its scan spares reading the
    file. Raises JobError for a volume without a card or of another scan, ScanError where the scan
    cannot be opened.
    """
    if job is None:
        if "job" not in volume.card:
            raise JobError("This image has no run card.", "It was not made by this program.", "Choose a finished run.")
        job = job_from_card(volume.card)
    whole = as_asked(load_scan(job), job.source)
    scan = undersampled(whole, job.source.undersample)
    before, now = volume.card.get("inputs", {}).get("scan"), whole.provenance.sha256
    if before and now and before != now:
        raise JobError(
            "The scan is not the one of this run.", "Its content has changed since.", "Find the file of then."
        )
    device = choose_device(job.settings.device)
    with torch.no_grad():
        problem = yield from prepare(scan, job.source.slices, device, stop or Stop(), job.settings)
    if volume.array.shape != problem.shape or not np.isfinite(volume.array).all():
        raise JobError(
            "The image does not belong to this scan.",
            f"It has {volume.array.shape} voxels, and the run makes {problem.shape}; all must be finite numbers.",
            "Choose the scan and the image of one run.",
        )
    x = solution(problem, volume.array).to(device)
    return Posed(job, volume, whole, scan, problem, x)


def result_of(steps: Generator[Any, None, T]) -> T:
    """What a generator returns in the end, for those who do not look at its progress."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: T = end.value
            return value


@singledispatch
def solution(problem: Problem, frames: Frames) -> Tensor:
    """Frames (frame, y, x) in the unit of the result as the problem's x: the inverse of problem.to_image."""
    raise TypeError(type(problem))


@solution.register
def _(problem: SenseProblem, frames: Frames) -> Tensor:
    return torch.from_numpy(from_frames(problem.planes, np.asarray(frames, dtype=np.complex64)))


@solution.register
def _(problem: TomoProblem, frames: Frames) -> Tensor:
    mu = np.asarray(frames, dtype=np.float32)
    if problem.scan.hounsfield:
        mu = (mu + 1000) * np.float32(problem.scan.mu_water / 1000)
    return torch.from_numpy(np.ascontiguousarray(mu / np.float32(problem.unit_mu)))


@singledispatch
def linear_frames(problem: Problem, x: Tensor) -> Frames:
    """A part of a solved image, (items, a, b), as frames (frame, y, x) in the unit of the result; nothing is 0.

    complex64 for MRI, float32 for CT; in HU counted from air.
    """
    raise TypeError(type(problem))


@linear_frames.register
def _(problem: SenseProblem, x: Tensor) -> Frames:
    return problem.to_image(x)


@linear_frames.register
def _(problem: TomoProblem, x: Tensor) -> Frames:
    return problem.deviation(x)


@singledispatch
def parts(problem: Problem, size: int) -> Iterator[tuple[slice, LinearOperator]]:
    """The operator for so many items of its batch at a time, and which they are; all at once where they are tied."""
    raise TypeError(type(problem))


@parts.register
def _(problem: SenseProblem, size: int) -> Iterator[tuple[slice, LinearOperator]]:
    device, count = problem.y.device, len(problem.y)
    for first in range(0, count, size):
        part = slice(first, min(first + size, count))
        maps, mask = (a[part] if len(a) > 1 else a for a in (problem.maps, torch.tensor(problem.planes.mask)))
        sense = Sense(maps.to(device), mask.to(device), part.stop - part.start)
        yield part, Scaled(sense, 1 / problem.norm)


@parts.register
def _(problem: TomoProblem, size: int) -> Iterator[tuple[slice, LinearOperator]]:
    if problem.operator.joint > 1 or problem.slices <= size:
        yield slice(0, problem.slices), problem.operator
        return
    first = 0
    for slab in problem.slabs(size):
        yield slice(first, first + slab.slices), slab.operator
        first += slab.slices


def from_frames(planes: Planes, frames: npt.NDArray[np.complex64]) -> npt.NDArray[np.complex64]:
    """Frames (frame, y, x) as images of the planes (n, a, b): the inverse of Planes.to_frames."""
    images = frames.swapaxes(1, 2) if planes.readout_down else frames
    if planes.sagittal:
        depth = planes.data.shape[-2]
        stacks = images.reshape(-1, depth, *images.shape[1:])
        images = stacks.transpose(0, 3, 1, 2).reshape(-1, depth, images.shape[1])
    return np.array(images, order="C")


def map_of(volume: Volume, frames: Frames, unit: str, name: str, shows: str) -> Volume:
    """A map (frame, y, x) in the place of an image. Its card says its name and, in one sentence, what it shows."""
    card = {**volume.card, "map": {"name": name, "shows": shows}}
    return replace(volume, array=frames, unit=unit, spread=None, card=card)
