"""Total variation that ties the slices of a volume, kept up from step to step of a sampler."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from core.operators.linear import LinearOperator, in_place
from core.solvers.cg import conjugate_gradient
from core.solvers.differences import AXES, add_smoothing_, gradient, gradient_adjoint, shrink

TINY = 1e-12
"""The least weight of the data; with none at all nothing would be left to solve."""


@dataclass
class SliceTie:
    """lam TV(x) beside the measurement: its splitting, whose variables are carried along.

    Chung et al. 2023 (arXiv 2303.05754, section 4.2) after Boyd et al. 2011 (doi 10.1561/2200000016, section 3).
    slices: consecutive items that are one volume. rho: the pace of the splitting. lam: the weight of TV, in the unit of
    the image. along: "z" (differences between slices), "slice" (within them) or "volume" (isotropic in all three).
    rounds: of the splitting in each step. split, dual: its variables; they begin at the first estimate's own slopes and
    at zero, so that the first step is not pulled to slices that are all alike.
    """

    slices: int
    rho: float
    lam: float
    along: str = "z"
    rounds: int = 1
    split: Tensor | None = field(default=None, repr=False)
    dual: Tensor | None = field(default=None, repr=False)

    def consistent(
        self,
        operator: LinearOperator,
        backprojection: Tensor,
        estimate: Tensor,
        gamma: float,
        steps: int,
        tolerance: float,
    ) -> Tensor:
        """The estimate x0 drawn to the measurement, of which backprojection is A* y, and to smooth slices.

        min 1/2 |x - x0|^2 + gamma (1/2 |A x - y|^2 + lam TV(x)); infinite gamma drops the first term and only begins at
        x0. Each round is so many conjugate-gradient steps on the volume as one system, a shrinkage by lam / rho, and a
        step of the dual variable.
        """
        x, axes = estimate, AXES[self.along]
        own = 0.0 if math.isinf(gamma) else 1 / max(gamma, TINY)

        def normal(v: Tensor) -> Tensor:
            result = in_place(operator.normal(v), v)
            add_smoothing_(result, v, self.slices, axes, self.rho)
            return result.add_(v, alpha=own) if own else result

        for _ in range(self.rounds):
            if self.split is None:
                self.split = gradient(estimate, self.slices, axes)
            target = self._target(backprojection, axes)
            if own:
                target.add_(estimate, alpha=own)
            joint = max(self.slices, operator.joint)
            x = conjugate_gradient(normal, target, x, steps, tolerance, joint, overwrite=True)
            del target
            self._update(gradient(x, self.slices, axes))
        return x

    def _target(self, backprojection: Tensor, axes: tuple[int, ...]) -> Tensor:
        """A* y, and what the splitting pulls to."""
        assert self.split is not None
        wanted = self.split if self.dual is None else self.split - self.dual
        return gradient_adjoint(wanted, self.slices, axes).mul_(self.rho).add_(backprojection)

    def _update(self, slopes: Tensor) -> None:
        """Shrink what the slopes and the dual variable add up to; the rest is the new dual variable."""
        if self.dual is not None:
            slopes = slopes.add_(self.dual)
        self.split = shrink(slopes, torch.tensor(self.lam / self.rho, dtype=slopes.real.dtype, device=slopes.device))
        self.dual = slopes.sub_(self.split)
