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
    joint: int = 1,
    *,
    overwrite: bool = False,
) -> Tensor:
    """Solve normal(x) = b from x0 (zero if left out) by at most so many iterations.

    b, x0: (batch, ...) real or complex. Every `joint` consecutive items are one system; systems are solved side by side
    and do not mix. A system whose residual is below tolerance * ||b||, or exactly zero, stays as it is from then on;
    when all are, the iteration ends. overwrite: b and x0 are used up, which spares two copies of a large volume; the
    solution is then x0's own memory.
    Hestenes and Stiefel 1952 (doi 10.6028/jres.049.044), algorithm 3:1, with the Hermitian inner product.
    """
    goal = tolerance**2 * _energy(b, joint)
    x = torch.zeros_like(b) if x0 is None else x0 if overwrite else x0.clone()
    residual = b if overwrite else b.clone()
    if x0 is not None:
        residual.sub_(normal(x))
    direction = residual.clone()
    energy = _energy(residual, joint)
    for _ in range(iterations):
        if bool((energy <= goal).all()):
            break
        image = normal(direction)
        curvature = _hermitian(direction, image, joint)
        step = _ratio(energy, curvature, where=energy > goal)
        x.addcmul_(step.to(x.dtype), direction)
        residual.addcmul_(step.to(x.dtype), image, value=-1)
        del image  # or it would stay until the next one is made
        new_energy = _energy(residual, joint)
        direction.mul_(_ratio(new_energy, energy, where=step > 0)).add_(residual)
        energy = new_energy
    return x


def _hermitian(a: Tensor, b: Tensor, joint: int) -> Tensor:
    """Real part of <a, b> of every system, shaped to multiply its items. Real for a Hermitian system."""
    flat = [torch.view_as_real(v).flatten(1) if v.is_complex() else v.flatten(1) for v in (a, b)]
    sums = torch.einsum("nk,nk->n", *flat)
    if joint > 1:
        sums = sums.reshape(-1, joint).sum(dim=1).repeat_interleave(joint)
    return sums.reshape(-1, *(1,) * (a.dim() - 1))


def _energy(a: Tensor, joint: int) -> Tensor:
    return _hermitian(a, a, joint)


def _ratio(numerator: Tensor, denominator: Tensor, where: Tensor) -> Tensor:
    """numerator / denominator where it is asked for and can be divided, else 0: a converged item takes no step."""
    good = where & (denominator > 0)
    return torch.where(good, numerator / torch.where(good, denominator, torch.ones_like(denominator)), 0.0)
