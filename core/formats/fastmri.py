"""fastMRI's HDF5 files (Zbontar et al. 2018, arXiv 1811.08839, section 4)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.files import is_hdf5, require_memory, sha256_of
from core.formats.hdf5 import open_hdf5, require_stored, stored_of
from core.formats.mrd_header import MrdEncoding, MrdHeader, parse_header
from core.formats.named_array import Named, scan_of
from core.scan import BoolArray, KSpace, Provenance

NAMES_ITS_AXES = True

_IDENTIFYING = ("patient_id",)


def claims(path: Path) -> bool:
    """An HDF5 file with a k-space array of three or four axes at its top."""
    import h5py

    if not is_hdf5(path):
        return False
    with open_hdf5(path) as file:
        found = file.get("kspace")
        return isinstance(found, h5py.Dataset) and found.ndim in (3, 4)


def read(path: Path, *, axes: str = "", domain: str = "kspace") -> KSpace:
    """The scan. Its readout, which runs down fastMRI's pictures, becomes kx; phase encoding becomes ky.

    Raises ScanError.
    """
    with open_hdf5(path) as file:
        dataset = file["kspace"]
        require_memory(4.0 * 8.0 * float(np.prod(dataset.shape, dtype=np.float64)), "The scan")
        array = stored_of(dataset)
        header = _header(file)
        mask = stored_of(file["mask"]).astype(bool).ravel() if "mask" in file else None
        attributes = {str(k): v for k, v in file.attrs.items()}
    if array.dtype.kind != "c":
        raise ScanError("The k-space is not complex.", f"Its type is {array.dtype}.", "Export the scan again.")
    encoding = header.encodings[0] if header and header.encodings else None
    names, odd = _names(array.shape, encoding, mask)
    array = _masked(array, names, mask)
    told = _provenance(path, header, attributes, odd)
    scan = scan_of(Named(array, names, keep_x=_samples_to_keep(array, names, encoding)), told)
    contrast, anatomy = _subject(str(attributes.get("acquisition", "")))
    field_of_view = encoding.image_field_of_view if encoding else None
    down = names[-1] == "ky"
    return scan.with_changes(field_of_view_mm=field_of_view, contrast=contrast, anatomy=anatomy, readout_down=down)


def _header(file: Any) -> MrdHeader | None:
    if "ismrmrd_header" not in file:
        return None
    require_stored(file["ismrmrd_header"])
    stored = file["ismrmrd_header"][()]
    return parse_header(stored if isinstance(stored, (bytes, str)) else bytes(stored))


def _names(
    shape: tuple[int, ...], encoding: MrdEncoding | None, mask: BoolArray | None
) -> tuple[tuple[str, ...], list[str]]:
    """Names of the axes, and sentences on what is odd.

    The readout is the axis whose length the header's encoded x has, and never the one that the mask fits alone.
    """
    leading = ("slice", "coil") if len(shape) == 4 else ("slice",)
    readout_last = False
    if encoding is not None and shape[-1] != shape[-2]:
        readout_last = shape[-1] == encoding.matrix[0]
    elif mask is not None and mask.size == shape[-2] != shape[-1]:
        readout_last = True
    odd = [] if encoding else ["The file has no ismrmrd_header; its field of view and oversampling are unknown."]
    return (*leading, *(("ky", "kx") if readout_last else ("kx", "ky"))), odd


def _masked(
    array: npt.NDArray[np.complexfloating], names: tuple[str, ...], mask: BoolArray | None
) -> npt.NDArray[np.complexfloating]:
    """The array with 0 at the lines that the file's own mask calls not measured."""
    axis = names.index("ky")
    if mask is None:
        return array
    if mask.size != array.shape[axis]:
        raise ScanError(
            "The mask does not fit the k-space.",
            f"It has {mask.size} lines, the k-space {array.shape[axis]}.",
            "Export the scan again.",
        )
    shape = [1] * array.ndim
    shape[axis] = mask.size
    return array * mask.reshape(shape)


def _samples_to_keep(array: npt.NDArray[Any], names: tuple[str, ...], encoding: MrdEncoding | None) -> int:
    """Samples along the readout that remain without oversampling, or 0 for all."""
    samples = array.shape[names.index("kx")]
    if encoding is None or samples != encoding.matrix[0]:
        return 0
    return encoding.nx


def _provenance(path: Path, header: MrdHeader | None, attributes: dict[str, Any], odd: list[str]) -> Provenance:
    identifiers = dict(header.identifiers) if header else {}
    identifiers |= {name: str(attributes[name]) for name in _IDENTIFYING if name in attributes}
    provenance = Provenance(str(path), "fastMRI", sha256_of(path), not_understood=tuple(odd), identifiers=identifiers)
    if header is None:
        return provenance
    return dataclasses.replace(
        provenance,
        vendor=" ".join(part for part in (header.vendor, header.model) if part),
        sequence=str(attributes.get("acquisition", "")) or header.sequence,
        field_strength_t=header.field_strength_t,
    )


def _subject(acquisition: str) -> tuple[str, str]:
    """(contrast, anatomy) from fastMRI's name of the acquisition, such as AXT2 or CORPDFS_FBK."""
    name = acquisition.upper()
    anatomy = "brain" if name.startswith("AX") else "knee" if name.startswith("COR") else ""
    contrasts = ("FLAIR", "T1POST", "T1", "T2", "PDFS", "PD")
    return next((c for c in contrasts if c in name), ""), anatomy
