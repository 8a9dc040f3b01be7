"""An operator whose measurements count unequally."""

from __future__ import annotations

import torch
from torch import Tensor

from core.operators.linear import LinearOperator


class Weighted(LinearOperator):
    """diag(weights) A. weights: real, not below 0, broadcast over the range: roots of the statistical weights.

    Solve it for weights * y. A measurement of weight 0 counts as not made.
    """

    def __init__(self, operator: LinearOperator, weights: Tensor) -> None:
        self.operator = operator
        self.weights = weights.to(device=operator.device, dtype=_real(operator.range_dtype))
        self.domain_shape, self.range_shape = operator.domain_shape, operator.range_shape
        self.dtype, self.device, self.joint = operator.dtype, operator.device, operator.joint

    def forward(self, x: Tensor) -> Tensor:
        return self.weights * self.operator.forward(x)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.operator.adjoint(self.weights * y)

    @property
    def range_dtype(self) -> torch.dtype:
        return self.operator.range_dtype


def _real(dtype: torch.dtype) -> torch.dtype:
    return torch.empty((), dtype=dtype).real.dtype
