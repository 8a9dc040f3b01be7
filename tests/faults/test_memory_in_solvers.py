"""The memory runs out in a solver, a classical image, an estimate: fewer samples at once, or what would fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from core.engine.events import Failed, Finished, Noted, Started, StepDone
from core.engine.job import JobSpec
from core.engine.problem_ct import TomoProblem
from core.engine.runner import run
from core.engine.watch import WatchedOperator
from core.operators.repeated import Repeated
from core.operators.sense import Sense
from tests.faults.faulty import FULL, breaking


@pytest.mark.parametrize("error", FULL, ids=["cuda", "driver", "cublas", "cpu", "python"])
@pytest.mark.parametrize(("part", "at"), [("forward", 1), ("adjoint", 2), ("normal", 5)])
def test_the_solver_of_one_sample(make_job, monkeypatch, part: str, at: int, error: Exception) -> None:
    breaking(monkeypatch, WatchedOperator if part == "normal" else Sense, part, error, at)
    events = list(run(make_job()))
    failed = events[-1]
    assert isinstance(failed, Failed)
    assert "memory" in failed.error.what
    assert "About 2 of its 4 slices would fit at once" in failed.error.try_this
    monkeypatch.undo()
    assert isinstance(list(run(make_job()))[-1], Finished), "the next run works"


def test_of_one_slice_there_are_no_fewer(make_job, monkeypatch) -> None:
    breaking(monkeypatch, WatchedOperator, "normal", MemoryError(), at=3)
    failed = list(run(make_job(slices=1)))[-1]
    assert isinstance(failed, Failed)
    assert "image smaller" in failed.error.try_this


def test_what_is_free_when_it_breaks_down_counts(make_job, monkeypatch) -> None:
    breaking(monkeypatch, WatchedOperator, "normal", MemoryError(), at=3)
    monkeypatch.setattr("core.engine.second_try.available_bytes", lambda device: 0)
    failed = list(run(make_job()))[-1]
    assert isinstance(failed, Failed)
    assert "About 1 of its 4 slices" in failed.error.try_this


@pytest.mark.parametrize(
    ("method", "part", "at"),
    [("zero-filled", "adjoint", 0), ("cg-sense", "adjoint", 1), ("tv", "normal", 40), ("l1-wavelet", "normal", 40)],
)
def test_classical_images(make_job, monkeypatch, method: str, part: str, at: int) -> None:
    breaking(monkeypatch, Sense, part, MemoryError(), at)
    failed = list(run(make_job(method=method)))[-1]
    assert isinstance(failed, Failed)
    assert "memory" in failed.error.what


@pytest.mark.parametrize("method", ["fbp", "cgls", "sirt", "tv"])
def test_classical_images_of_ct(make_ct_job, monkeypatch, method: str) -> None:
    breaking(monkeypatch, TomoProblem, "to_image", MemoryError(), at=1)
    failed = list(run(make_ct_job(method=method)))[-1]
    assert isinstance(failed, Failed)
    assert "memory" in failed.error.what


def test_before_anything_is_known_of_the_run(make_job, monkeypatch) -> None:
    breaking(monkeypatch, "core.engine.runner", "estimate", MemoryError(), at=0)
    (failed,) = run(make_job())
    assert isinstance(failed, Failed)
    assert "Close other programs" in failed.error.try_this


def side_by_side(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """The solver has no room for more images than so many."""
    whole, seen = Repeated.normal, list[int]()

    def repeated(self: Repeated, x: Tensor) -> Tensor:
        seen.append(len(x))
        if len(x) > most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return whole(self, x)

    monkeypatch.setattr(Repeated, "normal", repeated)
    return seen


@pytest.mark.parametrize("most", [8, 4])
def test_fewer_samples_side_by_side_make_the_same_image(
    make_job: Callable[..., JobSpec], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    job = make_job(samples=4)
    plain = list(run(job))[-1]
    seen = side_by_side(monkeypatch, most)
    events = list(run(job))
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert isinstance(plain, Finished)
    assert (seen[0], max(seen[1:])) == (16, max(8, most))
    assert finished.card["outcome"]["samples_at_once"] == most // 4
    notes = [event.message for event in events if isinstance(event, Noted) and "memory" in event.message]
    assert len(notes) == (1 if most == 8 else 3), "each try tells what came before"
    assert notes[0] in finished.card["outcome"]["notes"]
    steps = [event.step for event in events if isinstance(event, StepDone)]
    assert steps == list(range(1, 4 * 4 // (most // 4) + 1))
    assert sum(isinstance(event, Started) for event in events) == (2 if most == 8 else 3)
    gap = np.linalg.norm(finished.volume.array - plain.volume.array)
    assert gap < 1e-5 * np.linalg.norm(plain.volume.array)
    assert np.allclose(finished.volume.spread, plain.volume.spread, atol=1e-5)


def test_a_step_to_be_kept_at_is_no_other_with_fewer(make_job, monkeypatch) -> None:
    job = replace(make_job(samples=2), keep_at=3)
    side_by_side(monkeypatch, 4)
    failed = list(run(job))[-1]
    assert isinstance(failed, Failed)
    assert "memory" in failed.error.what
