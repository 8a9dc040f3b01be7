"""From the directions and positions noted with the readouts to the place of the images in the patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.orientation import Affine, affine_from_directions

Vectors = npt.NDArray[np.float64]

_TOLERANCE = 0.01


@dataclass(frozen=True)
class SlicePlaces:
    """What a scanner tells about where each slice lies; one row for each slice, in the order of their numbers.

    read, phase, through: direction cosines (n, 3). position: (n, 3) mm, the centre of the slice (or slab). All LPS.
    """

    read: Vectors
    phase: Vectors
    through: Vectors
    position: Vectors


@dataclass(frozen=True)
class Stack:
    """The slices put in order. order: numbers of the slices along `through`. note: a sentence on what is odd, or ""."""

    order: tuple[int, ...]
    affine: Affine | None
    note: str = ""


def stack_slices(
    places: SlicePlaces, shape: tuple[int, int, int], field_of_view: tuple[float, float, float] | None, slab: bool
) -> Stack:
    """Order the slices by position along their normal and give the affine of the stack.

    shape: (nz, ny, nx) of the array of one slice or slab. field_of_view: (x, y, z) mm of one slice or slab.
    slab: z is phase-encoded, so that the centre of the slab lies at nz // 2.
    """
    count = len(places.position)
    as_stored = tuple(range(count))
    if not _orthonormal(places):
        return Stack(as_stored, None)
    if max(_spread(d) for d in (places.read, places.phase, places.through)) > _TOLERANCE:
        return Stack(
            as_stored, None, "The slices point in different directions; their place in the patient is not kept."
        )
    normal = places.through[0]
    along = places.position @ normal
    order = tuple(int(i) for i in np.argsort(along, kind="stable"))
    if field_of_view is None:
        return Stack(order, None, "The field of view is unknown, so the place in the patient is not kept.")
    spacing, note = _slice_spacing(along[list(order)], field_of_view[2] / shape[0])
    ends = places.position[[order[0], order[-1]]]
    centre = ends.mean(axis=0)
    if slab:
        centre = centre + normal * spacing * ((shape[0] - 1) / 2 - shape[0] // 2)
    size = (field_of_view[0] / shape[2], field_of_view[1] / shape[1], spacing)
    depth = shape[0] if slab else count
    affine = affine_from_directions(places.read[0], places.phase[0], normal, size, centre, (depth, shape[1], shape[2]))
    return Stack(order, affine, note)


def turned(places: SlicePlaces, slab: bool) -> SlicePlaces:
    """Directions for data whose Fourier kernel has the other sign, so that images come out turned about the origin.

    Siemens' encoding directions belong to a forward transform from k-space to image. Here the inverse is used,
    which reverses every encoded direction; the direction across 2-D slices is not encoded and stays. twixtools'
    geometry module reverses the same directions.
    """
    through = -places.through if slab else places.through
    return SlicePlaces(-places.read, -places.phase, through, places.position)


def directions_from_quaternion(quaternion: Vectors) -> tuple[Vectors, Vectors, Vectors]:
    """The three columns (n, 3) of the rotation matrices of unit quaternions (n, 4), scalar first."""
    w, x, y, z = np.asarray(quaternion, dtype=np.float64).T
    first = np.stack([1 - 2 * (y**2 + z**2), 2 * (x * y + z * w), 2 * (x * z - y * w)], axis=1)
    second = np.stack([2 * (x * y - z * w), 1 - 2 * (x**2 + z**2), 2 * (y * z + x * w)], axis=1)
    third = np.stack([2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x**2 + y**2)], axis=1)
    return first, second, third


def _orthonormal(places: SlicePlaces) -> bool:
    axes = np.stack([places.read, places.phase, places.through], axis=2)
    if not (np.isfinite(axes).all() and np.isfinite(places.position).all()):
        return False
    if np.abs(axes).max() > 1 + _TOLERANCE or np.abs(places.position).max() > 1e5:
        return False
    products = axes.transpose(0, 2, 1) @ axes
    return bool(np.abs(products - np.eye(3)).max() < _TOLERANCE)


def _spread(directions: Vectors) -> float:
    return float(np.abs(directions - directions[0]).max())


def _slice_spacing(along: Vectors, thickness: float) -> tuple[float, str]:
    """Distance of neighbouring slices (mm) and a note when they are not evenly spaced."""
    if len(along) == 1:
        return thickness, ""
    steps = np.diff(along)
    mean = float(steps.mean())
    if mean < 1e-3:
        return thickness, "All slices claim the same position; they are shown in the order of their numbers."
    if np.abs(steps - mean).max() > 0.05 * mean + 0.01:
        return mean, f"The slices are not evenly spaced ({steps.min():.2f} to {steps.max():.2f} mm); the mean is used."
    return mean, ""
