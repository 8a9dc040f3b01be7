"""CT scans as Data Exchange HDF5 (De Carlo et al. 2014, doi 10.1107/S160057751401604X), with a record of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from core.export import ExportError
from core.export.hdf5 import made_in_memory
from core.export.whole import write_whole
from core.formats.scan_record import to_record
from core.projections import Projections

OWN_GROUP = "dds_viewer"
OWN_RECORD = "scan"
_LONGEST_ATTRIBUTE = 60_000
"""HDF5 keeps no attribute above 64 KiB; a longer record becomes a dataset of the same name."""


def save_projections(scan: Projections, path: str | Path, title: str = "") -> None:
    """Write a simulated or thinned scan; core.formats.dataexchange reads it back as it is.

    exchange/data: counts, float32 (view, row, column), photons * exp(-line integral), whole numbers where the photons
    of a simulated scan are known; a share of 1 where they are not; 0 where nothing can be trusted. data_white: what was
    sent; data_dark: zeros. theta: degrees. Geometry, grid and place are in dds_viewer/scan. Raises ExportError; then
    nothing is left behind.
    """
    path = Path(path)
    if not path.name.lower().endswith((".h5", ".hdf5", ".hdf")):
        raise ExportError(f"A CT scan is not written as {path.name}.", "", "End the name in .h5.")
    if not path.parent.is_dir():
        raise ExportError(f"The folder {path.parent} does not exist.", "", "Make it, or choose another.")
    try:
        write_whole(path, ".h5", lambda part: _write(scan, part, title))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ExportError(f"{path.name} could not be written.", f"{reason}.", "Choose another place.") from error


def _write(scan: Projections, path: Path, title: str) -> None:
    import h5py

    kind = "Simulated" if scan.simulated else "Thinned"
    with made_in_memory(path, scan.data.nbytes) as made, h5py.File(made, "w") as file:
        file["implements"] = "exchange"
        group = file.create_group("exchange")
        group["title"] = title or f"{kind} CT scan of {scan.views} views, by DDS Viewer"
        _counts(scan, group)
        theta = group.create_dataset("theta", data=np.degrees(scan.geometry.angles))
        theta.attrs["units"] = "degrees"
        own = file.create_group(OWN_GROUP)
        record = json.dumps(to_record(scan))
        if len(record) < _LONGEST_ATTRIBUTE:
            own.attrs[OWN_RECORD] = record
        else:
            own[OWN_RECORD] = record


def _counts(scan: Projections, group: Any) -> None:
    """Counts view by view, the views first as the format wants them, so that no second copy of a big scan is made."""
    sent = 1.0 if scan.photons is None else scan.photons
    whole = scan.photons is not None and scan.simulated
    shape = scan.views, scan.rows, scan.columns
    valid = None if scan.valid is None else np.broadcast_to(scan.valid, scan.data.shape)
    packing: dict[str, Any] = {"compression": "gzip", "shuffle": True, "chunks": (1, *shape[1:])}
    data = group.create_dataset("data", shape, dtype="float32", **packing)
    for view in range(scan.views):
        counts = sent * np.exp(-scan.data[:, view].astype(np.float64))
        counts = np.rint(counts) if whole else counts
        # Readers take no count at all for a measurement that failed.
        data[view] = counts if valid is None else np.where(valid[:, view], counts, 0)
    group.create_dataset("data_white", data=np.full((1, *shape[1:]), sent, np.float32), **packing)
    group.create_dataset("data_dark", data=np.zeros((1, *shape[1:]), np.float32), **packing)
    for name in ("data", "data_white", "data_dark"):
        group[name].attrs["units"] = "counts"
