"""The fully sampled centre of k-space, from the sampling pattern."""

from __future__ import annotations

import numpy as np

from core.scan import BoolArray, sampled_centre


def measure_acs(mask: BoolArray) -> tuple[int, int]:
    """Width (ky, kz) in lines of the centre that every frame has fully sampled; 0 where k = 0 was not measured.

    mask: bool, axes MASK_AXES with kz and ky in full length.
    """
    lines = np.logical_and.reduce(np.logical_or.reduce(mask, axis=-1), axis=(0, 1, 2))
    z, y = sampled_centre(lines)
    return y.stop - y.start, z.stop - z.start
