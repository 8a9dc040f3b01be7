"""Fan-beam CT of a stack of slices."""

from __future__ import annotations

import torch

from core.geometry import FanBeam, Grid
from core.operators.slicewise import Slicewise


class Fan(Slicewise):
    """A: attenuation in 1/mm, real (slices, ny, nx), to line integrals (slices, views, detectors) without unit.

    The detector may be flat or curved and off the middle. A ray begins at the source and has no end. The rest as in
    Slicewise.
    """

    geometry: FanBeam

    def __init__(
        self,
        geometry: FanBeam,
        grid: Grid,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        budget: int | None = None,
    ) -> None:
        super().__init__(geometry, grid, dtype, device, budget)
