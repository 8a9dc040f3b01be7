"""Whether a map points to the errors: rank correlation where the truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from core.engine.trust.local import BoolArray, Frames, air_of, shown
from core.engine.trust.posed import Posed, map_of
from core.errors import JobError
from core.scan import Volume

MOST_PIXELS = 500_000
"""Ranked at once; of more an even choice."""
LEAST_PIXELS = 3

ERROR_SHOWS = (
    "The image less the reference, signed, in the image's unit;"
    " it shows errors only as far as the reference is true, whose own noise is in it too."
)


def error_of(volume: Volume, reference: Frames) -> Volume:
    """The signed error float32 (frame, y, x) against a reference in the unit of the image, of complex ones between the
    magnitudes. Raises JobError for another shape."""
    if reference.shape != volume.array.shape:
        raise JobError("The reference does not fit the image.", f"Shapes are {reference.shape}, {volume.array.shape}.")
    error = shown(volume) - shown(volume, reference)
    return map_of(volume, error, volume.unit, "error", ERROR_SHOWS)


def reference_of(posed: Posed) -> Frames | None:
    """The image of the scan before anything was left out on purpose; None where nothing was."""
    if not posed.scan.undersampled:
        return None
    return posed.problem.reference(posed.whole, posed.job.source.slices)


def signal_of(volume: Volume) -> Frames:
    """What is seen of a volume, counted from air."""
    return shown(volume) - air_of(volume.unit)


def rank_correlation(a: npt.NDArray[Any], b: npt.NDArray[Any], mask: BoolArray | None = None) -> float:
    """Spearman's rank correlation of two maps of one shape where both have numbers, within a mask; NaN where either is
    even or hardly a pixel is left."""
    from scipy.stats import spearmanr

    where = np.isfinite(a) & np.isfinite(b) & (True if mask is None else mask)
    first, second = a[where], b[where]
    step = max(len(first) // MOST_PIXELS, 1)
    first, second = first[::step], second[::step]
    if len(first) < LEAST_PIXELS or (first == first[0]).all() or (second == second[0]).all():
        return float("nan")
    return float(spearmanr(first, second).statistic)
