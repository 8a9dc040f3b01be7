"""Names, phases and levels, without a window."""

from __future__ import annotations

import numpy as np
import pytest

from app.state.display import Display
from app.state.naming import classical_caption, duration, run_name, times_as_long
from app.state.picture import Levels, Picture
from app.state.runs import Phase, Run, Runs
from app.views.residual_curve import _ticks
from app.views.run_panel import share_done, size, status_words
from core.engine.events import Estimate, Failed, Finished, Paused, Progress, Started, StepDone
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
        ({"samples": 4, "gamma_rule": "noise"}, "DDS 20, CG 5, noise gamma × 5, eta 0.85, 4 samples"),
        ({"precision": "float32"}, "DDS 20, CG 5, gamma 5, eta 0.85, float32"),
        ({"method": "cg-sense"}, "CG-SENSE"),
        ({"method": "cg-sense", "lam": 0.5}, "CG-SENSE, lambda 0.5"),
        ({"method": "l1-wavelet", "lam": 2e-4}, "L1-wavelet, lambda 0.0002"),
        ({"method": "tv", "lam": 0.01}, "TV, lambda 0.01"),
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


def picture(level: float) -> Picture:
    return Picture(np.full((1, 2, 2), level, np.complex64))


def test_the_best_classical_image_is_shown_until_there_is_a_result() -> None:
    first, second = Run(job(), "a"), Run(job(), "b")
    good, poor, result = picture(2), picture(1), picture(3)
    first.show_classical("zero-filled", poor)
    assert first.shown().picture is poor
    first.show_classical("cg-sense", good)
    second.borrow_classical([first])
    second.show_classical("zero-filled", poor)
    assert (second.shown().picture, second.shown().caption) == (good, "CG-SENSE (classical)")
    second.show_result(result, 1)
    assert second.views == ("result", "cg-sense", "zero-filled")
    assert [second.shown(view).picture for view in second.views] == [result, good, poor]
    assert second.shown("spread").picture is result


def test_the_run_before_is_one_step_back_and_forth() -> None:
    runs = Runs()
    first, second, third = (runs.add(job(nfe=nfe), f"DDS {nfe}") for nfe in (5, 6, 7))
    runs.put_in_front(first)
    assert runs.before is None
    runs.put_in_front(second)
    runs.put_in_front(second)
    assert runs.before is first
    runs.put_in_front(runs.before)
    assert (runs.front, runs.before) == (first, second)
    runs.put_in_front(third)
    runs.remove(first)
    assert runs.before is None


def test_only_the_classical_image_of_the_same_data_is_borrowed() -> None:
    first = Run(job(), "a")
    first.show_classical("cg-sense", Picture(np.ones((1, 2, 2), np.complex64)))
    other = Run(job(ScanSource("a.h5", undersample="gaussian1d:4")), "b")
    other.borrow_classical([first])
    assert other.classical == {}


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


def test_the_spread_has_levels_of_its_own() -> None:
    display = Display()
    display.offer_levels({"magnitude": Levels(0, 10)})
    display.offer_levels({"spread": Levels(0, 2)})
    display.look_at("spread")
    assert display.levels == Levels(0, 10), "asked for, but nothing of the kind is drawn"
    display.set_drawn("spread")
    assert display.levels == Levels(0, 2)
    display.drag_levels(0.5, 0.0)
    assert display.levels.window == pytest.approx(3)
    display.set_drawn("result")
    assert display.levels == Levels(0, 10)
    display.set_drawn("spread")
    display.reset_levels()
    assert display.levels == Levels(0, 2)


def test_the_classical_image_looked_at_last_comes_back() -> None:
    display = Display()
    display.put_classical_in_front(True)
    assert display.view == "cg-sense"
    display.look_at("zero-filled")
    display.put_classical_in_front(False)
    assert display.view == "result"
    display.put_classical_in_front(True)
    assert display.view == "zero-filled"


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (4.0, "about 4 times as long"),
        (2.5, "about 2 times as long"),
        (1.5, "about one and a half times as long"),
        (1.0, ""),
        (0.5, "about half as long"),
        (0.2, "about 1/5 as long"),
    ],
)
def test_words_for_the_time_of_a_preset(factor: float, words: str) -> None:
    assert times_as_long(factor) == words


def test_a_method_that_iterates_tells_how_far_it_is() -> None:
    run = Run(job(method="tv"), "TV", phase=Phase.PREPARING)
    run.apply(Progress("Coil maps", 2, 2))
    assert status_words(run, 0) == "Coil maps 2 of 2"
    run.apply(Started(Estimate(1, 2), 1, 2, 2, 0, "cpu"))
    assert (status_words(run, 0), share_done(run)) == ("Solving", 0.0)
    run.apply(Progress("Total variation", 0, 1))
    assert (status_words(run, 0), share_done(run)) == ("Total variation", 0.0)
    run.apply(Progress("Iterations", 30, 120))
    assert (status_words(run, 0), share_done(run)) == ("Iterations 30 of 120", 0.25)
    run.apply(Finished(Volume(np.zeros((1, 2, 2), np.complex64)), kept_at=0))
    assert (status_words(run, 0), share_done(run)) == ("Kept early", 1.0)


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
