"""A small CT scan whose every number can be told, and images of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.geometry import ConeBeam, Geometry, Grid, ParallelBeam, evenly_spread
from core.orientation import affine_from_directions
from core.projections import Projections
from core.scan import Provenance

CT_SHAPE = (20, 24, 28)
"""(slices, rows, columns) of the fake CT scan; no two alike."""
CT_SPACING = (2.0, 2.5, 4.0)
VIEWS = 36


def ct_scan(
    path: str = "chest.h5", *, cone: bool = False, placed: bool = True, offset_mm: float = 3.0, **changes: Any
) -> Projections:
    """A small CT scan whose data tell row, view and column: 10000 row + 100 view + column."""
    slices = CT_SHAPE[0]
    geometry: Geometry = ParallelBeam(evenly_spread(VIEWS), 40, 1.5, offset_mm)
    if cone:
        geometry = ConeBeam.circular(evenly_spread(VIEWS, 2 * np.pi), 12, 40, (1.5, 1.5), 500, 300, (0.0, offset_mm))
    rows = 12 if cone else slices
    row, view, column = np.ogrid[:rows, :VIEWS, :40]
    affine = affine_from_directions((1, 0, 0), (0, 1, 0), (0, 0, 1), CT_SPACING, (0, 0, 0), CT_SHAPE)
    values: dict[str, Any] = {
        "data": (10000.0 * row + 100 * view + column).astype(np.float32),
        "geometry": geometry,
        "grid": Grid(CT_SHAPE, CT_SPACING),
        "provenance": Provenance(path, "Fake CT"),
        "affine": affine if placed else None,
        "hounsfield": True,
        **changes,
    }
    return Projections(**values)


def hu_image(level: float, frames: int = CT_SHAPE[0]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Air with a body of `level` HU, and a bone towards left, back and head, so that every direction can be told."""
    _, height, width = CT_SHAPE
    stack = np.full((frames, height, width), -1000, np.float32)
    stack[:, 4:20, 4:24] = level
    stack[frames * 3 // 4 :, 15:18, 17:22] = 1200
    return stack
