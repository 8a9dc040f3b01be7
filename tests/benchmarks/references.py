"""Plain ways of doing the same, to compare with."""

from __future__ import annotations

import torch
from torch import Tensor


def centred_fft(x: Tensor) -> Tensor:
    axes = (-2, -1)
    return torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(x, dim=axes), norm="ortho"), dim=axes)


def centred_ifft(x: Tensor) -> Tensor:
    axes = (-2, -1)
    return torch.fft.fftshift(torch.fft.ifft2(torch.fft.ifftshift(x, dim=axes), norm="ortho"), dim=axes)


def sense_normal(x: Tensor, maps: Tensor, mask: Tensor) -> Tensor:
    """Forward and adjoint as they are written down: centred 2-D transforms, and the mask twice."""
    k_space = centred_fft(maps * x[:, None]) * mask[:, None]
    return torch.sum(maps.conj() * centred_ifft(k_space * mask[:, None]), dim=1)


def conjugate_gradient(normal, b: Tensor, x: Tensor, iterations: int) -> Tensor:
    """The textbook iteration, one step size for the whole batch."""
    residual = b - normal(x)
    direction = residual
    energy = torch.sum(residual.abs() ** 2)
    for _ in range(iterations):
        image = normal(direction)
        step = energy / torch.sum((direction.conj() * image).real)
        x = x + step * direction
        residual = residual - step * image
        new_energy = torch.sum(residual.abs() ** 2)
        direction = residual + new_energy / energy * direction
        energy = new_energy
    return x
