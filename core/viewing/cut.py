"""What of a volume lies in a sheet, or in a slab about it."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor
from typing import Any

import numpy as np
import numpy.typing as npt

from core.orientation import Affine
from core.viewing.grid import depths, inverse, pixels_in, step_along
from core.viewing.sampling import Sampled, sampled_grid
from core.viewing.sheet import Sheet
from core.viewing.whole_voxels import Lattice, Slab, divided, voxels

__all__ = ["Slab", "cut"]

_NEARLY = 1e-6


def cut(
    values: npt.NDArray[Any], affine: Affine, sheet: Sheet, *, slab_mm: float = 0.0, mode: Slab = Slab.MEAN
) -> npt.NDArray[Any]:
    """The volume in a sheet, (height, width), NaN outside it; voxels reach half a voxel beyond their middles.

    values: float32 or int16 (z, y, x), never copied as a whole. affine: LPS mm. Where every pixel lies on the middle of
    a voxel, the voxels as they are: a view of a single sheet, not to be written into. Else float32, trilinear.
    slab_mm: the thickness of a slab about the sheet. Those parallel sheets, one voxel apart, that lie within it, are
    put together by the mode as far as they lie in the volume. Raises ScanError for an affine that spans no space.
    """
    step = step_along(affine, sheet.normal)
    sheets = _sheets_within(values.shape, affine, sheet, slab_mm, step)
    deeper = inverse(affine)[:3, :3] @ sheet.normal * step
    lattice = Lattice(*pixels_in(affine, sheet), deeper, sheet.shape, sheets)
    if lattice.coincides:
        return voxels(values, lattice, mode)
    planes = (_between(values, lattice, k) for k in range(sheets[0], sheets[1] + 1))
    if sheets[0] == sheets[1]:
        return next(planes)
    return _mean(planes, sheet.shape) if mode is Slab.MEAN else _extreme(planes, mode)


def _sheets_within(
    shape: tuple[int, ...], affine: Affine, sheet: Sheet, slab_mm: float, step: float
) -> tuple[int, int]:
    """(first, last) parallel sheet of a slab, 0 the one it is laid about; no more than lie in the volume."""
    near, far = (depth / step for depth in depths(shape, affine, sheet, margin=0.5))
    half = slab_mm / 2 / step if slab_mm > 0 else 0.0
    low, high = ceil(max(-half, near) - _NEARLY), floor(min(half, far) + _NEARLY)
    return (low, high) if low <= high else (0, 0)


def _between(values: npt.NDArray[Any], lattice: Lattice, sheet: int) -> Sampled:
    steps = np.stack([lattice.right, lattice.down, np.zeros(3)], axis=1)
    plane: Sampled = sampled_grid(values, lattice.start + sheet * lattice.deeper, steps, (1, *lattice.shape))[0]
    return plane


def _mean(planes: Iterator[Sampled], shape: tuple[int, int]) -> npt.NDArray[Any]:
    total, count = np.zeros(shape, np.float32), np.zeros(shape, np.int32)
    for plane in planes:
        known = ~np.isnan(plane)
        np.add(total, plane, out=total, where=known)
        count += known
    return divided(total, count)


def _extreme(planes: Iterator[Sampled], mode: Slab) -> Sampled:
    found = next(planes)
    for plane in planes:
        (np.fmax if mode is Slab.MIP else np.fmin)(found, plane, out=found)
    return found
