"""The circular scanner that the views of a cone beam amount to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.geometry import ConeBeam

FloatArray = npt.NDArray[np.float64]

ROUND = 0.02
"""How far source and panel may stray from the circle and from facing the axis, as a share of their size."""


@dataclass(frozen=True, eq=False)
class Circle:
    """source_mm, detector_mm: from the axis. columns_mm, rows_mm: of the panel, from where the ray through the axis in
    the plane of the circle meets it."""

    source_mm: float
    detector_mm: float
    columns_mm: FloatArray
    rows_mm: FloatArray


def circle_of(geometry: ConeBeam) -> Circle:
    """The circle about z, in a plane of constant z, on the average of the views. Raises ScanError if it is none."""
    angles, source = geometry.angles, geometry.source_mm
    zero, one = np.zeros_like(angles), np.ones_like(angles)
    frame = np.stack(
        (
            np.stack((np.cos(angles), np.sin(angles), zero), axis=1),
            np.stack((-np.sin(angles), np.cos(angles), zero), axis=1),
            np.stack((zero, zero, one), axis=1),
        ),
        axis=1,
    )
    height = np.array([0.0, 0.0, source[:, 2].mean()])
    own = [
        np.einsum("vij,vj->vi", frame, v)
        for v in (source - height, geometry.detector_mm - height, geometry.column_mm, geometry.row_mm)
    ]
    mean = [v.mean(axis=0) for v in own]
    source_mm, (offset, detector_mm, lift), column, row = -mean[0][1], mean[1], mean[2], mean[3]
    size = (source_mm, source_mm + detector_mm, np.linalg.norm(column), np.linalg.norm(row))
    if not (source_mm > 0 and source_mm + detector_mm > 0):
        raise _no_circle()
    strays = [np.abs(v - m).max() / s for v, m, s in zip(own, mean, size, strict=True)]
    tilts = [abs(column[1]) / size[2], abs(column[2]) / size[2], abs(row[0]) / size[3], abs(row[1]) / size[3]]
    if max(*strays, *tilts) > ROUND:
        raise _no_circle()
    columns = (np.arange(geometry.columns) - (geometry.columns - 1) / 2) * column[0] + offset
    rows = (np.arange(geometry.rows) - (geometry.rows - 1) / 2) * row[2] + lift
    return Circle(float(source_mm), float(detector_mm), columns, rows)


def _no_circle() -> ScanError:
    return ScanError(
        "The Feldkamp method needs a circular scan.",
        "Source and panel of this scan do not turn about the z axis on a circle, the panel upright.",
        "Use CGLS, SIRT, total variation or DDS, which take any trajectory.",
    )
