"""Conjugate gradients for Hermitian positive semi-definite systems, each item of a batch with step sizes of its own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def conjugate_gradient(
    normal: Callable[[Tensor], Tensor],
    b: Tensor,
    x0: Tensor | None = None,
    iterations: int = 5,
    tolerance: float = 0.0,
) -> Tensor:
    """Solve normal(x) = b from x0 (zero if left out) by at most so many iterations.

    b, x0: (batch, ...) real or complex; items are solved side by side and do not mix. An item whose residual is below
    tolerance * ||b||, or exactly zero, stays as it is from then on; when all are, the iteration ends.
    Hestenes and Stiefel 1952 (doi 10.6028/jres.049.044), algorithm 3:1, with the Hermitian inner product.
    """
    x = torch.zeros_like(b) if x0 is None else x0.clone()
    residual = b - normal(x) if x0 is not None else b.clone()
    direction = residual.clone()
    energy = _energy(residual)
    goal = tolerance**2 * _energy(b)
    for _ in range(iterations):
        if bool((energy <= goal).all()):
            break
        image = normal(direction)
        curvature = _hermitian(direction, image)
        step = _ratio(energy, curvature, where=energy > goal)
        x = x + step * direction
        residual = residual - step * image
        new_energy = _energy(residual)
        direction = residual + _ratio(new_energy, energy, where=step > 0) * direction
        energy = new_energy
    return x


def _hermitian(a: Tensor, b: Tensor) -> Tensor:
    """Real part of <a, b> of every item, shaped to multiply it back. Real for a Hermitian system."""
    product = torch.view_as_real(a) * torch.view_as_real(b) if a.is_complex() else a * b
    sums = product.flatten(1).sum(dim=1)
    return sums.reshape(-1, *(1,) * (a.dim() - 1))


def _energy(a: Tensor) -> Tensor:
    return _hermitian(a, a)


def _ratio(numerator: Tensor, denominator: Tensor, where: Tensor) -> Tensor:
    """numerator / denominator where it is asked for and can be divided, else 0: a converged item takes no step."""
    good = where & (denominator > 0)
    return torch.where(good, numerator / torch.where(good, denominator, torch.ones_like(denominator)), 0.0)
