"""The image that a CT scan is made into where its file names none, and whether the scan sees it at all."""

from __future__ import annotations

import math

import numpy as np

from core.errors import ScanError
from core.geometry import ConeBeam, FanBeam, FloatArray, Geometry, Grid, ParallelBeam

_MOST_VOXELS = 512
"""A side of the default image of a cone beam, which is reconstructed as a whole."""


def default_grid(geometry: Geometry, rows: int, row_mm: float = 0.0) -> Grid:
    """Voxels as large as a detector pixel seen from the axis of rotation, and as many as the detector sees.

    rows: slices of a parallel or fan beam; row_mm: their distance on the detector, 0 where it is the pitch. A cone's
    image is as wide as the circle that it sees and as high as its panel there, at most 512 voxels a side.
    """
    if isinstance(geometry, ConeBeam):
        return _cone_grid(geometry)
    scale = geometry.magnification if isinstance(geometry, FanBeam) else 1.0
    pitch, height = geometry.pitch_mm / scale, (row_mm or geometry.pitch_mm) / scale
    return Grid((rows, geometry.detectors, geometry.detectors), (pitch, pitch, height))


def require_seen(geometry: Geometry, grid: Grid) -> None:
    """Raise ScanError where no ray crosses the image, or where a source stands in it."""
    half = np.asarray(grid.extent_mm) / 2
    centre = np.asarray(grid.centre_mm)
    x, y, z = grid.extent_mm
    inside = np.abs(_sources(geometry) - centre[:2]) < half[:2]
    if inside.all(axis=1).any():
        raise ScanError(
            "The source stands inside the image.",
            f"The image is {x:.4g} x {y:.4g} mm wide.",
            "Check the distances of source and detector, and the size of the pixels.",
        )
    reach = math.hypot(x, y, z) / 2 if isinstance(geometry, ConeBeam) else math.hypot(x, y) / 2
    if not (_nearest(geometry, centre) < reach).any():
        raise ScanError(
            "The scan does not see the image.",
            f"No ray crosses its {x:.4g} x {y:.4g} x {z:.4g} mm.",
            "Check the rotation axis, the distances, and the size of the pixels.",
        )


def _sources(geometry: Geometry) -> FloatArray:
    """(x, y) of the source in every view, mm, (views, 2); nothing for parallel beams."""
    if isinstance(geometry, ParallelBeam):
        return np.empty((0, 2))
    if isinstance(geometry, ConeBeam):
        return geometry.source_mm[:, :2]
    circle: FloatArray = np.stack((np.sin(geometry.angles), -np.cos(geometry.angles)), axis=1)
    return geometry.source_mm * circle


def _nearest(geometry: Geometry, centre: FloatArray) -> FloatArray:
    """How near the rays of each view come to a point, mm, (views,)."""
    if isinstance(geometry, ConeBeam):
        return _cone_nearest(geometry, centre)
    cos, sin = np.cos(geometry.angles), np.sin(geometry.angles)
    across, along = centre[0] * cos + centre[1] * sin, centre[1] * cos - centre[0] * sin
    low, high = float(geometry.bins_mm.min()), float(geometry.bins_mm.max())
    if isinstance(geometry, ParallelBeam):
        apart: FloatArray = np.maximum(np.maximum(low - across, across - high), 0.0)
        return apart
    fan = np.arctan2(across, geometry.source_mm + along)
    beyond = np.maximum(np.maximum(geometry.fan_angles[0] - fan, fan - geometry.fan_angles[-1]), 0.0)
    away: FloatArray = np.hypot(across, geometry.source_mm + along) * np.sin(np.minimum(beyond, np.pi / 2))
    return away


def _cone_nearest(geometry: ConeBeam, centre: FloatArray) -> FloatArray:
    """Of the ray to the place on each panel that is nearest to the shadow of the point."""
    apart = centre - geometry.source_mm
    normal = np.cross(geometry.column_mm, geometry.row_mm)
    reach = ((geometry.detector_mm - geometry.source_mm) * normal).sum(axis=1)
    toward = (apart * normal).sum(axis=1)
    ahead = toward * np.sign(reach) > 0
    shadow = apart * (reach / np.where(ahead, toward, 1.0))[:, None] + geometry.source_mm - geometry.detector_mm
    place = np.zeros_like(shadow)
    for step, count in ((geometry.column_mm, geometry.columns), (geometry.row_mm, geometry.rows)):
        index = (shadow * step).sum(axis=1) / (step**2).sum(axis=1)
        place += np.clip(index, -(count - 1) / 2, (count - 1) / 2)[:, None] * step
    ray = geometry.detector_mm + place - geometry.source_mm
    away = np.linalg.norm(np.cross(apart, ray), axis=1) / np.linalg.norm(ray, axis=1)
    return np.where(ahead, away, np.inf)


def _cone_grid(geometry: ConeBeam) -> Grid:
    """Cubic voxels about the axis of rotation, at the height that the middle of the panel sees."""
    source, panel = geometry.source_mm, geometry.detector_mm
    axis = np.linalg.norm(source[:, :2], axis=1)
    _require_axis(bool((axis > 0).all()))
    normal = np.cross(geometry.column_mm, geometry.row_mm)
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    distance = np.abs(((panel - source) * normal).sum(axis=1))
    scale = float(np.median(np.abs((source * normal).sum(axis=1)) / distance))
    column, row = (float(np.median(np.linalg.norm(step, axis=1))) for step in (geometry.column_mm, geometry.row_mm))
    left, right = (_passing(source, panel + side * (geometry.columns / 2) * geometry.column_mm) for side in (-1, 1))
    if (left * right > 0).all():
        raise ScanError(
            "The axis of rotation lies outside the detector.",
            "In every view all rays pass it on one side.",
            "Check the offsets and the size of the pixels in the geometry file.",
        )
    radius = max(float(np.median(np.abs(side))) for side in (left, right))
    _require_axis(scale > 0 and np.isfinite(scale) and radius > 0)
    voxel = column * scale
    height = geometry.rows * row * scale
    if max(2 * radius, height) > _MOST_VOXELS * voxel:
        voxel = max(2 * radius, height) / _MOST_VOXELS
    wide, high = (max(1, round(extent / voxel)) for extent in (2 * radius, height))
    middle = source[:, 2] + (panel - source)[:, 2] * scale
    return Grid((high, wide, wide), (voxel, voxel, voxel), (0.0, 0.0, float(np.median(middle))))


def _passing(source: FloatArray, edge: FloatArray) -> FloatArray:
    """How far from the axis, and on which side, the rays through an edge of the panel pass, mm, (views,)."""
    ray = (edge - source)[:, :2]
    cross = source[:, 0] * ray[:, 1] - source[:, 1] * ray[:, 0]
    apart: FloatArray = cross / np.maximum(np.linalg.norm(ray, axis=1), 1e-12)
    return apart


def _require_axis(good: bool) -> None:
    if not good:
        raise ScanError(
            "The geometry has no place for an image.",
            "The source stands on the axis of rotation, or the panel faces along it.",
            "Check the distances and angles of the geometry file.",
        )
