"""The linear operator: what every measurement model is to the solvers, and how its adjoint is put to the test."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

Shape = tuple[int, ...]


class LinearOperator(ABC):
    """A linear map A between batches of images and batches of measurements. The first axis of both is the batch.

    domain_shape and range_shape include the batch. dtype: of the domain, real or complex. device: where both live.
    joint: how many consecutive items of the batch A ties together, so that a solver must take them as one system.
    """

    joint: int = 1

    domain_shape: Shape
    range_shape: Shape
    dtype: torch.dtype
    device: torch.device

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """A x: domain_shape to range_shape."""

    @abstractmethod
    def adjoint(self, y: Tensor) -> Tensor:
        """A* y: range_shape to domain_shape, the Hermitian transpose."""

    def normal(self, x: Tensor) -> Tensor:
        """A* A x, a tensor of its own. Operators that know a shorter way override it."""
        return self.adjoint(self.forward(x))

    @property
    def range_dtype(self) -> torch.dtype:
        return self.dtype


class Scaled(LinearOperator):
    """A times a real factor."""

    def __init__(self, operator: LinearOperator, factor: float) -> None:
        self.operator = operator
        self.factor = factor
        self.domain_shape = operator.domain_shape
        self.range_shape = operator.range_shape
        self.dtype = operator.dtype
        self.device = operator.device
        self.joint = operator.joint

    def forward(self, x: Tensor) -> Tensor:
        return self.operator.forward(x) * self.factor

    def adjoint(self, y: Tensor) -> Tensor:
        return self.operator.adjoint(y) * self.factor

    def normal(self, x: Tensor) -> Tensor:
        return in_place(self.operator.normal(x), x).mul_(self.factor**2)

    @property
    def range_dtype(self) -> torch.dtype:
        return self.operator.range_dtype


def in_place(result: Tensor, x: Tensor) -> Tensor:
    """A result of x that may be changed: itself, unless it is x under another name."""
    return result.clone() if result.data_ptr() == x.data_ptr() else result


def inner(a: Tensor, b: Tensor) -> complex:
    """<a, b> = sum of conj(a) b over everything, accumulated in double precision."""
    wide = torch.complex128
    return complex(torch.sum(a.to(wide).conj() * b.to(wide)).item())


def dot_test(operator: LinearOperator, seed: int = 0) -> float:
    """Relative gap between <A x, y> and <x, A* y>: rounding error for a true adjoint.

    x is random; y is half random and half along A x, so that the inner product is never small by chance.
    """
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(operator.domain_shape, dtype=operator.dtype, generator=generator).to(operator.device)
    y = torch.randn(operator.range_shape, dtype=operator.range_dtype, generator=generator).to(operator.device)
    image = operator.forward(x)
    y = y / torch.linalg.vector_norm(y) + image / torch.linalg.vector_norm(image)
    left, right = inner(image, y), inner(x, operator.adjoint(y))
    return abs(left - right) / max(abs(left), abs(right))


def operator_norm(operator: LinearOperator, iterations: int = 20, tolerance: float = 1e-3, seed: int = 0) -> float:
    """The largest singular value of A, by power iteration on A* A; a lower bound that rises with the iterations.

    tolerance: relative rise of the eigenvalue at which it is good enough.
    """
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(operator.domain_shape, dtype=operator.dtype, generator=generator).to(operator.device)
    value = 0.0
    for _ in range(iterations):
        x = x / torch.linalg.vector_norm(x)
        x = operator.normal(x)
        before, value = value, float(torch.linalg.vector_norm(x))
        if value <= before * (1 + tolerance):
            break
    return float(value**0.5)
