"""Whether samples are as far apart as they are wrong, where the truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.engine.trust.ensemble import COVERAGE, Ensemble, half_width
from core.engine.trust.local import FloatArray
from core.errors import JobError

BoolArray = npt.NDArray[np.bool_]
FloatArray64 = npt.NDArray[np.float64]
BINS = 5
NORMAL = 1.6449
"""Standard deviations from the middle of a normal distribution to its 95th percentile."""


@dataclass(frozen=True)
class Bin:
    """Pixels of about the same standard deviation. coverage: share of them in whose band the truth lies. error: root
    mean square of truth less mean, to be compared with the deviation (mean of the bin), in the image's unit."""

    pixels: int
    deviation: float
    error: float
    coverage: float


@dataclass(frozen=True)
class Calibration:
    """How the band of an ensemble holds the truth.

    coverage: share of the pixels in whose band it lies, COVERAGE if calibrated. factor: by which the standard
    deviation would have to be scaled so that it does; above 1 the samples are too sure of themselves, infinite where
    they agree on what is wrong. bins: of equally many pixels, by rising standard deviation.
    """

    pixels: int
    coverage: float
    factor: float
    bins: tuple[Bin, ...]


def calibrate(
    ensemble: Ensemble,
    truth: FloatArray,
    mask: BoolArray | None = None,
    bins: int = BINS,
    reference_noise: float = 0.0,
) -> Calibration:
    """The calibration of an ensemble against the true image (frame, y, x) in its unit, of complex ones the magnitude.

    mask: where to look; pixels without a number are left out. reference_noise: standard deviation of noise that the
    reference holds itself, which is added to that of the samples as if independent of it; without it such a reference
    asks too much of the band. Raises JobError where nothing is left to compare.
    """
    mean, deviation, low, high = (
        each.array for each in (ensemble.mean, ensemble.deviation, ensemble.low, ensemble.high)
    )
    if truth.shape != mean.shape:
        raise JobError("The reference does not fit the samples.", f"Shapes are {truth.shape} and {mean.shape}.")
    true = np.abs(truth) if np.iscomplexobj(truth) else truth
    where = np.isfinite(true) & np.isfinite(deviation) & (True if mask is None else mask)
    if not where.any():
        raise JobError("There is nothing to compare.", "No pixel of the object has a number in both images.")
    true, mean, deviation, low, high = (a[where].astype(np.float64) for a in (true, mean, deviation, low, high))
    # The noise is known, so that its share of the band is that of normal numbers and not Student's.
    half = NORMAL * reference_noise
    low, high = mean - np.hypot(mean - low, half), mean + np.hypot(high - mean, half)
    inside, error = (true >= low) & (true <= high), np.abs(true - mean)
    factor = _factor(error, np.hypot(half_width(ensemble.count) * deviation, half))
    found = _binned(np.hypot(deviation, reference_noise), error, inside, bins)
    return Calibration(len(true), float(inside.mean()), factor, found)


def _binned(deviation: FloatArray64, error: FloatArray64, inside: BoolArray, bins: int) -> tuple[Bin, ...]:
    parts = np.array_split(np.argsort(deviation, kind="stable"), bins)
    return tuple(
        Bin(
            len(part),
            float(deviation[part].mean()),
            float(np.sqrt(np.mean(error[part] ** 2))),
            float(inside[part].mean()),
        )
        for part in parts
        if len(part)
    )


def _factor(error: FloatArray64, half: FloatArray64) -> float:
    """The least that makes COVERAGE of the errors smaller than so many half widths of the band."""
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(error > 0, error / half, 0.0)
    return float(np.quantile(needed, COVERAGE, method="higher"))
