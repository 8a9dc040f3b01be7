"""The sampler finds the truth when the network knows it, on complex multi-coil data."""

from __future__ import annotations

import weakref

import pytest
import torch

from core.diffusion.dds import sample
from core.diffusion.parametrization import denoised_and_noise
from core.diffusion.schedule import Schedule, noise_schedule, timesteps
from core.operators.linear import Scaled, operator_norm
from core.operators.masks import Undersampling, sampling_mask
from core.operators.sense import Sense


class Oracle:
    """Knows the noise in x, up to an error of its own."""

    def __init__(self, truth: torch.Tensor, kind: str, error: float = 0.0) -> None:
        self.truth, self.error = truth, error
        self.levels = noise_schedule(kind)

    def predict(self, x: torch.Tensor, timestep: int) -> tuple[torch.Tensor, torch.Tensor]:
        a, s = self.levels.levels(timestep)
        wrong = self.truth * (1 + self.error)
        return denoised_and_noise("eps", (x - a * wrong) / s, x, a, s)


@pytest.fixture
def truth() -> torch.Tensor:
    return torch.randn(2, 24, 21, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def operator() -> Scaled:
    generator = torch.Generator().manual_seed(1)
    maps = torch.randn(2, 6, 24, 21, dtype=torch.complex128, generator=generator)
    sense = Sense(maps, torch.from_numpy(sampling_mask(Undersampling("gaussian1d", 3, 4, 0), 24, 21))[None])
    return Scaled(sense, 1 / operator_norm(sense))


@pytest.mark.parametrize("kind", ["vp-linear", "vp-cosine", "ve"])
@pytest.mark.parametrize("gamma", [0.5, 5.0, float("inf")])
@pytest.mark.parametrize("eta", [0.0, 0.85, 1.0])
def test_an_oracle_and_noiseless_data_give_the_truth(kind, gamma, eta, truth, operator) -> None:
    torch.manual_seed(0)
    walk = Schedule(noise_schedule(kind), tuple(timesteps(6)))
    steps = list(sample(Oracle(truth, kind), operator, operator.forward(truth), schedule=walk, gamma=gamma, eta=eta))
    assert [step.timestep for step in steps] == list(walk.timesteps)
    assert torch.allclose(steps[-1].x, truth, atol=1e-5)
    assert torch.equal(steps[-1].x, steps[-1].denoised)


def test_the_data_pulls_a_wrong_prior_towards_the_truth(truth, operator) -> None:
    torch.manual_seed(0)
    walk = Schedule(noise_schedule("vp-linear"), tuple(timesteps(6)))
    y = operator.forward(truth)

    def error(gamma: float, cg_steps: int = 20) -> float:
        torch.manual_seed(0)
        steps = sample(Oracle(truth, "vp-linear", 0.3), operator, y, schedule=walk, gamma=gamma, cg_steps=cg_steps)
        *_, last = steps
        return float(torch.linalg.vector_norm(last.x - truth) / torch.linalg.vector_norm(truth))

    assert error(0.0) == pytest.approx(0.3, rel=1e-6)
    assert error(50.0) < error(1.0) < 0.3


def test_nothing_is_kept_of_the_steps_that_went_by(truth, operator) -> None:
    walk = Schedule(noise_schedule("vp-linear"), tuple(timesteps(5)))
    steps = sample(Oracle(truth, "vp-linear"), operator, operator.forward(truth), schedule=walk)
    first = weakref.ref(next(steps).denoised)
    next(steps)
    next(steps)
    assert first() is None


def test_given_noise_is_used_step_by_step(truth, operator) -> None:
    walk = Schedule(noise_schedule("vp-linear"), tuple(timesteps(4)))
    asked = []

    def noise(k: int) -> torch.Tensor:
        asked.append(k)
        return torch.zeros_like(truth)

    list(sample(Oracle(truth, "vp-linear"), operator, operator.forward(truth), schedule=walk, noise=noise))
    assert asked == [0, 1, 2]
