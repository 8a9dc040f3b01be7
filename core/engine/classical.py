"""The classical images of a run: those that every run shows first, and the iterative methods as results."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

from torch import Tensor

from core.engine.events import ClassicalImage, Event, Progress
from core.engine.job import JobSpec
from core.engine.methods import label_of, plugged_iterates
from core.engine.problem import Problem, Watch
from core.engine.settings import ALL, ReconSettings
from core.engine.stop import Halt, Stop
from core.engine.watch import WatchedOperator
from core.operators.linear import LinearOperator
from core.solvers.baselines import CG_SENSE_LAMBDA

ITERATIVE = {"l1-wavelet": "L1-wavelet", "tv": "Total variation", "cgls": "CGLS", "sirt": "SIRT"}
"""The methods that show how they get on, by their names in the settings, and what to call them."""

WARM_START = "Warm start"


def classical_images(
    problem: Problem, job: JobSpec, quick: tuple[str, ...], stop: Stop, outcome: dict[str, Any]
) -> Generator[Event, None, Tensor]:
    """Show the classical images, simplest first; return the one that the method needs, (items, a, b).

    quick: the methods whose images every run shows. They take weights and filters of the settings only where they are
    the method itself; what DDS starts from, and what the iterative methods are shown beside, stays the same. A run that
    is kept on the way returns the last image that was complete; kept_at = 0 and its name as kept_image go to the
    outcome. Raises Halt when it is discarded.
    """
    watched: Watch = partial(WatchedOperator, stop=stop)
    method, made = job.settings.method, ""
    image: Tensor | None = None
    for name in _stages(method, quick):
        settings = job.settings if name == method else as_usual(job.settings)
        # The first image is over too soon to be stopped, so that there is always one to keep.
        watch: Watch = watched if made else _unwatched
        try:
            if made and made == job.keep_image:
                raise Halt
            image = yield from _image(name, problem, settings, watch, stop)
        except Halt:
            if stop.discarding:
                raise
            assert image is not None  # the first one cannot be stopped
            outcome.update(kept_at=0, kept_image=made)
            return image
        made = name
        yield ClassicalImage(name, problem.to_image(image))
    assert image is not None
    if method == "dds" and (warm := problem.warm_start(job.settings)):
        return (yield from _warm_start(warm, problem, watched, image, stop, outcome, made))
    return image


def _warm_start(
    warm: tuple[str, ReconSettings],
    problem: Problem,
    watch: Watch,
    image: Tensor,
    stop: Stop,
    outcome: dict[str, Any],
    made: str,
) -> Generator[Event, None, Tensor]:
    """A better image for DDS to start from. It is not shown; kept meanwhile, a run ends with what was shown."""
    try:
        start = image
        for k, (iterate, total) in enumerate(problem.iterates(*warm, watch)):
            start = iterate
            yield Progress(WARM_START, k, total)
    except Halt:
        if stop.discarding:
            raise
        outcome.update(kept_at=0, kept_image=made)
        return image
    return start


def _unwatched(operator: LinearOperator) -> LinearOperator:
    return operator


def as_usual(settings: ReconSettings) -> ReconSettings:
    """The settings of an image that is only shown on the way to another."""
    return settings.replace(lam=CG_SENSE_LAMBDA, filter=ReconSettings.filter)


def _stages(method: str, quick: tuple[str, ...]) -> list[str]:
    """The images to make for a method, in order."""
    if method in quick:
        return list(quick[: quick.index(method) + 1])
    return [*quick, *([method] if method != "dds" else [])]


def _image(
    method: str, problem: Problem, settings: ReconSettings, watch: Watch, stop: Stop
) -> Generator[Event, None, Tensor]:
    """Yield the progress of a method; return its image."""
    image: Tensor | None = None
    plugged = method not in ALL
    shown = label_of(method) if plugged else ITERATIVE.get(method, "")
    if plugged:
        iterates = plugged_iterates(method, watch(problem.operator), problem.y, settings, stop)
    else:
        iterates = problem.iterates(method, settings, watch)
    for k, (iterate, total) in enumerate(iterates):
        image = iterate
        if shown:
            yield Progress(shown, k, total)
    assert image is not None
    return image
