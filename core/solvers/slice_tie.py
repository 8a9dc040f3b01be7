"""Total variation that ties the slices of a volume, kept up from step to step of a sampler."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from core.operators.linear import LinearOperator
from core.solvers.cg import conjugate_gradient
from core.solvers.differences import AXES, gradient, gradient_adjoint, shrink


@dataclass
class SliceTie:
    """lam TV(x) beside the measurement: its splitting, whose variables are carried along.

    Chung et al. 2023 (arXiv 2303.05754, section 4.2) after Boyd et al. 2011 (doi 10.1561/2200000016, section 3).
    slices: consecutive items that are one volume. rho: the pace of the splitting. lam: the weight of TV, in the unit of
    the image. along: "z" (differences between slices), "slice" (within them) or "volume" (isotropic in all three).
    rounds: of the splitting in each step.
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
        x, noiseless = estimate, math.isinf(gamma)
        data, own = (1.0, 0.0) if noiseless else (gamma, 1.0)
        axes = AXES[self.along]

        def normal(v: Tensor) -> Tensor:
            result = operator.normal(v) * data
            result.add_(gradient_adjoint(gradient(v, self.slices, axes), self.slices, axes), alpha=data * self.rho)
            return result.add_(v, alpha=own) if own else result

        for _ in range(self.rounds):
            target = backprojection * data
            if self.split is not None and self.dual is not None:
                pulled = gradient_adjoint(self.split - self.dual, self.slices, axes)
                target.add_(pulled, alpha=data * self.rho)
            if own:
                target.add_(estimate)
            x = conjugate_gradient(normal, target, x, steps, tolerance, joint=max(self.slices, operator.joint))
            del target
            self._update(gradient(x, self.slices, axes))
        return x

    def _update(self, slopes: Tensor) -> None:
        """Shrink what the slopes and the dual variable add up to; the rest is the new dual variable."""
        if self.dual is not None:
            slopes = slopes.add_(self.dual)
        self.split = shrink(slopes, torch.tensor(self.lam / self.rho, dtype=slopes.real.dtype, device=slopes.device))
        self.dual = slopes.sub_(self.split)
