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


@pytest.mark.parametrize("kind", ["vp-linear", "vp-cosine", "ve"])
def test_a_weight_by_the_noise_combines_estimate_and_measurement_as_two_noisy_sources(kind: str) -> None:
    """With A = 1 that is (s_y^2 e + s_t^2 y) / (s_y^2 + s_t^2), for estimate e and measurement y."""
    truth = torch.randn(1, 6, 5, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    everything = Sense(torch.ones(1, 1, 6, 5, dtype=torch.complex128), torch.ones(1, 6, 1, dtype=torch.bool))
    walk, sigma_y, seen = Schedule(noise_schedule(kind), tuple(timesteps(8))), 0.3, []

    def weight(sigma_t: float) -> float:
        seen.append(sigma_t)
        return (sigma_t / sigma_y) ** 2

    prior = Oracle(truth, kind, error=0.5)
    y = everything.forward(2 * truth)
    torch.manual_seed(0)
    for step in sample(prior, everything, y, schedule=walk, gamma=weight, cg_steps=30, tolerance=1e-14):
        a, s = walk.levels.levels(step.timestep)
        expected = (sigma_y**2 * 1.5 + (s / a) ** 2 * 2) / (sigma_y**2 + (s / a) ** 2)
        assert torch.allclose(step.denoised, expected * truth, rtol=1e-5)
    assert seen == [walk.levels.ratio(t) for t in walk.timesteps]


def test_a_constant_weight_may_be_a_function(truth, operator) -> None:
    walk = Schedule(noise_schedule("vp-linear"), tuple(timesteps(4)))
    y = operator.forward(truth)

    def last(gamma) -> torch.Tensor:
        torch.manual_seed(0)
        return list(sample(Oracle(truth, "vp-linear", 0.2), operator, y, schedule=walk, gamma=gamma))[-1].x

    assert torch.equal(last(3.0), last(lambda sigma_t: 3.0))


@pytest.mark.parametrize("gamma", [5.0, float("inf")])
def test_what_the_caller_gave_stays_as_it_is(gamma: float, truth, operator) -> None:
    walk = Schedule(noise_schedule("vp-linear"), tuple(timesteps(4)))
    given = [operator.forward(truth), torch.randn_like(truth), torch.randn(3, *truth.shape, dtype=truth.dtype)]
    kept = [each.clone() for each in given]
    y, start, noise = given
    steps = sample(Oracle(truth, "vp-linear"), operator, y, schedule=walk, gamma=gamma, x_T=start, noise=noise)
    last = next(steps)
    before = last.denoised.clone()
    next(steps)
    assert torch.equal(last.denoised, before)
    list(steps)
    assert all(torch.equal(a, b) for a, b in zip(given, kept, strict=True))


def test_the_pieces_in_which_it_goes_on_change_no_bit(truth, operator, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = Schedule(noise_schedule("vp-linear"), tuple(timesteps(4)))
    y = operator.forward(truth)

    def last() -> torch.Tensor:
        torch.manual_seed(0)
        return list(sample(Oracle(truth, "vp-linear", 0.2), operator, y, schedule=walk, eta=0.5))[-1].x

    whole = last()
    monkeypatch.setattr("core.diffusion.dds.ITEMS_AT_ONCE", 1)
    assert torch.equal(last(), whole)


class Fixed:
    """Predicts the same estimate and noise whatever it sees, and keeps what it saw."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        generator = torch.Generator().manual_seed(5)
        self.estimate, self.noise = (torch.randn(shape, dtype=torch.complex128, generator=generator) for _ in "en")
        self.seen: list[torch.Tensor] = []

    def predict(self, x: torch.Tensor, timestep: int) -> tuple[torch.Tensor, torch.Tensor]:
        self.seen.append(x.clone())
        return self.estimate.clone(), self.noise.clone()


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_a_step_by_hand(eta: float, truth: torch.Tensor, operator: Scaled) -> None:
    """x = a d + s (sqrt(1 - eta^2) e + eta z), with d from the estimate by no step of CG."""
    schedule = Schedule(noise_schedule("vp-linear"), (700, 300))
    prior, draw = Fixed(truth.shape), torch.full_like(truth, 2 - 1j)
    steps = list(
        sample(prior, operator, operator.forward(truth), schedule=schedule, cg_steps=0, eta=eta, noise=lambda k: draw)
    )
    a, s = schedule.levels.levels(300)
    expected = a * prior.estimate + s * ((1 - eta**2) ** 0.5 * prior.noise + eta * draw)
    torch.testing.assert_close(prior.seen[1], expected)
    torch.testing.assert_close(steps[-1].x, prior.estimate)


def test_the_start_has_the_first_noise_level(truth: torch.Tensor, operator: Scaled) -> None:
    """Unit variance in both parts, times the level; a VE schedule shows the level best."""
    schedule = Schedule(noise_schedule("ve"), (999,))
    prior = Fixed(truth.shape)
    torch.manual_seed(0)
    next(sample(prior, operator, operator.forward(truth), schedule=schedule))
    level = schedule.levels.levels(999)[1]
    assert level == pytest.approx(378)
    for part in (prior.seen[0].real, prior.seen[0].imag):
        assert float(part.std()) == pytest.approx(level, rel=0.1)
