"""Cartesian multi-coil MRI: image to undersampled k-space (SENSE; Pruessmann 2001, doi 10.1002/mrm.1241)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from core.operators.linear import LinearOperator

_CACHED_NUMBERS = 2**18
"""Complex numbers in a block of the normal operator: 2 MB, which stays in the second-level cache."""


class Sense(LinearOperator):
    """A x = M F (S x): coil maps, centred orthonormal Fourier transform, sampling mask; one image per batch item.

    maps: complex (n or 1, coils, ny, nx). mask: bool, (n or 1, ny, nx), or (n or 1, ny, 1) for whole lines along x.
    Images are (n, ny, nx); measurements (n, coils, ny, nx) with k = 0 at n // 2 and zeros where nothing was measured.

    The centring shifts are no work: a centred transform is a plain one between two phase ramps, and these are folded
    into the maps and the mask once. The normal operator needs no ramps in k-space, and along an axis that is fully
    sampled no transform at all.
    """

    def __init__(self, maps: Tensor, mask: Tensor, batch: int | None = None) -> None:
        coils, ny, nx = maps.shape[1:]
        if mask.shape[-2] != ny or mask.shape[-1] not in (1, nx):
            raise ValueError(f"mask {tuple(mask.shape)} does not match maps {tuple(maps.shape)}")
        n = batch or max(len(maps), len(mask))
        self.dtype, self.device = maps.dtype, maps.device
        self.domain_shape = (n, ny, nx)
        self.range_shape = (n, coils, ny, nx)
        before_y, after_y = _ramps(ny, maps)
        before_x, after_x = _ramps(nx, maps)
        self._sampled = mask[:, None].to(maps.real.dtype)
        self._maps = maps * (before_y[:, None] * before_x)
        self._mask = self._sampled * (after_y[:, None] * after_x)
        # A transform along the last axis of memory is the fastest, so whole lines are kept with y last.
        self._by_lines = mask.shape[-1] == 1
        self._normal_maps = self._maps.mT.contiguous() if self._by_lines else self._maps
        self._normal_mask = self._sampled.mT.contiguous() if self._by_lines else self._sampled

    def forward(self, x: Tensor) -> Tensor:
        k_space: Tensor = torch.fft.fft2(self._maps * x[:, None], norm="ortho")
        return k_space * self._mask

    def adjoint(self, y: Tensor) -> Tensor:
        coil_images = torch.fft.ifft2(y * self._mask.conj(), norm="ortho")
        return torch.sum(coil_images * self._maps.conj(), dim=1)

    def normal(self, x: Tensor) -> Tensor:
        x = x.mT if self._by_lines else x
        out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        for part in self._parts(x):
            out[part] = self._normal_part(x[part], *part)
        return out.mT if self._by_lines else out

    def _parts(self, x: Tensor) -> Iterator[tuple[slice, slice]]:
        """Blocks (items, rows) that are independent of each other and, on a CPU, small enough for its cache."""
        if x.device.type != "cpu":
            yield slice(None), slice(None)
            return
        items, rows, length = x.shape
        step = max(_CACHED_NUMBERS // (self._maps.shape[1] * length), 1) if self._by_lines else rows
        for i in range(items):
            for row in range(0, rows, step):
                yield slice(i, i + 1), slice(row, row + step)

    def _normal_part(self, x: Tensor, items: slice, rows: slice) -> Tensor:
        maps, mask = (a[items] if len(a) > 1 else a for a in (self._normal_maps, self._normal_mask))
        maps = maps[:, :, rows]
        dims = (-1,) if self._by_lines else (-2, -1)
        k_space = torch.fft.fftn(maps * x[:, None], dim=dims, norm="ortho")
        k_space *= mask
        coil_images: Tensor = torch.fft.ifftn(k_space, dim=dims, norm="ortho")
        coil_images *= maps.conj()
        return coil_images.sum(dim=1)


def _ramps(n: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Phase ramps r, q with: centred transform of z = q * plain transform of (r * z), along an axis of length n.

    With c = n // 2 and w = 2 pi i / n, exp(-w (j - c)(k - c)) = exp(w c (k - c)) exp(-w j k) exp(w c j).
    """
    c = n // 2
    k = torch.arange(n, dtype=torch.float64)
    turn = 2 * math.pi * c / n
    before = torch.polar(torch.ones_like(k), turn * k)
    after = torch.polar(torch.ones_like(k), turn * (k - c))
    return before.to(like), after.to(like)
