"""Noise schedules and lists of timesteps, as pure functions and one small record.

A noisy image is x_t = a_t x_0 + s_t e with standard normal e. Variance preserving (VP): a = sqrt(alpha_bar),
s = sqrt(1 - alpha_bar) (Ho et al. 2020, arXiv 2006.11239, eq. 4). Variance exploding (VE): a = 1, s = sigma
(Song et al. 2021, arXiv 2011.13456, eq. 9).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch

from core.errors import JobError

TRAINING_STEPS = 1000


def alpha_bars(kind: str = "vp-linear", steps: int = TRAINING_STEPS) -> torch.Tensor:
    """Cumulative products of 1 - beta, float64 (steps,).

    vp-linear: beta from 1e-4 to 0.02 at 1000 steps (Ho et al. 2020, section 4), scaled by 1000 / steps. vp-cosine:
    Nichol and Dhariwal 2021 (arXiv 2102.09672, eq. 17), beta at most 0.999. Raises JobError for another kind.
    """
    if kind == "vp-linear":
        scale = 1000 / steps
        betas = torch.linspace(1e-4 * scale, 0.02 * scale, steps, dtype=torch.float64)
        return torch.cumprod(1 - betas, dim=0)
    if kind == "vp-cosine":
        grid = torch.arange(steps + 1, dtype=torch.float64) / steps
        f = torch.cos((grid + 0.008) / 1.008 * math.pi / 2) ** 2
        betas = (1 - f[1:] / f[:-1]).clamp(max=0.999)
        return torch.cumprod(1 - betas, dim=0)
    raise JobError(f"The noise schedule {kind!r} is not known.", "", "Use vp-linear, vp-cosine or ve.")


def ve_sigmas(smallest: float = 0.01, largest: float = 378.0, steps: int = TRAINING_STEPS) -> torch.Tensor:
    """Geometric noise levels, float64 (steps,), growing (Song et al. 2021, appendix C)."""
    return torch.exp(torch.linspace(math.log(smallest), math.log(largest), steps, dtype=torch.float64))


@dataclass(frozen=True)
class NoiseSchedule:
    """Signal level a and noise level s of every training timestep, and what the network is told of them.

    All float64 (steps,). conditioning: the number given to the network as its time: the timestep itself (VP) or
    sigma (VE).
    """

    signal: torch.Tensor
    noise: torch.Tensor
    conditioning: torch.Tensor

    def levels(self, timestep: int) -> tuple[float, float]:
        """(a, s) at a timestep; -1 is the clean image: a = 1, s = 0."""
        if timestep < 0:
            return 1.0, 0.0
        return float(self.signal[timestep]), float(self.noise[timestep])

    def ratio(self, timestep: int) -> float:
        """sigma_t = s / a: the noise in an image whose signal is scaled to 1; sqrt((1 - ab) / ab) for VP."""
        a, s = self.levels(timestep)
        return s / a

    @property
    def steps(self) -> int:
        return len(self.signal)


def noise_schedule(
    kind: str, steps: int = TRAINING_STEPS, sigma_range: tuple[float, float] = (0.01, 378.0)
) -> NoiseSchedule:
    """The schedule named on a model card: "vp-linear", "vp-cosine" or "ve" (which takes sigma_range)."""
    if kind == "ve":
        sigmas = ve_sigmas(*sigma_range, steps)
        return NoiseSchedule(torch.ones_like(sigmas), sigmas, sigmas)
    bars = alpha_bars(kind, steps)
    return NoiseSchedule(bars.sqrt(), (1 - bars).sqrt(), torch.arange(steps, dtype=torch.float64))


def timesteps(
    nfe: int, spacing: str = "uniform", *, t_start: int | None = None, steps: int = TRAINING_STEPS
) -> list[int]:
    """The timesteps of a run, largest first: exactly `nfe` different ones, none above t_start.

    uniform: 0, skip, 2 skip ... as in the reference implementation (skip = steps // (nfe - 1), or steps // nfe, where
    that gives nfe of them), otherwise evenly spread and rounded. quadratic: dense at low noise. trailing: ends of nfe
    equal intervals (Lin et al. 2023, arXiv 2305.08891, table 2). Raises JobError when they cannot all be different.
    """
    last = steps - 1 if t_start is None else t_start
    if not 1 <= nfe <= last + 1:
        raise JobError(
            f"{nfe} network evaluations do not fit below timestep {last}.",
            "Each needs a timestep of its own.",
            f"Use at most {last + 1} evaluations, or a later start.",
        )
    if nfe == 1:
        return [last]
    if spacing == "uniform":
        chosen = _uniform(nfe, last, steps)
    elif spacing == "quadratic":
        chosen = [last * (i / (nfe - 1)) ** 2 for i in range(nfe)]
    elif spacing == "trailing":
        chosen = [(last + 1) * (i + 1) / nfe - 1 for i in range(nfe)]
    else:
        raise JobError(f"The spacing {spacing!r} is not known.", "", "Use uniform, quadratic or trailing.")
    return _distinct([round(t) for t in chosen], last)[::-1]


def _uniform(nfe: int, last: int, steps: int) -> list[float]:
    if last == steps - 1:
        for count in (nfe - 1, nfe):
            official = list(range(0, steps, max(steps // count, 1)))
            if len(official) == nfe:
                return [float(t) for t in official]
    return [last * i / (nfe - 1) for i in range(nfe)]


def _distinct(rising: list[int], last: int) -> list[int]:
    """Push equal neighbours upwards, then back down from `last`, so that all differ and the order stays."""
    for i in range(1, len(rising)):
        rising[i] = max(rising[i], rising[i - 1] + 1)
    rising[-1] = min(rising[-1], last)
    for i in range(len(rising) - 2, -1, -1):
        rising[i] = min(rising[i], rising[i + 1] - 1)
    return rising


@dataclass(frozen=True)
class Schedule:
    """The walk of one run: noise levels and the timesteps to visit, largest first.

    skip_last_noise: where the next timestep is 0 the estimate is taken as it is, without noise, as the reference
    implementation does; off by default.
    """

    levels: NoiseSchedule
    timesteps: tuple[int, ...]
    skip_last_noise: bool = False

    def __len__(self) -> int:
        return len(self.timesteps)

    def walk(self) -> list[tuple[int, float, float]]:
        """(timestep, a and s of the next one) for every step; the clean image (a = 1, s = 0) comes last."""
        clean_at = 0 if self.skip_last_noise else -1
        pairs = pairwise([*self.timesteps, -1])
        return [(t, *(self.levels.levels(after) if after > clean_at else (1.0, 0.0))) for t, after in pairs]
