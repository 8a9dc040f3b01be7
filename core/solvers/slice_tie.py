"""Total variation that ties the slices of a volume, kept up from step to step of a sampler."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from core.operators.linear import LinearOperator, in_place
from core.solvers.cg import conjugate_gradient
from core.solvers.differences import AXES, shrink

TINY = 1e-12
"""The least weight of the data; with none at all nothing would be left to solve."""

SLICES_AT_ONCE = 8
"""Slices of a volume that are differentiated at once, so that no array of its size is needed for it."""


@dataclass
class SliceTie:
    """lam TV(x) beside the measurement: its splitting, whose variables are carried along.

    Chung et al. 2023 (arXiv 2303.05754, section 4.2) after Boyd et al. 2011 (doi 10.1561/2200000016, section 3).
    slices: consecutive items that are one volume. rho: the pace of the splitting. lam: the weight of TV, in the unit of
    the image. along: "z" (differences between slices), "slice" (within them) or "volume" (isotropic in all three).
    rounds: of the splitting in each step. carried: (axes, batch, h, w), the slopes and the dual variable added up; what
    it is when shrunk is the split variable, and the rest the dual one, so that one array stands for both. They begin at
    the first estimate's own slopes and at zero, so that the first step is not pulled to slices that are all alike.
    """

    slices: int
    rho: float
    lam: float
    along: str = "z"
    rounds: int = 1
    carried: Tensor | None = field(default=None, repr=False)

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
        step of the dual variable. The estimate is used up: its memory may be the answer's.
        """
        axes, joint = AXES[self.along], max(self.slices, operator.joint)
        own = 0.0 if math.isinf(gamma) else 1 / max(gamma, TINY)
        x = estimate if self.rounds == 1 else estimate.clone()

        def normal(v: Tensor) -> Tensor:
            result = in_place(operator.normal(v), v)
            for axis in axes:
                self._add_smoothing(result, v, axis)
            return result.add_(v, alpha=own) if own else result

        for _ in range(self.rounds):
            target = self._pull(x, axes).mul_(self.rho).add_(backprojection)
            if own:
                target.add_(estimate, alpha=own)
            x = conjugate_gradient(normal, target, x, steps, tolerance, joint, overwrite=True)
            del target
            self._carry(x, axes)
        return x

    def _pull(self, first: Tensor, axes: tuple[int, ...]) -> Tensor:
        """What the splitting pulls to: the adjoint differences of split - dual; at first, of the slopes of an image."""
        result = torch.zeros_like(first)
        for n, axis in enumerate(axes):
            for part, reach in self._parts(first, axis):
                wanted = _differences(first[reach], axis) if self.carried is None else self._wanted(n, part)
                _add_adjoint(result[reach], wanted.narrow(axis, 0, first[reach].shape[axis] - 1), axis, 1.0)
        return result

    def _wanted(self, n: int, part: slice) -> Tensor:
        """The slopes that the n-th direction is pulled to in some slices."""
        split, dual = self._split_and_dual(part)
        return split[n] - dual[n]

    def _add_smoothing(self, result: Tensor, x: Tensor, axis: int) -> None:
        """Add rho times the adjoint differences of the differences of x."""
        for _, reach in self._parts(x, axis):
            _add_adjoint(result[reach], _differences(x[reach], axis), axis, self.rho)

    def _carry(self, x: Tensor, axes: tuple[int, ...]) -> None:
        """Add the slopes of x to the dual variable that was left."""
        if self.carried is None:
            self.carried = x.new_zeros(len(axes), *x.shape)
        else:
            for part, _ in self._parts(x, 0):
                self.carried[:, part] = self._split_and_dual(part)[1]
        for carried, axis in zip(self.carried, axes, strict=True):
            for part, reach in self._parts(x, axis):
                slopes = _differences(x[reach], axis)
                carried[part].narrow(axis, 0, slopes.shape[axis]).add_(slopes)

    def _split_and_dual(self, part: slice) -> tuple[Tensor, Tensor]:
        """Both variables in some slices, (axes, slices, h, w)."""
        assert self.carried is not None
        both = self.carried[:, part]
        split = shrink(both, torch.tensor(self.lam / self.rho, dtype=both.real.dtype, device=both.device))
        return split, both - split

    def _parts(self, x: Tensor, axis: int) -> Iterator[tuple[slice, slice]]:
        """A few slices at a time, and all that their differences along an axis reach into.

        From the last on: so each voxel's sum is taken in the order in which it would be over all slices at once.
        """
        for end in range(len(x), 0, -self.slices):
            for first in reversed(range(end - self.slices, end, SLICES_AT_ONCE)):
                last = min(first + SLICES_AT_ONCE, end)
                yield slice(first, last), slice(first, min(last + (axis == 0), end))


def _differences(x: Tensor, axis: int) -> Tensor:
    """To the next voxel along an axis, one fewer than x has."""
    n = x.shape[axis] - 1
    return x.narrow(axis, 1, n) - x.narrow(axis, 0, n)


def _add_adjoint(result: Tensor, slopes: Tensor, axis: int, weight: float) -> None:
    """Add weight times the adjoint of `_differences`."""
    n = slopes.shape[axis]
    result.narrow(axis, 0, n).sub_(slopes, alpha=weight)
    result.narrow(axis, 1, n).add_(slopes, alpha=weight)
