"""The system matrix of a parallel- or fan-beam scan: Joseph's line integrals through the pixels of a slice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from core.geometry import FanBeam, Geometry, Grid, ParallelBeam

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Parts = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.int64]]

SAMPLES_AT_ONCE = 1 << 21
VIEWS_COUNTED = 64


@dataclass(frozen=True, eq=False)
class Rays:
    """Lines in the plane of a slice. start, direction: (rays, 2), (x, y) in mm, direction of length 1.

    from_start: the ray begins at start; else the line has no ends.
    """

    start: FloatArray
    direction: FloatArray
    from_start: bool


@singledispatch
def rays(geometry: Geometry, views: slice = slice(None)) -> Rays:
    """The rays of some views, view by view and bin by bin."""
    raise TypeError(type(geometry))


@rays.register
def _(geometry: ParallelBeam, views: slice = slice(None)) -> Rays:
    across, along = _axes(geometry.angles[views])
    start = geometry.bins_mm[:, None] * across
    return Rays(start.reshape(-1, 2), np.broadcast_to(along, start.shape).reshape(-1, 2), from_start=False)


@rays.register
def _(geometry: FanBeam, views: slice = slice(None)) -> Rays:
    across, along = _axes(geometry.angles[views])
    fan = geometry.fan_angles[:, None]
    direction = np.cos(fan) * along + np.sin(fan) * across
    start = np.broadcast_to(-geometry.source_mm * along, direction.shape)
    return Rays(start.reshape(-1, 2), direction.reshape(-1, 2), from_start=True)


def system_matrix(geometry: ParallelBeam | FanBeam, grid: Grid, views: slice = slice(None)) -> sp.csr_array:
    """The float32 matrix (views * detectors, ny * nx) of line integrals in mm through any slice of the grid.

    A ray takes one sample in each row, or in each column where it runs flatter, interpolated between the two nearest
    pixels, times the way to the next one (Joseph 1982, doi 10.1109/TMI.1982.4307572). Beyond the image there is
    nothing. Rows of the matrix are in the order of `rays`; their entries need not be sorted.
    """
    lines = rays(geometry, views)
    _, height, width = grid.shape
    step = max(1, SAMPLES_AT_ONCE // max(height, width))
    found = [_block(lines, slice(i, i + step), grid) for i in range(0, len(lines.start), step)]
    columns, weights, counts = (list(part) for part in zip(*found, strict=True))
    del found
    starts = np.concatenate(([0], np.cumsum(np.concatenate(counts))))
    starts = starts.astype(np.int32 if starts[-1] < 2**31 else np.int64)
    column, weight = _joined(columns), _joined(weights)
    return sp.csr_array((weight, column, starts), shape=(len(starts) - 1, height * width))


def count_entries(geometry: ParallelBeam | FanBeam, grid: Grid) -> int:
    """About how many entries the system matrix has, from the lengths of the rays of up to 64 of its views."""
    some = np.unique(np.linspace(0, geometry.views - 1, min(geometry.views, VIEWS_COUNTED)).astype(np.int64))
    lines = rays(geometry.keep(some))
    total = 0.0
    for main in (0, 1):
        first, slope, _, chosen = _courses(lines, grid, main)
        steps, width = grid.shape[2 - main], grid.shape[1 + main]
        # Where the straight course enters and leaves the strip between -1 and width, in steps.
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = np.stack(((-1 - first) / slope, (width - first) / slope))
        flat = slope == 0
        low = np.where(flat, np.where((first > -1) & (first < width), 0, steps), ends.min(axis=0))
        high = np.where(flat, steps, ends.max(axis=0))
        total += 2 * float((np.clip(high, 0, steps) - np.clip(low, 0, steps))[chosen].sum())
    return int(total * geometry.views / len(some)) + 1


def _axes(angles: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The detector's axis and the middle ray's direction at each angle, both (views, 1, 2)."""
    cos, sin = np.cos(angles), np.sin(angles)
    return np.stack((cos, sin), axis=1)[:, None], np.stack((-sin, cos), axis=1)[:, None]


def _courses(lines: Rays, grid: Grid, main: int) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
    """Straight courses in pixels: at index k of axis `main` (0: x) a ray is at first + slope k of the other axis.

    Also the length of one step in mm, and which rays advance fastest along this axis, in pixels.
    """
    spacing, centre = np.array(grid.spacing_mm[:2]), np.array(grid.centre_mm[:2])
    middle = (np.array(grid.shape[:0:-1]) - 1) / 2
    start, direction = (lines.start - centre) / spacing + middle, lines.direction / spacing
    speed = np.abs(direction)
    chosen = speed[:, 1] >= speed[:, 0] if main == 1 else speed[:, 1] < speed[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = direction[:, 1 - main] / direction[:, main]
        return start[:, 1 - main] - slope * start[:, main], slope, 1 / speed[:, main], chosen


def _block(lines: Rays, part: slice, grid: Grid) -> Parts:
    """Columns and weights of some rows of the matrix, end to end, and how many each row has."""
    some = Rays(lines.start[part], lines.direction[part], lines.from_start)
    parts = [_along(some, grid, main) for main in (1, 0)]
    alone = [p for p in parts if len(p[0])]
    if len(alone) == 1:
        _, column, weight, kept = alone[0]
        return column[kept], weight[kept], _row_counts(kept)
    # Steep and flat rays mixed: both have their entries put where their rows begin.
    counts = np.empty(len(some.start), dtype=np.int64)
    for which, _, _, kept in parts:
        counts[which] = _row_counts(kept)
    starts = np.cumsum(counts) - counts
    columns, weights = np.empty(counts.sum(), dtype=np.int32), np.empty(counts.sum(), dtype=np.float32)
    for which, column, weight, kept in parts:
        own = counts[which]
        place = np.repeat(starts[which] - (np.cumsum(own) - own), own) + np.arange(own.sum())
        columns[place], weights[place] = column[kept], weight[kept]
    return columns, weights, counts


def _along(lines: Rays, grid: Grid, main: int) -> tuple[Any, Any, Any, BoolArray]:
    """Which rays advance along an axis, and their columns, weights and what is kept of them, (rays, steps, 2)."""
    first, slope, length, chosen = _courses(lines, grid, main)
    which = np.flatnonzero(chosen)
    steps, across, row = grid.shape[2 - main], grid.shape[1 + main], grid.shape[2]
    k = np.arange(steps, dtype=np.int32)
    place = first[which, None] + slope[which, None] * k
    # Far misses are drawn near: an index must fit its type.
    np.clip(place, -2, across + 1, out=place)
    low = np.floor(place)
    share = (place - low).astype(np.float32)
    index = np.stack((low, low + 1), axis=-1, dtype=np.int32, casting="unsafe")
    scale = length[which, None].astype(np.float32)
    weight = np.stack(((1 - share) * scale, share * scale), axis=-1)
    kept = (index >= 0) & (index < across) & (weight > 0)
    if lines.from_start:
        kept &= _ahead(lines, grid, main, which, k)[..., None]
    column = k[:, None] * row + index if main == 1 else index * row + k[:, None]
    return which, column, weight, kept


def _ahead(lines: Rays, grid: Grid, main: int, which: npt.NDArray[np.int64], k: npt.NDArray[np.int32]) -> BoolArray:
    """Which steps (rays, steps) lie ahead of the start of their ray."""
    middle = (k.size - 1) / 2
    at = (k - middle) * grid.spacing_mm[main] + grid.centre_mm[main]
    return (at - lines.start[which, main, None]) * lines.direction[which, main, None] > 0


def _joined(parts: list[Any]) -> Any:
    """The parts end to end; each is let go as it is copied, since a matrix may fill half of the memory."""
    whole = np.empty(sum(len(part) for part in parts), dtype=parts[0].dtype)
    end = len(whole)
    while parts:
        last = parts.pop()
        whole[end - len(last) : end] = last
        end -= len(last)
    return whole


def _row_counts(kept: BoolArray) -> npt.NDArray[np.int64]:
    counts: npt.NDArray[np.int64] = kept.reshape(len(kept), -1).sum(axis=1, dtype=np.int64)
    return counts
