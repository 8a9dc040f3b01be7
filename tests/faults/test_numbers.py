"""NaN and infinite numbers, from the network at any step, from the scan or from a solver."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from core.engine.events import Failed, Finished, StepDone
from core.engine.runner import run
from core.operators.linear import LinearOperator
from core.operators.sense import Sense
from core.priors.prior import Prior


def spoilt_from(monkeypatch: pytest.MonkeyPatch, call: int, value: float, *, one: bool) -> None:
    """The network's answers hold a number that is none, from its evaluation number `call` on. one: in one pixel."""
    whole, calls = Prior._run_network, list[int]()

    def spoilt(self: Prior, x: Tensor, timestep: int) -> Tensor:
        answer = whole(self, x, timestep)
        calls.append(timestep)
        if len(calls) > call:
            answer[(-1, 0, 5, 5) if one else ...] = value
        return answer

    monkeypatch.setattr(Prior, "_run_network", spoilt)
    monkeypatch.setattr("core.engine.runner.with_seconds", lambda needed, *rest: needed)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 3e38])
@pytest.mark.parametrize("one", [False, True], ids=["everywhere", "one pixel"])
def test_a_network_that_goes_wrong_on_the_way(make_job, monkeypatch, value: float, one: bool) -> None:
    job = make_job(slices=2)
    spoilt_from(monkeypatch, 2 * 2, value, one=one)
    steps, failed = [], None
    for event in run(job):
        if isinstance(event, StepDone):
            assert math.isfinite(event.residual)
            assert math.isfinite(abs(event.estimate()).max())
            assert math.isfinite(event.seconds_left)
            steps.append(event.step)
        failed = event
    assert steps == [1, 2], "what there was up to then has been shown"
    assert isinstance(failed, Failed)
    assert "step 3" in failed.error.what
    assert "another prior" in failed.error.try_this
    monkeypatch.undo()
    assert isinstance(list(run(job))[-1], Finished), "the next run works"


def test_of_several_samples_one_goes_wrong(make_job, monkeypatch) -> None:
    spoilt_from(monkeypatch, 2 * 3 + 1, math.nan, one=True)
    failed = list(run(make_job(slices=1, samples=2)))[-1]
    assert isinstance(failed, Failed)
    assert "broke down" in failed.error.what


@pytest.mark.parametrize("method", ["zero-filled", "cg-sense", "tv", "l1-wavelet"])
def test_an_operator_that_gives_nan(make_job, monkeypatch, method: str) -> None:
    whole = Sense.adjoint
    monkeypatch.setattr(Sense, "adjoint", lambda self, y: whole(self, y) * math.nan)
    failed = list(run(make_job(method=method)))[-1]
    assert isinstance(failed, Failed)
    assert "NaN" in failed.error.why


@pytest.mark.parametrize("method", ["fbp", "cgls", "sirt", "tv"])
def test_a_solver_that_gives_nan_in_ct(make_ct_job, monkeypatch, method: str) -> None:
    from core.engine.problem_ct import TomoProblem

    whole = TomoProblem.to_image
    monkeypatch.setattr(TomoProblem, "to_image", lambda self, x: whole(self, x) + math.inf)
    failed = list(run(make_ct_job(method=method)))[-1]
    assert isinstance(failed, Failed)
    assert "infinite" in failed.error.why


class Tilted(LinearOperator):
    """Its answers are NaN wherever it is asked for the data consistency alone."""

    def __init__(self, operator: LinearOperator) -> None:
        self.operator = operator
        self.domain_shape, self.range_shape = operator.domain_shape, operator.range_shape
        self.dtype, self.device, self.joint = operator.dtype, operator.device, operator.joint

    def forward(self, x: Tensor) -> Tensor:
        return self.operator.forward(x)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.operator.adjoint(y)

    def normal(self, x: Tensor) -> Tensor:
        return torch.full_like(x, math.nan)


def test_data_consistency_of_nan_is_not_passed_over(make_job, monkeypatch) -> None:
    """Else the image would be the network's alone, with nothing of the measurement in it."""
    from core.engine import sampling

    whole = sampling.WatchedOperator
    monkeypatch.setattr(sampling, "WatchedOperator", lambda operator, stop: Tilted(whole(operator, stop)))
    failed = list(run(make_job()))[-1]
    assert isinstance(failed, Failed)
    assert "broke down" in failed.error.what
