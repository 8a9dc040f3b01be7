"""The random numbers of a run: every frame draws its own, so that a slice gets the same alone and among others."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

_START = -1


class NoiseSource:
    """Standard normal draws (complex: unit variance in both parts) for step k of a run, from the seed alone.

    Drawn on the CPU, so that they are the same on every device. like: gives dtype and device. keys: a number for each
    frame that stays the same when fewer frames are reconstructed.
    """

    def __init__(self, seed: int, keys: tuple[int, ...], like: Tensor) -> None:
        self.seed = seed
        self.keys = keys
        self.like = like

    def start(self) -> Tensor:
        """The draw that the walk starts from."""
        return self(_START)

    def __call__(self, step: int) -> Tensor:
        noise = torch.stack([self._draw(step, key) for key in self.keys]).to(self.like.device)
        return noise * math.sqrt(2) if self.like.is_complex() else noise

    def _draw(self, step: int, key: int) -> Tensor:
        # The generator looks at 32 bits of its seed only, so that all three numbers have to be mixed into them.
        (mixed,) = np.random.SeedSequence([self.seed, key, step - _START]).generate_state(1)
        generator = torch.Generator().manual_seed(int(mixed))
        return torch.randn(self.like.shape[1:], dtype=self.like.dtype, generator=generator)
