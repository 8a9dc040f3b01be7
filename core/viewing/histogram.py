"""How the values of a volume are spread, told from an even part of its voxels."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, gcd
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]
Counts = npt.NDArray[np.int64]
Edges = npt.NDArray[np.float64]

MOST_VOXELS = 4_000_000


def histogram(values: Values, bins: int = 256) -> tuple[Counts, Edges]:
    """(counts, edges) of the finite values, (n,) and (n + 1,), from the lowest to the highest, of MOST_VOXELS at most.

    n is `bins`. Of whole numbers it may be less, so that every bin holds equally many of them and none looks empty for
    that alone. Without any value one bin of nothing from 0 to 1.
    """
    kept = _sample(values)
    if kept.size == 0:
        return np.zeros(1, np.int64), np.array([0.0, 1.0])
    low, high = float(kept.min()), float(kept.max())
    if kept.dtype.kind in "iu":
        width = ceil((high - low + 1) / bins)
        bins = ceil((high - low + 1) / width)
        low, high = low - 0.5, low - 0.5 + bins * width
    elif low == high:
        around = max(abs(low), 1.0) / 2
        low, high = low - around, high + around
    counts, edges = np.histogram(kept, bins, range=(low, high))
    return counts.astype(np.int64), edges.astype(np.float64)


def percentiles(values: Values, qs: Sequence[float]) -> tuple[float, ...]:
    """The values below which so many per cent of the finite ones lie, of MOST_VOXELS at most; NaN without any."""
    kept = _sample(values)
    if kept.size == 0:
        return (float("nan"),) * len(qs)
    # As float32, since the difference of two int16 may not fit into one.
    return tuple(float(v) for v in np.percentile(kept.astype(np.float32, copy=False), list(qs)))


def _sample(values: Values) -> Values:
    """(n,), voxels at even distances that share no factor with the rows, so that no column is preferred."""
    step = max(1, -(-values.size // MOST_VOXELS))
    while step > 1 and any(gcd(step, n) > 1 for n in values.shape[-2:] if n > 1):
        step += 1
    # A reshape of a turned array would copy all of it; its iterator copies what is picked.
    kept: Values = values.reshape(-1)[::step] if values.flags.c_contiguous else values.flat[::step]
    return kept if kept.dtype.kind in "iub" else kept[np.isfinite(kept)]
