"""The ADM U-Net ("guided diffusion"), name for name as its published checkpoints have it.

Dhariwal and Nichol 2021 (arXiv 2105.05233, section 3 and table 4). The published DDS priors are of this family.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.diffusion.adm_layers import (
    Downsample,
    ResidualBlock,
    SelfAttention,
    Stage,
    Upsample,
    normalization,
)
from core.diffusion.embedding import sinusoidal_embedding
from core.errors import PriorError

MULTIPLIERS = {
    512: (0.5, 1, 1, 2, 2, 4, 4),
    320: (1, 1, 2, 2, 4, 4),
    256: (1, 1, 2, 2, 4, 4),
    128: (1, 1, 2, 3, 4),
    64: (1, 2, 3, 4),
}
"""Channel multipliers by image size, for configurations that name none (320: as in the published knee prior)."""


@dataclass(frozen=True)
class AdmConfig:
    """The arguments of an ADM U-Net. attention: the down-sampling factors at which attention stands.

    residual_resampling: sizes change within residual blocks; otherwise by a convolution, if learned_resampling, or by
    means and repetition.
    """

    in_channels: int
    out_channels: int
    width: int
    residual_blocks: int
    multipliers: tuple[float, ...]
    attention: tuple[int, ...]
    heads: int = 4
    heads_upsample: int = -1
    head_channels: int = -1
    scale_shift: bool = True
    residual_resampling: bool = True
    learned_resampling: bool = True
    new_attention_order: bool = False

    def heads_at(self, channels: int, *, up: bool = False) -> int:
        """Number of attention heads of a layer with so many channels."""
        if self.head_channels > 0:
            return channels // self.head_channels
        return self.heads_upsample if up and self.heads_upsample > 0 else self.heads

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_published(cls, config: dict[str, Any]) -> AdmConfig:
        """From the keys that published configurations use (num_channels, channel_mult, attention_resolutions ...).

        attention_factors, not a published key, stands for attention_resolutions where the image size is not known.
        Raises PriorError for class-conditional networks and image sizes whose multipliers are not known.
        """
        if config.get("class_cond"):
            raise PriorError("This prior needs a class label.", "It was trained class-conditionally.", "Use another.")
        channels = int(config["in_channels"])
        named = str(config.get("channel_mult") or "")
        size = 0 if named else int(config["image_size"])
        if not named and size not in MULTIPLIERS:
            raise PriorError(f"No channel multipliers are known for image size {size}.", "", "Give channel_mult.")
        factors = config.get("attention_factors")
        if factors is None:
            factors = [
                int(config["image_size"]) // int(r) for r in str(config["attention_resolutions"]).split(",") if r
            ]
        return cls(
            in_channels=channels,
            out_channels=2 * channels if config.get("learn_sigma") else channels,
            width=int(config["num_channels"]),
            residual_blocks=int(config["num_res_blocks"]),
            multipliers=tuple(float(m) for m in named.split(",")) if named else MULTIPLIERS[size],
            attention=tuple(factors),
            heads=int(config.get("num_heads", 4)),
            heads_upsample=int(config.get("num_heads_upsample", -1)),
            head_channels=int(config.get("num_head_channels", -1)),
            scale_shift=bool(config.get("use_scale_shift_norm", True)),
            residual_resampling=bool(config.get("resblock_updown", True)),
            learned_resampling=bool(config.get("conv_resample", True)),
            new_attention_order=bool(config.get("use_new_attention_order", False)),
        )


class AdmUNet(nn.Module):
    """forward(x, t): x float32 (b, in_channels, h, w), t (b,) the timestep as it is; returns (b, out_channels, h, w).

    Height and width must be multiples of `multiple`. When the variance is learned, the first half of the output
    channels is the prediction.
    """

    def __init__(self, config: AdmConfig) -> None:
        super().__init__()
        self.config = config
        self.multiple = 2 ** (len(config.multipliers) - 1)
        self.embedding_width = 4 * config.width
        self.time_embed = nn.Sequential(
            nn.Linear(config.width, self.embedding_width),
            nn.SiLU(),
            nn.Linear(self.embedding_width, self.embedding_width),
        )
        skips = self._build_down()
        top = skips[-1]
        self.middle_block = Stage(self._residual(top, top), self._attention(top), self._residual(top, top))
        last = self._build_up(skips, top)
        self.out = nn.Sequential(normalization(last), nn.SiLU(), nn.Conv2d(last, config.out_channels, 3, padding=1))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        embedding = self.time_embed(sinusoidal_embedding(t, self.config.width))
        skips = []
        for stage in self.input_blocks:
            x = stage(x, embedding)
            skips.append(x)
        x = self.middle_block(x, embedding)
        for stage in self.output_blocks:
            x = stage(torch.cat([x, skips.pop()], dim=1), embedding)
        out: Tensor = self.out(x)
        return out

    def _residual(self, channels: int, out: int, resample: str = "") -> ResidualBlock:
        return ResidualBlock(
            channels, out, self.embedding_width, scale_shift=self.config.scale_shift, resample=resample
        )

    def _attention(self, channels: int, *, up: bool = False) -> SelfAttention:
        heads = self.config.heads_at(channels, up=up)
        return SelfAttention(channels, heads, new_order=self.config.new_attention_order)

    def _build_down(self) -> list[int]:
        """Build the encoder; returns the channels of every skip connection, first to last."""
        config = self.config
        channels = int(config.width * config.multipliers[0])
        self.input_blocks = nn.ModuleList([Stage(nn.Conv2d(config.in_channels, channels, 3, padding=1))])
        skips = [channels]
        for level, multiplier in enumerate(config.multipliers):
            out = int(config.width * multiplier)
            for _ in range(config.residual_blocks):
                layers: list[nn.Module] = [self._residual(channels, out)]
                if 2**level in config.attention:
                    layers.append(self._attention(out))
                self.input_blocks.append(Stage(*layers))
                channels = out
                skips.append(channels)
            if level < len(config.multipliers) - 1:
                residual, learned = config.residual_resampling, config.learned_resampling
                down = self._residual(channels, channels, "down") if residual else Downsample(channels, learned=learned)
                self.input_blocks.append(Stage(down))
                skips.append(channels)
        return skips

    def _build_up(self, skips: list[int], channels: int) -> int:
        """Build the decoder; returns its last channel count."""
        config = self.config
        remaining = list(skips)
        self.output_blocks = nn.ModuleList()
        for level, multiplier in reversed(list(enumerate(config.multipliers))):
            out = int(config.width * multiplier)
            for i in range(config.residual_blocks + 1):
                layers: list[nn.Module] = [self._residual(channels + remaining.pop(), out)]
                channels = out
                if 2**level in config.attention:
                    layers.append(self._attention(channels, up=True))
                if level and i == config.residual_blocks:
                    residual, learned = config.residual_resampling, config.learned_resampling
                    layers.append(
                        self._residual(channels, channels, "up") if residual else Upsample(channels, learned=learned)
                    )
                self.output_blocks.append(Stage(*layers))
        return channels
