"""Reconstruction with a total-variation penalty, of real and complex images and of volumes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from core.operators.linear import LinearOperator, in_place
from core.solvers.baselines import cg_sense
from core.solvers.cg import conjugate_gradient
from core.solvers.differences import AXES, add_smoothing_, gradient, gradient_adjoint, shrink

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
    slices: int = 1,
    along: str = "slice",
) -> Tensor:
    """argmin 1/2 ||A x - y||^2 + lam peak TV(x) for an operator of unit norm; see `iterates` for the arguments."""
    *_, x = iterates(operator, y, lam, iterations=iterations, lowest=lowest, peak=peak, slices=slices, along=along)
    return x


def iterates(
    operator: LinearOperator,
    y: Tensor,
    lam: float,
    *,
    iterations: int = ITERATIONS,
    lowest: float | None = None,
    peak: Tensor | None = None,
    slices: int = 1,
    along: str = "slice",
) -> Iterator[Tensor]:
    """The iterates of `total_variation`, from the least-squares image on.

    y: operator.range_shape; images are operator.domain_shape, (batch, h, w), real or complex. TV is isotropic with free
    edges (Rudin, Osher and Fatemi 1992, doi 10.1016/0167-2789(92)90242-F); of a complex image it takes the magnitude
    over both parts. along: "slice" (rows and columns), "z" or "volume" (all three), for volumes of so many slices.
    lam: the weight for an image scaled to peak 1. peak: of each item, of shape (batch, 1, 1), by default of the
    least-squares image. lowest: real images stay at or above it. Alternating directions (Goldstein and Osher 2009, doi
    10.1137/080725891), the inner system by a few conjugate gradients.
    """
    axes, joint = AXES[along], max(operator.joint, 1 if along == "slice" else slices)
    x = cg_sense(operator, y)
    yield x
    if lam == 0:
        return
    top = (peaks(x, joint) if peak is None else peak).clamp(min=1e-30)
    penalty = lam / THRESHOLD
    bound = penalty if lowest is not None else 0.0
    backprojection = operator.adjoint(y)
    split = gradient(x, slices, axes)
    dual = torch.zeros_like(split)
    floor, floor_dual = (x, torch.zeros_like(x)) if lowest is not None else (None, None)

    def normal(v: Tensor) -> Tensor:
        return add_smoothing_(in_place(operator.normal(v), v), v, slices, axes, penalty).add_(v, alpha=bound)

    for _ in range(iterations):
        target = gradient_adjoint(split - dual, slices, axes).mul_(penalty).add_(backprojection)
        if floor is not None and floor_dual is not None:
            target.add_(floor - floor_dual, alpha=bound)
        x = conjugate_gradient(normal, target, x, CG_STEPS, 1e-7, joint)
        dual += gradient(x, slices, axes)
        split = shrink(dual, THRESHOLD * top)
        dual -= split
        if floor is not None and floor_dual is not None:
            floor = (x + floor_dual).clamp(min=lowest)
            floor_dual = floor_dual + x - floor
        yield x if floor is None else floor


def peaks(x: Tensor, joint: int = 1) -> Tensor:
    """The largest magnitude of every `joint` consecutive items, for each item, (batch, 1, 1)."""
    top = x.abs().amax(dim=(-2, -1), keepdim=True)
    return top.reshape(-1, joint).amax(dim=1).repeat_interleave(joint).reshape(-1, 1, 1)
