"""The surface on which a volume has one value, as triangles in the patient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.orientation import Affine
from core.viewing.grid import inverse

Values = npt.NDArray[Any]

MOST_TRIANGLES = 2_000_000
_AT_ONCE = 100_000
"""Cells of a layer. The library keeps Python's lock while it works: whoever draws meanwhile waits for one layer."""
_ASIDE = 1e-4
"""Of the range of values: how far a threshold moves off a value that voxels have, or triangles would shrink to points
and leave holes."""


@dataclass(frozen=True, eq=False)
class Surface:
    """points: float64 (n, 3) LPS mm. triangles: int64 (m, 3), by the right-hand rule from the high values outwards."""

    points: npt.NDArray[np.float64]
    triangles: npt.NDArray[np.int64]

    @cached_property
    def normals(self) -> npt.NDArray[np.float32]:
        """(n, 3) unit vectors outwards at the points: the mean of the triangles about them, weighed by area."""
        a, b, c = (self.points[self.triangles[:, i]] for i in range(3))
        across = np.cross(b - a, c - a)
        where, count = self.triangles.ravel(), len(self.points)
        summed = np.stack([np.bincount(where, np.repeat(across[:, i], 3), count) for i in range(3)], axis=1)
        lengths = np.linalg.norm(summed, axis=1, keepdims=True)
        unit: npt.NDArray[np.float32] = np.divide(summed, lengths, out=np.zeros_like(summed), where=lengths > 0).astype(
            np.float32
        )
        return unit


def surface(
    values: Values,
    affine: Affine,
    threshold: float,
    *,
    step: tuple[int, int, int] = (1, 1, 1),
    stopped: Callable[[], bool] = bool,
) -> Surface | None:
    """Where a volume (z, y, x), float32 or int16, crosses a threshold: closed, also where it is cut off by the edge.

    affine: LPS mm of the whole volume's voxels, of which `values` holds each step-th along x, y and z. NaN is air. The
    surface lies between the voxels, linearly. stopped: asked between layers; None is returned once it is true. Raises
    ScanError where nothing lies on either side of the threshold, for more than MOST_TRIANGLES and for an affine that
    spans no space. Marching cubes after T. Lewiner et al., J. Graphics Tools 8(2), 2003.
    """
    inverse(affine)
    low, high = _range(values)
    if not low < threshold <= high:
        raise ScanError(
            "There is no surface here.", f"The values lie from {low:.4g} to {high:.4g}.", "Choose one in between."
        )
    if (values == threshold).any():
        threshold -= _ASIDE * (high - low)
    found, triangles, offset = [], [], 0
    for points, faces in _layers(_in_air(values, low), threshold):
        if stopped():
            return None
        found.append(points)
        triangles.append(faces + offset)
        offset += len(points)
        if sum(map(len, triangles)) > MOST_TRIANGLES:
            raise ScanError(
                "This surface is too rough.",
                f"It has more than {MOST_TRIANGLES:,} triangles.",
                "Choose a threshold outside of the noise.",
            )
    if not found:
        raise ScanError("There is no surface here.", "No voxels lie about this value.", "Choose another one.")
    corners, joined = _sewn(np.concatenate(found), np.concatenate(triangles))
    places = (corners[:, ::-1] - 1) * step  # the rim of air is one voxel wide
    if np.linalg.det(affine[:3, :3]) < 0:
        joined = joined[:, ::-1]
    return Surface(places @ affine[:3, :3].T + affine[:3, 3], np.ascontiguousarray(joined))


def _range(values: Values) -> tuple[float, float]:
    if values.dtype.kind == "f":
        finite = values[np.isfinite(values)]
        return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return float(values.min()), float(values.max())


def _in_air(values: Values, low: float) -> npt.NDArray[np.float32]:
    """With a rim of the lowest value, so that the surface closes at the edge."""
    padded = np.full([n + 2 for n in values.shape], low, np.float32)
    padded[1:-1, 1:-1, 1:-1] = np.nan_to_num(values, nan=low, posinf=low, neginf=low)
    return padded


def _layers(
    volume: npt.NDArray[np.float32], threshold: float
) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]]:
    """(points (z, y, x) in voxels, triangles) of one layer of cells after the other; empty without a surface."""
    from skimage.measure import marching_cubes

    deep = max(1, _AT_ONCE // (volume.shape[1] * volume.shape[2]))
    for first in range(0, len(volume) - 1, deep):
        layer = volume[first : first + deep + 1]
        if not layer.min() < threshold <= layer.max():
            yield np.zeros((0, 3)), np.zeros((0, 3), np.int64)
            continue
        points, faces, _, _ = marching_cubes(layer, threshold, allow_degenerate=True)
        places = points.astype(np.float64)
        places[:, 0] += first
        yield places, faces.astype(np.int64)


def _sewn(
    points: npt.NDArray[np.float64], triangles: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """The layers joined: points that two of them share lie in a plane of voxels, and are the same to the last digit."""
    on_plane = np.flatnonzero(points[:, 0] == np.round(points[:, 0]))
    _, first, which = np.unique(points[on_plane], axis=0, return_index=True, return_inverse=True)
    to = np.arange(len(points))
    to[on_plane] = on_plane[first][which.ravel()]
    joined = to[triangles]
    flat = (joined == np.roll(joined, 1, axis=1)).any(axis=1)
    kept, joined = np.unique(joined[~flat], return_inverse=True)
    return points[kept], joined.reshape(-1, 3).astype(np.int64)
