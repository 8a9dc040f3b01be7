"""Reconstruction with an l1 penalty on wavelet coefficients: compressed sensing as Lustig et al. 2007 began it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from core.operators.linear import LinearOperator
from core.solvers import wavelet
from core.solvers.baselines import cg_sense

ITERATIONS = 60
ACCELERATED = 2 / 3
"""Share of the iterations with momentum; afterwards it would only stir up what the changing grids leave."""
AVERAGED = 1 / 4
"""Share of the iterations, at the end, whose mean is the result: each has the grain of its own grid."""


def l1_wavelet(
    operator: LinearOperator,
    y: Tensor,
    lam: float,
    *,
    iterations: int = ITERATIONS,
    seed: int = 0,
    peak: Tensor | None = None,
) -> Tensor:
    """argmin 1/2 ||A x - y||^2 + lam peak ||W x||_1 for an operator of unit norm; see `iterates` for the arguments."""
    *_, x = iterates(operator, y, lam, iterations=iterations, seed=seed, peak=peak)
    return x


def iterates(
    operator: LinearOperator,
    y: Tensor,
    lam: float,
    *,
    iterations: int = ITERATIONS,
    seed: int = 0,
    peak: Tensor | None = None,
) -> Iterator[Tensor]:
    """The iterates of `l1_wavelet`, from the least-squares image on.

    y: operator.range_shape; images are operator.domain_shape, (batch, h, w), real or complex. W: Daubechies-4, shifted
    at random in each iteration so that the grid of the wavelets leaves no blocks (Figueiredo and Nowak 2003, doi
    10.1109/TIP.2003.814255). Sides that cannot be halved often enough are padded with zeros for it. lam: the weight for
    an image scaled to peak 1. peak: of each item, of shape (batch, 1, 1), by default of the least-squares image.
    Fast iterative shrinkage (Beck and Teboulle 2009, doi 10.1137/080716542), then plain; the last is the mean of the
    last quarter. The few coarsest coefficients are not penalised.
    """
    x = cg_sense(operator, y)
    yield x
    if lam == 0:
        return
    top = x.abs().amax(dim=(-2, -1), keepdim=True) if peak is None else peak
    levels = wavelet.levels_of(*x.shape[-2:])
    backprojection = operator.adjoint(y)
    generator = torch.Generator().manual_seed(seed)
    ahead, momentum = x, 1.0
    total, averaged = torch.zeros_like(x), max(round(AVERAGED * iterations), 1)
    for k in range(iterations):
        step = ahead - (operator.normal(ahead) - backprojection)
        shift = torch.randint(0, 2**levels, (2,), generator=generator).tolist()
        new = shrunk(step, lam * top, levels, (shift[0], shift[1]))
        grown = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / grown * (new - x) if k < ACCELERATED * iterations else new
        x, momentum = new, grown
        if k >= iterations - averaged:
            total = total + x
        yield x if k < iterations - 1 else total / averaged


def shrunk(x: Tensor, threshold: Tensor, levels: int, shift: tuple[int, int]) -> Tensor:
    """The images (batch, h, w) with their wavelet details shortened by the threshold, on a grid shifted so far."""
    height, width = x.shape[-2:]
    moved = wavelet.padded(x, levels).roll(shift, (-2, -1))
    details = wavelet.forward(moved, levels)
    size = details.abs()
    kept = details * ((size - threshold).clamp(min=0) / size.clamp(min=1e-30))
    coarse = slice(0, moved.shape[-2] >> levels), slice(0, moved.shape[-1] >> levels)
    kept[:, coarse[0], coarse[1]] = details[:, coarse[0], coarse[1]]
    back = wavelet.inverse(kept, levels).roll((-shift[0], -shift[1]), (-2, -1))
    return back[:, :height, :width]
