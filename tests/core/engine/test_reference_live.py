"""Figures of a run on its way: of each estimate, unless comparing would cost more than its share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.engine.events import Event, Finished, StepDone
from core.engine.job import JobSpec, ScanSource
from core.engine.live import SHARE, Live, with_figures
from core.engine.reference import Reference
from core.engine.reference_source import ReferenceSource
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.quality import compare

IMAGE = np.arange(12.0 * 12).reshape(1, 12, 12)


class Clock:
    """Time that goes on only when told, and by `cost` for each comparison."""

    def __init__(self, cost: float) -> None:
        self.now, self.cost = 0.0, cost

    def __call__(self) -> float:
        return self.now


class Slow(Reference):
    def figures(self, image: np.ndarray) -> dict[str, float]:
        clock.now += clock.cost
        return {"psnr": 30.0}


clock = Clock(0.0)


def judged(cost: float, steps: int, seconds: float) -> tuple[list[bool], Live]:
    """Which of some steps, each of so many seconds, are compared where comparing costs that much."""
    clock.now, clock.cost = 0.0, cost
    live, found = Live(Slow(IMAGE, "a.u.", "x"), clock=clock), []
    for k in range(steps):
        clock.now += seconds
        found.append(bool(live.judged(StepDone(k + 1, steps, 1, 0.1, 0.0, 0.0, 0.0, lambda: IMAGE)).metrics))
    return found, live


def test_every_step_is_compared_where_it_costs_next_to_nothing() -> None:
    assert judged(cost=SHARE / 2, steps=5, seconds=1.0)[0] == [True] * 5


def test_only_every_nth_step_is_where_it_costs_more() -> None:
    found, live = judged(cost=3.5 * SHARE, steps=41, seconds=1.0)
    assert found == [k % 4 == 0 for k in range(41)]
    assert live.spent == pytest.approx(11 * 3.5 * SHARE)
    assert live.spent < SHARE * 41 + live._cost


def test_the_estimate_is_made_once_and_handed_on() -> None:
    made = []

    def estimate() -> np.ndarray:
        made.append(IMAGE)
        return IMAGE

    clock.cost = 0.0
    event = Live(Slow(IMAGE, "a.u.", "x"), clock=clock).judged(StepDone(1, 1, 1, 0.1, 0.0, 0.0, 0.0, estimate))
    assert event.estimate() is event.estimate() is IMAGE
    assert len(made) == 1


def test_the_events_come_through_and_the_answer_too() -> None:
    def events():
        yield Event()
        yield StepDone(1, 1, 1, 0.1, 0.0, 0.0, 0.0, lambda: IMAGE)
        return "done"

    def collect(live: Live | None) -> tuple[list[Event], str]:
        found, walk = [], with_figures(events(), live)
        while True:
            try:
                found.append(next(walk))
            except StopIteration as end:
                return found, end.value

    clock.cost = 0.0
    (first, step), answer = collect(Live(Slow(IMAGE, "a.u.", "x"), clock=clock))
    assert (type(first), step.metrics, answer) == (Event, {"psnr": 30.0}, "done")
    assert collect(None)[0][1].metrics == {}


def test_a_run_tells_the_figures_of_its_estimates(make_scan, tiny_prior, monkeypatch) -> None:
    monkeypatch.setattr("core.engine.live.SHARE", 1e9)
    settings = ReconSettings(prior=tiny_prior(), nfe=4, device="cpu")
    job = JobSpec(ScanSource("s.h5", undersample="gaussian1d:3:0.2:0"), settings, make_scan(noise=1e-3), threads=1)
    truth = list(run(replace(job, settings=settings.replace(method="zero-filled"), source=ScanSource("s.h5"))))[-1]
    assert isinstance(truth, Finished)
    judged = replace(job, reference=ReferenceSource(name="full", image=truth.volume))
    steps = 0
    for event in run(judged):
        if isinstance(event, StepDone):
            steps += 1
            assert event.metrics == compare(np.abs(event.estimate()), np.abs(truth.volume.array))
    assert steps == 4
    assert isinstance(event, Finished)
    bare = list(run(replace(job, reference=ReferenceSource(use=False))))
    assert not any(e.metrics for e in bare if isinstance(e, StepDone))
    assert np.array_equal(bare[-1].volume.array, event.volume.array)
