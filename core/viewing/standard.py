"""The standard planes: axial, coronal and sagittal as the reading room hangs them, and slices as they are stored."""

from __future__ import annotations

from enum import Enum
from itertools import permutations

import numpy as np
import numpy.typing as npt

from core.orientation import Affine, spacing_of
from core.viewing.grid import corners, depths, indices_at, step_along
from core.viewing.sheet import Point, Sheet

Shape = tuple[int, int, int]
"""Of an array (z, y, x)."""

_ON_AXIS = 1e-3
_NEARLY = 0.05
_LONGEST_SIDE = 4096


class Orientation(Enum):
    """The value is the word for it."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"
    STORED = "as stored"


_HANGING = {
    Orientation.AXIAL: ((0, 1), (1, 1)),
    Orientation.CORONAL: ((0, 1), (2, -1)),
    Orientation.SAGITTAL: ((1, 1), (2, -1)),
}
"""The patient axis (L, P, H) that runs to the right and the one that runs downwards, and its sign: axial seen from the
feet, coronal from the front, both with the patient's right at the left; sagittal with the front at the left."""


def standard_sheet(
    shape: Shape, affine: Affine, orientation: Orientation, point: npt.ArrayLike, *, patient_axes: bool = False
) -> Sheet:
    """The sheet of an orientation through a point (3,), LPS mm, that covers the whole volume (z, y, x).

    It is the plane of voxels next to the point, with its pixels on the voxels, along the voxel axes nearest to the
    orientation; a point outside is met by the outermost plane. Where two voxel axes are not at right angles (tilted
    gantry) one of them is followed and the other crossed squarely, so that the rows still lie on the voxels'.
    patient_axes: for a volume that lies obliquely, the plane through the very point along the patient's axes, its
    pixels square and as small as the smallest side of a voxel in the plane. Raises ScanError for an affine that spans
    no space.
    """
    index = indices_at(affine, point)
    index = np.where(np.isfinite(index), index, (np.array(shape[::-1]) - 1) / 2)
    index = np.clip(index, 0, np.array(shape[::-1]) - 1)
    if orientation is Orientation.STORED:
        return _along_voxels(shape, affine, (0, 1), (1, 1), index)
    (right, right_sign), (below, below_sign) = _HANGING[orientation]
    axes = _voxel_axes(affine)
    across, down = axes[right], axes[below]
    if patient_axes and is_oblique(affine):
        unit = np.eye(3)
        spacing = min(spacing_of(affine)[across], spacing_of(affine)[down])
        place = affine[:3, :3] @ index + affine[:3, 3]
        return _around(shape, affine, unit[right] * right_sign, unit[below] * below_sign, spacing, place)
    signs = _sign(affine[right, across]) * right_sign, _sign(affine[below, down]) * below_sign
    return _along_voxels(shape, affine, (across, down), signs, index)


def steps_of(shape: Shape, affine: Affine, sheet: Sheet) -> tuple[int, float, int]:
    """(count, mm, index): how many sheets lie one behind the other in a volume, how far apart, and which one this is.

    The index counts along the normal, away from the viewer, and stays within the count.
    """
    step = step_along(affine, sheet.normal)
    near, far = depths(shape, affine, sheet)
    count = int((far - near) / step + _NEARLY) + 1
    return count, step, int(np.clip(round(-near / step), 0, count - 1))


def is_oblique(affine: Affine) -> bool:
    """A voxel axis leans away from every patient axis, by more than a thousandth of its length."""
    directions = np.abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    return bool(np.sort(directions, axis=0)[1].max() > _ON_AXIS)


def _voxel_axes(affine: Affine) -> tuple[int, ...]:
    """The voxel axis nearest to each patient axis (L, P, H), every one given once even where two would be nearest."""
    directions = np.abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)).round(6)
    return max(permutations((0, 1, 2)), key=lambda axes: float(sum(directions[i, axes[i]] for i in (0, 1, 2))))


def _sign(value: float) -> int:
    return -1 if value < 0 else 1


def _along_voxels(shape: Shape, affine: Affine, axes: tuple[int, int], signs: tuple[int, int], index: Point) -> Sheet:
    """The plane of voxels next to an index, its sides along two voxel axes (across, down)."""
    sizes = shape[::-1]
    fixed = 3 - sum(axes)
    first = np.zeros(3)
    first[fixed] = np.floor(index[fixed] + 0.5)
    for axis, sign in zip(axes, signs, strict=True):
        first[axis] = 0 if sign > 0 else sizes[axis] - 1
    corner = affine[:3, :3] @ first + affine[:3, 3]
    steps = [affine[:3, axis] * sign for axis, sign in zip(axes, signs, strict=True)]
    # The axis within the slices is followed: the stacking of slices is what a tilted gantry shears.
    followed = int(np.argmin(axes))
    units = _square(steps[followed], steps[1 - followed])
    across, down = units if followed == 0 else units[::-1]
    spacing = float(steps[0] @ across), float(steps[1] @ down)
    # The voxels' own corners in pixels: a parallelogram where they are sheared, which the sheet must hold.
    ends = np.array([(i * (sizes[axes[0]] - 1), j * (sizes[axes[1]] - 1)) for i in (0, 1) for j in (0, 1)])
    pixels = ends @ np.array(steps) @ np.stack([across, down], axis=1) / spacing
    low, high = np.floor(pixels.min(axis=0) + _NEARLY), np.ceil(pixels.max(axis=0) - _NEARLY)
    origin = corner + low[0] * spacing[0] * across + low[1] * spacing[1] * down
    width, height = (int(n) for n in high - low + 1)
    return Sheet(origin, across, down, spacing, (height, width))


def _square(followed: Point, other: Point) -> tuple[Point, Point]:
    """Unit vectors at right angles in the plane of two: along the first, and towards the second."""
    along = followed / np.linalg.norm(followed)
    rest = other - (other @ along) * along
    return along, rest / np.linalg.norm(rest)


def _around(shape: Shape, affine: Affine, across: Point, down: Point, spacing: float, place: Point) -> Sheet:
    """The sheet with these sides through a place that holds the outermost voxels, with square pixels."""
    directions = np.stack([across, down], axis=1)
    spread = corners(shape, affine, margin=0.5) @ directions
    low, extent = spread.min(axis=0), np.ptp(spread, axis=0)
    spacing = max(spacing, float(extent.max()) / _LONGEST_SIDE)
    counts = np.maximum(np.ceil(extent / spacing - _NEARLY), 1)
    start = low + (extent - (counts - 1) * spacing) / 2
    normal = np.cross(across, down)
    origin = directions @ start + (place @ normal) * normal
    return Sheet(origin, across, down, (spacing, spacing), (int(counts[1]), int(counts[0])))
