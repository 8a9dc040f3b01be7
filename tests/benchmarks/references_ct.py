"""A plain Radon transform to compare with: turn the image and add its rows up."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


def turned(images: Tensor, angle: float) -> Tensor:
    """(slices, n, n) turned about their middle, bilinear, nothing beyond the edge."""
    cos, sin = math.cos(angle), math.sin(angle)
    turn = torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0]]).expand(len(images), 2, 3)
    grid = affine_grid(turn, [len(images), 1, *images.shape[1:]], align_corners=False)
    return grid_sample(images[:, None], grid, align_corners=False)[:, 0]


def radon(images: Tensor, angles: list[float]) -> Tensor:
    """(slices, n, n) to (slices, views, n), pixels and bins of 1."""
    return torch.stack([turned(images, angle).sum(dim=1) for angle in angles], dim=1)


def back_projection(sinogram: Tensor, angles: list[float]) -> Tensor:
    """(slices, views, n) to (slices, n, n): each view smeared over an image that is turned back."""
    n = sinogram.shape[-1]
    image = torch.zeros(len(sinogram), n, n)
    for k, angle in enumerate(angles):
        image += turned(sinogram[:, k, None].expand(-1, n, -1), -angle)
    return image
