"""NXtomo, the NeXus application definition for tomography (manual.nexusformat.org, NXtomo), in HDF5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ScanError
from core.formats.angles import radians_of, unit_named
from core.formats.ct_scan import Placing, require_views, scan_of
from core.formats.files import is_hdf5, require_memory, sha256_of
from core.formats.flat_field import Counts, line_integrals
from core.formats.hdf5 import numbers_of, open_hdf5, stored_of
from core.formats.lengths import millimetres
from core.geometry import ParallelBeam
from core.projections import Projections
from core.provenance import Provenance

NAMES_ITS_AXES = True

_DATA = ("instrument/detector/data", "data/data")
_KEY = ("instrument/detector/image_key", "data/image_key")
_ANGLE = ("sample/rotation_angle", "data/rotation_angle")
_PIXEL = "instrument/detector/{}_pixel_size"
_VIEW, _FLAT, _DARK, _INVALID = 0, 1, 2, 3
_BYTES_EACH = 12.0


def claims(path: Path) -> bool:
    """An HDF5 file with an entry whose definition is NXtomo."""
    if not is_hdf5(path):
        return False
    with open_hdf5(path) as file:
        return _entry(file) is not None


def read(path: Path, *, axes: str = "", domain: str = "kspace") -> Projections:
    """The scan, its pictures sorted by image_key (0 view, 1 flat, 2 dark, 3 invalid). Raises ScanError."""
    with open_hdf5(path) as file:
        entry = _entry(file)
        assert entry is not None
        frames = _frames(entry)
        key = _first(entry, _KEY)
        keys = np.zeros(len(frames)) if key is None else numbers_of(key, len(frames))
        keys = keys.astype(np.int64)
        stored = _first(entry, _ANGLE)
        angles = np.empty(0) if stored is None else numbers_of(stored, len(frames))
        unit = "" if stored is None else unit_named(stored.attrs.get("units", "degrees"))
        column, row = (millimetres(entry.get(_PIXEL.format(axis))) for axis in "xy")
    odd = [] if key is not None else ["The file has no image_key; every picture was taken for a projection."]
    counts, white, dark = _sorted(frames, keys, odd)
    views = keys == _VIEW
    turns, unsure = radians_of(angles[views] if angles.size == len(frames) else angles, unit, len(counts))
    odd += unsure
    if not (column or row):
        odd.append("The file does not say the size of its pixels; 1 mm was assumed, so attenuations are per pixel.")
    geometry = ParallelBeam(turns, counts.shape[2], column or row or 1.0)
    told = Provenance(str(path), "NXtomo", sha256_of(path), not_understood=tuple(odd))
    return scan_of(line_integrals(counts, white, dark), geometry, told, Placing(row_mm=row or column or 1.0))


def _entry(file: Any) -> Any:
    """The first group that is defined as NXtomo, or None. Entries may lie one group deep."""
    import h5py

    for group in file.values():
        if not isinstance(group, h5py.Group):
            continue
        for entry in (group, *(g for g in group.values() if isinstance(g, h5py.Group))):
            found = entry.get("definition")
            if isinstance(found, h5py.Dataset) and found.size == 1 and _text(found[()]) == "NXtomo":
                return entry
    return None


def _text(stored: Any) -> str:
    value = np.asarray(stored).ravel()[0]
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).strip()


def _first(entry: Any, names: tuple[str, ...]) -> Any:
    import h5py

    found = (entry.get(name) for name in names)
    return next((f for f in found if isinstance(f, h5py.Dataset)), None)


def _frames(entry: Any) -> Counts:
    stored = _first(entry, _DATA)
    if stored is None or stored.dtype.kind not in "fiu":
        raise ScanError("The file holds no projections.", "instrument/detector/data is missing.", "Export it again.")
    require_views(stored.shape)
    require_memory(_BYTES_EACH * float(np.prod(stored.shape, dtype=np.float64)), "The scan")
    return stored_of(stored)


def _sorted(frames: Counts, keys: Any, odd: list[str]) -> tuple[Counts, Counts | None, Counts | None]:
    """(views, flats or None, darks or None). Raises ScanError where the keys do not fit."""
    if len(keys) != len(frames):
        raise ScanError(
            "The image_key does not match the pictures.",
            f"There are {len(keys)} keys and {len(frames)} pictures.",
            "Export the scan again.",
        )
    if not (keys == _VIEW).any():
        raise ScanError("The file holds no projections.", "No picture has the image_key 0.", "Check the export.")
    left = int(np.isin(keys, (_VIEW, _FLAT, _DARK), invert=True).sum())
    if left:
        odd.append(f"{left} pictures are called invalid or have an unknown image_key; they were left aside.")
    white, dark = (frames[keys == k] if (keys == k).any() else None for k in (_FLAT, _DARK))
    return frames[keys == _VIEW], white, dark
