"""Values between the voxels: trilinear, as far as the voxels reach."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from core.orientation import Affine
from core.viewing.grid import HALF, Points, indices_at, is_inside
from core.viewing.sheet import Point

Values = npt.NDArray[Any]
Sampled = npt.NDArray[np.float32]


def sampled(values: Values, affine: Affine, points: npt.ArrayLike) -> Sampled:
    """Trilinear values (...) of a volume (z, y, x) at points (..., 3) in LPS mm; NaN outside its voxels.

    Voxels reach half a voxel beyond their middles, and there hold the outermost values. Raises ScanError for an affine
    that spans no space.
    """
    from scipy.ndimage import map_coordinates

    indices = indices_at(affine, points)
    inside = is_inside(indices, values.shape)
    asked = np.where(inside[..., None], indices, 0.0)
    found: Sampled = map_coordinates(values, np.moveaxis(asked, -1, 0)[::-1], np.float32, order=1, mode="nearest")
    return np.where(inside, found, np.float32(np.nan))


def sampled_grid(values: Values, start: Point, steps: Points, shape: tuple[int, int, int]) -> Sampled:
    """Trilinear values on a grid (z, y, x) laid into a volume (z, y, x); NaN outside its voxels.

    start: (3,) voxel indices (x, y, z) in the volume of the grid's first point. steps: (3, 3), its columns the change
    of these indices per step along x, y and z of the grid.
    """
    from scipy.ndimage import affine_transform

    inside = np.ones(shape, dtype=np.bool_)
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    for axis, size in enumerate(values.shape[::-1]):
        place = start[axis] + steps[axis, 0] * x + steps[axis, 1] * y + steps[axis, 2] * z
        inside &= (place >= -HALF) & (place <= size - 1 + HALF)
    if not inside.any():
        return np.full(shape, np.nan, np.float32)
    # "nearest" gives the outer half of the outermost voxels their values; what lies beyond is taken away.
    found: Sampled = affine_transform(
        values, steps[::-1, ::-1], start[::-1], shape, np.float32, order=1, mode="nearest", prefilter=False
    )
    found[~inside] = np.nan
    return found
