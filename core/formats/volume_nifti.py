"""NIfTI-1 and NIfTI-2 volumes (.nii, .nii.gz): axes (x, y, z) in RAS millimetres."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ScanError
from core.formats.files import head_of
from core.formats.volume_parts import Opened, affine_from_corner, check_announced, opened
from core.orientation import lps_to_ras

STORED_AS_VIEWED = False

_MILLIMETRES = {"meter": 1000.0, "mm": 1.0, "micron": 1e-3}


def claims(path: Path) -> bool:
    """Named like NIfTI."""
    return path.is_file() and path.name.lower().endswith((".nii", ".nii.gz"))


def read(path: Path) -> Opened:
    """The volume, of a series the first. Its axes (x, y, z) are read as (z, y, x), its RAS affine as LPS.

    The place is the sform's, else the qform's; without a code for either it is unknown. Raises ScanError.
    """
    import nibabel

    image = nibabel.load(path)
    shape, kind = tuple(int(n) for n in image.shape), image.get_data_dtype()
    if kind.names or kind.kind not in "fciu":
        raise ScanError(f"{path.name} is a colour picture.", f"Its voxels are {kind}.", "Export it in grey.")
    check_announced(shape, kind.itemsize, path.stat().st_size, head_of(path, 2) == b"\x1f\x8b", path.name)
    notes: list[str] = []
    first = (slice(None),) * 3 + (0,) * (len(shape) - 3)
    if any(n > 1 for n in shape[3:]):
        notes.append(f"The file holds {' x '.join(str(n) for n in shape[3:])} volumes; the first was read.")
    array = np.asarray(image.dataobj[first[: len(shape)]])
    array = array.reshape(array.shape + (1,) * (3 - array.ndim)).transpose(2, 1, 0)
    scale = _MILLIMETRES.get(image.header.get_xyzt_units()[0], 1.0)
    affine = _place(image, scale)
    if affine is not None:
        affine = affine_from_corner(affine[:3, :3], affine[:3, 3], array.shape)
    if affine is None:
        notes.append("The file does not tell where the patient lies.")
    zooms = [abs(float(z)) * scale or 1.0 for z in image.header.get_zooms()[:3]] + [1.0, 1.0, 1.0]
    return opened(array, path, "NIfTI", affine, (zooms[0], zooms[1], zooms[2]), notes=notes)


def _place(image: Any, scale: float) -> Any:
    """The LPS affine by the coded sform or qform, or None."""
    for form in (image.get_sform(coded=True), image.get_qform(coded=True)):
        if form[1]:
            matrix = np.asarray(form[0], dtype=np.float64)
            return lps_to_ras(np.vstack([matrix[:3] * scale, matrix[3:]]))
    return None
