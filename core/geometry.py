"""Where the rays of a CT scan run, and the voxels that they cross. Millimetres and radians.

All geometries share one frame: x along the columns of an image, y along its rows (downwards), z along its slices, the
origin where the axis of rotation, which is z, meets the middle of the detector's rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """The voxels of an image, centred on the origin except for centre_mm.

    shape: (slices, rows, columns). spacing_mm, centre_mm: (x, y, z). Raises ScanError for numbers that make no grid.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        good = min(self.shape) >= 1 and all(np.isfinite(s) and s > 0 for s in self.spacing_mm)
        _require(
            good and bool(np.isfinite(self.centre_mm).all()),
            f"An image of {self.shape} voxels of {self.spacing_mm} mm.",
            "Give whole numbers of voxels, of a size above 0 mm.",
        )

    @property
    def extent_mm(self) -> tuple[float, float, float]:
        """(x, y, z)."""
        x, y, z = (n * s for n, s in zip(self.shape[::-1], self.spacing_mm, strict=True))
        return x, y, z


@dataclass(frozen=True, eq=False)
class ParallelBeam:
    """Parallel rays in every slice.

    angles: radians, (views,). At angle t the detector's axis is (cos t, sin t) in (x, y), x along the columns and y
    along the rows of the image (downwards), and the rays run along (-sin t, cos t). detectors: bins of pitch_mm, the
    middle of bin i at (i - (detectors - 1) / 2) pitch_mm + offset_mm from the ray through the middle of the image,
    about which everything turns. Raises ScanError for numbers that make no scanner.
    """

    angles: FloatArray
    detectors: int
    pitch_mm: float
    offset_mm: float = 0.0

    def __post_init__(self) -> None:
        _check_arc(self)

    @property
    def views(self) -> int:
        return len(self.angles)

    @property
    def bins_mm(self) -> FloatArray:
        """The middle of each detector bin, mm from the axis of rotation, (detectors,)."""
        return _bins(self.detectors, self.pitch_mm, self.offset_mm)

    def keep(self, views: npt.NDArray[np.int64]) -> ParallelBeam:
        """The same scanner with only some of its views, by their indices."""
        return replace(self, angles=self.angles[views])


@dataclass(frozen=True, eq=False)
class FanBeam:
    """Rays from one point in every slice.

    angles, detectors, pitch_mm and offset_mm as in ParallelBeam, the offset in the detector's plane. source_mm: from
    the axis of rotation to the source. detector_mm: from the axis to the detector. At angle t the source is at
    source_mm (sin t, -cos t) and the middle of the detector at detector_mm (-sin t, cos t), so that the middle ray runs
    like ParallelBeam's. curved: the bins lie on an arc about the source, pitch_mm apart along it; else on a line.
    """

    angles: FloatArray
    detectors: int
    pitch_mm: float
    source_mm: float
    detector_mm: float
    offset_mm: float = 0.0
    curved: bool = False

    def __post_init__(self) -> None:
        _check_arc(self)
        _check_distances(self.source_mm, self.detector_mm)

    @property
    def views(self) -> int:
        return len(self.angles)

    @property
    def magnification(self) -> float:
        """Of what lies on the axis of rotation."""
        return (self.source_mm + self.detector_mm) / self.source_mm

    @property
    def bins_mm(self) -> FloatArray:
        """The middle of each detector bin along the detector, mm from the ray through the axis, (detectors,)."""
        return _bins(self.detectors, self.pitch_mm, self.offset_mm)

    @property
    def fan_angles(self) -> FloatArray:
        """Of each bin's ray against the ray through the axis of rotation, radians, (detectors,)."""
        distance = self.source_mm + self.detector_mm
        return self.bins_mm / distance if self.curved else np.arctan(self.bins_mm / distance)

    def keep(self, views: npt.NDArray[np.int64]) -> FanBeam:
        """The same scanner with only some of its views, by their indices."""
        return replace(self, angles=self.angles[views])


@dataclass(frozen=True, eq=False)
class ConeBeam:
    """Rays from a point to a flat panel, each view placed freely, so that any trajectory can be told.

    source_mm, detector_mm: (views, 3), the source and the middle of the panel. column_mm, row_mm: (views, 3), the step
    from one column or row of the panel to the next. rows, columns: of the panel.
    """

    source_mm: FloatArray
    detector_mm: FloatArray
    column_mm: FloatArray
    row_mm: FloatArray
    rows: int
    columns: int

    def __post_init__(self) -> None:
        names = ("source_mm", "detector_mm", "column_mm", "row_mm")
        for name in names:
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        shape = self.source_mm.shape
        good = len(shape) == 2 and shape[0] > 0 and shape[1] == 3 and min(self.rows, self.columns) >= 1
        good = good and all(getattr(self, n).shape == shape and np.isfinite(getattr(self, n)).all() for n in names)
        _require(
            good,
            f"Sources {shape}, a panel of {self.rows} x {self.columns}.",
            "Give source, detector, column and row as finite (views, 3) in mm.",
        )
        flat = np.linalg.norm(np.cross(self.column_mm, self.row_mm), axis=1).min() > 0
        apart = np.linalg.norm(self.source_mm - self.detector_mm, axis=1).min() > 0
        _require(
            bool(flat and apart), "A panel without an area, or a source on it.", "Check the distances and pitches."
        )

    @classmethod
    def circular(
        cls,
        angles: FloatArray,
        rows: int,
        columns: int,
        pitch_mm: tuple[float, float],
        source_mm: float,
        detector_mm: float,
        offset_mm: tuple[float, float] = (0.0, 0.0),
    ) -> ConeBeam:
        """A source on a circle about z, placed at each angle as in FanBeam. pitch_mm, offset_mm: (row, column)."""
        _check_distances(source_mm, detector_mm)
        t = np.asarray(angles, dtype=np.float64)
        zero = np.zeros_like(t)
        along = np.stack((-np.sin(t), np.cos(t), zero), axis=1)
        column = np.stack((np.cos(t), np.sin(t), zero), axis=1)
        row = np.broadcast_to([0.0, 0.0, 1.0], along.shape)
        detector = detector_mm * along + offset_mm[1] * column + offset_mm[0] * row
        return cls(-source_mm * along, detector, pitch_mm[1] * column, pitch_mm[0] * row, rows, columns)

    @property
    def views(self) -> int:
        return len(self.source_mm)

    @property
    def detectors(self) -> int:
        """Columns of the panel."""
        return self.columns

    @property
    def angles(self) -> FloatArray:
        """Of each source about z, counted as in FanBeam, radians, (views,)."""
        return np.arctan2(self.source_mm[:, 0], -self.source_mm[:, 1])

    def keep(self, views: npt.NDArray[np.int64]) -> ConeBeam:
        """The same scanner with only some of its views, by their indices."""
        parts = {n: getattr(self, n)[views] for n in ("source_mm", "detector_mm", "column_mm", "row_mm")}
        return replace(self, **parts)


Geometry = ParallelBeam | FanBeam | ConeBeam
"""Any geometry; code tells them apart by type."""


def evenly_spread(views: int, arc: float = np.pi) -> FloatArray:
    """The angles of so many views over an arc in radians, the end left out."""
    return np.arange(views, dtype=np.float64) * (arc / views)


def _bins(count: int, pitch_mm: float, offset_mm: float) -> FloatArray:
    return (np.arange(count, dtype=np.float64) - (count - 1) / 2) * pitch_mm + offset_mm


def _check_arc(geometry: Any) -> None:
    """Make the angles an array, and refuse what parallel and fan beams cannot have."""
    angles = np.asarray(geometry.angles, dtype=np.float64)
    object.__setattr__(geometry, "angles", angles)
    good = angles.ndim == 1 and angles.size > 0 and bool(np.isfinite(angles).all())
    good = good and geometry.detectors >= 1 and geometry.pitch_mm > 0
    _require(
        good and bool(np.isfinite([geometry.pitch_mm, geometry.offset_mm]).all()),
        f"{angles.size} angles, {geometry.detectors} detectors of {geometry.pitch_mm:g} mm.",
        "Give finite angles, and detectors of a size above 0 mm.",
    )


def _check_distances(source_mm: float, detector_mm: float) -> None:
    _require(
        bool(np.isfinite([source_mm, detector_mm]).all()) and source_mm > 0 and detector_mm >= 0,
        f"The source is {source_mm:g} mm and the detector {detector_mm:g} mm from the axis.",
        "Give the distances of source and detector from the axis of rotation in mm.",
    )


def _require(good: bool, why: str, try_this: str) -> None:
    if not good:
        raise ScanError("The geometry of the scan makes no sense.", why, try_this)
