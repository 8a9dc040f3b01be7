"""One operator for several samples of the same measurement."""

from __future__ import annotations

import torch
from torch import Tensor

from core.operators.linear import LinearOperator


class Repeated(LinearOperator):
    """A for a batch of `times` samples, sample after sample: the operator's own batch each.

    Nothing of the operator is copied. adjoint also takes a measurement given once; then it stands for every sample.
    """

    def __init__(self, operator: LinearOperator, times: int) -> None:
        self.operator = operator
        self.times = times
        self.dtype, self.device, self.joint = operator.dtype, operator.device, operator.joint
        self.domain_shape = (times * operator.domain_shape[0], *operator.domain_shape[1:])
        self.range_shape = (times * operator.range_shape[0], *operator.range_shape[1:])

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.operator.forward(part) for part in torch.split(x, self.operator.domain_shape[0])])

    def adjoint(self, y: Tensor) -> Tensor:
        parts = torch.split(y, self.operator.range_shape[0])
        images = [self.operator.adjoint(part) for part in parts]
        return torch.cat(images * self.times if len(images) == 1 else images)

    def normal(self, x: Tensor) -> Tensor:
        if self.times == 1:
            return self.operator.normal(x)
        return torch.cat([self.operator.normal(part) for part in torch.split(x, self.operator.domain_shape[0])])

    @property
    def range_dtype(self) -> torch.dtype:
        return self.operator.range_dtype
