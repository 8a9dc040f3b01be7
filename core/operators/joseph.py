"""The system matrix of a parallel-beam scan: Joseph's line integrals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from core.geometry import ParallelBeam

IndexArray = npt.NDArray[np.int32]
WeightArray = npt.NDArray[np.float32]


def system_matrix(geometry: ParallelBeam, shape: tuple[int, int], spacing_mm: tuple[float, float]) -> sp.csr_array:
    """The float32 matrix (views * detectors, h * w) of line integrals in mm through an image (h, w).

    spacing_mm: (dy, dx) of its pixels; its middle lies on the axis of rotation. A ray takes one sample in each row, or
    in each column where it runs flatter, interpolated between the two nearest pixels, times the way to the next one
    (Joseph 1982, doi 10.1109/TMI.1982.4307572). Beyond the image there is nothing.
    """
    blocks = [_view(geometry, float(angle), shape, spacing_mm) for angle in geometry.angles]
    return sp.vstack(blocks, format="csr")


def _view(
    geometry: ParallelBeam, angle: float, shape: tuple[int, int], spacing_mm: tuple[float, float]
) -> sp.csr_array:
    (height, width), (dy, dx) = shape, spacing_mm
    along_rows = abs(np.cos(angle)) * dx >= abs(np.sin(angle)) * dy
    bins = geometry.bins_mm[:, None]
    if along_rows:
        steps = (np.arange(height) - (height - 1) / 2) * dy
        places = (bins / np.cos(angle) - steps * np.tan(angle)) / dx + (width - 1) / 2
        length, count = dy / abs(np.cos(angle)), width
    else:
        steps = (np.arange(width) - (width - 1) / 2) * dx
        places = (bins - steps * np.cos(angle)) / np.sin(angle) / dy + (height - 1) / 2
        length, count = dx / abs(np.sin(angle)), height
    low = np.floor(places).astype(np.int32)
    share = (places - low).astype(np.float32)
    index = np.stack((low, low + 1), axis=-1)
    weight = np.stack((1 - share, share), axis=-1) * np.float32(length)
    across = np.arange(len(steps), dtype=np.int32)[None, :, None]
    column = across * width + index if along_rows else index * width + across
    return _rows(column, weight, (index >= 0) & (index < count) & (weight > 0), height * width)


def _rows(column: IndexArray, weight: WeightArray, kept: npt.NDArray[np.bool_], columns: int) -> sp.csr_array:
    """A sparse matrix of one row for each first index, of the entries that are kept."""
    counts = kept.reshape(len(kept), -1).sum(axis=1)
    starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    matrix = sp.csr_array((weight[kept], column[kept].astype(np.int32), starts), shape=(len(kept), columns))
    matrix.sort_indices()
    return matrix
