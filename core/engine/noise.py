"""The random numbers of a run: every frame draws its own, so that a slice gets the same alone and among others."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

_START = -1


class NoiseSource:
    """Standard normal draws (complex: unit variance in both parts) for step k of a run, from the seeds alone.

    One sample for each seed, all frames of it together. Drawn on the CPU, so that they are the same on every device.
    like: one sample, gives dtype and device. keys: a number for each frame that stays the same when fewer frames are
    reconstructed.
    """

    def __init__(self, seeds: tuple[int, ...], keys: tuple[int, ...], like: Tensor) -> None:
        self.seeds = seeds
        self.keys = keys
        self.like = like

    def start(self) -> Tensor:
        """The draw that the walk starts from."""
        return self(_START)

    def __call__(self, step: int) -> Tensor:
        draws = [self._draw(seed, step, key) for seed in self.seeds for key in self.keys]
        noise = torch.stack(draws).to(self.like.device)
        return noise * math.sqrt(2) if self.like.is_complex() else noise

    def _draw(self, seed: int, step: int, key: int) -> Tensor:
        # The generator looks at 32 bits of its seed only, so that all three numbers have to be mixed into them.
        (mixed,) = np.random.SeedSequence([seed, key, step - _START]).generate_state(1)
        generator = torch.Generator().manual_seed(int(mixed))
        return torch.randn(self.like.shape[1:], dtype=self.like.dtype, generator=generator)
