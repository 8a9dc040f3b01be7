"""The card of a CT scan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.formats.card import UNKNOWN, Card, millimetres, orientation_of
from core.geometry import ConeBeam, FanBeam, Geometry
from core.projections import Projections


@dataclass(frozen=True, kw_only=True)
class ProjectionsInfo(Card):
    """The card of a CT scan.

    name: of the file, without its folder. arc_degrees: from the first to the last view. detector: (rows, columns).
    pitch_mm: (row, column), the row's for a cone only, else None. axis_column: on which the axis of rotation falls;
    None for a cone beam, whose views are each placed in space. distances_mm: (source, detector) from the axis, None for
    parallel beams. matrix, voxel_mm: of the image, (x, y, z). valid_share: of the measurements that can be trusted.
    orientation: patient letters towards which x, y and z grow, or "unknown". identifiers: in neither to_dict nor lines
    unless asked for.
    """

    name: str
    format: str
    sha256: str
    geometry: str
    views: int
    arc_degrees: float
    detector: tuple[int, int]
    pitch_mm: tuple[float | None, float]
    axis_column: float | None
    distances_mm: tuple[float, float] | None
    matrix: tuple[int, int, int]
    voxel_mm: tuple[float, float, float]
    photons: float | None
    hounsfield: bool
    valid_share: float

    def lines(self, identifiers: bool = False) -> list[tuple[str, str]]:
        """(label, value) pairs in the order to show them; what is done and not understood takes a pair each."""
        x, y, z = self.matrix
        size = (n * s for n, s in zip(self.matrix, self.voxel_mm, strict=True))
        rows = [
            ("File", self.name),
            ("Format", self.format),
            ("Geometry", self.geometry),
            ("Views", f"{self.views} over {self.arc_degrees:.4g} degrees"),
            ("Detector", _detector(self)),
        ]
        rows += [("Rotation axis", f"column {self.axis_column:.2f}")] if self.axis_column is not None else []
        rows += [("Distances", _distances(self.distances_mm))] if self.distances_mm else []
        rows += [
            ("Image", f"{x} x {y}" + (f" x {z}" if z > 1 else "")),
            ("Voxel size", millimetres(self.voxel_mm)),
            ("Field of view", millimetres(tuple(size))),
            ("Photons", f"{self.photons:.3g} a ray" if self.photons else UNKNOWN),
            ("Units", "HU" if self.hounsfield else "1/mm"),
            ("Orientation", self.orientation),
            ("Vendor", self.vendor or UNKNOWN),
        ]
        rows += [("Trusted", f"{self.valid_share:.2%} of the measurements")] if self.valid_share < 1 else []
        return rows + self.last_lines(identifiers)


def describe_projections(scan: Projections) -> ProjectionsInfo:
    """Gather what is known of a CT scan."""
    told, (nz, ny, nx) = scan.provenance, scan.picture_shape
    kind, pitch, axis, distances = _geometry(scan.geometry)
    turns = np.unwrap(scan.geometry.angles) if isinstance(scan.geometry, ConeBeam) else scan.geometry.angles
    return ProjectionsInfo(
        name=Path(told.path).name,
        format=told.format,
        sha256=told.sha256,
        geometry=kind,
        views=scan.views,
        arc_degrees=float(np.degrees(np.ptp(turns))),
        detector=(scan.rows, scan.columns),
        pitch_mm=pitch,
        axis_column=axis,
        distances_mm=distances,
        matrix=(nx, ny, nz),
        voxel_mm=scan.picture_spacing_mm,
        photons=scan.photons,
        hounsfield=scan.hounsfield,
        valid_share=1.0 if scan.valid is None else float(scan.valid.mean()),
        simulated=scan.simulated,
        undersampled=scan.undersampled,
        orientation=orientation_of(scan.picture_affine),
        vendor=told.vendor,
        contrast=scan.contrast,
        anatomy=scan.anatomy,
        done=told.done,
        not_understood=told.not_understood,
        identifiers=dict(told.identifiers),
    )


Told = tuple[str, tuple[float | None, float], float | None, tuple[float, float] | None]


def _geometry(geometry: Geometry) -> Told:
    """(kind, pitch (row, column), column of the axis, distances (source, detector)); medians over the views."""
    if isinstance(geometry, ConeBeam):
        row, column = (float(np.median(np.linalg.norm(s, axis=1))) for s in (geometry.row_mm, geometry.column_mm))
        source = float(np.median(np.linalg.norm(geometry.source_mm, axis=1)))
        whole = float(np.median(np.linalg.norm(geometry.detector_mm - geometry.source_mm, axis=1)))
        return "cone beam", (row, column), None, (source, whole - source)
    axis = (geometry.detectors - 1) / 2 - geometry.offset_mm / geometry.pitch_mm
    if isinstance(geometry, FanBeam):
        kind = "fan beam, curved detector" if geometry.curved else "fan beam"
        return kind, (None, geometry.pitch_mm), axis, (geometry.source_mm, geometry.detector_mm)
    return "parallel beam", (None, geometry.pitch_mm), axis, None


def _detector(info: ProjectionsInfo) -> str:
    rows, columns = info.detector
    row, column = info.pitch_mm
    size = f"{column:.4g} mm" if row is None or row == column else f"{row:.4g} x {column:.4g} mm"
    return f"{rows} rows x {columns} columns of {size}"


def _distances(distances: tuple[float, float]) -> str:
    return f"source {distances[0]:.4g} mm and detector {distances[1]:.4g} mm from the axis"
