"""Says in words what a file is that no reader claims."""

from __future__ import annotations

import struct
from pathlib import Path

from core.errors import ScanError
from core.formats.files import head_of, is_hdf5
from core.formats.hdf5 import open_hdf5

READABLE = (
    "Raw data can be read from ISMRMRD (.h5, .mrd), fastMRI (.h5), BART (.cfl with .hdr), Siemens twix (.dat), "
    "Data Exchange and NXtomo (.h5, .nxs), TIFF with a geometry.toml, RTK projections (.mha with .xml) and arrays "
    "(.npy, .npz, .mat)."
)

SIMULATE = "To try a method on it, make a scan of it first: dds-viewer simulate, or Simulate in the window."

_MAGIC = (
    (b"II*\0", "a TIFF picture; projections need a geometry.toml beside them"),
    (b"MM\0*", "a TIFF picture; projections need a geometry.toml beside them"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive without arrays in it"),
    (b"\x1f\x8b", "a file compressed with gzip"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"MATLAB", "a MATLAB file of a version that is not read"),
)


def explain(path: Path) -> ScanError:
    """The error for a file that no reader claims; itself raises ScanError for a damaged HDF5 file."""
    start = head_of(path, 352)
    image = _reconstructed(path, start)
    if image:
        return ScanError(
            f"{path.name} is a reconstructed image ({image}), not raw data.",
            "Its k-space or projections have not been kept, so there is nothing to reconstruct.",
            f"{SIMULATE} {READABLE}",
        )
    if is_hdf5(path):
        return _hdf5(path)
    found = next((words for magic, words in _MAGIC if start.startswith(magic)), "")
    return ScanError(
        f"{path.name} is not a raw scan that this program knows.",
        f"It is {found}." if found else "Its first bytes belong to no known format.",
        READABLE,
    )


def _reconstructed(path: Path, start: bytes) -> str:
    """The name of an image format, or an empty string."""
    name = path.name.lower()
    if start[128:132] == b"DICM" or name.endswith((".dcm", ".ima")):
        return "DICOM"
    sizes = {struct.pack(order + "i", size) for order in "<>" for size in (348, 540)}
    if name.endswith((".nii", ".nii.gz", ".mgz", ".mgh")) or (start[:4] in sizes and len(start) >= 348):
        return "NIfTI" if "mg" not in name[-4:] else "MGH"
    if start.startswith(b"NRRD"):
        return "NRRD"
    return ""


def _hdf5(path: Path) -> ScanError:
    with open_hdf5(path) as file:
        names = sorted(file)[:8]
    return ScanError(
        f"{path.name} is an HDF5 file of unknown layout.",
        f"It holds {', '.join(names) or 'nothing'}; ISMRMRD has dataset/data and dataset/xml, fastMRI has kspace, "
        "Data Exchange has exchange/data.",
        "Convert it to one of these, or save its array as .npy and name the axes.",
    )
