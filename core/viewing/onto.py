"""One volume on the grid of another."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from core.orientation import Affine
from core.viewing.grid import corners, indices_at, inverse
from core.viewing.sampling import sampled_grid
from core.viewing.standard import Shape

Values = npt.NDArray[Any]

_SAME = 0.01
_AT_ONCE = 2**22


def same_grid(shape: Shape, affine: Affine, other_shape: Shape, other_affine: Affine) -> bool:
    """Two volumes have the same voxels: no corner of one lies a hundredth of a voxel beside the other's."""
    if tuple(shape) != tuple(other_shape):
        return False
    there = indices_at(affine, corners(shape, other_affine))
    return bool(np.abs(there - corners(shape, np.eye(4))).max() <= _SAME)


def resampled(values: Values, affine: Affine, shape: Shape, onto_affine: Affine) -> npt.NDArray[np.float32]:
    """A volume (z, y, x) on another grid, float32 of that shape, trilinear; NaN where it holds no voxel.

    affine, onto_affine: LPS mm of the voxels and of the grid. Beside the result no more than some 100 MB are taken at a
    time. Raises ScanError for an affine that spans no space.
    """
    found = np.empty(shape, dtype=np.float32)
    if same_grid(shape, affine, _shape_of(values), onto_affine):
        found[...] = values
        return found
    there = inverse(affine) @ onto_affine
    steps, start = there[:3, :3], there[:3, 3]
    # Long rows of a single slice could be as large as a volume: rows are taken apart as well.
    rows = max(1, min(shape[1], _AT_ONCE // max(shape[2], 1)))
    slices = max(1, _AT_ONCE // max(rows * shape[2], 1)) if rows == shape[1] else 1
    for z in range(0, shape[0], slices):
        for y in range(0, shape[1], rows):
            part = found[z : z + slices, y : y + rows]
            z_size, y_size, x_size = part.shape
            part[...] = sampled_grid(values, start + steps @ np.array([0, y, z]), steps, (z_size, y_size, x_size))
    return found


def difference(a: Values, a_affine: Affine, b: Values, b_affine: Affine) -> npt.NDArray[np.float32]:
    """a - b on the voxels of a, both (z, y, x) in the same unit, float32; NaN where b holds no voxel.

    Raises ScanError for an affine that spans no space.
    """
    found = resampled(b, b_affine, _shape_of(a), a_affine)
    return np.subtract(a, found, out=found, casting="same_kind")


def _shape_of(values: Values) -> Shape:
    z, y, x = values.shape
    return z, y, x
