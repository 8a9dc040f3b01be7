"""NIfTI: the magnitude of complex images, real ones as they are, with their place in the patient when that is known."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from core.export.picture import NOTICE
from core.orientation import lps_to_ras
from core.scan import Volume

_EFFORT = 1
"""Of gzip: more of it takes long for next to nothing."""


def write(volume: Volume, path: Path) -> None:
    """Write the array, or its magnitude if it is complex, as float32 NIfTI-1 in axes (x, y, z), RAS.

    Frames beyond one stack become the fourth axis.
    Without a known position the file says so: sform and qform codes are 0 and only the voxel size is stored.
    """
    import nibabel

    slices = max(volume.slices, 1)
    array = np.abs(volume.array) if np.iscomplexobj(volume.array) else volume.array
    values = array.astype(np.float32)
    stacks = values.reshape(-1, slices, *values.shape[1:]).transpose(3, 2, 1, 0)
    data = stacks[..., 0] if stacks.shape[-1] == 1 else stacks
    known = volume.affine is not None
    affine = lps_to_ras(volume.affine) if volume.affine is not None else np.diag([*volume.spacing_mm, 1.0])
    image = nibabel.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = NOTICE.encode()[:79]
    code = 1 if known else 0
    image.set_sform(affine if known else None, code=code)
    # A qform is a rotation with voxel sizes; it cannot hold slices that lean, as those of a tilted gantry do.
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    upright = known and np.allclose(axes.T @ axes, np.eye(3), atol=1e-4)
    image.set_qform(affine if upright else None, code=code if upright else 0)
    if not known:
        image.header.set_zooms((*volume.spacing_mm, 1.0)[: data.ndim])
    with path.open("wb") as file:
        if not path.name.lower().endswith(".gz"):
            image.to_stream(file)
            return
        # Without name and time, so that equal images are equal files.
        with gzip.GzipFile("", "wb", _EFFORT, file, mtime=0) as packed:
            image.to_stream(packed)
