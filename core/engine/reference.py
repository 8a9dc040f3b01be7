"""How far a result is from a volume that is taken as the truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.fingerprint import Signature, signature_of
from core.formats.volumes import open_volume
from core.hounsfield import mu_from_hu
from core.scan import Volume
from core.viewing.onto import resampled


@dataclass(frozen=True)
class Comparison:
    """metrics: psnr, ssim, nrmse and data_range. against: the reference in words. unit: that both were compared in."""

    metrics: dict[str, float] = field(default_factory=dict)
    against: str = ""
    unit: str = ""


def compared(volume: Volume, path: str) -> Comparison:
    """The figures of a volume against that in a file, on the voxels of the volume (see core.quality.compare).

    Where both lie in the patient, the reference is brought onto the volume's grid; else they must have the same shape.
    HU are compared as HU; a CT result whose reference is not in HU is compared in 1/mm. Raises ScanError.
    """
    from core.quality import compare

    file = Path(path)
    reference = _opened(path, signature_of(file))
    ours, theirs, unit = volume.array, _on_grid(reference, volume, file.name), volume.unit
    if unit == "HU" and reference.unit != "HU":
        ours, unit = mu_from_hu(volume.array, volume.mu_water), "1/mm"
    air = -1000.0 if unit == "HU" else 0.0
    theirs = np.nan_to_num(theirs, nan=air)
    if not (np.abs(theirs - air) > 0).any():
        raise ScanError(f"The reference {file.name} is empty where the image is.", "", "Choose another reference.")
    if np.iscomplexobj(ours):
        ours, theirs = np.abs(ours), np.abs(theirs)
    return Comparison(compare(ours, theirs, air), file.name, unit)


@lru_cache(maxsize=1)
def _opened(path: str, signature: Signature) -> Volume:
    """The signature tells a file that has changed."""
    return open_volume(path).volume


def _on_grid(reference: Volume, volume: Volume, name: str) -> npt.NDArray[Any]:
    held = np.abs(reference.array) if np.iscomplexobj(reference.array) else reference.array
    one_stack = volume.slices == len(volume.array)
    if volume.affine is not None and reference.affine is not None and one_stack:
        depth, height, width = volume.array.shape
        return resampled(held.astype(np.float32), reference.affine, (depth, height, width), volume.affine)
    if held.shape != volume.array.shape:
        raise ScanError(
            f"The reference {name} does not fit the image.",
            f"It has {' x '.join(map(str, held.shape))} voxels, the image {' x '.join(map(str, volume.array.shape))}.",
            "Choose a reference on the same grid, or one whose file tells where it lies, of a scan that does.",
        )
    return held
