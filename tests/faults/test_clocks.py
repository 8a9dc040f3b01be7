"""Clocks that jump, a machine that sleeps, a run that is paused for long: times stay those of the work."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.state.naming import duration
from core.engine.checkpoint import Checkpoints, read
from core.engine.events import Finished, Paused, StepDone
from core.engine.runner import run
from core.engine.stop import Stop
from core.export import project_file, save
from core.formats import project_file as reader
from core.operators import matrix_cache
from core.scan import Volume

HOURS = 3600.0 * 8


class Clock:
    """In the place of a clock of the system: it goes on as that does, and can be set."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now, self.ahead = now, 0.0

    def __call__(self) -> float:
        return self.now() + self.ahead


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Both clocks that never go back."""
    clock = Clock(time.perf_counter)
    monkeypatch.setattr(time, "perf_counter", clock)
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def test_a_machine_that_slept_is_not_waited_for_so_long_again(make_job, monotonic: Clock) -> None:
    left = []
    for event in run(make_job(nfe=8)):
        if isinstance(event, StepDone):
            left.append(event.seconds_left)
            monotonic.ahead += HOURS if event.step == 3 else 0.0
            assert event.network_seconds < HOURS
    assert len(left) == 8
    assert all(0 <= seconds < 600 for seconds in left)
    assert left[-1] == 0


def test_a_pause_is_no_work(make_job, monotonic: Clock) -> None:
    stop, left, paused = Stop(), [], 0
    for event in run(make_job(nfe=6), stop):
        if isinstance(event, StepDone):
            left.append(event.seconds_left)
            if event.step == 2:
                stop.pause()
        elif isinstance(event, Paused):
            paused += 1
            monotonic.ahead += HOURS / 2
            if paused == 2:
                stop.resume()
        last = event
    assert isinstance(last, Finished)
    assert paused == 2
    assert all(0 <= seconds < 600 for seconds in left)


def test_neither_on_the_run_card(make_job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paused within a step, by another thread."""
    stop, waiting = Stop(), threading.Event()
    clock = Clock(time.perf_counter)
    monkeypatch.setattr(time, "perf_counter", clock)
    wait_for = stop._changed.wait_for

    def lunch(*args: object, **more: object) -> bool:
        waiting.set()
        clock.ahead += HOURS
        stop._paused = False
        return wait_for(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(stop._changed, "wait_for", lunch)
    for event in run(make_job(), stop):
        if isinstance(event, StepDone) and event.step == 2:
            stop._paused = True
        last = event
    assert waiting.is_set()
    assert isinstance(last, Finished)
    assert 0 < last.card["outcome"]["seconds"] < 600
    assert stop.waited >= HOURS


@pytest.mark.parametrize("wall", [0.0, -1e6, 1.7e9, 5e9, 1e11])
def test_whatever_the_clock_on_the_wall_says(
    make_job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wall: float
) -> None:
    """Without a battery it stands in 1970; a wrong one may be anywhere, and jumps once it is set."""
    values = iter([wall, wall - HOURS, wall + HOURS] * 100_000)
    monkeypatch.setattr(time, "time", lambda: next(values))
    writer = Checkpoints(tmp_path / "run.ddsrun", 0.0)
    for event in run(make_job()):
        assert writer.take(event) == ""
        last = event
    assert isinstance(last, Finished)
    assert 0 < last.card["outcome"]["seconds"] < 600
    assert read(tmp_path / "run.ddsrun").done == 4
    volume = Volume(last.volume.array, affine=np.eye(4), slices=4, card=last.card)
    for name in ("x.npy", "x.nii.gz", "x.nrrd", "x.png", "x.dcm"):
        save(volume, tmp_path / name)
    project_file.write(tmp_path / "x.ddsproj", {"a": 1}, {"i.npy": volume.array})
    held = reader.read(tmp_path / "x.ddsproj")
    assert held.record["a"] == 1
    assert np.array_equal(held.arrays["i.npy"], volume.array)


def test_a_cache_from_the_future(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    import scipy.sparse as sp

    monkeypatch.setenv("DDS_VIEWER_CACHE", str(tmp_path))
    monkeypatch.setattr(matrix_cache, "LEAST", 1)
    matrix = sp.csr_array(np.eye(30, dtype=np.float32))
    matrix_cache.save("a", matrix)
    os.utime(tmp_path / "matrices" / "a.npz", (1e10, 1e10))
    matrix_cache.save("b", matrix)
    for name in "ab":
        found = matrix_cache.load(name, (30, 30))
        assert found is not None
        assert (found != matrix).nnz == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5.0, "0 s"), (math.nan, "?"), (math.inf, "?"), (-math.inf, "?"), (59.4, "59 s"), (3.0 * 86400, "3 days")],
)
def test_words_for_any_time(seconds: float, words: str) -> None:
    assert duration(seconds) == words
    assert duration(4 * HOURS) == "32 h 0 min"
