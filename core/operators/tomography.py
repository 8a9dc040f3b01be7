"""The measurement model of a CT scan, by the type of its geometry."""

from __future__ import annotations

from functools import singledispatch

import torch

from core.errors import ScanError
from core.geometry import ConeBeam, FanBeam, Geometry, Grid, ParallelBeam
from core.operators.cone import cone_memory_bytes, cone_projector
from core.operators.fan import Fan
from core.operators.joseph import count_entries
from core.operators.linear import LinearOperator
from core.operators.parallel import Parallel
from core.operators.slicewise import STREAMED, default_budget, matrix_bytes


@singledispatch
def projector(
    geometry: Geometry,
    grid: Grid,
    rows: int,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> LinearOperator:
    """A: attenuation in 1/mm, real (nz, ny, nx), to line integrals (rows, views, columns) without unit.

    dtype: float32 or float64. rows: of the projections. For parallel and fan beams each is a slice of the grid and
    `joint` is 1; cone beams tie all slices together, `joint` is nz. Raises ScanError where rows do not fit.
    """
    raise TypeError(type(geometry))


@projector.register
def _(
    geometry: ParallelBeam,
    grid: Grid,
    rows: int,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> LinearOperator:
    _check_rows(grid.shape[0], rows)
    (nz, ny, nx), (dx, dy, _), (x, y, _) = grid.shape, grid.spacing_mm, grid.centre_mm
    return Parallel(geometry, (ny, nx), (dy, dx), nz, dtype, device, centre_mm=(y, x))


@projector.register
def _(
    geometry: FanBeam,
    grid: Grid,
    rows: int,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> LinearOperator:
    _check_rows(grid.shape[0], rows)
    return Fan(geometry, grid, dtype, device)


@projector.register
def _(
    geometry: ConeBeam,
    grid: Grid,
    rows: int,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> LinearOperator:
    _check_rows(geometry.rows, rows)
    return cone_projector(geometry, grid, dtype, device)


@singledispatch
def memory_bytes(geometry: Geometry, grid: Grid, dtype: torch.dtype = torch.float32) -> int:
    """About what the projector takes beside images and projections, before it is made."""
    raise TypeError(type(geometry))


@memory_bytes.register(ParallelBeam)
@memory_bytes.register(FanBeam)
def _(geometry: ParallelBeam | FanBeam, grid: Grid, dtype: torch.dtype = torch.float32) -> int:
    entries = count_entries(geometry, grid)
    whole = matrix_bytes(entries, dtype)
    return whole if whole <= default_budget() else matrix_bytes(min(STREAMED, entries), dtype)


@memory_bytes.register
def _(geometry: ConeBeam, grid: Grid, dtype: torch.dtype = torch.float32) -> int:
    return cone_memory_bytes(geometry, grid, dtype)


def _check_rows(expected: int, rows: int) -> None:
    if rows != expected:
        raise ScanError(
            "The projections do not fit the image to make.",
            f"There are {rows} rows of projections; the geometry and the grid have {expected}.",
            "Choose as many slices as the scan has rows, or check the order of the axes.",
        )
