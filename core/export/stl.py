"""Surfaces as binary STL (3D Systems, 1989)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.export import ExportError, writing
from core.export.whole import write_whole

HEADER = b"DDS Viewer. Research use only. Not for diagnosis. LPS, mm."
_HEADER_BYTES = 80
_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_PIECE = 2**18


def write(points: npt.NDArray[Any], triangles: npt.NDArray[Any], path: Path) -> None:
    """Write triangles (m, 3), indices into points (n, 3) of float LPS mm, each with its normal by the right-hand rule.

    The normal of a triangle without an area is 0. Raises ExportError for no triangles, for indices without a point, for
    NaN, and where the disk refuses; then nothing is left behind.
    """
    points, triangles = np.asarray(points), np.asarray(triangles)
    flat = points.ndim == triangles.ndim == 2 and points.shape[1] == triangles.shape[1] == 3
    if not flat or not len(triangles) or len(triangles) >= 2**32 or triangles.dtype.kind not in "iu":
        raise ExportError("There is no surface to write.", f"{points.shape} points, {triangles.shape} triangles.")
    if triangles.min() < 0 or triangles.max() >= len(points) or not np.isfinite(points).all():
        raise ExportError("The surface is damaged.", "A corner of a triangle lies nowhere.", "Make it again.")
    with writing(path):
        write_whole(path, ".stl", lambda part: _write(points, triangles, part))


def _write(points: npt.NDArray[Any], triangles: npt.NDArray[Any], path: Path) -> None:
    with path.open("wb") as file:
        file.write(HEADER.ljust(_HEADER_BYTES))
        file.write(np.array(len(triangles), dtype="<u4").tobytes())
        for first in range(0, len(triangles), _PIECE):
            corners = points[triangles[first : first + _PIECE]].astype(np.float64)
            normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
            lengths = np.linalg.norm(normals, axis=1, keepdims=True)
            facets = np.zeros(len(corners), dtype=_FACET)
            facets["normal"] = np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 0)
            facets["corners"] = corners
            file.write(facets.tobytes())
