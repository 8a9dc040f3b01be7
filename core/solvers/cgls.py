"""Least squares by conjugate gradients on the measurements (CGLS)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from core.operators.linear import LinearOperator


def iterates(operator: LinearOperator, y: Tensor, iterations: int) -> Iterator[Tensor]:
    """The iterates of argmin ||A x - y||^2 from zero, domain_shape, after each of so many iterations.

    y: range_shape, real or complex. Every `operator.joint` images are one system with step sizes of its own; the
    residual of each falls in every iteration. A system that is solved stays as it is.
    Paige and Saunders 1982 (doi 10.1145/355984.355989), section 7.1.
    """
    systems = operator.domain_shape[0] // operator.joint
    x = torch.zeros(operator.domain_shape, dtype=operator.dtype, device=operator.device)
    residual = y.clone()
    gradient = operator.adjoint(residual)
    direction = gradient
    slope = _energy(gradient, systems)
    for _ in range(iterations):
        image = operator.forward(direction)
        step = _ratio(slope, _energy(image, systems))
        x = x + _spread(step, x) * direction
        residual = residual - _spread(step, residual) * image
        gradient = operator.adjoint(residual)
        slope, before = _energy(gradient, systems), slope
        direction = gradient + _spread(_ratio(slope, before), x) * direction
        yield x


def _energy(a: Tensor, systems: int) -> Tensor:
    """The squared norm of every system, (systems,)."""
    parts = torch.view_as_real(a) if a.is_complex() else a
    return parts.reshape(systems, -1).square().sum(dim=1)


def _spread(values: Tensor, like: Tensor) -> Tensor:
    """The value of each system for each of its items, shaped to multiply them."""
    return values.repeat_interleave(len(like) // len(values)).reshape(-1, *(1,) * (like.dim() - 1))


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """numerator / denominator, 0 where nothing is left to divide by."""
    good = denominator > 0
    return torch.where(good, numerator / torch.where(good, denominator, 1.0), 0.0)
