"""Projections as TIFF pictures with a small geometry.toml beside them.

geometry.toml of a fan-beam scan; what a line says after # may be left out with the line unless it is called needed:

    geometry = "fan"                                  # needed: parallel, fan or cone
    angles = { start = 0, step = 0.5, count = 720 }   # needed: this, or a list with an angle for each picture
    unit = "degrees"                                  # or radians
    what = "counts"                                   # or attenuation: line integrals, after the logarithm
    pictures = "*.tif"                                # in alphabetical order; else all .tif and .tiff beside it
    flat = "flat/*.tif"                               # without an object
    dark = "dark/*.tif"                               # without a beam
    pixel_mm = 0.2                                    # or [row, column]; 1 is assumed
    source_mm = 410.66                                # needed for fan and cone: source to rotation axis
    detector_mm = 143.08                              # needed for fan and cone: detector to rotation axis
    centre = 279.5                                    # the column on which the axis falls; found for parallel beams,
                                                      # else the middle

Each picture is a view (row, column), or a page of one file. Angles are counted as in core.geometry.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from core.errors import ScanError
from core.formats.ct_scan import Placing, note, scan_of
from core.formats.files import check_beside, sha256_of
from core.formats.flat_field import Corrected, line_integrals
from core.formats.tiff_geometry import NAME, TiffGeometry, read_geometry
from core.formats.tiff_pictures import SUFFIXES, pages_of, pictures_of, read_pictures
from core.geometry import ConeBeam, FanBeam, Geometry, ParallelBeam
from core.projections import Projections
from core.provenance import Provenance

NAMES_ITS_AXES = True


def claims(path: Path) -> bool:
    """A folder with a geometry.toml, the file itself, or a TIFF picture beside one."""
    if path.is_dir():
        return (path / NAME).is_file()
    if path.suffix.lower() == ".toml":
        return True
    return path.suffix.lower() in SUFFIXES and path.with_name(NAME).is_file()


def read(path: Path, *, axes: str = "", domain: str = "kspace") -> Projections:
    """The scan of a folder, of its geometry.toml, or of one TIFF with a page for each view. Raises ScanError."""
    toml = path / NAME if path.is_dir() else path if path.suffix.lower() == ".toml" else path.with_name(NAME)
    told = read_geometry(toml if toml == path else check_beside(toml, toml.parent))
    files = _files(path, toml, told)
    counts = read_pictures(files)
    angles, odd = told.angles_for(len(counts))
    parts = [*files]
    if told.attenuation:
        integrals = np.ascontiguousarray(np.moveaxis(np.asarray(counts, dtype=np.float32), 1, 0))
        corrected = Corrected(integrals, done=("Line integrals as the pictures hold them.",))
    else:
        flat, dark = (
            pictures_of(toml.parent, p, n) if p else [] for p, n in ((told.flat, "flat"), (told.dark, "dark"))
        )
        parts += [*flat, *dark]
        corrected = line_integrals(counts, read_pictures(flat) if flat else None, read_pictures(dark) if dark else None)
    provenance = Provenance(str(path), "TIFF pictures", _digest([toml, *parts]), not_understood=tuple(odd))
    geometry = _geometry(told, angles, counts.shape)
    is_cone = isinstance(geometry, ConeBeam)
    placing = Placing(
        rings=not told.attenuation,
        centre=None if is_cone else told.centre,
        row_mm=told.pixel_mm[0],
    )
    scan = scan_of(corrected, geometry, provenance, placing)
    if told.pixel_known:
        return scan
    return note(scan, "geometry.toml does not say pixel_mm; 1 mm was assumed, so attenuations are per pixel.")


def _files(path: Path, toml: Path, told: TiffGeometry) -> list[Path]:
    """The file that was named where it holds all views, else the pictures beside geometry.toml."""
    if path.suffix.lower() in SUFFIXES and pages_of(path) == len(told.angles):
        return [path]
    return pictures_of(toml.parent, told.pictures, "pictures")


def _geometry(
    told: TiffGeometry, angles: np.ndarray[tuple[int, ...], np.dtype[np.float64]], shape: tuple[int, ...]
) -> Geometry:
    _, rows, columns = shape
    row_mm, column_mm = told.pixel_mm
    if told.kind is ParallelBeam:
        return ParallelBeam(angles, columns, column_mm)
    source, detector = told.distances()
    if told.kind is FanBeam:
        return FanBeam(angles, columns, column_mm, source, detector)
    middle = (columns - 1) / 2
    centre = middle if told.centre is None else told.centre
    if not 0 <= centre <= columns - 1:
        raise ScanError(
            "The axis of rotation lies outside the detector.",
            f"Column {centre:g} was named; they run from 0 to {columns - 1}.",
            "Correct centre in geometry.toml.",
        )
    offset = (0.0, (middle - centre) * column_mm)
    return ConeBeam.circular(angles, rows, columns, (row_mm, column_mm), source, detector, offset)


def _digest(files: list[Path]) -> str:
    """SHA-256 of a single file, or of the digests of several in their order."""
    digests = [sha256_of(file) for file in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
