"""What is left between the measurement of the image and the measurement that was made, against the noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from core.engine.problem import Problem
from core.engine.problem_ct import TomoProblem
from core.engine.problem_mri import SenseProblem
from core.engine.trust.expected_noise import ExpectedNoise, expected_noise
from core.engine.trust.posed import Posed
from core.engine.trust.whiteness import Whiteness, whiteness_of
from core.scan import KSPACE_AXES

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]
Verdict = Literal["consistent", "worse", "fits noise", "unknown"]

FITS_NOISE, WORSE = 0.5**0.5, 2.0**0.5
"""Of the ratio. Below 0.71 more than half of the noise's energy is missing from the residual, so it is in the image;
above 1.41 more than half of the residual's energy is no noise. Pixels alone, which are no continuous object, make 1.37
of a CT scan of 1e5 photons (tests.benchmarks.trust)."""
RESIDUAL_SHOWS = (
    "The measurement of the image less the measurement that was made; where both agree only noise is left, and"
    " structure means that something does not fit."
)
SINOGRAM_AXES = ("row", "view", "column")
_ZERO = 1e-6
"""Of the strongest sample: weaker ones were filled with zeros, up to rounding."""


@dataclass(frozen=True, eq=False)
class Residual:
    """A x - y in the measurement's own unit, and what it says.

    array: of axes `axes`. CT: float32 (row, view, column). MRI: complex64 of KSPACE_AXES, coils as they were
    compressed; of 3-D scans the axis that was transformed to come apart into planes is z in place of the slice, or x in
    place of kx. 0 where nothing was measured. measured: bool, broadcast over it. relative: ||A x - y|| / ||y||. ratio:
    root mean square of (A x - y) over the expected noise, 1 as expected, or None. ratios: the same for each frame,
    empty where frames have no measurements of their own.
    """

    array: Array = field(repr=False)
    axes: tuple[str, ...]
    measured: BoolArray = field(repr=False)
    noise: ExpectedNoise
    relative: float
    ratio: float | None
    ratios: tuple[float, ...]
    whiteness: Whiteness = field(repr=False)

    @property
    def verdict(self) -> Verdict:
        if self.ratio is None:
            return "unknown"
        if self.ratio >= FITS_NOISE:
            return "worse" if self.ratio > WORSE else "consistent"
        return "unknown" if self.noise.upper_bound else "fits noise"

    @property
    def sentence(self) -> str:
        """The verdict for a person, in one sentence."""
        if self.ratio is None:
            return (
                f"The image differs from the measurement by {100 * self.relative:.2g} %; the noise of this scan is not"
                " known, so that it cannot be said whether that is noise."
            )
        times = f"{self.ratio:.2f} times the noise"
        if self.verdict == "worse":
            return f"The image agrees with the measurement worse than noise explains: it is off by {times}."
        if self.verdict == "fits noise":
            return f"The image fits the noise of the measurement: it is off by only {times}."
        if self.verdict == "unknown":
            return (
                f"The image is off by {times} at the edge of k-space, where signal may be part of it: it cannot be said"
                " whether the image fits the true noise."
            )
        return f"The image is consistent with the measurement: it is off by {times}."


@torch.no_grad()
def residual_of(posed: Posed) -> Residual:
    """The residual of a run's image."""
    gap, y, measured = _gap(posed.problem, posed)
    noise = expected_noise(posed)
    broadcast = np.broadcast_to(measured, gap.shape)
    scale = float(np.sqrt(_energy(y * measured)))
    relative = float(np.sqrt(_energy(gap))) / scale if scale else 0.0
    ratio, ratios = None, ()
    if noise.std is not None:
        scaled = gap / noise.std
        per_number = 2 if np.iscomplexobj(gap) else 1
        energies = np.array([_energy(part) for part in scaled])
        counts = np.array([per_number * int(part.sum()) for part in broadcast])
        ratio = float(np.sqrt(energies.sum() / max(counts.sum(), 1)))
        if len(gap) == posed.problem.shape[0] and _by_frame(posed.problem):
            ratios = tuple(np.sqrt(energies / np.maximum(counts, 1)).tolist())
        white = whiteness_of(scaled, broadcast)
    else:
        white = whiteness_of(gap, broadcast)
    array, axes, where = _as_scan(posed.problem, posed, gap, measured)
    return Residual(array, axes, where, noise, relative, ratio, ratios, white)


def _energy(a: Array) -> float:
    return float(np.vdot(a, a).real)


@singledispatch
def _gap(problem: Problem, posed: Posed) -> tuple[Array, Array, BoolArray]:
    """(A x - y, y, what was measured), items first, in the measurement's own unit and without weights."""
    raise TypeError(type(problem))


@_gap.register
def _(problem: SenseProblem, posed: Posed) -> tuple[Array, Array, BoolArray]:
    data = problem.planes.data
    measured = np.broadcast_to(problem.planes.mask[:, None], (len(data), 1, *data.shape[2:]))
    size = np.abs(data).max(axis=1, keepdims=True)
    measured = measured & (size > _ZERO * size.max())
    gap = problem.operator.forward(posed.x).sub_(problem.y).mul_(problem.norm)
    return np.asarray(gap.cpu().numpy() * measured, dtype=np.complex64), data, measured


@_gap.register
def _(problem: TomoProblem, posed: Posed) -> tuple[Array, Array, BoolArray]:
    scan = problem.scan
    measured = np.ones((1, 1, 1), dtype=bool) if scan.valid is None else scan.valid
    gap = problem.bare.forward(posed.x * problem.unit_mu).cpu().numpy() - scan.data
    return np.where(measured, gap, np.float32(0)), scan.data, measured


@singledispatch
def _by_frame(problem: Problem) -> bool:
    """Each item of the measurement belongs to one frame."""
    return not bool(problem.operator.joint > 1)


@_by_frame.register
def _(problem: SenseProblem) -> bool:
    return not problem.planes.sagittal


@singledispatch
def _as_scan(
    problem: Problem, posed: Posed, gap: Array, measured: BoolArray
) -> tuple[Array, tuple[str, ...], BoolArray]:
    """The residual with the axes of the scan."""
    return gap, SINOGRAM_AXES, measured


@_as_scan.register
def _(problem: SenseProblem, posed: Posed, gap: Array, measured: BoolArray) -> tuple[Array, tuple[str, ...], BoolArray]:
    contrasts, repetitions = posed.scan.data.shape[:2]
    if problem.planes.sagittal:
        moved = [np.moveaxis(a.reshape(contrasts, repetitions, 1, -1, *a.shape[1:]), 3, -1) for a in (gap, measured)]
    else:
        moved = [a.reshape(contrasts, repetitions, -1, a.shape[1], 1, *a.shape[2:]) for a in (gap, measured)]
    return moved[0], KSPACE_AXES, moved[1]
