"""The simultaneous iterative reconstruction technique (SIRT)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from core.operators.linear import LinearOperator

SMALL = 1e-6
"""Rays and pixels that meet for less than this share of the most any does are left alone."""


def iterates(operator: LinearOperator, y: Tensor, iterations: int, lowest: float | None = None) -> Iterator[Tensor]:
    """The iterates x + C A* R (y - A x) from zero, domain_shape, after each of so many iterations.

    R and C: 1 over the sums of the rows and columns of A, none of whose entries may be below 0. y: range_shape, real.
    lowest: no value of an iterate is below it. It converges to weighted least squares, slowly and without
    overshooting. Gilbert 1972 (doi 10.1016/0022-5193(72)90180-4); Gregor and Benson 2008 (doi
    10.1109/TMI.2008.923696).
    """
    ones = torch.ones(operator.domain_shape, dtype=operator.dtype, device=operator.device)
    rows = _inverse(operator.forward(ones))
    columns = _inverse(operator.adjoint(torch.ones_like(y)))
    x = torch.zeros_like(ones)
    for _ in range(iterations):
        x = x + columns * operator.adjoint(rows * (y - operator.forward(x)))
        if lowest is not None:
            x = x.clamp(min=lowest)
        yield x


def _inverse(sums: Tensor) -> Tensor:
    """1 / sums, and 0 where there is next to nothing to divide by."""
    good = sums > SMALL * sums.max()
    return torch.where(good, 1 / torch.where(good, sums, 1.0), 0.0)
