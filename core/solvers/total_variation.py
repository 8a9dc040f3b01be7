"""Reconstruction with a total-variation penalty, of real and complex images."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from core.operators.linear import LinearOperator
from core.solvers.baselines import cg_sense
from core.solvers.cg import conjugate_gradient

ITERATIONS = 60
CG_STEPS = 4
THRESHOLD = 0.03
"""Steps smaller than this share of the peak are flattened in each iteration. It sets the pace, not the result."""


def total_variation(
    operator: LinearOperator,
    y: Tensor,
    lam: float,
    *,
    iterations: int = ITERATIONS,
    lowest: float | None = None,
    peak: Tensor | None = None,
) -> Tensor:
    """argmin 1/2 ||A x - y||^2 + lam peak TV(x) for an operator of unit norm; see `iterates` for the arguments."""
    *_, x = iterates(operator, y, lam, iterations=iterations, lowest=lowest, peak=peak)
    return x


def iterates(
    operator: LinearOperator,
    y: Tensor,
    lam: float,
    *,
    iterations: int = ITERATIONS,
    lowest: float | None = None,
    peak: Tensor | None = None,
) -> Iterator[Tensor]:
    """The iterates of `total_variation`, from the least-squares image on.

    y: operator.range_shape; images are operator.domain_shape, (batch, h, w), real or complex. TV is isotropic with free
    edges (Rudin, Osher and Fatemi 1992, doi 10.1016/0167-2789(92)90242-F); of a complex image it takes the magnitude
    over both parts. lam: the weight for an image scaled to peak 1. peak: of each item, of shape (batch, 1, 1), by
    default of the least-squares image. lowest: real images stay at or above it. Alternating directions (Goldstein and
    Osher 2009, doi 10.1137/080725891), the inner system by a few conjugate gradients.
    """
    x = cg_sense(operator, y)
    yield x
    if lam == 0:
        return
    top = (x.abs().amax(dim=(-2, -1), keepdim=True) if peak is None else peak).clamp(min=1e-30)
    penalty = lam / THRESHOLD
    bound = penalty if lowest is not None else 0.0
    backprojection = operator.adjoint(y)
    split = gradient(x)
    dual = torch.zeros_like(split)
    floor, floor_dual = x, torch.zeros_like(x)

    def normal(v: Tensor) -> Tensor:
        return operator.normal(v) + penalty * divergence_adjoint(gradient(v)) + bound * v

    for _ in range(iterations):
        target = backprojection + penalty * divergence_adjoint(split - dual) + bound * (floor - floor_dual)
        x = conjugate_gradient(normal, target, x, CG_STEPS, 1e-7)
        slopes = gradient(x)
        split = shrink(slopes + dual, THRESHOLD * top)
        dual = dual + slopes - split
        if lowest is not None:
            floor = (x + floor_dual).clamp(min=lowest)
            floor_dual = floor_dual + x - floor
        yield x if lowest is None else floor


def gradient(x: Tensor) -> Tensor:
    """Differences to the next row and column, (2, batch, h, w); 0 at the far edges."""
    slopes = torch.zeros(2, *x.shape, dtype=x.dtype, device=x.device)
    slopes[0, :, :-1] = x[:, 1:] - x[:, :-1]
    slopes[1, :, :, :-1] = x[:, :, 1:] - x[:, :, :-1]
    return slopes


def divergence_adjoint(slopes: Tensor) -> Tensor:
    """The adjoint of `gradient`: minus the divergence, (batch, h, w)."""
    down, right = slopes
    result = torch.zeros_like(down)
    result[:, :-1] -= down[:, :-1]
    result[:, 1:] += down[:, :-1]
    result[:, :, :-1] -= right[:, :, :-1]
    result[:, :, 1:] += right[:, :, :-1]
    return result


def shrink(slopes: Tensor, threshold: Tensor) -> Tensor:
    """Shorten the slope (2, batch, h, w) of each pixel, over both directions, by the threshold (batch, 1, 1)."""
    length = torch.sqrt((slopes.abs() ** 2).sum(dim=0))
    return slopes * ((length - threshold).clamp(min=0) / length.clamp(min=1e-30))
