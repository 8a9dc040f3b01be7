"""The Decomposed Diffusion Sampler: Chung et al. 2023 (arXiv 2303.05754), algorithm 1, with DDIM steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from core.diffusion.schedule import Schedule
from core.operators.linear import LinearOperator, in_place
from core.solvers.cg import conjugate_gradient
from core.solvers.slice_tie import SliceTie

Noise = Callable[[int], Tensor] | Sequence[Tensor] | Tensor | None
"""Where the draw of step k comes from: a function of k, a sequence, a stack, or new random numbers."""

ITEMS_AT_ONCE = 32
"""Items of a batch that are worked on beside each other where a copy of all of a large volume is to be spared."""

Weight = float | Callable[[float], float]
"""gamma: a number for every step, or a function of the step's noise level sigma_t = s_t / a_t."""


class Denoiser(Protocol):
    """What the sampler asks of a prior: the denoised estimate (Tweedie's formula) and the noise in x at a timestep.

    Both are new tensors, which the sampler writes over; x stays as it is.
    """

    def predict(self, x: Tensor, timestep: int) -> tuple[Tensor, Tensor]: ...


@dataclass(frozen=True)
class Step:
    """What one step made. denoised: the estimate after data consistency. x: the noisy image that goes on."""

    index: int
    timestep: int
    denoised: Tensor = field(repr=False)
    x: Tensor = field(repr=False)


def sample(
    prior: Denoiser,
    operator: LinearOperator,
    y: Tensor,
    *,
    schedule: Schedule,
    cg_steps: int = 5,
    gamma: Weight = 5.0,
    eta: float = 0.85,
    tolerance: float = 1e-6,
    x_T: Tensor | None = None,
    noise: Noise = None,
    tie: SliceTie | None = None,
    lowest: float | None = None,
    first: int = 0,
) -> Iterator[Step]:
    """Walk from x_T to the image, one Step per network evaluation; the last Step's `x` is the result.

    y: the measurement, operator.range_shape. x_T: the start, operator.domain_shape; standard normal times the first
    noise level if left out. noise: the standard normal draw of step k, see Noise.
    gamma: weight of the data in (I + gamma A*A) x = x0 + gamma A*y, see Weight; infinite means noiseless data,
    A*A x = A*y from x0.
    eta: share of fresh noise (0: deterministic). tolerance: relative residual at which CG stops early.
    tie: total variation between the slices beside the data, algorithm 3. lowest: real images stay at or above it.
    first: the step to begin with, where x_T has those before it behind it.
    """
    draw = _draws(noise, operator)
    _, first_noise_level = schedule.levels.levels(schedule.timesteps[first])
    x = first_noise_level * standard_normal_like(operator) if x_T is None else x_T
    del x_T
    backprojection = operator.adjoint(y)
    pull = _consistent if tie is None else tie.consistent

    for k, (t, a_next, s_next) in enumerate(schedule.walk()[first:], first):
        estimate, predicted_noise = prior.predict(x, t)
        weight = gamma(schedule.levels.ratio(t)) if callable(gamma) else gamma
        del x  # of a large volume it would be one of a dozen copies
        denoised = pull(operator, backprojection, estimate, weight, cg_steps, tolerance)
        if lowest is not None:
            denoised.clamp_(min=lowest)
        x = _onward(denoised, predicted_noise, a_next, s_next * math.sqrt(1 - eta**2))
        if s_next > 0:
            x.add_(draw(k), alpha=s_next * eta)
        del estimate, predicted_noise
        yield Step(k, t, denoised, x)
        del denoised


def _onward(denoised: Tensor, noise: Tensor, signal: float, level: float) -> Tensor:
    """signal * denoised + level * noise, in the memory of the noise, a few items at a time."""
    for clean, rough in zip(torch.split(denoised, ITEMS_AT_ONCE), torch.split(noise, ITEMS_AT_ONCE), strict=True):
        part = signal * clean
        rough.copy_(part.add_(rough, alpha=level) if level > 0 else part)
    return noise


def _consistent(
    operator: LinearOperator, backprojection: Tensor, estimate: Tensor, gamma: float, steps: int, tolerance: float
) -> Tensor:
    """The estimate drawn to the measurement, of which backprojection is A*y, by conjugate gradients, in its place."""
    joint = operator.joint
    if math.isinf(gamma):
        b = backprojection.clone()
        return conjugate_gradient(operator.normal, b, estimate, steps, tolerance, joint, overwrite=True)

    def weighed(v: Tensor) -> Tensor:
        return in_place(operator.normal(v), v).mul_(gamma).add_(v)

    b = torch.add(estimate, backprojection, alpha=gamma)
    return conjugate_gradient(weighed, b, estimate, steps, tolerance, joint, overwrite=True)


def _draws(noise: Noise, operator: LinearOperator) -> Callable[[int], Tensor]:
    if noise is None:
        return lambda k: standard_normal_like(operator)
    return noise if callable(noise) else noise.__getitem__


def standard_normal_like(operator: LinearOperator, generator: torch.Generator | None = None) -> Tensor:
    """A standard normal draw in the operator's domain; of unit variance in both parts of a complex number."""
    draw = torch.randn(operator.domain_shape, dtype=operator.dtype, device=operator.device, generator=generator)
    return draw * math.sqrt(2) if operator.dtype.is_complex else draw
