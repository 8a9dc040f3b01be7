"""Parallel-beam CT: line integrals of a stack of slices, and the adjoint, as one sparse product each."""

from __future__ import annotations

import warnings

import scipy.sparse as sp
import torch
from torch import Tensor

from core.geometry import ParallelBeam
from core.operators.joseph import system_matrix
from core.operators.linear import LinearOperator


class Parallel(LinearOperator):
    """A: attenuation in 1/mm, real (slices, h, w), to line integrals (slices, views, detectors) without unit.

    spacing_mm: (dy, dx) of the pixels. The matrix and its transpose are kept, 8 bytes an entry each and about
    2 * max(h, w) entries a ray, and applied to all slices at once. dtype: float32 or float64.
    """

    def __init__(
        self,
        geometry: ParallelBeam,
        shape: tuple[int, int],
        spacing_mm: tuple[float, float],
        slices: int = 1,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        self.geometry, self.spacing_mm = geometry, spacing_mm
        self.domain_shape = (slices, *shape)
        self.range_shape = (slices, geometry.views, geometry.detectors)
        self.dtype, self.device = dtype, torch.device(device)
        matrix = system_matrix(geometry, shape, spacing_mm)
        self._matrix = _tensor(matrix, dtype).to(self.device)
        self._transpose = _tensor(matrix.T.tocsr(), dtype).to(self.device)

    def forward(self, x: Tensor) -> Tensor:
        return _product(self._matrix, x).reshape(self.range_shape)

    def adjoint(self, y: Tensor) -> Tensor:
        return _product(self._transpose, y).reshape(self.domain_shape)


def _product(matrix: Tensor, batch: Tensor) -> Tensor:
    """The matrix times every item of a batch: slices lie side by side inside, so that each entry is read once."""
    result: Tensor = matrix @ batch.reshape(len(batch), -1).T.contiguous()
    return result.T


def _tensor(matrix: sp.csr_array, dtype: torch.dtype) -> Tensor:
    parts = [torch.from_numpy(part) for part in (matrix.indptr, matrix.indices, matrix.data)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse")
        return torch.sparse_csr_tensor(
            parts[0], parts[1], parts[2].to(dtype), size=matrix.shape, check_invariants=False
        )
