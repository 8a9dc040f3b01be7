"""Data Exchange HDF5 of synchrotrons (De Carlo et al. 2014, doi 10.1107/S160057751401604X), and CT files of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ScanError
from core.formats.angles import radians_of, unit_named
from core.formats.ct_grid import require_seen
from core.formats.ct_scan import Placing, require_views, scan_of
from core.formats.files import is_hdf5, require_memory, sha256_of
from core.formats.flat_field import Counts, line_integrals
from core.formats.hdf5 import numbers_of, open_hdf5, stored_of
from core.formats.lengths import millimetres
from core.formats.scan_record import from_record
from core.geometry import ParallelBeam, evenly_spread
from core.projections import Projections
from core.provenance import Provenance

NAMES_ITS_AXES = True

OWN_GROUP = "dds_viewer"
OWN_RECORD = "scan"
_DETECTOR = "measurement/instrument/detector"
_BYTES_EACH = 12.0


def claims(path: Path) -> bool:
    """An HDF5 file with a stack of pictures at exchange/data."""
    import h5py

    if not is_hdf5(path):
        return False
    with open_hdf5(path) as file:
        return isinstance(file.get("exchange/data"), h5py.Dataset)


def read(path: Path, *, axes: str = "", domain: str = "kspace") -> Projections:
    """The scan, corrected by its flat and dark field; a file of our own as its record says. Raises ScanError."""
    with open_hdf5(path) as file:
        counts = _array(file, "exchange/data")
        assert counts is not None
        require_views(counts.shape)
        white, dark = _array(file, "exchange/data_white"), _array(file, "exchange/data_dark")
        record = _record(file)
        angles, odd = (np.empty(0), []) if record else _angles(file, counts.shape[0])
        columns_mm, rows_mm = (0.0, 0.0) if record else _pixel(file, odd)
        vendor = _words(file, "measurement/instrument/name")
    told = Provenance(str(path), "Data Exchange", sha256_of(path), vendor=vendor, not_understood=tuple(odd))
    if record:
        return _own(counts, white, dark, record, told)
    corrected = line_integrals(counts, white, dark)
    geometry = ParallelBeam(angles, counts.shape[2], columns_mm)
    return scan_of(corrected, geometry, told, Placing(row_mm=rows_mm))


def _own(
    counts: Counts, white: Counts | None, dark: Counts | None, record: dict[str, Any], told: Provenance
) -> Projections:
    """A scan that this program wrote: what its record says, and line integrals without any further correction."""
    fields = from_record(record)
    corrected = line_integrals(counts, white, dark, as_meant=True)
    odd = [s for s in corrected.not_understood if not s.startswith("The flat field is the same everywhere")]
    told = Provenance(**told.__dict__ | {"done": corrected.done, "not_understood": tuple(odd)})
    scan = Projections(corrected.integrals, provenance=told, valid=corrected.valid, **fields)
    require_seen(scan.geometry, scan.grid)
    return scan


def _record(file: Any) -> dict[str, Any]:
    """The record of a file of our own: an attribute, or a dataset where it is too long for one. {} if there is none."""
    import h5py

    group = file.get(OWN_GROUP)
    if group is None:
        return {}
    stored = group.attrs.get(OWN_RECORD)
    apart: Any = group.get(OWN_RECORD) if isinstance(group, h5py.Group) else None
    text = isinstance(apart, h5py.Dataset) and apart.shape == () and h5py.check_string_dtype(apart.dtype)
    if stored is None and text:
        stored = apart[()]
    try:
        text = stored.decode() if isinstance(stored, bytes) else str(stored)
        record = json.loads(text)
    except ValueError as error:
        raise ScanError(
            "What the file tells of its geometry is damaged.", str(error), "Make the file again."
        ) from error
    if not isinstance(record, dict) or not record:
        raise ScanError("What the file tells of its geometry is damaged.", "It is no record.", "Make the file again.")
    return record


def _array(file: Any, name: str) -> Counts | None:
    """A dataset of numbers, or None if there is none. Raises ScanError if it is too large."""
    import h5py

    found = file.get(name)
    if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "fiu":
        if name == "exchange/data":
            raise ScanError("The projections are no numbers.", f"{name} holds something else.", "Export it again.")
        return None
    require_memory(_BYTES_EACH * float(np.prod(found.shape, dtype=np.float64)), "The scan")
    return stored_of(found)


def _angles(file: Any, views: int) -> tuple[Any, list[str]]:
    stored = file.get("exchange/theta")
    if stored is None:
        told = "The file holds no angles; the views were spread evenly over half a turn."
        return evenly_spread(views), [told]
    return radians_of(numbers_of(stored, views), unit_named(stored.attrs.get("units", "degrees")), views)


def _pixel(file: Any, odd: list[str]) -> tuple[float, float]:
    """Size (column, row) in mm of a pixel in the object; 1 mm with a sentence where the file does not say."""
    found = []
    for axis in "xy":
        names = (f"actual_pixel_size_{axis}", f"pixel_size_{axis}", f"{axis}_pixel_size")
        sizes = (millimetres(file.get(f"{_DETECTOR}/{name}")) for name in names)
        found.append(next((s for s in sizes if s), 0.0))
    column, row = found[0] or found[1], found[1] or found[0]
    if not column:
        odd.append("The file does not say the size of its pixels; 1 mm was assumed, so attenuations are per pixel.")
        return 1.0, 1.0
    return column, row


def _words(file: Any, name: str) -> str:
    import h5py

    found = file.get(name)
    if not isinstance(found, h5py.Dataset) or found.size != 1:
        return ""
    stored = np.asarray(found[()]).ravel()[0]
    return stored.decode("utf-8", "replace")[:80] if isinstance(stored, bytes) else str(stored)[:80]
