"""Names, phases and levels, without a window."""

from __future__ import annotations

import numpy as np
import pytest

from app.state.display import Display
from app.state.naming import classical_caption, duration, run_name
from app.state.picture import Levels, Picture
from app.state.runs import Phase, Run, Runs
from app.views.residual_curve import _ticks
from app.views.run_panel import size, status_words
from core.engine.events import Failed, Finished, Paused, StepDone
from core.engine.job import JobSpec, ScanSource
from core.engine.settings import ReconSettings
from core.errors import JobError
from core.scan import Volume

PLAIN = {"nfe": 20, "cg_steps": 5, "gamma": 5.0, "eta": 0.85}


def job(source: ScanSource | None = None, **settings: object) -> JobSpec:
    return JobSpec(source or ScanSource("a.h5"), ReconSettings(**{**PLAIN, **settings}))  # type: ignore[arg-type]


def step(number: int, total: int = 20) -> StepDone:
    return StepDone(number, total, 999, 0.5, 1.0, 1.0, 61.0, lambda: np.zeros((1, 2, 2), np.complex64))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "DDS 20, CG 5, gamma 5, eta 0.85"),
        ({"noiseless": True}, "DDS 20, CG 5, noiseless, eta 0.85"),
        ({"t_start": 300}, "DDS 20, CG 5, gamma 5, eta 0.85, from t 300"),
        ({"seed": 4, "spacing": "trailing"}, "DDS 20, CG 5, gamma 5, eta 0.85, trailing, seed 4"),
        ({"prior": "/models/brain.pt"}, "DDS 20, CG 5, gamma 5, eta 0.85, brain.pt"),
        ({"method": "cg-sense"}, "CG-SENSE"),
        ({"method": "zero-filled"}, "Zero-filled"),
    ],
)
def test_names_say_method_and_settings(changes: dict[str, object], name: str) -> None:
    assert run_name(job(**changes)) == name


def test_names_say_what_was_left_out() -> None:
    source = ScanSource("a.h5", undersample="gaussian1d:4:0.08:0", slices=(2, 3))
    assert run_name(job(source, method="cg-sense")) == "CG-SENSE, slice 3, gaussian1d R 4"
    assert run_name(job(ScanSource("a.h5", slices=(0, 4)), method="cg-sense")) == "CG-SENSE, slices 1 to 4"
    assert classical_caption("cg-sense") == "CG-SENSE (classical)"


def test_two_runs_of_one_name_are_numbered() -> None:
    runs = Runs()
    names = [runs.add(job(), "DDS 20").name for _ in range(3)]
    assert names == ["DDS 20", "DDS 20 #2", "DDS 20 #3"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7260, "2 h 1 min"), (-3, "0 s")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("count", "words"), [(320 * 2**20, "320 MiB"), (3 * 2**29, "1.5 GiB")])
def test_sizes(count: int, words: str) -> None:
    assert size(count) == words


def test_a_late_pause_does_not_stop_a_run_that_goes_on() -> None:
    run = Run(job(), "a")
    run.stop.pause()
    run.stop.resume()
    run.apply(Paused())
    assert run.phase is Phase.RUNNING
    run.stop.pause()
    run.apply(Paused())
    assert run.phase is Phase.PAUSED


def test_status_words() -> None:
    run = Run(job(), "a")
    assert status_words(None, 0) == "Choose settings, then Reconstruct"
    run.apply(step(7))
    assert status_words(run, 2) == "Step 7 of 20 · 1 min 1 s left · 2 waiting"
    run.stop.pause()
    assert status_words(run, 0) == "Paused at step 7 of 20"
    run.stop.keep()
    assert status_words(run, 0) == "Stopping…"
    run.apply(Finished(Volume(np.zeros((1, 2, 2), np.complex64)), kept_at=7))
    assert status_words(run, 0) == "Kept after step 7 of 20"
    run.apply(Failed(JobError("a", "b", "c")))
    assert status_words(run, 0) == "Failed"


def test_a_zero_filled_image_does_not_replace_cg_sense() -> None:
    first, second = Run(job(), "a"), Run(job(), "b")
    good, poor = (Picture(np.full((1, 2, 2), level, np.complex64)) for level in (2, 1))
    first.show_classical("zero-filled", poor)
    first.show_classical("cg-sense", good)
    second.borrow_classical([first])
    second.show_classical("zero-filled", poor)
    assert second.classical is good
    assert second.shown(False) == (good, "CG-SENSE (classical)")


def test_only_the_classical_image_of_the_same_data_is_borrowed() -> None:
    first = Run(job(), "a")
    first.show_classical("cg-sense", Picture(np.ones((1, 2, 2), np.complex64)))
    other = Run(job(ScanSource("a.h5", undersample="gaussian1d:4")), "b")
    other.borrow_classical([first])
    assert other.classical is None


def test_levels() -> None:
    display = Display()
    display.offer_levels({"magnitude": Levels(0, 10)})
    assert display.levels == Levels(0, 10)
    display.set_levels(-5, 3)
    assert display.levels.window == pytest.approx(1e-3)
    assert display.levels.level == pytest.approx(3)
    display.offer_levels({"magnitude": Levels(0, 99)})
    assert display.levels.level == pytest.approx(3)
    display.reset_levels()
    assert display.levels == Levels(0, 99)


def test_frames_stay_within_the_stack() -> None:
    display = Display()
    display.set_frames(3)
    display.go_to(9)
    assert display.frame == 2
    display.set_frames(2)
    assert display.frame == 1
    display.set_frames(0)
    assert display.frame == 0


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (-3.2, 0.2, [0.001, 0.01, 0.1, 1]),
        (-1.4, -0.6, [0.05, 0.1, 0.2]),
        (-1.35, -1.0 - 1e-9, [0.05, 0.06, 0.07, 0.08, 0.09]),
    ],
)
def test_the_residual_axis_has_round_numbers(low: float, high: float, ticks: list[float]) -> None:
    assert _ticks(low, high) == pytest.approx(ticks)
