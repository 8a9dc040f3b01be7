"""A graphics card that stops working: on the CPU instead where that was left open, else in words; never a crash."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from core.engine import lost_device
from core.engine.events import Failed, Finished, Noted, Started, StepDone
from core.engine.lost_device import is_lost_device
from core.engine.memory import is_out_of_memory
from core.engine.runner import choose_device, run
from core.engine.stop import Stop
from core.errors import DeviceError
from core.operators.sense import Sense
from core.priors import held
from core.priors.prior import Prior
from tests.faults.faulty import FULL, breaking

LOST = [
    torch.AcceleratorError("CUDA error: unspecified launch failure\nCUDA kernel errors might be reported ..."),
    torch.AcceleratorError("CUDA error: device-side assert triggered"),
    RuntimeError("CUDA driver error: unknown error"),
    RuntimeError("No CUDA GPUs are available"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm(...)`"),
]
IDS = ["launch", "assert", "driver", "gone", "cudnn", "cublas"]


def failing_once(monkeypatch: pytest.MonkeyPatch, where: type, name: str, error: Exception, at: int) -> None:
    """Only as long as there is a card."""
    whole, calls = getattr(where, name), list[int]()

    def broken(*args: object, **more: object) -> object:
        calls.append(0)
        if len(calls) > at and not lost_device.is_marked():
            raise error
        return whole(*args, **more)

    monkeypatch.setattr(where, name, broken)


def test_one_is_not_taken_for_the_other() -> None:
    assert all(is_lost_device(error) and not is_out_of_memory(error) for error in LOST)
    assert all(is_out_of_memory(error) and not is_lost_device(error) for error in FULL)
    others = (RuntimeError("shapes do not fit"), ValueError("CUDA error: x"), OSError("CUDA error"))
    assert not any(is_lost_device(error) for error in others)


@pytest.mark.parametrize("error", LOST, ids=IDS)
def test_left_open_it_is_begun_again_on_the_cpu(make_job, monkeypatch, error: Exception) -> None:
    job = make_job(device="auto")
    plain = list(run(job))[-1]
    failing_once(monkeypatch, Prior, "_run_network", error, at=4 * 3)
    events = list(run(job))
    finished = events[-1]
    assert isinstance(plain, Finished)
    assert isinstance(finished, Finished)
    assert finished.volume.array.tobytes() == plain.volume.array.tobytes()
    assert sum(isinstance(event, Started) for event in events) == 2
    assert [event.step for event in events if isinstance(event, StepDone)] == [1, 2, 1, 2, 3, 4]
    (note,) = (e.message for e in events if isinstance(e, Noted) and "graphics card" in e.message)
    assert "CPU" in note
    assert "\n" not in note
    assert note in finished.card["outcome"]["notes"]
    assert finished.card["outcome"]["device"] == "cpu"


@pytest.mark.parametrize("part", ["forward", "adjoint", "normal"])
def test_in_the_solver_too(make_job, monkeypatch, part: str) -> None:
    failing_once(monkeypatch, Sense, part, LOST[0], at=1)
    assert isinstance(list(run(make_job(device="auto")))[-1], Finished)


def test_weights_on_the_card_are_read_again(make_job, monkeypatch) -> None:
    read = breaking(monkeypatch, held, "load_prior", RuntimeError(), at=9)
    job = make_job(device="auto")
    list(run(job))
    list(run(job))
    assert len(read) == 1
    failing_once(monkeypatch, Prior, "_run_network", LOST[0], at=2)
    assert isinstance(list(run(job))[-1], Finished)
    assert len(read) == 2


def test_asked_for_the_card_it_is_told(make_job, monkeypatch) -> None:
    job = make_job(device="cuda")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("core.engine.runner.choose_device", lambda name: torch.device("cpu"))
    breaking(monkeypatch, Prior, "_run_network", LOST[0], at=6)
    events = list(run(job))
    failed = events[-1]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, DeviceError)
    assert "graphics card" in failed.error.what
    assert "on the CPU" in failed.error.try_this
    assert failed.error.why == "CUDA error: unspecified launch failure."
    monkeypatch.undo()


def test_what_is_lost_is_not_asked_again(make_job, monkeypatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    lost_device.mark_lost(LOST[0])
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(DeviceError, match="stopped working"):
        choose_device("cuda")
    failed = list(run(make_job(device="cuda")))[-1]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, DeviceError)


def test_a_card_that_is_lost_twice_ends_the_run(make_job, monkeypatch) -> None:
    """Whatever says so on the CPU: it is not begun again and again."""
    breaking(monkeypatch, Prior, "_run_network", LOST[0], at=2)
    events = list(run(make_job(device="auto")))
    assert isinstance(events[-1], Failed)
    assert sum(isinstance(event, Started) for event in events) <= 2


def test_a_run_that_is_discarded_meanwhile_is_not_begun_again(make_job, monkeypatch) -> None:
    stop = Stop()

    def broken(self: Prior, x: object, timestep: int) -> object:
        stop.discard()
        raise LOST[0]

    job = replace(make_job(device="auto"))
    monkeypatch.setattr("core.engine.runner.with_seconds", lambda needed, *rest: needed)
    monkeypatch.setattr(Prior, "_run_network", broken)
    events = list(run(job, stop))
    assert type(events[-1]).__name__ == "Discarded"
    assert not any(isinstance(event, StepDone) for event in events)


def test_other_mistakes_are_not_hidden(make_job, monkeypatch) -> None:
    breaking(monkeypatch, Prior, "_run_network", RuntimeError("shapes do not fit"), at=2)
    with pytest.raises(RuntimeError, match="shapes"):
        list(run(make_job(device="auto")))
