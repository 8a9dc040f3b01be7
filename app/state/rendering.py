"""What a rendering in three dimensions shows: its presets, from resources/presets/volume.json, and its reduced grid."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from app.state.picture import Levels

Values = npt.NDArray[Any]
T = TypeVar("T")

SETTLED, MOVING = 128, 96
"""Voxels a side, or as many in all: of a result, and of an estimate that the next step will replace."""
WHOLE_VOXELS = 2**27
"""Of a picture that is not in a hurry. VTK takes some ten bytes for each beside them."""

LEAST = 24
"""Voxels a side of the coarsest grid that still shows something."""

RIM = 1
"""Voxels of air about a stack."""

Point = tuple[float, float, float, float, float]
"""A value, its red, green and blue (0 to 1) and its opacity."""
Range = tuple[float, float]
Box = tuple[Range, Range, Range]
"""From where to where along L, P and H, mm."""


@dataclass(frozen=True)
class VolumePreset:
    """How values are coloured and how opaque they are. mip: the brightest voxel along each ray.

    shade: with light and shadow. relative: values are shares of the way from black to white, for images without a
    unit of their own. more: offered in the viewing room only.
    """

    name: str
    points: tuple[Point, ...]
    mip: bool = False
    shade: bool = False
    relative: bool = False
    more: bool = False

    def placed(self, levels: Levels) -> tuple[Point, ...]:
        """The points in the values of an image whose grey scale is `levels`."""
        if not self.relative:
            return self.points
        return tuple((levels.low + p[0] * levels.window, *p[1:]) for p in self.points)


def volume_presets(unit: str) -> tuple[VolumePreset, ...]:
    """The presets for images of a unit, the usual one first."""
    return tuple(preset for preset in room_presets(unit) if not preset.more)


def room_presets(unit: str) -> tuple[VolumePreset, ...]:
    """Those and more, for the viewing room, the usual one first."""
    return _all().get(unit) or _all()["a.u."]


@dataclass(frozen=True, eq=False)
class ReducedStack:
    """A stack (z, y, x), float32 without NaN or int16, with fewer voxels. step: of how many along x, y, z each is the
    mean. size: voxels x, y, z of the whole. What is worked out of it can be so in any thread, before it is needed."""

    values: Values
    step: tuple[int, int, int]
    size: tuple[int, int, int]

    def work_out(self) -> ReducedStack:
        """All that is known of it, in this thread and not in the one that draws it; the same stack."""
        _ = self.padded, self.smooth, self.reach
        return self

    @property
    def first(self) -> tuple[float, float, float]:
        """Where the middle of its first voxel lies among the voxels x, y, z of the whole."""
        x, y, z = ((step - 1) / 2 for step in self.step)
        return x, y, z

    @cached_property
    def padded(self) -> Values:
        """With a rim of air, or the ends of the stack, where the patient goes on, would have no face and stay dark."""
        return np.pad(self.values, RIM, constant_values=self.values.min())

    @cached_property
    def smooth(self) -> Values:
        """`padded`, for light and shadow: of noise and of the steps between voxels the slope has no direction.

        Binomial, (1, 2, 1) / 4 along each axis.
        """
        return smoothed(self.padded)

    @cached_property
    def reach(self) -> tuple[float, float, float]:
        """See reach_of_content."""
        return reach_of_content(self.values)

    @property
    def words(self) -> tuple[str, ...]:
        """Such as ("128 x 128 x 64", "of 256 x 256 x 64"); none where it is whole."""
        if max(self.step) == 1:
            return ()
        shown, whole = (" × ".join(str(n) for n in size) for size in (self.values.shape[::-1], self.size))
        return shown, f"of {whole}"


def reduced(frames: Values, first: int, count: int, most: int) -> ReducedStack:
    """The stack of `count` frames from `first` on with at most most**3 voxels, by the means of blocks.

    A side is longer than `most` only where another is shorter, as that of a few thick slices. int16 stays; all else
    becomes float32, what is no number the lowest value. For any thread; copies one layer of blocks at a time.
    """
    stack = frames[first : first + count]
    z, y, x = steps = _steps(stack.shape, most)
    kept = np.int16 if stack.dtype == np.int16 else np.float32
    lowest = _lowest(stack) if stack.dtype.kind == "f" and not np.isfinite(stack.sum(dtype=np.float64)) else None
    values = np.empty([-(-n // step) for n, step in zip(stack.shape, steps, strict=True)], kept)
    for i in range(len(values)):
        slab = stack[i * z : (i + 1) * z].astype(kept, copy=False)
        if lowest is not None:
            slab = np.nan_to_num(slab, nan=lowest, posinf=lowest, neginf=lowest)
        values[i] = slab[0] if max(steps) == 1 else _mean(slab, y, x)
    return ReducedStack(values, (x, y, z), (stack.shape[2], stack.shape[1], stack.shape[0]))


def coarser_if_short(make: Callable[[int], T], most: int) -> T:
    """make(most), or of half as many voxels a side, and so on, while the memory runs out. Raises MemoryError where even
    LEAST a side are too many."""
    while True:
        try:
            return make(most)
        except MemoryError:
            if most <= LEAST:
                raise
        most = max(most // 2, LEAST)


def nearly_whole(stack: Values) -> ReducedStack:
    """Every voxel of a stack (z, y, x), as far as they are no more than WHOLE_VOXELS."""
    return reduced(stack, 0, len(stack), round(WHOLE_VOXELS ** (1 / 3)))


def _steps(shape: tuple[int, ...], most: int) -> tuple[int, ...]:
    """Of how many voxels blocks are, along each axis, so that sides become alike and fit."""
    for parts in itertools.count(1):
        side = -(-max(shape) // parts)
        steps = tuple(-(-n // side) for n in shape)
        if side <= most or math.prod(-(-n // step) for n, step in zip(shape, steps, strict=True)) <= most**3:
            return steps
    raise AssertionError


def _mean(slab: Values, y: int, x: int) -> Values:
    """Of whole columns of a slab (z, y, x), in blocks of (y, x); the last of them are filled up with their edge."""
    flat = slab.sum(axis=0, dtype=np.int32 if slab.dtype == np.int16 else np.float32)
    flat = np.pad(flat, [(0, -n % step) for n, step in zip(flat.shape, (y, x), strict=True)], mode="edge")
    high, wide = flat.shape
    sums = flat.reshape(high // y, y, wide // x, x).sum(axis=(1, 3), dtype=np.float64)
    mean = sums / (len(slab) * y * x)
    return np.rint(mean) if slab.dtype == np.int16 else mean


def smoothed(values: Values) -> Values:
    """Values (z, y, x), float32 or int16, with (1, 2, 1) / 4 along each axis; what is on the edge stays as it is."""
    made = np.empty_like(values)
    made[0], made[-1] = values[0], values[-1]
    for i in range(1, len(values) - 1):
        plane = values[i].astype(np.float32) / 2 + (values[i - 1].astype(np.float32) + values[i + 1]) / 4
        plane[1:-1] = plane[1:-1] / 2 + (plane[:-2] + plane[2:]) / 4
        plane[:, 1:-1] = plane[:, 1:-1] / 2 + (plane[:, :-2] + plane[:, 2:]) / 4
        made[i] = plane if made.dtype.kind == "f" else np.rint(plane)
    return made


def _lowest(stack: Values) -> float:
    """Of the numbers in a stack, 0 without any."""
    lowest = min((float(plane[np.isfinite(plane)].min(initial=np.inf)) for plane in stack), default=np.inf)
    return lowest if np.isfinite(lowest) else 0.0


def reach_of_content(values: Values) -> tuple[float, float, float]:
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
