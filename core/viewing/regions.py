"""Regions of a plane: which pixels they hold, and the statistics of these.

Points are pixels (x, y), whole numbers the middles of pixels; a pixel belongs to a region that holds its middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from core.viewing.histogram import Counts, Edges, histogram

Mask = npt.NDArray[np.bool_]
Pixel = tuple[float, float]

_BINS = 64


@dataclass(frozen=True, eq=False)
class Statistics:
    """Of the pixels of a region that hold a number.

    mean, minimum, maximum: in the unit of the values. sd: the sample standard deviation, with n - 1 (0 for one pixel).
    All four are NaN for no pixel. area_mm2: of these pixels. counts, edges: as histogram() gives them.
    """

    mean: float
    sd: float
    minimum: float
    maximum: float
    pixels: int
    area_mm2: float
    counts: Counts = field(repr=False)
    edges: Edges = field(repr=False)


def statistics_of(plane: npt.NDArray[Any], spacing: tuple[float, float], mask: Mask) -> Statistics:
    """Statistics of the pixels of a plane (height, width) in a mask of the same shape; NaN are left out.

    spacing: mm of a pixel (across, down).
    """
    found = plane[mask]
    found = found if found.dtype.kind in "iu" else found[np.isfinite(found)]
    counts, edges = histogram(found, _BINS)
    area = found.size * spacing[0] * spacing[1]
    if found.size == 0:
        none = float("nan")
        return Statistics(none, none, none, none, 0, 0.0, counts, edges)
    sd = float(found.std(ddof=1, dtype=np.float64)) if found.size > 1 else 0.0
    mean = float(found.mean(dtype=np.float64))
    return Statistics(mean, sd, float(found.min()), float(found.max()), int(found.size), area, counts, edges)


def rectangle_mask(shape: tuple[int, int], corner: Pixel, opposite: Pixel) -> Mask:
    """(height, width), the rectangle with these two corners, its sides included."""
    x, y = _pixels(shape)
    (left, right), (top, bottom) = _sorted(corner[0], opposite[0]), _sorted(corner[1], opposite[1])
    mask: Mask = ((x >= left) & (x <= right)) & ((y >= top) & (y <= bottom))
    return mask


def ellipse_mask(shape: tuple[int, int], corner: Pixel, opposite: Pixel) -> Mask:
    """(height, width), the ellipse in the rectangle with these two corners; empty where that has no area."""
    x, y = _pixels(shape)
    (left, right), (top, bottom) = _sorted(corner[0], opposite[0]), _sorted(corner[1], opposite[1])
    across, down = (right - left) / 2, (bottom - top) / 2
    if not (across > 0 and down > 0):
        return np.zeros(shape, np.bool_)
    mask: Mask = ((x - (left + right) / 2) / across) ** 2 + ((y - (top + bottom) / 2) / down) ** 2 <= 1
    return mask


def polygon_mask(shape: tuple[int, int], points: Sequence[Pixel]) -> Mask:
    """(height, width), the closed polygon through these points; where it crosses itself, by the even-odd rule.

    A left or upper side belongs to it, a right or lower one does not, so that neighbours share no pixel. Empty for less
    than three points, or points that are no numbers.
    """
    height, width = shape
    ends = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    crossings = np.zeros((height, width + 1), np.int32)
    if len(ends) >= 3 and np.isfinite(ends).all():
        for (x0, y0), (x1, y1) in zip(ends, np.roll(ends, -1, axis=0), strict=True):
            (top, at_top), (bottom, at_bottom) = sorted(((y0, x0), (y1, x1)))
            rows = np.arange(_within(top, height), _within(bottom, height))
            # Every pixel from a crossing on to the right is on the other side of this edge.
            at = at_top + (rows - top) * ((at_bottom - at_top) / (bottom - top or 1.0))
            crossings[rows, np.clip(np.ceil(at), 0, width).astype(np.intp)] += 1
    mask: Mask = crossings[:, :width].cumsum(axis=1) % 2 == 1
    return mask


def _within(edge: float, count: int) -> int:
    """The first row at or below an edge, within the picture."""
    return ceil(min(max(edge, 0.0), float(count)))


def _sorted(a: float, b: float) -> tuple[float, float]:
    return (a, b) if a <= b else (b, a)


def _pixels(shape: tuple[int, int]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The x (1, width) and y (height, 1) of all pixels."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    return x, y
