"""The classical images of a run: those that every run shows first, and the iterative methods as results."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from torch import Tensor

from core.engine.events import ClassicalImage, Event, Progress
from core.engine.job import JobSpec
from core.engine.problem import Problem
from core.engine.stop import Halt, Stop
from core.engine.watch import WatchedOperator
from core.operators.linear import LinearOperator
from core.solvers import l1_wavelet, total_variation
from core.solvers.baselines import CG_SENSE_LAMBDA, cg_sense, zero_filled

ITERATIVE = {"l1-wavelet": "L1-wavelet", "tv": "Total variation"}
"""The methods with a penalty, by their names in the settings, and what to call them."""

ITERATIONS = {"l1-wavelet": l1_wavelet.ITERATIONS, "tv": total_variation.ITERATIONS}


def classical_images(
    problem: Problem, job: JobSpec, stop: Stop, outcome: dict[str, Any]
) -> Generator[Event, None, Tensor]:
    """Show the classical images, simplest first; return the one that the method needs, (planes, a, b).

    CG-SENSE takes the weight of the settings only when it is the method itself; what DDS starts from, and what the
    iterative methods are shown beside, stays the same. A run that is kept on the way returns the last image that was
    complete; kept_at = 0 and its name as kept_image go to the outcome. Raises Halt when it is discarded.
    """
    watched = WatchedOperator(problem.operator, stop)
    method, made, image = job.settings.method, "", problem.y
    for name in _stages(method):
        lam = job.settings.lam if name == method else CG_SENSE_LAMBDA
        try:
            if made and made == job.keep_image:
                raise Halt
            image = yield from _image(name, watched, problem.y, lam)
        except Halt:
            if stop.discarding:
                raise
            outcome.update(kept_at=0, kept_image=made)
            break
        made = name
        yield ClassicalImage(name, problem.to_image(image))
    return image


def _stages(method: str) -> list[str]:
    """The images to make for a method, in order."""
    if method == "zero-filled":
        return ["zero-filled"]
    return ["zero-filled", "cg-sense", *([method] if method in ITERATIVE else [])]


def _image(method: str, operator: WatchedOperator, y: Tensor, lam: float) -> Generator[Event, None, Tensor]:
    """Yield the progress of a method; return its image. Zero-filled is over too soon to be stopped."""
    if method == "zero-filled":
        return zero_filled(operator.operator, y)
    if method == "cg-sense":
        return cg_sense(operator, y, lam=lam)
    image = y
    for k, iterate in enumerate(iterates(method, operator, y, lam)):
        image = iterate
        yield Progress(ITERATIVE[method], k, ITERATIONS[method])
    return image


def iterates(method: str, operator: LinearOperator, y: Tensor, lam: float) -> Iterator[Tensor]:
    """The iterates of a method with a penalty of weight lam; the last is its image."""
    if method == "tv":
        return total_variation.iterates(operator, y, lam)
    return l1_wavelet.iterates(operator, y, lam)
