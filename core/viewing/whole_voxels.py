"""Planes of voxels as they are: what a sheet shows where each of its pixels lies on the middle of a voxel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from core.viewing.sheet import Point

Values = npt.NDArray[Any]

COINCIDES = 0.02
"""So many voxels a pixel may lie beside the middle of one, and still be taken for it."""


class Slab(Enum):
    """What is shown of a slab: its mean, maximum or minimum intensity. The value is the word for it."""

    MEAN = "mean"
    MIP = "maximum"
    MINIP = "minimum"


@dataclass(frozen=True, eq=False)
class Lattice:
    """Where the pixels of parallel sheets lie among voxels, in voxel indices (x, y, z).

    start: (3,), pixel (0, 0) of the middle sheet. right, down, deeper: (3,), the change per pixel and per sheet.
    shape: (height, width). sheets: (first, last) that is wanted, the middle one being 0.
    """

    start: Point
    right: Point
    down: Point
    deeper: Point
    shape: tuple[int, int]
    sheets: tuple[int, int]

    @property
    def axes(self) -> tuple[int, int, int]:
        """The voxel axes along which one goes to the right, downwards and deeper."""
        right, down = int(np.argmax(np.abs(self.right))), int(np.argmax(np.abs(self.down)))
        return right, down, 3 - right - down

    @property
    def coincides(self) -> bool:
        """Every pixel lies on the middle of a voxel of its own, inside the volume or beyond it."""
        right, down, _ = self.axes
        if right == down:
            return False
        height, width = self.shape
        beside = np.abs(self.start - np.rint(self.start))
        deepest = max(abs(k) for k in self.sheets)
        for step, times in ((self.right, width - 1), (self.down, height - 1), (self.deeper, deepest)):
            whole = np.rint(step)
            if times and np.abs(whole).sum() != 1:
                return False
            beside = beside + np.abs(step - whole) * times
        return bool(beside.max() <= COINCIDES)


def voxels(values: Values, lattice: Lattice, mode: Slab) -> Values:
    """(height, width) of an array (z, y, x) on a lattice that coincides with it.

    A view of a single sheet that lies inside. Of several the mode, which leaves NaN out: float32, or the array's own
    dtype for a maximum or minimum. Where the sheet reaches beyond the volume float32 with NaN there.
    """
    sizes = values.shape[::-1]
    height, width = lattice.shape
    steps = (lattice.right, lattice.down, lattice.deeper)
    wanted = ((0, width - 1), (0, height - 1), lattice.sheets)
    part, met = [slice(0)] * 3, []
    for axis, step, (low, high) in zip(lattice.axes, steps, wanted, strict=True):
        start, sign = round(float(lattice.start[axis])), -1 if step[axis] < 0 else 1
        # Only those steps that stay within the volume: 0 <= start + sign * step < size.
        ends = (-start, sizes[axis] - 1 - start) if sign > 0 else (start - sizes[axis] + 1, start)
        one, other = max(low, ends[0]), min(high, ends[1])
        if one > other:
            return np.full(lattice.shape, np.nan, np.float32)
        stop = start + sign * (other + 1)
        part[2 - axis] = slice(start + sign * one, stop if stop >= 0 else None, sign)
        met.append((one, other))
    right, down, deeper = lattice.axes
    plane = _flattened(values[tuple(part)], 2 - deeper, mode)
    plane = plane if down > right else plane.T
    if tuple(met[:2]) == wanted[:2]:
        return plane
    (left, end), (top, bottom) = met[:2]
    padded = np.full(lattice.shape, np.nan, np.float32)
    padded[top : bottom + 1, left : end + 1] = plane
    return padded


def _flattened(block: Values, axis: int, mode: Slab) -> Values:
    """A block of voxels without one of its axes."""
    if block.shape[axis] == 1:
        return block.squeeze(axis)
    if mode is not Slab.MEAN:
        reduce = np.fmax if mode is Slab.MIP else np.fmin
        found: Values = reduce.reduce(block, axis=axis)
        return found
    total: Values = np.add.reduce(block, axis=axis, dtype=np.float32)
    if np.isfinite(total).all():
        return total / np.float32(block.shape[axis])
    known = ~np.isnan(block)
    total = np.add.reduce(block, axis=axis, dtype=np.float32, where=known)
    return divided(total, known.sum(axis=axis))


def divided(total: Values, count: Values) -> Values:
    """The mean of so many, NaN of none."""
    found = np.full(total.shape, np.nan, np.float32)
    return np.divide(total, count, out=found, where=count > 0, casting="same_kind")
