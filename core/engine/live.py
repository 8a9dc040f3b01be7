"""The figures of a run on its way: its estimates held against the reference, as often as it costs next to nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TypeVar

from core.engine.events import Event, StepDone
from core.engine.reference import Reference

SHARE = 0.05
"""Of the time of a run that may be spent on comparing, at most; the first step is always compared."""

T = TypeVar("T")


@dataclass
class Live:
    """Compares a step where the time since the last one has paid for it. spent: seconds that were no part of the run's
    own work, so far."""

    reference: Reference
    spent: float = 0.0
    clock: Callable[[], float] = time.perf_counter
    _cost: float = field(default=0.0, init=False)
    _since: float | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """Of the reference."""
        return self.reference.name

    def judged(self, event: StepDone) -> StepDone:
        """The step with its figures; without them where it is too early. Its estimate is made only once."""
        begun = self.clock()
        if self._since is not None and (begun - self._since) * SHARE < self._cost:
            return event
        image = event.estimate()
        metrics = self.reference.figures(image)
        self._since = self.clock()
        self._cost = self._since - begun
        self.spent += self._cost
        return replace(event, metrics=metrics, estimate=lambda: image)


def with_figures(events: Generator[Event, None, T], live: Live | None) -> Generator[Event, None, T]:
    """The events of a run, its steps with figures where there is a reference; returns what they return."""
    if live is None:
        return (yield from events)
    with closing(events):
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                result: T = end.value
                return result
            yield live.judged(event) if isinstance(event, StepDone) else event
            del event  # it would keep the steps that went by
