"""Pictures of a CT measurement itself: sinograms and projections, with the axis of rotation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

import numpy as np

from app.state.display import PROJECTIONS, RESULT, SINOGRAM
from app.state.picture import Levels, Picture
from app.state.runs import Shown
from core.geometry import ConeBeam, Geometry
from core.projections import Projections
from core.scan import KSpace, Scan


@dataclass(frozen=True, eq=False)
class Measured:
    """A stack of pictures drawn straight from the scan's data, without a copy.

    spacing: of the pixels (across, down); millimetres tells whether it is in mm, else it only gives a good shape.
    family: the pictures that share its frame.
    """

    caption: str
    picture: Picture
    levels: Levels
    spacing: tuple[float, float]
    family: str
    frame_word: str
    millimetres: bool = False

    def shown(self, view: str) -> Shown:
        return Shown(None, view, self.picture, self.caption, self.family)


@singledispatch
def measured_of(scan: Scan) -> dict[str, Measured]:
    """The pictures of what was measured, by view. Costs a pass over the data."""
    raise TypeError(type(scan))


@measured_of.register
def _(scan: KSpace) -> dict[str, Measured]:
    return {}


@measured_of.register
def _(scan: Projections) -> dict[str, Measured]:
    cone = isinstance(scan.geometry, ConeBeam)
    sinogram, projections = Picture(scan.data, ""), Picture(np.moveaxis(scan.data, 1, 0), "")
    levels = sinogram.range()
    shape = (1.0, scan.columns / scan.views)
    family, word = (SINOGRAM, "panel row") if cone else (RESULT, "slice")
    found = {SINOGRAM: Measured("Sinogram", sinogram, levels, shape, family, word)}
    if scan.rows > 1:
        pitch = pixel_mm(scan)
        found[PROJECTIONS] = Measured("Projections", projections, levels, pitch, PROJECTIONS, "view", True)
    return found


def pixel_mm(scan: Projections) -> tuple[float, float]:
    """A detector pixel, mm (across, down)."""
    geometry = scan.geometry
    if isinstance(geometry, ConeBeam):
        return float(np.linalg.norm(geometry.column_mm[0])), float(np.linalg.norm(geometry.row_mm[0]))
    return geometry.pitch_mm, scan.grid.spacing_mm[2]


def axis_column(geometry: Geometry, view: int = 0) -> float:
    """The detector column, from 0, on which the axis of rotation falls; of a panel at its middle row.

    Where a cone beam's axis cannot be seen, the middle of the panel.
    """
    if not isinstance(geometry, ConeBeam):
        return (geometry.detectors - 1) / 2 - geometry.offset_mm / geometry.pitch_mm
    source, middle = geometry.source_mm[view], geometry.detector_mm[view]
    column, row = geometry.column_mm[view], geometry.row_mm[view]
    # From the source through the origin: source (1 - s) = middle + c column + r row.
    matrix = np.stack((column, row, source), axis=1)
    if abs(np.linalg.det(matrix)) < 1e-12:
        return (geometry.columns - 1) / 2
    across, _, _ = np.linalg.solve(matrix, source - middle)
    return float(across + (geometry.columns - 1) / 2)
