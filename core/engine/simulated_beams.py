"""The scanner of a simulated CT scan: its geometry from a few numbers, wide enough to see the whole image."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import JobError
from core.geometry import ConeBeam, FanBeam, FloatArray, Geometry, Grid, ParallelBeam, evenly_spread

_MOST = 2**14


@dataclass(frozen=True)
class CtSettings:
    """What is simulated.

    views: over arc_degrees, by default half a turn for parallel beams and a whole one for the others. geometry: a name
    in GEOMETRIES. detectors: columns that share the width of the whole image, by default of one pixel each. photons:
    sent along each ray, None for no noise. size: pixels along both sides of the image to reconstruct, by default the
    volume's. slices: first and end, counted from 0. source_mm, detector_mm: from the axis of rotation.
    """

    views: int
    geometry: str = "parallel"
    arc_degrees: float | None = None
    detectors: int | None = None
    photons: float | None = None
    size: int | None = None
    slices: tuple[int, int] | None = None
    seed: int = 0
    source_mm: float = 570.0
    detector_mm: float = 470.0


def beam(grid: Grid, settings: CtSettings) -> Geometry:
    """The geometry for an image. Raises JobError for a scanner that cannot be."""
    if settings.geometry not in GEOMETRIES:
        names = ", ".join(GEOMETRIES)
        raise JobError(f"There is no geometry {settings.geometry!r}.", "", f"Choose one of {names}.")
    counts = (("views", settings.views), ("detectors", settings.detectors))
    for name, count in counts:
        if count is not None and not 1 <= count <= _MOST:
            raise JobError(f"A scan of {count} {name} cannot be made.", "", f"Choose from 1 to {_MOST}.")
    arc = settings.arc_degrees
    if arc is not None and not 0 < abs(arc) <= 36_000:
        raise JobError(f"Views cannot be spread over {arc:g} degrees.", "", "Choose an arc above 0 degrees.")
    return GEOMETRIES[settings.geometry](grid, settings)


def _parallel(grid: Grid, settings: CtSettings) -> Geometry:
    width, pixel = 2 * _radius(grid), min(grid.spacing_mm[:2])
    detectors = settings.detectors or math.ceil(width / pixel)
    pitch = width / detectors if settings.detectors else pixel
    return ParallelBeam(_angles(settings, 180), detectors, pitch)


def _fan(grid: Grid, settings: CtSettings) -> Geometry:
    detectors, pitch = _columns(grid, settings)
    return FanBeam(_angles(settings, 360), detectors, pitch, settings.source_mm, settings.detector_mm)


def _cone(grid: Grid, settings: CtSettings) -> Geometry:
    detectors, pitch = _columns(grid, settings)
    distance = settings.source_mm + settings.detector_mm
    # What lies nearest to the source is thrown highest on the panel.
    height = grid.extent_mm[2] * distance / (settings.source_mm - _radius(grid))
    row = grid.spacing_mm[2] * distance / settings.source_mm
    rows = max(1, math.ceil(height / row))
    if rows > _MOST:
        raise JobError(f"A panel of {rows} rows cannot be made.", "", "Move the source further away.")
    return ConeBeam.circular(
        _angles(settings, 360), rows, detectors, (row, pitch), settings.source_mm, settings.detector_mm
    )


GEOMETRIES: dict[str, Callable[[Grid, CtSettings], Geometry]] = {"parallel": _parallel, "fan": _fan, "cone": _cone}
"""What makes each geometry."""


def _columns(grid: Grid, settings: CtSettings) -> tuple[int, float]:
    """(columns, their pitch in mm) of a detector that sees the circle around the image."""
    radius, source = _radius(grid), settings.source_mm
    distance = source + settings.detector_mm
    if not (math.isfinite(distance) and settings.detector_mm >= 0 and source > 1.01 * radius):
        raise JobError(
            f"A source {source:g} mm and a detector {settings.detector_mm:g} mm from the axis cannot go round it.",
            f"The image reaches {radius:.0f} mm from the axis.",
            f"Move the source further away than {1.01 * radius:.0f} mm, or take a smaller volume.",
        )
    width = 2 * distance * math.tan(math.asin(radius / source))
    pixel = min(grid.spacing_mm[:2]) * distance / source
    detectors = settings.detectors or math.ceil(width / pixel)
    if detectors > _MOST:
        raise JobError(f"{detectors} detectors are too many.", "The source is close.", "Move it further away.")
    return detectors, width / detectors if settings.detectors else pixel


def _radius(grid: Grid) -> float:
    """Of the circle around a slice, mm."""
    return math.hypot(*grid.extent_mm[:2]) / 2


def _angles(settings: CtSettings, usual_degrees: float) -> FloatArray:
    degrees = usual_degrees if settings.arc_degrees is None else settings.arc_degrees
    return evenly_spread(settings.views, math.radians(degrees))
