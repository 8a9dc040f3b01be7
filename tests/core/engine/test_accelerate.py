"""A network that is compiled on the way: it changes no picture, holds nothing up and ends no run."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from core.engine import runner
from core.engine.accelerate import CompiledTwin, Network
from core.engine.events import Event, Finished, Noted, StepDone
from core.engine.job import JobSpec, ScanSource
from core.engine.precision import computing_in
from core.engine.settings import ReconSettings

X, T = torch.ones(4, 1, 8, 8), torch.zeros(4)


class Counted:
    """A network that knows how it was called."""

    def __init__(self, factor: float = 2.0) -> None:
        self.factor = factor
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, x: Tensor, t: Tensor) -> Tensor:
        self.shapes.append(tuple(x.shape))
        return x * self.factor


@pytest.fixture
def job(make_scan, tiny_prior) -> JobSpec:
    settings = ReconSettings(prior=tiny_prior(), nfe=3, device="cpu")
    return JobSpec(ScanSource("x"), settings, make_scan(ny=24, nx=20, slices=3, noise=1e-3), threads=1)


def test_it_is_compiled_for_the_largest_batch_and_used_for_no_other() -> None:
    eager, compiled = Counted(), Counted(3.0)
    twin = CompiledTwin(eager, lambda network: compiled)
    for x in (X[:1], X, X[:3]):
        assert torch.equal(twin(x, T[: len(x)]), 2 * x)
    assert not twin.ready
    twin.prepare()
    twin.wait()
    assert twin.ready
    assert compiled.shapes == [tuple(X.shape)]
    assert torch.equal(twin(X, T), 3 * X)
    assert torch.equal(twin(X[:3], T[:3]), 2 * X[:3])
    assert twin.note == ""


def test_nothing_is_compiled_before_a_batch_was_seen_nor_twice() -> None:
    made: list[Network] = []
    twin = CompiledTwin(Counted(), lambda network: made.append(network) or network)
    twin.prepare()
    twin.wait()
    assert not made
    twin(X, T)
    for _ in range(3):
        twin.prepare()
    twin.wait()
    assert len(made) == 1


def test_a_slow_compiler_holds_nothing_up() -> None:
    go_on, begun = threading.Event(), threading.Event()

    def slow(network: Network) -> Network:
        begun.set()
        go_on.wait()
        return Counted(3.0)

    twin = CompiledTwin(Counted(), slow)
    twin(X, T)
    twin.prepare()
    begun.wait()
    assert torch.equal(twin(X, T), 2 * X)
    assert not twin.ready
    go_on.set()
    twin.wait()
    assert torch.equal(twin(X, T), 3 * X)


def test_the_mode_of_the_caller_is_the_one_it_is_warmed_up_in() -> None:
    seen: list[tuple[bool, bool]] = []

    def compiled(x: Tensor, t: Tensor) -> Tensor:
        seen.append((torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")))
        return x

    twin = CompiledTwin(Counted(), lambda network: compiled, partial(computing_in, "bfloat16", torch.device("cpu")))
    twin(X, T)
    twin.prepare()
    twin.wait()
    assert seen == [(False, True)]


def broken(*args: object) -> None:
    raise RuntimeError("no compiler here\nand a long story")


@pytest.mark.parametrize("compiler", [broken, lambda network: broken], ids=["compiling", "warming up"])
def test_a_compiler_that_fails_leaves_the_network_as_it_is(compiler) -> None:
    twin = CompiledTwin(Counted(), compiler)
    twin(X, T)
    twin.prepare()
    twin.wait()
    assert not twin.ready
    assert twin.note.endswith("runs uncompiled: no compiler here")
    assert torch.equal(twin(X, T), 2 * X)


def breaking_at(call: int, error: Exception) -> Network:
    calls: list[int] = []

    def network(x: Tensor, t: Tensor) -> Tensor:
        calls.append(1)
        if len(calls) == call:
            raise error
        return 3 * x

    return network


def test_a_compiled_network_that_breaks_in_use_is_left() -> None:
    twin = CompiledTwin(Counted(), lambda network: breaking_at(2, ValueError("")))
    twin(X, T)
    twin.prepare()
    twin.wait()
    assert torch.equal(twin(X, T), 2 * X)
    assert not twin.ready
    assert "ValueError" in twin.note


def test_memory_that_runs_out_in_it_is_the_callers_to_see() -> None:
    twin = CompiledTwin(Counted(), lambda network: breaking_at(2, torch.OutOfMemoryError("full")))
    twin(X, T)
    twin.prepare()
    twin.wait()
    with pytest.raises(torch.OutOfMemoryError):
        twin(X, T)
    assert twin.ready


def run_with(job: JobSpec, compiler, monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """A run as on a CUDA device, whose compiling has ended by its second step."""
    made = runner._model

    def model(settings: ReconSettings, device: torch.device) -> runner._Model:
        found = made(settings, device)
        found.prior.twin = CompiledTwin(found.prior.network, compiler)
        monkeypatch.setattr(found.prior.twin, "prepare", partial(_prepared, found.prior.twin, found.prior.twin.prepare))
        return found

    monkeypatch.setattr(runner, "_model", model)
    return list(runner.run(job))


def _prepared(twin: CompiledTwin, prepare) -> None:
    prepare()
    twin.wait()


def test_a_run_goes_over_to_it_after_its_first_picture(job: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = list(runner.run(job))[-1]
    compiled: list[int] = []

    def compiler(network: Network) -> Network:
        def same(x: Tensor, t: Tensor) -> Tensor:
            compiled.append(len(x))
            return network(x, t)

        return same

    events = run_with(job, compiler, monkeypatch)
    # The warm-up, then all three slices of the two steps that were left.
    assert len(compiled) == 1 + 2 * 3
    assert isinstance(events[-1], Finished)
    assert np.array_equal(events[-1].volume.array, plain.volume.array)
    assert events[-1].card["outcome"]["compiled"]
    assert not plain.card["outcome"]["compiled"]


def test_a_run_tells_once_that_it_goes_on_uncompiled(job: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = list(runner.run(job))[-1]
    job = replace(job, settings=job.settings.replace(samples=2), samples_at_once=1)
    events = run_with(job, broken, monkeypatch)
    notes = [event.message for event in events if isinstance(event, Noted) and "compiled" in event.message]
    assert len(notes) == 1
    assert sum(isinstance(event, StepDone) for event in events) == 6
    assert notes[0] in events[-1].card["outcome"]["notes"]
    assert not events[-1].card["outcome"]["compiled"]
    assert plain.volume.array.shape == events[-1].volume.array.shape


def test_on_a_cpu_there_is_no_twin(job: JobSpec) -> None:
    model = runner._model(job.settings, torch.device("cpu"))
    assert model.prior.twin is None


def test_the_weights_lie_channels_last_on_every_device(job: JobSpec) -> None:
    network = runner._model(job.settings, torch.device("cpu")).prior.network
    kernels = [p for p in network.parameters() if p.dim() == 4]
    assert kernels
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in kernels)
