"""What the window asks of core.engine.trust; nothing here runs in the window's thread."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from app.bridge.preload import without_collector
from app.state.trust.found import Asked, Calibrated, Doing, Found, Verdict, picture_of_residual
from app.state.trust.study import Part, Study
from core.engine.events import Event, Progress, StepDone
from core.engine.stop import Stop
from core.engine.tasks import Workplace
from core.errors import PriorError

if TYPE_CHECKING:
    from app.bridge.crew import Crew
    from core.engine.trust.ensemble import Ensemble
    from core.engine.trust.posed import Posed
    from core.engine.trust.residual import Residual

T = TypeVar("T")
Examine = Callable[[Asked, Stop], Generator[Doing, None, Found | None]]
"""Yields how far it is; returns what it found, None when it was stopped. May raise Halt, or what the engine raises."""
PIXELS = 2.0
"""Of the window of the support map: its standard deviation."""
GOOD = ("consistent", "fits noise")


class Examiner:
    """Examines with the real engine. The equations of the last run are kept, since several questions need them.

    crew: whose workers draw the samples, where a place elsewhere is chosen.
    """

    def __init__(self, crew: Crew | None = None) -> None:
        self._posed: Posed | None = None
        self.crew = crew

    def __call__(self, asked: Asked, stop: Stop) -> Generator[Doing, None, Found | None]:
        _load()
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(asked.job.threads or max(1, (os.cpu_count() or 2) - 1))
        try:
            return (yield from _STUDIES[asked.study](self, asked, stop))
        finally:
            torch.set_num_threads(threads)

    def forget(self) -> None:
        """Let go of the equations."""
        self._posed = None

    def pose(self, asked: Asked, stop: Stop) -> Generator[Doing, None, Posed]:
        """The run's equations, from before if they were those of the same image."""
        from core.engine.trust.posed import pose

        if self._posed is None or self._posed.volume is not asked.volume:
            self._posed = None
            self._posed = yield from _told(pose(asked.volume, asked.job, stop))
        return self._posed


def _load() -> None:
    """Import what computes, once."""
    if "core.engine.trust.ensemble" not in sys.modules:
        with without_collector():
            import core.engine.trust.ensemble  # noqa: F401


def _verdict(examiner: Examiner, asked: Asked, stop: Stop) -> Generator[Doing, None, Found]:
    posed = yield from examiner.pose(asked, stop)
    return _judged(posed)[1]


def _residual(examiner: Examiner, asked: Asked, stop: Stop) -> Generator[Doing, None, Found]:
    posed = yield from examiner.pose(asked, stop)
    residual, found = _judged(posed)
    return replace(found, picture=picture_of_residual(residual.array, residual.measured, residual.axes))


def _judged(posed: Posed) -> tuple[Residual, Found]:
    from core.engine.trust.doubts import doubts
    from core.engine.trust.residual import residual_of

    residual = residual_of(posed)
    noise = residual.noise.source
    verdict = Verdict(residual.sentence, residual.ratio, residual.verdict in GOOD, residual.relative, noise)
    return residual, Found(doubts=doubts(residual), misfits=_misfits(posed), verdict=verdict)


def _misfits(posed: Posed) -> tuple[str, ...]:
    from core.priors.catalogue import card_of
    from core.priors.fit import misfit

    if posed.job.settings.method != "dds":
        return ()
    with suppress(PriorError):  # that the prior is no longer there says nothing about the image
        card = card_of(posed.job.settings.prior)
        return tuple(misfit(card, posed.scan)) if card is not None else ()
    return ()


def _support(examiner: Examiner, asked: Asked, stop: Stop) -> Generator[Doing, None, Found]:
    from core.engine.trust.doubts import doubts
    from core.engine.trust.local import Window
    from core.engine.trust.support import support_of

    posed = yield from examiner.pose(asked, stop)
    support = yield from _told(support_of(posed, Window(pixels=PIXELS), stop=stop))
    return Found({Part.SUPPORT: support.support, Part.UNSEEN: support.unseen}, doubts=doubts(support=support))


def _difference(examiner: Examiner, asked: Asked, stop: Stop) -> Generator[Doing, None, Found]:
    from core.engine.trust.against_classical import difference_to_classical

    posed = yield from examiner.pose(asked, stop)
    difference, _ = yield from _told(difference_to_classical(posed, stop))
    return Found({Part.DIFFERENCE: difference})


def _uncertainty(examiner: Examiner, asked: Asked, stop: Stop) -> Generator[Doing, None, Found | None]:
    """A run of as many samples has drawn them already."""
    from core.engine.trust.doubts import doubts
    from core.engine.trust.ensemble import draw, ensemble_of

    settings = asked.job.settings
    if asked.volume.spread is not None and settings.samples == asked.seeds:
        ensemble: Ensemble | None = ensemble_of(asked.volume, asked.seeds)
    elif examiner.crew is not None and examiner.crew.place.elsewhere:
        with examiner.crew.at_work(examiner.crew.place, stop) as workplace:
            ensemble = yield from _drawing_at(workplace, asked, stop)
    else:
        ensemble = yield from _drawing(draw(asked.job, asked.seeds, stop), asked.seeds)
    if ensemble is None:
        return None
    calibrated = yield from _calibrated(examiner, asked, ensemble, stop)
    return Found({Part.UNCERTAINTY: ensemble.deviation}, doubts=doubts(ensemble=ensemble), calibrated=calibrated)


def _calibrated(
    examiner: Examiner, asked: Asked, ensemble: Ensemble, stop: Stop
) -> Generator[Doing, None, Calibrated | None]:
    """Against the image of the whole scan, where it was undersampled on purpose."""
    from core.engine.trust.agreement import reference_of
    from core.engine.trust.calibration import calibrate
    from core.engine.trust.ensemble import COVERAGE
    from core.engine.trust.local import object_mask

    if not asked.job.source.undersample:
        return None
    posed = yield from examiner.pose(asked, stop)
    reference = reference_of(posed) if posed.whole.fully_sampled else None
    if reference is None:
        return None
    found = calibrate(ensemble, reference, object_mask(ensemble.mean))
    return Calibrated(ensemble.count, found.coverage, COVERAGE)


_STUDIES: dict[Study, Callable[[Examiner, Asked, Stop], Generator[Doing, None, Found | None]]] = {
    Study.VERDICT: _verdict,
    Study.SUPPORT: _support,
    Study.UNCERTAINTY: _uncertainty,
    Study.DIFFERENCE: _difference,
    Study.RESIDUAL: _residual,
}


@dataclass
class Clock:
    """Reckons what is left from how long a part of it has taken."""

    started: float

    def left(self, done: float, total: float) -> float | None:
        """Seconds; None before anything is done."""
        return (time.monotonic() - self.started) * (total - done) / done if done > 0 else None


def _told(steps: Generator[Progress, None, T]) -> Generator[Doing, None, T]:
    """The progress of a part of the engine, as the window tells it."""
    stage, clock = "", Clock(time.monotonic())
    while True:
        try:
            now = next(steps)
        except StopIteration as end:
            value: T = end.value
            return value
        if now.stage != stage:
            stage, clock = now.stage, Clock(time.monotonic())
        yield Doing(stage, now.done, now.total, clock.left(now.done, now.total) if now.total > 1 else None)


def _drawing_at(workplace: Workplace, asked: Asked, stop: Stop) -> Generator[Doing, None, Ensemble | None]:
    """The progress of samples that workers draw."""
    from core.engine.ensemble import draw_at
    from core.engine.trust.ensemble import STAGE

    clock, steps = Clock(time.monotonic()), draw_at(workplace, asked.job, asked.seeds, stop)
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            ensemble: Ensemble | None = end.value
            return ensemble
        yield Doing(STAGE, done, asked.seeds, clock.left(done, asked.seeds))


def _drawing(steps: Generator[Event, None, T], seeds: int) -> Generator[Doing, None, T]:
    """The progress of samples: which one, and how far that is."""
    from core.engine.trust.ensemble import STAGE

    clock, first = Clock(time.monotonic()), 0.0
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            value: T = end.value
            return value
        if isinstance(event, Progress) and event.stage == STAGE:
            first = float(event.done)
        if isinstance(event, StepDone):
            done = first + event.step / event.total
            yield Doing(STAGE, done, seeds, clock.left(done, seeds))
        else:
            yield Doing(STAGE, first, seeds, clock.left(first, seeds))
