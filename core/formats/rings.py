"""Takes stripes out of sinograms, which would become rings in the image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

_WIDTH = 9
_SURE = 4.0
_LEAST = 2e-3
_MOST_VIEWS = 256
_FEWEST_VIEWS = 32


def without_stripes(data: FloatArray) -> tuple[FloatArray, int]:
    """(line integrals with the stripes subtracted, number of columns that had one).

    data: float32 (row, view, column). A wrong gain adds the same to a column in every view. So the median over views of
    what sticks out of a median filter along the detector is its stripe; an object moves from column to column and drops
    out. Only columns that stick out for certain are touched: four times the scatter of the stripes and of their median.
    """
    if data.shape[1] < _FEWEST_VIEWS or data.shape[2] <= _WIDTH:
        return data, 0
    least = _LEAST * float(np.percentile(np.abs(data[:, :: max(1, data.shape[1] // 32)]), 99))
    cleaned, count = data.copy(), 0
    for row in range(len(data)):
        stripes = _stripes(data[row], least)
        count += int(np.count_nonzero(stripes))
        cleaned[row] -= stripes
    return (cleaned, count) if count else (data, 0)


def _stripes(sinogram: FloatArray, least: float) -> FloatArray:
    """What to subtract from each column of a sinogram (view, column)."""
    from scipy import ndimage

    views = np.linspace(0, len(sinogram) - 1, min(len(sinogram), _MOST_VIEWS)).astype(np.int64)
    seen = sinogram[views]
    rest = seen - ndimage.median_filter(seen, size=(1, _WIDTH), mode="nearest")
    offsets = np.median(rest, axis=0)
    scatter = _SURE * 1.4826 * float(np.median(np.abs(offsets - np.median(offsets))))
    own = _SURE * 1.4826 * 1.25 * np.median(np.abs(rest - offsets), axis=0) / np.sqrt(len(views))
    limit = np.maximum(np.maximum(own, scatter), least)
    return np.where(np.abs(offsets) > limit, offsets, 0.0).astype(np.float32)
