"""Where the brain is in a T1-weighted head, found from intensities and shape alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.ndimage as ndi

FloatArray = npt.NDArray[np.float32]

WORKING_MM = 1.4


def brain_share(array: FloatArray, spacing_mm: tuple[float, float, float]) -> FloatArray:
    """How much of each voxel belongs to the brain with its CSF, 0 to 1, float32 in the shape of the array (z, y, x).

    array: scaled so that its 99.5th percentile is 1. Bright tissue is eroded until brain and scalp part, the largest
    piece is kept, grown back and closed over the sulci.
    """
    factors = [s / WORKING_MM for s in spacing_mm]
    small = ndi.zoom(ndi.gaussian_filter(array, 0.7), factors, order=1)
    tissue = (small > 0.3) & (small < 1.0)
    ball = _ball(2)
    cores, count = ndi.label(ndi.binary_erosion(tissue, ball))
    if count == 0:
        return np.zeros_like(array)
    sizes = ndi.sum_labels(cores > 0, cores, np.arange(1, count + 1))
    brain = cores == 1 + int(np.argmax(sizes))
    brain = ndi.binary_dilation(brain, ball) & (small > 0.2)
    brain = np.pad(brain, 8)
    brain = ndi.binary_closing(brain, _ball(5))[8:-8, 8:-8, 8:-8]
    brain = ndi.binary_dilation(ndi.binary_fill_holes(brain), _ball(1))
    back = [n / m for n, m in zip(array.shape, small.shape, strict=True)]
    share = ndi.zoom(ndi.gaussian_filter(brain.astype(np.float32), 0.6), back, order=1)
    result: FloatArray = np.clip(share, 0, 1).astype(np.float32)
    return result


def _ball(radius: int) -> npt.NDArray[np.bool_]:
    line = np.arange(-radius, radius + 1)
    z, y, x = np.meshgrid(line, line, line, indexing="ij")
    return np.asarray(z * z + y * y + x * x <= radius * radius + 0.5)
