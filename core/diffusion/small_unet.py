"""A small convolutional U-Net for denoising on a CPU.

Its widest layers run at half size (pixel unshuffle, Shi et al. 2016, arXiv 1609.05158), most of its weights sit at the
coarse levels, and the noise level scales and shifts every block (FiLM, Perez et al. 2018, arXiv 1709.07871). It has no
attention, so that it is the same local operation at every image size.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.diffusion.embedding import sinusoidal_embedding

GROUP_WIDTH = 16


class SmallUNet(nn.Module):
    """U-Net of residual blocks.

    channels: of the image, in and out. widths: feature maps at 1/2, 1/4, 1/8 ... of the image's size. blocks: residual
    blocks for each level on the way down, and as many on the way up. time_width: length of the time embedding. The
    last layer starts at zero, so an untrained network answers 0.
    """

    def __init__(
        self,
        channels: int,
        widths: Sequence[int] = (32, 64, 128),
        blocks: Sequence[int] | int = 2,
        time_width: int = 128,
    ) -> None:
        super().__init__()
        counts = [blocks] * len(widths) if isinstance(blocks, int) else list(blocks)
        self.multiple = 2 ** len(widths)
        self.time_width = time_width
        self.time = nn.Sequential(nn.Linear(time_width, time_width), nn.SiLU(), nn.Linear(time_width, time_width))
        self.stem = nn.Conv2d(4 * channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList(_stage(width, count, time_width) for width, count in zip(widths, counts, strict=True))
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        self.up = nn.ModuleList(
            _stage(width, count, time_width) for width, count in zip(widths[:-1], counts[:-1], strict=True)
        )
        self.grow = nn.ModuleList(nn.Conv2d(b, 4 * a, 1) for a, b in pairwise(widths))
        self.join = nn.ModuleList(nn.Conv2d(2 * a, a, 1) for a in widths[:-1])
        self.head_norm = _norm(widths[0])
        self.head = nn.Conv2d(widths[0], 4 * channels, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(cast(Tensor, self.head.bias))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """The prediction for the noisy images x (b, channels, h, w) at timesteps t (b,), in the shape of x.

        h and w are multiples of `multiple`.
        """
        time = functional.silu(self.time(sinusoidal_embedding(t, self.time_width)))
        # Pixel norms and convolutions are a quarter faster where the features of a pixel lie side by side.
        features = self.stem(functional.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last))
        kept: list[Tensor] = []
        for level, stage in enumerate(self.down):
            features = _through(stage, features, time)
            if level < len(self.shrink):
                kept.append(features)
                features = self.shrink[level](features)
        for level in reversed(range(len(self.up))):
            features = functional.pixel_shuffle(self.grow[level](features), 2)
            features = self.join[level](torch.cat((features, kept.pop()), dim=1))
            features = _through(self.up[level], features, time)
        out = self.head(functional.silu(self.head_norm(features)))
        return functional.pixel_shuffle(out, 2)


class ResidualBlock(nn.Module):
    """Norm, SiLU, convolution; norm, scale and shift by the time, SiLU, convolution; added to what came in."""

    def __init__(self, width: int, time_width: int) -> None:
        super().__init__()
        self.norm_in = _norm(width)
        self.conv_in = nn.Conv2d(width, width, 3, padding=1)
        self.film = nn.Linear(time_width, 2 * width)
        self.norm_out = _norm(width)
        self.conv_out = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """x: (b, width, h, w). time: (b, time_width), already activated."""
        scale, shift = self.film(time)[:, :, None, None].chunk(2, dim=1)
        hidden = self.conv_in(functional.silu(self.norm_in(x)))
        hidden = self.norm_out(hidden) * (1 + scale) + shift
        out: Tensor = x + self.conv_out(functional.silu(hidden))
        return out


def _norm(width: int) -> PixelNorm:
    return PixelNorm(width)


def _through(stage: nn.Module, features: Tensor, time: Tensor) -> Tensor:
    for block in stage.children():
        features = block(features, time)
    return features


def _stage(width: int, blocks: int, time_width: int) -> nn.ModuleList:
    return nn.ModuleList(ResidualBlock(width, time_width) for _ in range(blocks))


class PixelNorm(nn.LayerNorm):
    """Normalises the features of each pixel on its own, so that it is the same at every image size."""

    def forward(self, x: Tensor) -> Tensor:
        """x: (b, width, h, w)."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
