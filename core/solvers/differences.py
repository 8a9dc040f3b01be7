"""Differences between neighbouring voxels with free ends, their adjoint, and the shrinkage of total variation."""

from __future__ import annotations

import torch
from torch import Tensor

AXES: dict[str, tuple[int, ...]] = {"z": (0,), "slice": (1, 2), "volume": (0, 1, 2)}
"""Directions by name, as axes of a volume (z, y, x)."""


def gradient(x: Tensor, slices: int, axes: tuple[int, ...]) -> Tensor:
    """Differences to the next voxel along each axis, (axes, batch, h, w); 0 at the far ends.

    x: (batch, h, w), real or complex, whose every `slices` items are one volume: nothing wraps from its last slice to
    its first, nor goes on to the next volume.
    """
    volumes = x.reshape(-1, slices, *x.shape[1:])
    slopes = torch.zeros(len(axes), *volumes.shape, dtype=x.dtype, device=x.device)
    for slope, axis in zip(slopes, axes, strict=True):
        n = volumes.shape[axis + 1] - 1
        torch.sub(volumes.narrow(axis + 1, 1, n), volumes.narrow(axis + 1, 0, n), out=slope.narrow(axis + 1, 0, n))
    return slopes.reshape(len(axes), *x.shape)


def gradient_adjoint(slopes: Tensor, slices: int, axes: tuple[int, ...]) -> Tensor:
    """The adjoint of `gradient`: minus the divergence, (batch, h, w)."""
    volumes = slopes.reshape(len(axes), -1, slices, *slopes.shape[2:])
    result = torch.zeros_like(volumes[0])
    for slope, axis in zip(volumes, axes, strict=True):
        n = slope.shape[axis + 1] - 1
        used = slope.narrow(axis + 1, 0, n)
        result.narrow(axis + 1, 0, n).sub_(used)
        result.narrow(axis + 1, 1, n).add_(used)
    return result.reshape(slopes.shape[1:])


def add_smoothing_(result: Tensor, x: Tensor, slices: int, axes: tuple[int, ...], weight: float) -> Tensor:
    """Add weight times gradient_adjoint(gradient(x)) to `result`, (batch, h, w), with one temporary of its size."""
    volumes, sums = (each.reshape(-1, slices, *x.shape[1:]) for each in (x, result))
    for axis in axes:
        n = volumes.shape[axis + 1] - 1
        slope = volumes.narrow(axis + 1, 1, n) - volumes.narrow(axis + 1, 0, n)
        sums.narrow(axis + 1, 0, n).sub_(slope, alpha=weight)
        sums.narrow(axis + 1, 1, n).add_(slope, alpha=weight)
    return result


def shrink(slopes: Tensor, threshold: Tensor) -> Tensor:
    """Shorten the slope (axes, batch, h, w) of each voxel, over all directions, by a threshold.

    threshold: a number, or one an item, (batch, 1, 1). A slope shorter than it becomes 0.
    """
    length = slopes.abs()[0] if len(slopes) == 1 else torch.sqrt((slopes.abs() ** 2).sum(dim=0))
    return slopes * ((length - threshold).clamp_(min=0) / length.clamp_(min=1e-30))
