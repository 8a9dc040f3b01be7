"""Noise levels and timesteps."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.diffusion.parametrization import denoised_and_noise
from core.diffusion.schedule import Schedule, alpha_bars, noise_schedule, timesteps
from core.errors import JobError, PriorError

SPACINGS = ["uniform", "quadratic", "trailing"]


@given(nfe=st.integers(2, 1000), spacing=st.sampled_from(SPACINGS))
def test_any_number_of_timesteps_is_exact_falling_and_in_range(nfe: int, spacing: str) -> None:
    steps = timesteps(nfe, spacing)
    assert len(steps) == nfe
    assert all(a > b for a, b in pairwise(steps))
    assert steps[0] <= 999
    assert steps[-1] >= 0


@given(st.data())
def test_a_later_start_stays_below_it(data: st.DataObject) -> None:
    t_start = data.draw(st.integers(1, 999))
    nfe = data.draw(st.integers(2, t_start + 1))
    steps = timesteps(nfe, data.draw(st.sampled_from(SPACINGS)), t_start=t_start)
    assert len(set(steps)) == nfe
    assert max(steps) == t_start or max(steps) <= t_start


@pytest.mark.parametrize("count", [9, 19, 24, 49, 99, 199])
def test_uniform_is_the_official_list(count: int) -> None:
    official = list(range(0, 1000, 1000 // count))
    assert timesteps(len(official)) == official[::-1]


def test_quadratic_is_dense_at_low_noise() -> None:
    steps = timesteps(10, "quadratic")
    assert steps[0] - steps[1] > 3 * (steps[-2] - steps[-1])


def test_trailing_starts_at_the_last_timestep() -> None:
    assert timesteps(10, "trailing")[0] == 999


@pytest.mark.parametrize(
    ("nfe", "spacing", "t_start", "expected"),
    [
        (5, "quadratic", None, [999, 562, 250, 62, 0]),
        (6, "quadratic", 6, [6, 4, 3, 2, 1, 0]),
        (6, "quadratic", 5, [5, 4, 3, 2, 1, 0]),
        (4, "trailing", None, [999, 749, 499, 249]),
        (3, "trailing", 50, [50, 33, 16]),
        (3, "uniform", 50, [50, 25, 0]),
        (1, "uniform", 50, [50]),
    ],
)
def test_timesteps_by_hand(nfe: int, spacing: str, t_start: int | None, expected: list[int]) -> None:
    assert timesteps(nfe, spacing, t_start=t_start) == expected


def test_the_cosine_schedule_by_hand() -> None:
    def signal(i: int) -> float:
        return math.cos((i / 10 + 0.008) / 1.008 * math.pi / 2) ** 2

    bars = alpha_bars("vp-cosine", 10)
    for i in range(9):
        assert float(bars[i]) == pytest.approx(signal(i + 1) / signal(0))
    assert float(bars[9]) == pytest.approx(0.001 * float(bars[8])), "beta is at most 0.999"


def test_the_linear_schedule_by_hand() -> None:
    bars = alpha_bars("vp-linear", 1000)
    assert float(bars[0]) == pytest.approx(1 - 1e-4)
    assert float(bars[1]) == pytest.approx((1 - 1e-4) * (1 - 1e-4 - 0.0199 / 999))
    assert float(bars[-1] / bars[-2]) == pytest.approx(1 - 0.02)
    assert float(alpha_bars("vp-linear", 100)[0]) == pytest.approx(1 - 1e-3)


def test_only_the_step_to_0_may_be_taken_without_noise() -> None:
    levels = noise_schedule("vp-linear")
    walk = Schedule(levels, (2, 1, 0), skip_last_noise=True).walk()
    assert walk[0] == (2, *levels.levels(1))
    assert walk[1] == (1, 1.0, 0.0)
    assert Schedule(levels, (2, 1, 0)).walk()[1] == (1, *levels.levels(0))


@pytest.mark.parametrize(("nfe", "t_start"), [(0, None), (1001, None), (50, 20)])
def test_too_many_are_refused(nfe: int, t_start: int | None) -> None:
    with pytest.raises(JobError, match="do not fit"):
        timesteps(nfe, t_start=t_start)


def test_unknown_words_are_refused() -> None:
    with pytest.raises(JobError, match="not known"):
        timesteps(5, "random")
    with pytest.raises(JobError, match="not known"):
        noise_schedule("vp-sigmoid")


@pytest.mark.parametrize("kind", ["vp-linear", "vp-cosine"])
def test_vp_keeps_the_variance_and_loses_the_signal(kind: str) -> None:
    schedule = noise_schedule(kind)
    assert torch.allclose(schedule.signal**2 + schedule.noise**2, torch.ones(1000, dtype=torch.float64))
    assert (schedule.signal.diff() < 0).all()
    assert schedule.signal[-1] < 0.02
    assert schedule.levels(-1) == (1.0, 0.0)


def test_ve_grows_geometrically_and_tells_the_network_sigma() -> None:
    schedule = noise_schedule("ve", 100)
    ratios = schedule.noise[1:] / schedule.noise[:-1]
    assert torch.allclose(ratios, ratios[0].expand(99))
    assert float(schedule.noise[-1]) == pytest.approx(378)
    assert torch.equal(schedule.conditioning, schedule.noise)


def test_the_walk_ends_at_the_clean_image() -> None:
    levels = noise_schedule("vp-linear")
    walk = Schedule(levels, (600, 300, 0)).walk()
    assert walk[0] == (600, *levels.levels(300))
    assert walk[1] == (300, *levels.levels(0))
    assert walk[2] == (0, 1.0, 0.0)
    assert Schedule(levels, (600, 300, 0), skip_last_noise=True).walk()[1] == (300, 1.0, 0.0)


@pytest.mark.parametrize("kind", ["eps", "v", "x0"])
@pytest.mark.parametrize("schedule", ["vp-linear", "ve"])
def test_every_parametrization_gives_back_image_and_noise(kind: str, schedule: str) -> None:
    a, s = noise_schedule(schedule).levels(400)
    image, noise = torch.randn(2, 1, 2, 8, 8, dtype=torch.float64)
    x = a * image + s * noise
    answers = {"eps": noise, "x0": image, "v": a * noise - s * image}
    if kind == "v" and schedule == "ve":
        with pytest.raises(PriorError, match="variance-preserving"):
            denoised_and_noise(kind, answers[kind], x, a, s)
        return
    denoised, predicted = denoised_and_noise(kind, answers[kind], x, a, s)
    assert torch.allclose(denoised, image)
    assert torch.allclose(predicted, noise)


def test_an_unknown_parametrization_is_refused() -> None:
    with pytest.raises(PriorError, match="not known"):
        denoised_and_noise("score", torch.zeros(1), torch.zeros(1), 1.0, 1.0)
