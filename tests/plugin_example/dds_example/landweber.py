"""Landweber's iteration (1951): x + A* (y - A x), which converges for an A of norm 1."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from core.engine.settings import ReconSettings
from core.engine.stop import Stop
from core.operators.linear import LinearOperator
from core.scan import KSpace, Scan


class Landweber:
    """A method of its own for MRI."""

    label = "Landweber"
    uses = ("iterations",)

    def fits(self, scan: Scan) -> bool:
        return isinstance(scan, KSpace)

    def steps(self, settings: ReconSettings) -> int:
        return settings.iterations

    def iterates(self, operator: LinearOperator, y: Tensor, settings: ReconSettings, stop: Stop) -> Iterator[Tensor]:
        x = torch.zeros(operator.domain_shape, dtype=operator.dtype, device=operator.device)
        while True:
            x = x + operator.adjoint(y - operator.forward(x))
            yield x
