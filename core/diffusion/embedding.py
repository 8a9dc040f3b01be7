"""How networks are told the timestep."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def sinusoidal_embedding(timesteps: Tensor, width: int) -> Tensor:
    """Cosines and sines of the timesteps at `width // 2` geometric frequencies from 1 down to 1e-4.

    timesteps: (b,), any real numbers. Returns float32 (b, width); an odd width is filled with a zero column.
    Vaswani et al. 2017 (arXiv 1706.03762, section 3.5), as in Ho et al. 2020.
    """
    half = width // 2
    frequencies = torch.exp(-math.log(1e4) * torch.arange(half, dtype=torch.float32, device=timesteps.device) / half)
    angles = timesteps.float()[:, None] * frequencies
    waves = torch.cat([angles.cos(), angles.sin()], dim=1)
    return functional.pad(waves, (0, width % 2))
