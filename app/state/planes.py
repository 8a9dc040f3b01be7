"""The three planes through a stack of slices: how each is cut, turned and lettered. Pure functions of indices.

Voxel axes are counted 0, 1, 2 for x, y, z; a stack is an array (z, y, x). The plane of the slices themselves is drawn
as it is stored. The two others are turned so that the head is on top, else the front, and the patient's right, else
the front, at the left, as radiologists look at them; where the patient's position is not known, nothing is turned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.orientation import Affine, edge_letters

Voxel = tuple[int, int, int]
"""(x, y, z)."""

_NAMES = ("Sagittal", "Coronal", "Axial")
_PLAIN_NAMES = ("Plane y, z", "Plane x, z", "Plane x, y")
_SLICES, _HEAD = 2, 2


@dataclass(frozen=True)
class Section:
    """A plane across the voxel axis `fixed`; across and down: the voxel axes that run to the right and downwards in it,
    flipped where they must run the other way."""

    fixed: int
    across: int
    down: int
    flip_across: bool = False
    flip_down: bool = False

    def part(self, index: int, first: int, count: int) -> tuple[Any, ...]:
        """The index into frames (frame, y, x) of a plane of the stack of `count` frames from `first` on."""
        if self.fixed == _SLICES:
            return (first + index,)
        part: list[Any] = [slice(first, first + count), slice(None), slice(None)]
        part[2 - self.fixed] = index
        return tuple(part)

    def turned(self, plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """What `part` has cut out, as it is drawn, (down, across)."""
        drawn = plane if self.down > self.across else plane.T
        drawn = drawn[:, ::-1] if self.flip_across else drawn
        return drawn[::-1] if self.flip_down else drawn

    def pixel_of(self, voxel: Voxel, size: Voxel) -> tuple[int, int]:
        """Where a voxel is drawn, (x, y); size: of the stack along x, y, z."""
        x, y = voxel[self.across], voxel[self.down]
        return (
            size[self.across] - 1 - x if self.flip_across else x,
            size[self.down] - 1 - y if self.flip_down else y,
        )

    def voxel_of(self, pixel: tuple[int, int], index: int, size: Voxel) -> Voxel:
        """The voxel at a pixel (x, y) of the plane of an index; the inverse of pixel_of."""
        found = [index, index, index]
        x, y = pixel
        found[self.across] = size[self.across] - 1 - x if self.flip_across else x
        found[self.down] = size[self.down] - 1 - y if self.flip_down else y
        return found[0], found[1], found[2]

    def spacing(self, spacing_mm: tuple[float, float, float]) -> tuple[float, float]:
        """Of the pixels, (across, down)."""
        return spacing_mm[self.across], spacing_mm[self.down]

    def letters(self, affine: Affine) -> tuple[str, str, str, str]:
        """At the (left, right, top, bottom) edge of the drawn plane."""
        drawn = np.eye(4)
        drawn[:3, 0] = affine[:3, self.across] * (-1 if self.flip_across else 1)
        drawn[:3, 1] = affine[:3, self.down] * (-1 if self.flip_down else 1)
        return edge_letters(drawn)

    def name(self, affine: Affine | None) -> str:
        """Axial, coronal or sagittal by the patient axis that it is cut across, as nearly as that can be said."""
        return _PLAIN_NAMES[self.fixed] if affine is None else _NAMES[_patient_axis(affine, self.fixed)]


def resized(
    affine: Affine | None, spacing_mm: tuple[float, float, float], shape: tuple[int, int, int], size: int
) -> tuple[Affine | None, tuple[float, float, float]]:
    """(affine, spacing) of an image whose slices have size x size pixels over the same extent as those of a shape."""
    _, height, width = shape
    factors = np.array([width / size, height / size, 1.0])
    x, y, z = spacing_mm
    spacing = x * float(factors[0]), y * float(factors[1]), z
    if affine is None:
        return None, spacing
    steps = np.diag([*factors, 1.0])
    steps[:3, 3] = (factors - 1) / 2
    moved: Affine = affine @ steps
    return moved, spacing


def sections(affine: Affine | None) -> tuple[Section, Section, Section]:
    """The plane of the slices, the one across their rows (fixed y), the one across their columns (fixed x)."""
    stored = Section(_SLICES, 0, 1)
    if affine is None:
        return stored, Section(1, 0, 2), Section(0, 1, 2)
    return stored, _turned_section(affine, 1), _turned_section(affine, 0)


def _turned_section(affine: Affine, fixed: int) -> Section:
    """Left to right before front to back before head to feet is the order in which an axis is laid across."""
    one, other = sorted((a for a in (0, 1, 2) if a != fixed), key=lambda a: _patient_axis(affine, a))
    return Section(fixed, one, other, _runs(affine, one) < 0, _runs(affine, other) < 0)


def _patient_axis(affine: Affine, axis: int) -> int:
    """The LPS axis along which a voxel axis mainly runs."""
    return int(np.argmax(np.abs(affine[:3, axis])))


def _runs(affine: Affine, axis: int) -> float:
    """Positive where a voxel axis runs to the left, the back or the feet, as a drawing is read."""
    main = _patient_axis(affine, axis)
    return float(-affine[main, axis] if main == _HEAD else affine[main, axis])
