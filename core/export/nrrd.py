"""NRRD: the magnitude of complex images, real ones as they are, in LPS mm (teem's NRRD 5 definition)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.export.dicom_pixels import real_values
from core.export.picture import NOTICE
from core.scan import Volume


def write(volume: Volume, path: Path) -> None:
    """Write float32 in axes (x, y, z), gzip, space left-posterior-superior with all digits of the affine.

    Stacks beyond one become a fourth axis, a list. Without a known position only the voxel size is told. Raises
    ExportError for NaN.
    """
    import nrrd

    slices = max(volume.slices, 1)
    values = real_values(volume)
    stacks = values.reshape(-1, slices, *values.shape[1:]).transpose(3, 2, 1, 0)
    several = stacks.shape[-1] > 1
    about: dict[str, Any] = {
        "kinds": ["domain"] * 3 + ["list"] * several,
        "encoding": "gzip",
        "content": NOTICE,
        "sample units": volume.unit,
    }
    if volume.affine is not None:
        about["space"] = "left-posterior-superior"
        about["space directions"] = np.vstack([volume.affine[:3, :3].T, *[np.full((1, 3), np.nan)] * several])
        about["space origin"] = volume.affine[:3, 3]
        about["space units"] = ["mm"] * 3
    else:
        about["spacings"] = np.array([*volume.spacing_mm, *[np.nan] * several])
        about["units"] = ["mm"] * 3 + [""] * several
    nrrd.write(str(path), stacks if several else stacks[..., 0], about)
