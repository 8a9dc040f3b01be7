"""What a measurement tells of an item: lengths, angles, the statistics of a region, the curve along a line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import numpy.typing as npt

from app.state.room.figure import PARALLEL, Figure, Measurement
from app.state.room.item import Item
from core.orientation import spacing_of
from core.viewing.cut import cut
from core.viewing.grid import step_along
from core.viewing.lengths import angle_deg, distance_mm, profile, value_at
from core.viewing.regions import Pixel, Statistics, ellipse_mask, polygon_mask, rectangle_mask, statistics_of
from core.viewing.sampling import Sampled
from core.viewing.sheet import Sheet
from core.viewing.standard import Orientation, is_oblique, standard_sheet

_LONGEST_SIDE = 4096
_DIGITS = 6
"""Of a pixel: rounding must not decide which side of a middle an edge lies."""
LIGHT = 250_000
"""Samples between voxels that are read in some 50 ms."""
_ALIGNED_COST = 1 / 50
"""Of a sample that is a voxel itself."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Values (n,) at distances (n,) in mm along a line; NaN outside the volume."""

    along_mm: npt.NDArray[np.float64]
    values: Sampled


@dataclass(frozen=True, eq=False)
class Reading:
    """What a figure does not have is None. unit: of the values, "" where there are none. length_px: in place of
    length_mm where the size of the voxels is not known; areas are NaN then."""

    unit: str = ""
    length_mm: float | None = None
    angle_deg: float | None = None
    value: float | None = None
    statistics: Statistics | None = None
    curve: Curve | None = None
    length_px: float | None = None


def read(measurement: Measurement, item: Item | None, moment: int = 0) -> Reading:
    """Of an item at a moment; lengths and angles alone without one."""
    found = _read(measurement, item, moment)
    if item is None or item.spaced:
        return found
    region = found.statistics
    bare = None if region is None else replace(region, area_mm2=float("nan"))
    return replace(found, length_mm=None, length_px=found.length_mm, statistics=bare)


def _read(measurement: Measurement, item: Item | None, moment: int) -> Reading:
    points = measurement.points
    if not measurement.complete:
        return Reading()
    if measurement.figure is Figure.DISTANCE:
        return Reading(length_mm=distance_mm(*points))
    if measurement.figure is Figure.ANGLE:
        return Reading(angle_deg=angle_deg(*points))
    if item is None:
        return Reading(length_mm=distance_mm(*points)) if measurement.figure is Figure.PROFILE else Reading()
    if measurement.figure is Figure.PROFILE:
        return Reading(item.unit, distance_mm(*points), curve=curve_along(measurement, item, moment))
    if measurement.figure is Figure.PROBE:
        return Reading(item.unit, value=value_at(item.stack(moment), item.affine, points[0]))
    return Reading(item.unit, statistics=statistics_in(measurement, item, moment))


def curve_along(line: Measurement, item: Item, moment: int = 0) -> Curve:
    """What an item has from the first point of a line to its last."""
    return Curve(*profile(item.stack(moment), item.affine, line.points[0], line.points[-1]))


def statistics_in(region: Measurement, item: Item, moment: int = 0) -> Statistics:
    """Of the pixels whose middles lie in a region, as far as the item reaches."""
    sheet = sheet_under(region, item)
    if sheet is None:
        return statistics_of(np.zeros((1, 1)), (1.0, 1.0), np.zeros((1, 1), np.bool_))
    plane = cut(item.stack(moment), item.affine, sheet, slab_mm=region.slab_mm, mode=region.slab)
    return statistics_of(plane, sheet.spacing, _mask(region, sheet))


def effort(region: Measurement, item: Item) -> float:
    """How many samples must be read for it; one that is a voxel itself counts little."""
    sheet = sheet_under(region, item) if region.figure.is_region and region.complete else None
    if sheet is None:
        return 0.0
    deep = min(region.slab_mm / step_along(item.affine, sheet.normal), float(sum(item.shape)))
    steps = item.affine[:3, :3] / np.linalg.norm(item.affine[:3, :3], axis=0)
    aligned = all(np.abs(side @ steps).max() > PARALLEL for side in (sheet.across, sheet.down))
    return sheet.shape[0] * sheet.shape[1] * (1 + deep) * (_ALIGNED_COST if aligned else 1.0)


def sheet_under(region: Measurement, item: Item) -> Sheet | None:
    """The part of an item's plane of pixels over which a region lies; None where it lies over none.

    The pixels are those that a pane shows of this item in this plane; where it has no such plane, as after the item was
    replaced by one that lies otherwise, square ones along the region's own plane, as small as its smallest voxel side.
    """
    found = next((s for s in _planes(item, region) if _fits(s, region, item)), None)
    return _part(found if found is not None else _own_pixels(region, item), region)


def _planes(item: Item, region: Measurement) -> list[Sheet]:
    """All planes that a pane can show of an item at a region's place."""
    every = [standard_sheet(item.shape, item.affine, o, region.middle) for o in Orientation]
    if not (item.placed and is_oblique(item.affine)):
        return every
    along = [standard_sheet(item.shape, item.affine, o, region.middle, patient_axes=True) for o in Orientation]
    return every + [sheet.through(region.middle) for sheet in along]


def _fits(sheet: Sheet, region: Measurement, item: Item) -> bool:
    """The region lies in this sheet of an item, with its sides along the sheet's."""
    sides = (abs(float(sheet.across @ region.plane.across)), abs(float(sheet.across @ region.plane.down)))
    step = step_along(item.affine, sheet.normal)
    return max(sides) > PARALLEL and region.is_seen_on(sheet, step)


def _own_pixels(region: Measurement, item: Item) -> Sheet:
    flat = np.array([region.plane.pixel_of(point) for point in region.outline])
    low, extent = flat.min(axis=0), np.ptp(flat, axis=0)
    side = max(min(spacing_of(item.affine)), float(extent.max()) / _LONGEST_SIDE)
    width, height = (ceil(mm / side) + 1 for mm in extent)
    # Off the outline by half a pixel, so that a side does not run along a row of middles.
    origin = region.plane.point_at(*(low + side / 2))
    return replace(region.plane, origin=origin, spacing=(side, side), shape=(height, width))


def _part(sheet: Sheet, region: Measurement) -> Sheet | None:
    pixels = np.array(_pixels(sheet, region))
    height, width = sheet.shape
    left, top = (max(0, int(v)) for v in np.clip(np.floor(pixels.min(axis=0)), -1, 2**30))
    right, bottom = (int(v) for v in np.clip(np.ceil(pixels.max(axis=0)), -1, (width - 1, height - 1)))
    if left > right or top > bottom:
        return None
    return replace(sheet, origin=sheet.point_at(left, top), shape=(bottom - top + 1, right - left + 1))


def _pixels(sheet: Sheet, region: Measurement) -> list[Pixel]:
    way = region.points - sheet.origin
    x, y = way @ sheet.across / sheet.spacing[0], way @ sheet.down / sheet.spacing[1]
    return list(zip(x.round(_DIGITS).tolist(), y.round(_DIGITS).tolist(), strict=True))


def _mask(region: Measurement, sheet: Sheet) -> npt.NDArray[np.bool_]:
    pixels = _pixels(sheet, region)
    if region.figure is Figure.FREEHAND:
        return polygon_mask(sheet.shape, pixels)
    shaped = rectangle_mask if region.figure is Figure.RECTANGLE else ellipse_mask
    return shaped(sheet.shape, pixels[0], pixels[1])
