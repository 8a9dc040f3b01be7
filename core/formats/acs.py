"""How much of k-space was measured: the fully sampled centre and the true acceleration, from the sampling pattern."""

from __future__ import annotations

import numpy as np

from core.scan import BoolArray, KSpace, sampled_centre


def measure_acs(mask: BoolArray) -> tuple[int, int]:
    """Width (ky, kz) in lines of the centre that every frame has fully sampled; 0 where k = 0 was not measured.

    mask: bool, axes MASK_AXES with kz and ky in full length.
    """
    lines = np.logical_and.reduce(np.logical_or.reduce(mask, axis=-1), axis=(0, 1, 2))
    z, y = sampled_centre(lines)
    return y.stop - y.start, z.stop - z.start


def true_acceleration(scan: KSpace) -> float:
    """Places in k-space per place measured.

    The readout counts only where the pattern differs along it from line to line, as in a 2-D pattern within the
    slice; an echo that is cut short in the same way in every line does not.
    """
    mask = scan.mask
    lines = np.logical_or.reduce(mask, axis=-1)
    columns = np.logical_or.reduce(mask, axis=tuple(range(mask.ndim - 1)))
    alike = bool((mask == (lines[..., None] & columns)).all())
    return float(lines.size / lines.sum()) if alike else float(mask.size / mask.sum())
