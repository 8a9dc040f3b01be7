"""Undersampling a fully sampled scan on purpose; always marked as such."""

from __future__ import annotations

import numpy as np

from core.errors import ScanError
from core.operators.masks import BoolArray, Undersampling, sampling_mask
from core.scan import KSpace

NEARLY_FULL = 1.5


def undersample(scan: KSpace, pattern: Undersampling) -> KSpace:
    """The scan with only the pattern's places kept, the same ones in every slice, repetition and contrast.

    In 2-D scans patterns lie in the plane (ky, kx), in 3-D scans in the phase-encoded plane (ky, kz). Raises ScanError
    for a scan that is undersampled already.
    """
    if scan.acceleration > NEARLY_FULL:
        raise ScanError(
            "This scan cannot be undersampled on purpose.",
            f"It is undersampled already (R = {scan.acceleration:.2f}).",
            "Reconstruct it as it was measured.",
        )
    kept = _place(pattern, scan)
    mask = scan.mask & kept
    return scan.with_changes(
        data=np.where(mask[:, :, :, None], scan.data, np.complex64(0)), mask=mask, undersampled=str(pattern)
    )


def _place(pattern: Undersampling, scan: KSpace) -> BoolArray:
    """The pattern as an array of axes (contrast, repetition, slice, kz, ky, kx)."""
    nz, ny, nx = scan.matrix
    if scan.is_3d:
        plane = sampling_mask(pattern, ny, nz)
        return plane.T[None, None, None, :, :, None]
    return sampling_mask(pattern, ny, nx)[None, None, None, None]
