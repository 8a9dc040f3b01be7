"""What a rendering in three dimensions shows: its presets, from resources/presets/volume.json, and its reduced grid."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from app.state.picture import Levels, Plane

SETTLED, MOVING = 128, 96
"""Voxels a side, at most: of a result, and of an estimate that the next step will replace."""

Point = tuple[float, float, float, float, float]
"""A value, its red, green and blue (0 to 1) and its opacity."""


@dataclass(frozen=True)
class VolumePreset:
    """How values are coloured and how opaque they are. mip: the brightest voxel along each ray.

    shade: with light and shadow. relative: values are shares of the way from black to white, for images without a
    unit of their own.
    """

    name: str
    points: tuple[Point, ...]
    mip: bool = False
    shade: bool = False
    relative: bool = False

    def placed(self, levels: Levels) -> tuple[Point, ...]:
        """The points in the values of an image whose grey scale is `levels`."""
        if not self.relative:
            return self.points
        return tuple((levels.low + p[0] * levels.window, *p[1:]) for p in self.points)


def volume_presets(unit: str) -> tuple[VolumePreset, ...]:
    """The presets for images of a unit, the usual one first."""
    return _all().get(unit) or _all()["a.u."]


@dataclass(frozen=True, eq=False)
class ReducedStack:
    """A stack (z, y, x) float32 with fewer voxels. step: which voxel was taken along x, y, z (1: each)."""

    values: Plane
    step: tuple[int, int, int]
    size: tuple[int, int, int]

    @property
    def words(self) -> tuple[str, ...]:
        """Such as ("128 x 128 x 64", "of 256 x 256 x 64"); none where nothing was left out."""
        if max(self.step) == 1:
            return ()
        shown, whole = (" × ".join(str(n) for n in size) for size in (self.values.shape[::-1], self.size))
        return shown, f"of {whole}"


def reduced(frames: npt.NDArray[np.float32], first: int, count: int, most: int) -> ReducedStack:
    """The stack of `count` frames from `first` on with at most so many voxels a side, by leaving voxels out."""
    stack = frames[first : first + count]
    z, y, x = (-(-n // most) for n in stack.shape)
    values = np.ascontiguousarray(stack[::z, ::y, ::x], dtype=np.float32)
    return ReducedStack(values, (x, y, z), (stack.shape[2], stack.shape[1], stack.shape[0]))


def reach_of_content(values: Plane) -> tuple[float, float, float]:
    """How far from the middle of a stack (z, y, x) its bright parts reach along x, y, z; 1 is the end of the stack.

    A plane counts where a hundredth of it lies above a third of the way from the darkest to the bright values.
    """
    low, high = np.percentile(values, (0.5, 99.5))
    bright = values > low + (high - low) / 3
    reaches = []
    for axis in (2, 1, 0):
        others = tuple(a for a in (0, 1, 2) if a != axis)
        found = np.flatnonzero(bright.mean(axis=others) > 0.01)
        middle = (bright.shape[axis] - 1) / 2
        reach = float(np.abs(found - middle).max() + 0.5) / (middle + 0.5) if found.size else 1.0
        reaches.append(reach)
    return reaches[0], reaches[1], reaches[2]


@cache
def _all() -> dict[str, tuple[VolumePreset, ...]]:
    found = json.loads((files("resources") / "presets" / "volume.json").read_text("utf-8"))
    return {unit: tuple(_preset(values) for values in presets) for unit, presets in found.items()}


def _preset(values: dict[str, object]) -> VolumePreset:
    points = tuple(tuple(float(v) for v in point) for point in values.pop("points"))  # type: ignore[attr-defined]
    return VolumePreset(points=points, **values)  # type: ignore[arg-type]
