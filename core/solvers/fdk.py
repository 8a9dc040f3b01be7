"""The Feldkamp method, the classical image of a cone-beam scan on a circle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from core.geometry import ConeBeam, Grid
from core.operators.cone import Cone
from core.solvers.circle import circle_of
from core.solvers.ramp import ramp_filtered
from core.solvers.redundancy import arc_weights, blank_columns, ray_weights

VOXELS_AT_ONCE = {"cpu": 1 << 18, "cuda": 1 << 25}
LEVEL = 1e-6
"""Shares of the panel that a column may drift over all slices."""


def fdk(operator: Cone, projections: Tensor, window: str = "hann") -> Tensor:
    """Attenuation (nz, ny, nx) in 1/mm from line integrals (rows, views, columns).

    window: a name in ramp.WINDOWS. Exact in the plane of the circle, less and less so away from it. Short arcs and
    panels off the middle as in fbp. Weights and filter are those of the circle, each voxel is looked up where its view
    really was. Feldkamp, Davis and Kress 1984 (doi 10.1364/JOSAA.1.000612). Raises ScanError for another trajectory.
    """
    geometry, grid = operator.geometry, operator.grid
    circle = circle_of(geometry)
    distance = circle.source_mm + circle.detector_mm
    fan = np.arctan(circle.columns_mm / distance)
    weights = ray_weights(geometry.angles, fan) * arc_weights(geometry.angles, 2 * np.pi)[:, None]
    slant = distance / np.sqrt(distance**2 + circle.columns_mm**2 + circle.rows_mm[:, None] ** 2)
    before, after = blank_columns(circle.columns_mm)
    panel = replace(
        geometry,
        detector_mm=geometry.detector_mm + (after - before) / 2 * geometry.column_mm,
        columns=geometry.columns + before + after,
    )
    pitch = abs(float(np.linalg.norm(geometry.column_mm, axis=1).mean())) * circle.source_mm / distance
    image = torch.zeros(grid.shape).to(projections)
    for view in range(geometry.views):
        weight = torch.from_numpy(slant * weights[view]).to(projections)
        lines = ramp_filtered(pad(projections[:, view] * weight, (before, after)), pitch, window)
        _spread(image, lines, _lookup(panel, grid, view).to(image), distance / circle.source_mm, grid)
    return image


def _spread(image: Tensor, lines: Tensor, seen: Tensor, magnification: float, grid: Grid) -> None:
    """Add to each voxel what a view (rows, columns) has where it sees it, by the inverse square of its distance."""
    slices, height, width = grid.shape
    x, y, z = (torch.arange(n, dtype=seen.dtype, device=seen.device) for n in (width, height, slices))
    courses = [(m[0] * x + (m[1] * y)[:, None] + m[3], m[2]) for m in seen]
    step = max(1, VOXELS_AT_ONCE.get(image.device.type, VOXELS_AT_ONCE["cpu"]) // (height * width))
    for low in range(0, slices, step):
        some = z[low : low + step, None, None]
        # On a true circle columns and depths are the same in all slices.
        column, row, depth = (c + s * some if abs(float(s)) * slices > LEVEL else c[None] for c, s in courses)
        # What lies behind the source or beside it is not seen and gets no weight.
        inverse = torch.where(depth > 1e-3, 1 / depth, 0.0)
        place = torch.empty(len(some), height, width, 2, dtype=seen.dtype, device=seen.device)
        place[..., 0] = column * inverse
        place[..., 1] = row * inverse
        found = grid_sample(lines[None, None], place.reshape(1, -1, width, 2), align_corners=False)
        # A voxel on the axis of rotation has weight 1.
        image[low : low + step].addcmul_(found.reshape(-1, height, width), (inverse / magnification) ** 2)


def _lookup(geometry: ConeBeam, grid: Grid, view: int) -> Tensor:
    """The matrix (3, 4) from voxel indices (x, y, z, 1) to (column, row, 1) times depth, float64.

    Columns and rows run from -1 to 1 over the panel; the depth is the voxel's distance from the source along the
    panel's normal, as a share of the panel's.
    """
    source, middle = geometry.source_mm[view], geometry.detector_mm[view]
    column, row = geometry.column_mm[view], geometry.row_mm[view]
    # A point p is source + depth (middle - source) + a column + b row, with a and b times depth.
    to_panel = np.linalg.inv(np.stack((column, row, middle - source), axis=1))
    to_panel[0] *= 2 / geometry.columns
    to_panel[1] *= 2 / geometry.rows
    spacing = np.array(grid.spacing_mm)
    corner = np.array(grid.centre_mm) - (np.array(grid.shape[::-1]) - 1) / 2 * spacing
    return torch.from_numpy(np.column_stack((to_panel * spacing, to_panel @ (corner - source))))
