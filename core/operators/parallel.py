"""Parallel-beam CT of a stack of slices."""

from __future__ import annotations

import torch

from core.geometry import Grid, ParallelBeam
from core.operators.slicewise import Slicewise


class Parallel(Slicewise):
    """A: attenuation in 1/mm, real (slices, h, w), to line integrals (slices, views, detectors) without unit.

    spacing_mm: (dy, dx) of the pixels. centre_mm: (y, x) of the middle of the image from the axis of rotation. The rest
    as in Slicewise.
    """

    geometry: ParallelBeam

    def __init__(
        self,
        geometry: ParallelBeam,
        shape: tuple[int, int],
        spacing_mm: tuple[float, float],
        slices: int = 1,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        centre_mm: tuple[float, float] = (0.0, 0.0),
        budget: int | None = None,
    ) -> None:
        spacing, centre = (spacing_mm[1], spacing_mm[0], 1.0), (centre_mm[1], centre_mm[0], 0.0)
        super().__init__(geometry, Grid((slices, *shape), spacing, centre), dtype, device, budget)
