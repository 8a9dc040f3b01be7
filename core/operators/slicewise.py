"""CT of slices that do not mix: one sparse matrix, applied to all slices at once."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from itertools import pairwise

import psutil
import scipy.sparse as sp
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from core.geometry import FanBeam, Grid, ParallelBeam
from core.operators import matrix_cache
from core.operators.joseph import count_entries, system_matrix
from core.operators.linear import LinearOperator

STREAMED = 1 << 24
"""Entries of a block that is built, used and forgotten."""

COUNTED = 1 << 30
"""Entries of a block that is kept: below what the sparse products count in 32 bits."""

SLICES_AT_ONCE = 32
"""More fall out of the processor's caches."""

SUMMED_FROM = 16
"""Slices from which PyTorch's weighted sums of rows are faster than MKL's sparse products."""

Blocks = list[tuple[Tensor, Tensor]]


class Slicewise(LinearOperator):
    """A: attenuation in 1/mm, real (slices, ny, nx), to line integrals (slices, views, detectors) without unit.

    The matrix and its transpose are kept, in memory for the last geometry that was used and on disk. Where they would
    pass `budget` bytes they are built by blocks of views whenever they are needed, which takes about a hundred times
    longer. dtype: float32 or float64. budget: by default half of the free memory, at most 8 GiB.
    """

    def __init__(
        self,
        geometry: ParallelBeam | FanBeam,
        grid: Grid,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        budget: int | None = None,
    ) -> None:
        self.geometry, self.grid = geometry, grid
        self.domain_shape = grid.shape
        self.range_shape = (grid.shape[0], geometry.views, geometry.detectors)
        self.dtype, self.device = dtype, torch.device(device)
        entries = count_entries(geometry, grid)
        self.streamed = matrix_bytes(entries, dtype) > (default_budget() if budget is None else budget)
        self._blocks: Blocks | None = None
        self._parts = _parts(geometry.views, entries, STREAMED if self.streamed else COUNTED)

    @property
    def _kept(self) -> Blocks:
        """The matrix in blocks, built when it is first needed; nothing where it is streamed."""
        if self._blocks is None:
            self._blocks = [] if self.streamed else _remembered(self)
        return self._blocks

    def forward(self, x: Tensor) -> Tensor:
        values = x.reshape(self.domain_shape[0], -1)
        result = x.new_empty(self.domain_shape[0], self.range_shape[1] * self.range_shape[2])
        for k, rays in enumerate(self._rays()):
            matrix, _ = self._block(k)
            for slab in _slabs(values):
                result[slab, rays] = _product(matrix, _side_by_side(values[slab])).T
        return result.reshape(self.range_shape)

    def adjoint(self, y: Tensor) -> Tensor:
        values = y.reshape(self.range_shape[0], -1)
        result = y.new_zeros(self.range_shape[0], self.domain_shape[1] * self.domain_shape[2])
        for k, rays in enumerate(self._rays()):
            _, transpose = self._block(k)
            for slab in _slabs(values):
                result[slab] += _product(transpose, _side_by_side(values[slab, rays])).T
        return result.reshape(self.domain_shape)

    def normal(self, x: Tensor) -> Tensor:
        """Slices stay side by side in between, and a streamed block is built once for both products."""
        values = x.reshape(self.domain_shape[0], -1)
        result = torch.zeros_like(values)
        for k in range(len(self._parts)):
            matrix, transpose = self._block(k)
            for slab in _slabs(values):
                result[slab] += _product(transpose, _product(matrix, _side_by_side(values[slab]))).T
        return result.reshape(self.domain_shape)

    def _rays(self) -> Iterator[slice]:
        """Of each block, counted through all views."""
        bins = self.geometry.detectors
        return (slice(part.start * bins, part.stop * bins) for part in self._parts)

    def _block(self, k: int) -> tuple[Tensor, Tensor]:
        if kept := self._kept:
            return kept[k]
        return _pair(system_matrix(self.geometry, self.grid, self._parts[k]), self.dtype, self.device)

    def _built(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The blocks of the matrix, each with its transpose; from the disk where it is there."""
        name = matrix_cache.digest(self.geometry, self.grid)
        shape = (self.geometry.views * self.geometry.detectors, self.grid.shape[1] * self.grid.shape[2])
        if len(self._parts) > 1:
            yield from (_pair(system_matrix(self.geometry, self.grid, p), self.dtype, self.device) for p in self._parts)
            return
        matrix = matrix_cache.load(name, shape)
        if matrix is None:
            matrix = system_matrix(self.geometry, self.grid)
            matrix_cache.save(name, matrix)
        yield _pair(matrix, self.dtype, self.device)


def matrix_bytes(entries: int, dtype: torch.dtype = torch.float32) -> int:
    """Of a matrix and its transpose: an index of 4 bytes and a weight each."""
    return 2 * entries * (4 + torch.empty((), dtype=dtype).element_size())


def default_budget() -> int:
    """Half of the free memory in bytes, from 256 MiB to 8 GiB."""
    return min(max(int(psutil.virtual_memory().available) // 2, 1 << 28), 1 << 33)


_lock = threading.Lock()
_last: tuple[tuple[str, torch.dtype, str], Blocks] | None = None


def _remembered(operator: Slicewise) -> Blocks:
    """The blocks of an operator: those of the last one that was made, if its rays and pixels were the same."""
    global _last
    key = (matrix_cache.digest(operator.geometry, operator.grid), operator.dtype, str(operator.device))
    with _lock:
        if _last is None or _last[0] != key:
            _last = None  # Two big matrices at once may not fit.
            _last = key, list(operator._built())
        return _last[1]


def forget() -> None:
    """Let go of the matrix of the last geometry."""
    global _last
    with _lock:
        _last = None


def _parts(views: int, entries: int, limit: int) -> list[slice]:
    """Consecutive views, in as few blocks of about equal size as stay below a number of entries."""
    blocks = min(views, -(-entries // limit))
    edges = [views * k // blocks for k in range(blocks + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def _slabs(batch: Tensor) -> list[slice]:
    """A few slices at a time, so that beside the result no copy of all is needed."""
    return [slice(first, first + SLICES_AT_ONCE) for first in range(0, len(batch), SLICES_AT_ONCE)]


def _side_by_side(slab: Tensor) -> Tensor:
    """(values, slices): with slices inside, each entry of the matrix is read once for all."""
    return slab.T.contiguous()


def _product(matrix: Tensor, values: Tensor) -> Tensor:
    """matrix @ values, (rows, slices)."""
    slices = values.shape[1]
    if slices == 1:
        single: Tensor = matrix @ values[:, 0]
        return single[:, None]
    if slices >= SUMMED_FROM and values.dtype == torch.float32 and values.device.type == "cpu":
        indices, starts, weights = matrix.col_indices(), matrix.crow_indices(), matrix.values()
        return embedding_bag(indices, values, starts, mode="sum", per_sample_weights=weights, include_last_offset=True)
    several: Tensor = matrix @ values
    return several


def _pair(matrix: sp.csr_array, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    transpose = matrix.T.tocsr()
    return _tensor(matrix, dtype).to(device), _tensor(transpose, dtype).to(device)


def _tensor(matrix: sp.csr_array, dtype: torch.dtype) -> Tensor:
    parts = [torch.from_numpy(part) for part in (matrix.indptr, matrix.indices, matrix.data)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse")
        return torch.sparse_csr_tensor(
            parts[0], parts[1], parts[2].to(dtype), size=matrix.shape, check_invariants=False
        )
