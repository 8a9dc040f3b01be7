"""A network that does not fit into memory: it goes on with fewer planes, of which none is lost or done twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from core.engine import runner
from core.engine.events import Failed, Finished, Noted, StepDone
from core.engine.job import JobSpec, ScanSource
from core.engine.settings import ReconSettings
from core.engine.stop import Halt, Stop
from core.engine.watch import WatchedPrior
from core.errors import JobError
from core.priors.prior import Prior

EVERYWHERE = torch.ones(1, 1, 1, dtype=torch.bool)
FULL = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    torch.cuda.OutOfMemoryError("CUDA out of memory."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:1] . DefaultCPUAllocator: not enough memory: you tried to allocate 9"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
    MemoryError(),
]


class Small:
    """A prior of which only so many planes fit into memory at once."""

    def __init__(self, fits: int, error: Exception = FULL[0]) -> None:
        self.fits, self.error = fits, error
        self.tried: list[int] = []
        self.done: list[float] = []

    def predict(self, x: Tensor, timestep: int) -> tuple[Tensor, Tensor]:
        self.tried.append(len(x))
        if len(x) > self.fits:
            raise self.error
        self.done += x[:, 0, 0].tolist()
        return x + 1, x - timestep


def planes(count: int) -> Tensor:
    return torch.arange(count, dtype=torch.float32)[:, None, None].expand(count, 2, 3).clone()


@pytest.mark.parametrize("error", FULL, ids=["torch", "cuda", "not enough", "can't allocate", "python"])
def test_half_as_many_planes_go_on_where_the_memory_ran_out(error: Exception) -> None:
    prior = Small(3, error)
    watched = WatchedPrior(prior, Stop(), 8, EVERYWHERE)
    x = planes(11)
    denoised, noise = watched.predict(x, 5)
    assert prior.tried == [8, 4, 2, 2, 2, 2, 2, 1]
    assert prior.done == list(range(11))
    assert torch.equal(denoised, x + 1)
    assert torch.equal(noise, x - 5)


def test_it_goes_on_from_where_it_was_and_remembers() -> None:
    prior = Small(9)
    watched = WatchedPrior(prior, Stop(), 4, EVERYWHERE)
    watched.predict(planes(4), 5)
    prior.fits = 2
    prior.done.clear()
    watched.predict(planes(10), 5)
    watched.predict(planes(4), 5)
    assert prior.tried == [4, 4, 2, 2, 2, 2, 2, 2, 2]
    assert prior.done == [*range(10), *range(4)]
    assert watched.planes_at_once == 2
    assert watched.notes == ["The memory was short: the network goes on with 2 slices at a time."]


def test_memory_that_runs_out_in_the_middle_repeats_nothing() -> None:
    class Filling(Small):
        def predict(self, x: Tensor, timestep: int) -> tuple[Tensor, Tensor]:
            self.fits = 1 if self.done else 4
            return super().predict(x, timestep)

    prior = Filling(4)
    denoised, _ = WatchedPrior(prior, Stop(), 4, EVERYWHERE).predict(planes(7), 0)
    assert prior.tried == [4, 3, 1, 1, 1]
    assert prior.done == list(range(7))
    assert torch.equal(denoised, planes(7) + 1)


def test_a_single_plane_that_does_not_fit_is_told_in_words() -> None:
    prior = Small(0)
    with pytest.raises(JobError) as caught:
        WatchedPrior(prior, Stop(), 4, EVERYWHERE).predict(planes(5), 0)
    assert prior.tried == [4, 2, 1]
    assert "memory" in caught.value.what
    assert "smaller prior" in caught.value.try_this


def test_other_errors_are_no_matter_of_memory() -> None:
    prior = Small(1, RuntimeError("shapes do not fit"))
    with pytest.raises(RuntimeError, match="shapes"):
        WatchedPrior(prior, Stop(), 4, EVERYWHERE).predict(planes(5), 0)
    assert prior.tried == [4]


def test_a_run_can_be_stopped_while_it_takes_fewer() -> None:
    stop = Stop()

    class Stopping(Small):
        def predict(self, x: Tensor, timestep: int) -> tuple[Tensor, Tensor]:
            stop.discard()
            return super().predict(x, timestep)

    prior = Stopping(1)
    with pytest.raises(Halt):
        WatchedPrior(prior, stop, 4, EVERYWHERE).predict(planes(5), 0)
    assert prior.tried == [4]


def test_nothing_is_made_up_outside() -> None:
    inside = torch.ones(1, 2, 3, dtype=torch.bool)
    inside[0, 1] = False
    denoised, _ = WatchedPrior(Small(9), Stop(), 2, inside, nothing=-7.0).predict(planes(3), 0)
    assert (denoised[:, 1] == -7).all()
    assert torch.equal(denoised[:, 0], planes(3)[:, 0] + 1)


@pytest.fixture
def job(make_scan, tiny_prior) -> JobSpec:
    settings = ReconSettings(prior=tiny_prior(), nfe=3, samples=2, device="cpu")
    scan = make_scan(ny=24, nx=20, slices=5, noise=1e-3)
    return JobSpec(ScanSource("x"), settings, scan, threads=1, samples_at_once=1)


def tight(monkeypatch: pytest.MonkeyPatch, fits: int) -> list[int]:
    """Eight planes at once are tried, and only some fit; what was tried."""
    tried: list[int] = []
    run_network = Prior._run_network

    def limited(self: Prior, x: Tensor, timestep: int) -> Tensor:
        if timestep or len(x) > 1:
            tried.append(len(x))
        if len(x) > fits:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return run_network(self, x, timestep)

    monkeypatch.setattr(Prior, "_run_network", limited)
    monkeypatch.setattr(runner, "planes_at_once", lambda device, plane_bytes: 8)
    return tried


def test_a_run_backs_off_once_and_tells(job: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = list(runner.run(job))[-1]
    tried = tight(monkeypatch, 3)
    events = list(runner.run(job))
    finished = events[-1]
    assert isinstance(finished, Finished)
    notes = [k for k, event in enumerate(events) if isinstance(event, Noted) and "memory" in event.message]
    assert len(notes) == 1
    assert notes[0] < next(k for k, event in enumerate(events) if isinstance(event, StepDone))
    assert tried.count(5) == 1
    assert max(tried[tried.index(5) + 1 :]) == 2
    assert finished.card["outcome"]["planes_at_once"] == 2
    assert any("memory" in note for note in finished.card["outcome"]["notes"])
    gap = np.linalg.norm(finished.volume.array - plain.volume.array)
    assert gap < 1e-5 * np.linalg.norm(plain.volume.array)


def test_a_run_whose_network_never_fits_fails_in_words(job: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    tight(monkeypatch, 0)
    monkeypatch.setattr(runner, "with_seconds", lambda needed, *rest: needed)
    last = list(runner.run(replace(job, samples_at_once=2)))[-1]
    assert isinstance(last, Failed)
    assert "too small for the network" in last.error.what
