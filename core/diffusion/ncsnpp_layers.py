"""Building blocks of the NCSN++ score network: resampling with a filter, residual block, attention, noise embedding.

Song et al. 2021 (arXiv 2011.13456, appendix H). The filters are those of Zhang 2019 (arXiv 1904.11486), the order of
resampling and convolution that of BigGAN (Brock et al. 2019, arXiv 1809.11096). Each class says under PUBLISHED what
its own sub-modules are called in the published checkpoints.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

Kernel = Sequence[float] | None
"""Taps of the filter along one axis; None means 2x2 means on the way down and repetition on the way up."""


def normalization(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(channels // 4, 32), channels, eps=1e-6)


def halve(x: Tensor, kernel: Kernel) -> Tensor:
    """(b, c, h, w) at half the size: filtered, then every other pixel. h and w are even."""
    if kernel is None:
        return functional.avg_pool2d(x, 2)
    taps = _plane(kernel, x).flip(-1, -2)
    return functional.conv2d(x, taps, stride=2, padding=len(kernel) // 2 - 1, groups=x.shape[1])


def double(x: Tensor, kernel: Kernel) -> Tensor:
    """(b, c, h, w) at twice the size: zeros between the pixels, then filtered at four times the weight."""
    if kernel is None:
        return functional.interpolate(x, scale_factor=2, mode="nearest")
    taps = 4 * _plane(kernel, x)
    return functional.conv_transpose2d(x, taps, stride=2, padding=len(kernel) // 2 - 1, groups=x.shape[1])


def _plane(kernel: Sequence[float], like: Tensor) -> Tensor:
    """The filter over both axes, of sum 1, once for each channel: (c, 1, k, k)."""
    line = torch.tensor(kernel, dtype=like.dtype, device=like.device)
    line = line / line.sum()
    return torch.outer(line, line).expand(like.shape[1], 1, -1, -1)


class FourierEmbedding(nn.Module):
    """Sines and cosines of 2 pi log(sigma) times fixed random frequencies (Song et al. 2021, appendix C)."""

    PUBLISHED: ClassVar = {"frequencies": "W"}

    def __init__(self, count: int) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(torch.zeros(count))

    def forward(self, sigma: Tensor) -> Tensor:
        """sigma: (b,). Returns (b, 2 count)."""
        angles = 2 * math.pi * sigma.log()[:, None] * self.frequencies
        return torch.cat((angles.sin(), angles.cos()), dim=1)


def positional_embedding(labels: Tensor, width: int) -> Tensor:
    """Sines, then cosines, of labels (b,) at width // 2 frequencies from 1 to 1e-4, both included: (b, width)."""
    half = width // 2
    steps = torch.arange(half, dtype=torch.float32, device=labels.device) / (half - 1)
    angles = labels.float()[:, None] * torch.exp(-math.log(1e4) * steps)
    return functional.pad(torch.cat((angles.sin(), angles.cos()), dim=1), (0, width % 2))


class PixelLinear(nn.Module):
    """One matrix for all pixels, stored as (in, out): the transpose of a 1x1 convolution."""

    PUBLISHED: ClassVar = {"matrix": "W", "offset": "b"}

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.zeros(channels, out))
        self.offset = nn.Parameter(torch.zeros(out))

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.matrix.T[:, :, None, None], self.offset)


class ResidualBlock(nn.Module):
    """Two convolutions around the noise embedding, on a skip connection; optionally resampling before the first.

    resample: "up", "down" or "". pointwise: the skip connection changes channels by a PixelLinear (the "ddpm" kind)
    and not by a 1x1 convolution ("biggan"). rescale: the sum is divided by sqrt(2).
    """

    PUBLISHED: ClassVar = {
        **{"norm_in": "GroupNorm_0", "conv_in": "Conv_0", "noise": "Dense_0"},
        **{"norm_out": "GroupNorm_1", "conv_out": "Conv_1", "shortcut": "Conv_2", "shortcut_matrix": "NIN_0"},
    }

    def __init__(
        self,
        channels: int,
        out: int,
        embedding: int,
        *,
        activation: nn.Module,
        rescale: bool,
        kernel: Kernel = None,
        resample: str = "",
        pointwise: bool = False,
    ) -> None:
        super().__init__()
        self.activation, self.kernel, self.resample = activation, kernel, resample
        self.scale = math.sqrt(0.5) if rescale else 1.0
        self.norm_in = normalization(channels)
        self.conv_in = nn.Conv2d(channels, out, 3, padding=1)
        self.noise = nn.Linear(embedding, out)
        self.norm_out = normalization(out)
        self.conv_out = nn.Conv2d(out, out, 3, padding=1)
        changes = channels != out
        self.shortcut = nn.Conv2d(channels, out, 1) if not pointwise and (changes or resample) else None
        self.shortcut_matrix = PixelLinear(channels, out) if pointwise and changes else None

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """x: (b, channels, h, w). embedding: (b, embedding), already activated."""
        hidden = self.activation(self.norm_in(x))
        if self.resample:
            change = halve if self.resample == "down" else double
            hidden, x = change(hidden, self.kernel), change(x, self.kernel)
        hidden = self.conv_in(hidden) + self.noise(embedding)[:, :, None, None]
        hidden = self.conv_out(self.activation(self.norm_out(hidden)))
        for shortcut in (self.shortcut, self.shortcut_matrix):
            x = x if shortcut is None else shortcut(x)
        out: Tensor = (x + hidden) * self.scale
        return out


class Attention(nn.Module):
    """Attention of one head over all pixels, on a skip connection."""

    PUBLISHED: ClassVar = {"norm": "GroupNorm_0", "query": "NIN_0", "key": "NIN_1", "value": "NIN_2", "mix": "NIN_3"}

    def __init__(self, channels: int, *, rescale: bool) -> None:
        super().__init__()
        self.scale = math.sqrt(0.5) if rescale else 1.0
        self.norm = normalization(channels)
        self.query = PixelLinear(channels, channels)
        self.key = PixelLinear(channels, channels)
        self.value = PixelLinear(channels, channels)
        self.mix = PixelLinear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        query, key, value = (part(normed).flatten(2).mT[:, None] for part in (self.query, self.key, self.value))
        seen = functional.scaled_dot_product_attention(query, key, value)[:, 0]
        out: Tensor = (x + self.mix(seen.mT.reshape(x.shape))) * self.scale
        return out


class ConvolvedHalf(nn.Module):
    """Half the size by a 3x3 convolution with a stride of 2, after a filter, or on an image padded on the far side."""

    PUBLISHED: ClassVar = {"filtered": "Conv2d_0", "plain": "Conv_0"}

    def __init__(self, channels: int, out: int, kernel: Kernel) -> None:
        super().__init__()
        self.kernel = kernel
        self.filtered = nn.Conv2d(channels, out, 3, stride=2) if kernel is not None else None
        self.plain = nn.Conv2d(channels, out, 3, stride=2) if kernel is None else None

    def forward(self, x: Tensor) -> Tensor:
        if self.kernel is not None:
            taps = _plane(self.kernel, x).flip(-1, -2)
            x = functional.conv2d(x, taps, padding=len(self.kernel) // 2, groups=x.shape[1])
        else:
            x = functional.pad(x, (0, 1, 0, 1))
        for shrink in (self.filtered, self.plain):
            x = x if shrink is None else shrink(x)
        return x


class ConvolvedDouble(nn.Module):
    """Twice the size by repetition, then a 3x3 convolution."""

    PUBLISHED: ClassVar = {"plain": "Conv_0"}

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.plain = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.plain(double(x, None))
        return out


class Joined(nn.Module):
    """A small copy of the image, brought to as many channels as the features and added to them, or put before them."""

    PUBLISHED: ClassVar = {"plain": "Conv_0"}

    def __init__(self, channels: int, out: int, *, stack: bool) -> None:
        super().__init__()
        self.stack = stack
        self.plain = nn.Conv2d(channels, out, 1)

    def forward(self, image: Tensor, features: Tensor) -> Tensor:
        shown: Tensor = self.plain(image)
        return torch.cat((shown, features), dim=1) if self.stack else shown + features


class Output(nn.Module):
    """Norm, activation, 3x3 convolution to image channels. In the checkpoints these are two modules in a row."""

    def __init__(self, channels: int, out: int, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation
        self.norm = normalization(channels)
        self.conv = nn.Conv2d(channels, out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(self.activation(self.norm(x)))
        return out
