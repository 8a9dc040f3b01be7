"""The grid of voxels in the patient: where its corners lie, how far it is from one plane of voxels to the next."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.orientation import Affine
from core.viewing.sheet import Point, Sheet

Points = npt.NDArray[np.float64]
"""(..., 3): LPS mm, or voxel indices (x, y, z)."""

_LEAST_VOLUME = 0.01
_SQUARE_ON = 1e-3


def inverse(affine: Affine) -> Affine:
    """From LPS mm to voxel indices (x, y, z).

    Raises ScanError where the three directions of the voxels do not span space.
    """
    steps = affine[:3, :3]
    lengths = np.linalg.norm(steps, axis=0)
    if not np.isfinite(affine).all() or lengths.min() == 0 or abs(np.linalg.det(steps / lengths)) < _LEAST_VOLUME:
        raise ScanError(
            "This volume has no shape in space.",
            "Its voxels' directions lie in one plane, or are no numbers.",
            "Export it again from its source.",
        )
    return np.linalg.inv(affine.astype(np.float64, copy=False))


def indices_at(affine: Affine, points: npt.ArrayLike) -> Points:
    """The voxel indices (x, y, z), not rounded, of points (..., 3) in LPS mm."""
    back = inverse(affine)
    found: Points = np.asarray(points, dtype=np.float64) @ back[:3, :3].T + back[:3, 3]
    return found


def pixels_in(affine: Affine, sheet: Sheet) -> tuple[Point, Point, Point]:
    """The voxel indices (x, y, z) of a sheet's pixel (0, 0), their change per pixel to the right, and downwards."""
    back = inverse(affine)
    start = back[:3, :3] @ sheet.origin + back[:3, 3]
    return start, back[:3, :3] @ sheet.across * sheet.spacing[0], back[:3, :3] @ sheet.down * sheet.spacing[1]


def corners(shape: tuple[int, ...], affine: Affine, margin: float = 0.0) -> Points:
    """(8, 3) LPS mm, the middles of the outermost voxels of an array (z, y, x), or so many voxels beyond them."""
    sides = [(-margin, n - 1 + margin) for n in shape[::-1]]
    grid = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(8, 3)
    found: Points = grid @ affine[:3, :3].T + affine[:3, 3]
    return found


def depths(shape: tuple[int, ...], affine: Affine, sheet: Sheet, margin: float = 0.0) -> tuple[float, float]:
    """(nearest, farthest) depth of a volume behind a sheet, mm along its normal."""
    found = (corners(shape, affine, margin) - sheet.origin) @ sheet.normal
    return float(found.min()), float(found.max())


def step_along(affine: Affine, normal: Point) -> float:
    """mm from one sheet to the next, across a unit normal.

    The distance between two planes of voxels where the sheet lies along such a plane, also where the voxels are
    sheared (tilted gantry); else the way on which the voxel index moves by a length of 1.
    """
    steps = affine[:3, :3]
    leaning = np.abs(normal @ (steps / np.linalg.norm(steps, axis=0)))
    if np.sort(leaning)[1] < _SQUARE_ON:
        return float(abs(normal @ steps[:, int(np.argmax(leaning))]))
    return 1.0 / float(np.linalg.norm(inverse(affine)[:3, :3] @ normal))


def is_inside(indices: Points, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """(...), which indices (..., 3) lie in voxels of an array (z, y, x): up to half a voxel beyond their middles."""
    sizes = np.array(shape[::-1])
    with np.errstate(invalid="ignore"):
        within = (indices >= -HALF) & (indices <= sizes - 1 + HALF)
    return np.asarray(within.all(axis=-1))


HALF = 0.5 + 1e-6
"""Of a voxel, with room for rounding."""
