"""Orthogonal Daubechies wavelets of images, real or complex."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

DB4 = (
    0.2303778133088964,
    0.7148465705529154,
    0.6308807679298587,
    -0.0279837694168599,
    -0.1870348117190931,
    0.0308413818355607,
    0.0328830116668852,
    -0.0105974017850690,
)
"""The scaling filter with four vanishing moments (Daubechies 1988, doi 10.1002/cpa.3160410705, table 1)."""

SMALLEST = 8
"""Sides are halved while they stay at least as long as the filter."""


def levels_of(height: int, width: int, most: int = 5) -> int:
    """How many times an image can be halved."""
    count, side = 0, min(height, width)
    while count < most and side // 2 >= SMALLEST:
        count, side = count + 1, side // 2
    return count


def forward(x: Tensor, levels: int) -> Tensor:
    """Coefficients of images (batch, h, w), coarsest in the first corner; same shape, dtype and norm.

    Periodic. h and w are multiples of 2 ** levels; `padded` makes them so.
    """
    out = x.clone()
    height, width = x.shape[-2:]
    for _ in range(levels):
        block = _split(_split(out[:, :height, :width], -1), -2)
        out[:, :height, :width] = block
        height, width = height // 2, width // 2
    return out


def inverse(coefficients: Tensor, levels: int) -> Tensor:
    """The images of coefficients: the inverse and the adjoint of `forward`."""
    out = coefficients.clone()
    for level in reversed(range(levels)):
        height, width = (n >> level for n in coefficients.shape[-2:])
        out[:, :height, :width] = _merge(_merge(out[:, :height, :width], -2), -1)
    return out


def padded(x: Tensor, levels: int) -> Tensor:
    """Images with zeros at the bottom and right, up to multiples of 2 ** levels."""
    multiple = 2**levels
    bottom, right = (-n % multiple for n in x.shape[-2:])
    return functional.pad(x, (0, right, 0, bottom))


def _filters(like: Tensor) -> tuple[Tensor, Tensor]:
    real = like.real.dtype if like.is_complex() else like.dtype
    low = torch.tensor(DB4, dtype=real, device=like.device)
    signs = torch.tensor([(-1.0) ** k for k in range(len(DB4))], dtype=real, device=like.device)
    return low, low.flip(0) * signs


def _split(x: Tensor, axis: int) -> Tensor:
    """One axis into its low half and its high half: c[n] = sum_k h[k] x[2 n + k]."""
    low, high = _filters(x)
    half = x.shape[axis] // 2
    even, odd = _phases(x, axis)
    parts = []
    for taps in (low, high):
        total = torch.zeros_like(even)
        for k, tap in enumerate(taps.tolist()):
            total += tap * (even if k % 2 == 0 else odd).roll(-(k // 2), axis)
        parts.append(total)
    return torch.cat([part.narrow(axis, 0, half) for part in parts], dim=axis)


def _merge(x: Tensor, axis: int) -> Tensor:
    """The adjoint of `_split`: x[2 n + k] += h[k] c[n]."""
    low, high = _filters(x)
    half = x.shape[axis] // 2
    halves = x.narrow(axis, 0, half), x.narrow(axis, half, half)
    even, odd = torch.zeros_like(halves[0]), torch.zeros_like(halves[0])
    for part, taps in zip(halves, (low, high), strict=True):
        for k, tap in enumerate(taps.tolist()):
            (even if k % 2 == 0 else odd).add_(tap * part.roll(k // 2, axis))
    out = torch.empty_like(x)
    out_even, out_odd = _phases(out, axis)
    out_even.copy_(even)
    out_odd.copy_(odd)
    return out


def _phases(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Views of the even and the odd places along an axis."""
    if axis == -1:
        return x[..., ::2], x[..., 1::2]
    return x[..., ::2, :], x[..., 1::2, :]
