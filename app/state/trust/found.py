"""What a study of an image has found, and how far one is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from app.state.trust.study import Part, Study
from core.engine.job import JobSpec
from core.scan import Volume


@dataclass(frozen=True, eq=False)
class Asked:
    """A study of the finished image of a run. seeds: of the samples, where some are drawn."""

    study: Study
    job: JobSpec = field(repr=False)
    volume: Volume = field(repr=False)
    seeds: int = 0


@dataclass(frozen=True)
class Doing:
    """How far a study is. stage: in words. done of total, of which a part may be done; total 0 where it is not known.
    seconds_left: None likewise."""

    stage: str
    done: float = 0.0
    total: int = 0
    seconds_left: float | None = None

    @property
    def share(self) -> float | None:
        """0 to 1, None where it is not known."""
        return min(self.done / self.total, 1.0) if self.total > 1 else None


@dataclass(frozen=True)
class Verdict:
    """The residual against the noise. ratio: of both, None where the noise is not known. good: nothing speaks against
    the image. source: where the noise is known from, "" where it is not."""

    sentence: str
    ratio: float | None
    good: bool
    relative: float = 0.0
    source: str = ""


@dataclass(frozen=True)
class Calibrated:
    """How the band of `seeds` samples held the image of the whole scan: share of the pixels that lay inside it, and the
    share expected."""

    seeds: int
    coverage: float
    expected: float


@dataclass(frozen=True, eq=False)
class Found:
    """What one study found.

    maps: volumes in the place of the image. picture: of the residual, float32 (stack, z, y, x), not in that place, NaN
    where nothing was measured. doubts: sentences. misfits: of prior and scan. verdict, calibrated: where it told any.
    """

    maps: dict[Part, Volume] = field(default_factory=dict, repr=False)
    picture: npt.NDArray[np.float32] | None = field(default=None, repr=False)
    doubts: tuple[str, ...] = ()
    misfits: tuple[str, ...] = ()
    verdict: Verdict | None = None
    calibrated: Calibrated | None = None


def picture_of_residual(
    residual: npt.NDArray[Any], measured: npt.NDArray[np.bool_], axes: tuple[str, ...]
) -> npt.NDArray[np.float32]:
    """The logarithm (base 10) of a residual's magnitude, (stack, z, y, x), NaN where nothing was measured.

    axes: names of the residual's. k-space: coils together by the root of their sum of squares, contrasts and
    repetitions as stacks, slices and kz as z. Projections (row, view, column) as one stack. Magnitudes below a
    millionth of the largest count as that.
    """
    size = np.abs(residual)
    known: npt.NDArray[np.bool_] = np.broadcast_to(measured, residual.shape)
    if "coil" in axes:
        coil = axes.index("coil")
        size = np.sqrt(np.sum(size**2, axis=coil))
        known = np.logical_or.reduce(known, axis=coil)
        contrasts, repetitions, slices, depth, height, width = size.shape
        shape = (contrasts * repetitions, slices * depth, height, width)
    else:
        shape = (1, *size.shape)
    largest = float(size.max(initial=0.0)) or 1.0
    drawn: npt.NDArray[np.float32] = np.log10(np.maximum(size, _SMALLEST * largest)).astype(np.float32)
    drawn[~known] = np.nan
    return np.reshape(drawn, shape)


_SMALLEST = 1e-6
