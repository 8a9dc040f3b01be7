"""From line integrals and a geometry to a scan: what the readers of CT formats share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.errors import ScanError
from core.formats.angles import arc_of
from core.formats.ct_grid import default_grid, require_seen
from core.formats.flat_field import Corrected
from core.formats.rings import without_stripes
from core.formats.rotation_centre import find_centre, mirror_mismatch, recentred
from core.geometry import ConeBeam, Geometry, Grid, ParallelBeam
from core.projections import Projections
from core.provenance import Provenance

_ARC_FOR_RINGS = np.pi / 2
_ARC_FOR_CENTRE = 0.8 * np.pi
_MIRRORED = 0.2
_NEAR_MIDDLE = 0.75


@dataclass(frozen=True)
class Placing:
    """How a reader wants its scan finished.

    rings: take stripes out. centre: the axis's column where the file names it. search: look for it where it does not.
    middle_first: keep the middle of the detector where the search ends next to it. row_mm: distance of the slices on
    the detector, 0 for the pitch. grid: the image, None for the default one.
    """

    rings: bool = True
    centre: float | None = None
    search: bool = True
    middle_first: bool = False
    row_mm: float = 0.0
    grid: Grid | None = None


def scan_of(corrected: Corrected, geometry: Geometry, provenance: Provenance, placing: Placing) -> Projections:
    """Take stripes out, find the rotation axis, choose the image and check that all hangs together.

    Raises ScanError.
    """
    done = [*provenance.done, *corrected.done]
    odd = [*provenance.not_understood, *corrected.not_understood]
    data = corrected.integrals
    if placing.rings and not isinstance(geometry, ConeBeam) and arc_of(geometry.angles) >= _ARC_FOR_RINGS:
        data, count = without_stripes(data)
        done += [f"Stripes taken out of {count} detector columns."] if count else []
    grid = placing.grid or default_grid(geometry, len(data), placing.row_mm)
    told = replace(provenance, done=tuple(done), not_understood=tuple(odd))
    scan = Projections(data, geometry, grid, told, valid=corrected.valid)
    scan = _centred(scan, placing)
    require_seen(scan.geometry, scan.grid)
    return scan


def note(scan: Projections, sentence: str) -> Projections:
    """The scan with one sentence more on what was not understood."""
    told = scan.provenance
    return scan.with_changes(provenance=replace(told, not_understood=(*told.not_understood, sentence)))


def require_views(shape: tuple[int, ...], what: str = "The projections") -> None:
    """Raise ScanError unless there are views, rows and columns."""
    if len(shape) != 3 or 0 in shape:
        raise ScanError(
            f"{what} are no stack of pictures.",
            f"Their shape is {tuple(shape)}; it should be views, rows and columns.",
            "Check that the file is complete.",
        )


def _centred(scan: Projections, placing: Placing) -> Projections:
    """The axis where the file says, where it is found, or in the middle of the detector with a sentence on it."""
    if placing.centre is not None:
        return recentred(scan, placing.centre)
    if not isinstance(scan.geometry, ParallelBeam) or not placing.search:
        return scan
    angles, data = scan.geometry.angles, scan.data
    if scan.columns < 8 or arc_of(angles) < _ARC_FOR_CENTRE:
        return note(scan, "The views cover too small an arc to find the rotation axis; it was put in the middle.")
    column, middle = find_centre(data, angles), (scan.columns - 1) / 2
    if placing.middle_first and abs(column - middle) < _NEAR_MIDDLE:
        column = middle
    else:
        scan = recentred(scan, column)
        told = scan.provenance
        found = (*told.done[:-1], f"Rotation axis found at column {column:.2f}.")
        scan = scan.with_changes(provenance=replace(told, done=found))
    mismatch = mirror_mismatch(data, angles, column)
    if mismatch is not None and mismatch > _MIRRORED:
        return note(
            scan,
            f"Opposite views do not mirror each other ({mismatch:.0%} off): the beam may be no parallel one, or the "
            "angles are wrong.",
        )
    return scan
