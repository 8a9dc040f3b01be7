"""Building blocks of the ADM U-Net: residual block, attention, up- and down-sampling.

Dhariwal and Nichol 2021 (arXiv 2105.05233, section 3). Sub-modules carry the names of the published checkpoints.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


def normalization(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(32, channels)


class Upsample(nn.Module):
    """Doubles height and width by repetition; then a 3x3 convolution if it is learned."""

    def __init__(self, channels: int, *, learned: bool) -> None:
        super().__init__()
        if learned:
            self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.learned = learned

    def forward(self, x: Tensor) -> Tensor:
        x = functional.interpolate(x, scale_factor=2, mode="nearest")
        return self.conv(x) if self.learned else x


class Downsample(nn.Module):
    """Halves height and width by a strided 3x3 convolution if it is learned, else by averaging 2x2."""

    def __init__(self, channels: int, *, learned: bool) -> None:
        super().__init__()
        self.op: nn.Module = (
            nn.Conv2d(channels, channels, 3, stride=2, padding=1) if learned else nn.AvgPool2d(kernel_size=2)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.op(x)
        return out


class ResidualBlock(nn.Module):
    """Two convolutions around the time embedding, on a skip connection; optionally resampling on the way.

    scale_shift: the embedding scales and shifts after the second normalisation (FiLM) instead of being added before it.
    resample: "up", "down" or "".
    """

    def __init__(self, channels: int, out: int, embedding: int, *, scale_shift: bool, resample: str = "") -> None:
        super().__init__()
        self.scale_shift = scale_shift
        self.in_layers = nn.Sequential(normalization(channels), nn.SiLU(), nn.Conv2d(channels, out, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embedding, 2 * out if scale_shift else out))
        self.out_layers = nn.Sequential(normalization(out), nn.SiLU(), nn.Identity(), nn.Conv2d(out, out, 3, padding=1))
        self.skip_connection = nn.Identity() if channels == out else nn.Conv2d(channels, out, 1)
        self.resample: nn.Module = nn.Identity()
        if resample:
            self.resample = (Upsample if resample == "up" else Downsample)(channels, learned=False)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        norm, activation, conv = self.in_layers
        h = conv(self.resample(activation(norm(x))))
        shift = self.emb_layers(embedding)[:, :, None, None]
        if self.scale_shift:
            scale, shift = shift.chunk(2, dim=1)
            h = self.out_layers[0](h) * (1 + scale) + shift
            h = self.out_layers[1:](h)
        else:
            h = self.out_layers(h + shift)
        out: Tensor = self.skip_connection(self.resample(x)) + h
        return out


class SelfAttention(nn.Module):
    """Multi-head attention over all pixels, on a skip connection.

    new_order: the 3 * channels of `qkv` are query, key and value of all heads; else they are grouped head by head.
    """

    def __init__(self, channels: int, heads: int, *, new_order: bool) -> None:
        super().__init__()
        self.heads = heads
        self.new_order = new_order
        self.norm = normalization(channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor, embedding: Tensor | None = None) -> Tensor:
        batch, channels = x.shape[:2]
        flat = x.flatten(2)
        qkv = self.qkv(self.norm(flat))
        if self.new_order:
            parts = qkv.unflatten(1, (3, self.heads, channels // self.heads))
        else:
            parts = qkv.unflatten(1, (self.heads, 3, channels // self.heads)).transpose(1, 2)
        query, key, value = (p.transpose(-1, -2) for p in parts.unbind(1))
        mixed = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = flat + self.proj_out(mixed.transpose(-1, -2).reshape(batch, channels, -1))
        return out.reshape(x.shape)


class Stage(nn.Sequential):
    """A sequence in which residual blocks also get the time embedding."""

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:  # type: ignore[override]
        for layer in self:
            x = layer(x, embedding) if isinstance(layer, ResidualBlock) else layer(x)
        return x
