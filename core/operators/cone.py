"""Which projector serves a cone beam: RTK on a processor where it is installed, else ours in PyTorch."""

from __future__ import annotations

import torch

from core.geometry import ConeBeam, Grid
from core.operators import cone_torch
from core.operators.cone_rtk import ConeRtk, rtk_serves
from core.operators.cone_torch import ConeTorch

Cone = ConeTorch | ConeRtk

WORTH_LOADING = 1 << 25
"""Samples along all rays from which the seconds that RTK takes to load are soon won back."""


def cone_projector(
    geometry: ConeBeam, grid: Grid, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Cone:
    """A: real (nz, ny, nx) to (rows, views, columns), all slices as one system."""
    samples = geometry.views * geometry.rows * geometry.columns * max(grid.shape)
    fitting = torch.device(device).type == "cpu" and dtype == torch.float32 and samples >= WORTH_LOADING
    if fitting and rtk_serves(geometry):
        return ConeRtk(geometry, grid)
    return ConeTorch(geometry, grid, dtype, device)


def cone_memory_bytes(geometry: ConeBeam, grid: Grid, dtype: torch.dtype = torch.float32) -> int:
    """About what either projector takes beside image and projections, on a processor."""
    return cone_torch.memory_bytes(geometry, grid, dtype)
