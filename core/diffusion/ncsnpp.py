"""The NCSN++ score network: the variance-exploding family, as published for score-SDE and score-MRI.

Song et al. 2021 (arXiv 2011.13456, appendix H); Chung and Ye 2022 (arXiv 2110.05243) trained one on MR images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.diffusion.ncsnpp_layers import (
    Attention,
    ConvolvedDouble,
    ConvolvedHalf,
    FourierEmbedding,
    Joined,
    Output,
    ResidualBlock,
    double,
    halve,
    positional_embedding,
)
from core.errors import PriorError

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    **{"swish": nn.SiLU, "relu": nn.ReLU, "elu": nn.ELU},
    "lrelu": lambda: nn.LeakyReLU(0.2),
}


@dataclass(frozen=True)
class NcsnppConfig:
    """The arguments of an NCSN++.

    attention: levels at which attention stands, 0 is the image's own size. block: "biggan" (resampling within residual
    blocks) or "ddpm" (by convolutions). input_pyramid: "none", "input_skip" or "residual"; output_pyramid: "none" or
    "output_skip". combine: "sum" or "cat", for input_skip. fir_kernel: taps of the resampling filter, empty for plain
    means and repetition. rescale: sums are divided by sqrt(2). scale_by_sigma: the last layer is divided by sigma.
    centred: images were scaled to -1..1 in training; otherwise to 0..1, and the network does it. embedding: "fourier"
    (of log sigma) or "positional" (of the number of the noise level).
    sigma_range, sigma_count: the noise levels that "positional" counts, the greatest first.
    """

    channels: int
    width: int
    multipliers: tuple[int, ...]
    blocks: int
    attention: tuple[int, ...] = ()
    block: str = "biggan"
    input_pyramid: str = "residual"
    output_pyramid: str = "none"
    combine: str = "sum"
    fir_kernel: tuple[float, ...] = (1, 3, 3, 1)
    rescale: bool = True
    scale_by_sigma: bool = True
    centred: bool = False
    activation: str = "swish"
    embedding: str = "fourier"
    sigma_range: tuple[float, float] = (0.01, 378.0)
    sigma_count: int = 2000

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> NcsnppConfig:
        """From what to_dict gave, also by way of JSON. Raises PriorError for settings that no such network has."""
        lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
        config = cls(**{**values, **lists})
        choices = (
            ("block", ("biggan", "ddpm")),
            ("input_pyramid", ("none", "input_skip", "residual")),
            ("output_pyramid", ("none", "output_skip")),
            ("combine", ("sum", "cat")),
            ("activation", tuple(ACTIVATIONS)),
            ("embedding", ("fourier", "positional")),
        )
        for key, allowed in choices:
            if getattr(config, key) not in allowed:
                raise PriorError(
                    f"An NCSN++ cannot have {key} {getattr(config, key)!r} here.", "", f"Use {' or '.join(allowed)}."
                )
        if len(config.fir_kernel) % 2:
            raise PriorError("The resampling filter of an NCSN++ has an even number of taps.", "", "Correct it.")
        return config


class NcsnPlusPlus(nn.Module):
    """forward(x, sigma): the noise in x, float32 (b, channels, h, w), of the noise levels sigma (b,).

    The published networks give the score, which is minus the noise divided by sigma (Song et al. 2021, eq. 7). Height
    and width must be multiples of `multiple`.
    """

    def __init__(self, config: NcsnppConfig) -> None:
        super().__init__()
        self.config = config
        self.multiple = 2 ** (len(config.multipliers) - 1)
        self.activation = ACTIVATIONS[config.activation]()
        self.kernel = config.fir_kernel or None
        self._build_embedding()
        self.stem = nn.Conv2d(config.channels, config.width, 3, padding=1)
        skips, channels = self._build_down()
        self.middle = nn.ModuleList(
            (self._residual(channels, channels), self._attention(channels), self._residual(channels, channels))
        )
        self._build_up(skips, channels)

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        config = self.config
        embedding = self._embed(sigma)
        x = x if config.centred else 2 * x - 1
        features, skips = self._go_down(x, embedding)
        first, attention, second = self.middle
        features = second(attention(first(features, embedding)), embedding)
        answer = self._go_up(features, skips, embedding)
        return -answer if config.scale_by_sigma else -answer * sigma[:, None, None, None]

    def published_names(self) -> Iterator[tuple[int, str, str]]:
        """(rank of the module in the published list, name within it, own full name) of every entry.

        Modules without entries are not counted: how many there are depends on the version of the published code.
        """
        own = {id(module): name for name, module in self.named_modules()}
        for rank, module in enumerate(self._in_published_order()):
            for name, _ in module.named_parameters():
                yield rank, _published(module, name), f"{own[id(module)]}.{name}"

    def _in_published_order(self) -> Iterator[nn.Module]:
        yield from self.embedding
        yield self.stem
        for level in self.down:
            yield from level.children()
        yield from self.middle
        for level in self.up:
            for module in level.children():
                yield from (module.norm, module.conv) if isinstance(module, Output) else (module,)
        if self.output is not None:
            yield from (self.output.norm, self.output.conv)

    def _build_embedding(self) -> None:
        config = self.config
        width = config.width
        self.embedding = nn.ModuleList([FourierEmbedding(width)] if config.embedding == "fourier" else [])
        first = nn.Linear(2 * width if config.embedding == "fourier" else width, 4 * width)
        self.embedding.extend((first, nn.Linear(4 * width, 4 * width)))

    def _embed(self, sigma: Tensor) -> Tensor:
        config = self.config
        first, second = self.embedding[-2:]
        if config.embedding == "fourier":
            waves = self.embedding[0](sigma)
        else:
            least, greatest = config.sigma_range
            place = torch.log(greatest / sigma) / math.log(greatest / least)
            waves = positional_embedding((place * (config.sigma_count - 1)).round(), config.width)
        activated: Tensor = self.activation(second(self.activation(first(waves))))
        return activated

    def _residual(self, channels: int, out: int, resample: str = "") -> ResidualBlock:
        return ResidualBlock(
            channels,
            out,
            4 * self.config.width,
            activation=self.activation,
            rescale=self.config.rescale,
            kernel=self.kernel,
            resample=resample,
            pointwise=self.config.block == "ddpm",
        )

    def _attention(self, channels: int) -> Attention:
        return Attention(channels, rescale=self.config.rescale)

    def _build_down(self) -> tuple[list[int], int]:
        """Build the encoder; returns the channels of every skip connection, and of what leaves it."""
        config = self.config
        channels, pyramid = config.width, config.channels
        skips = [channels]
        self.down = nn.ModuleList()
        for level, multiplier in enumerate(config.multipliers):
            layers = nn.ModuleList()
            for _ in range(config.blocks):
                layers.append(self._residual(channels, config.width * multiplier))
                channels = config.width * multiplier
                if level in config.attention:
                    layers.append(self._attention(channels))
                skips.append(channels)
            if level < len(config.multipliers) - 1:
                if config.block == "biggan":
                    layers.append(self._residual(channels, channels, "down"))
                else:
                    layers.append(ConvolvedHalf(channels, channels, self.kernel))
                if config.input_pyramid == "input_skip":
                    layers.append(Joined(pyramid, channels, stack=config.combine == "cat"))
                    channels *= 2 if config.combine == "cat" else 1
                elif config.input_pyramid == "residual":
                    layers.append(ConvolvedHalf(pyramid, channels, self.kernel))
                    pyramid = channels
                skips.append(channels)
            self.down.append(layers)
        return skips, channels

    def _build_up(self, skips: list[int], channels: int) -> None:
        config = self.config
        self.up = nn.ModuleList()
        for level, multiplier in reversed(list(enumerate(config.multipliers))):
            layers = nn.ModuleList()
            for _ in range(config.blocks + 1):
                layers.append(self._residual(channels + skips.pop(), config.width * multiplier))
                channels = config.width * multiplier
            if level in config.attention:
                layers.append(self._attention(channels))
            if config.output_pyramid == "output_skip":
                layers.append(Output(channels, config.channels, self.activation))
            if level:
                biggan = config.block == "biggan"
                layers.append(self._residual(channels, channels, "up") if biggan else ConvolvedDouble(channels))
            self.up.append(layers)
        pyramid = config.output_pyramid == "output_skip"
        self.output = None if pyramid else Output(channels, config.channels, self.activation)

    def _go_down(self, x: Tensor, embedding: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The features at the coarsest level, and every skip connection."""
        image, features = x, self.stem(x)
        skips = [features]
        for layers in self.down:
            shrunk = False
            for layer in layers.children():
                if isinstance(layer, Attention):
                    features = skips[-1] = layer(features)
                elif isinstance(layer, ResidualBlock) or (isinstance(layer, ConvolvedHalf) and not shrunk):
                    shrunk = isinstance(layer, ConvolvedHalf) or layer.resample == "down"
                    features = layer(features, embedding) if isinstance(layer, ResidualBlock) else layer(features)
                    skips.append(features)
                elif isinstance(layer, Joined):
                    image = halve(image, self.kernel)
                    features = skips[-1] = layer(image, features)
                else:
                    scale = math.sqrt(0.5) if self.config.rescale else 1.0
                    image = features = skips[-1] = (layer(image) + features) * scale
        return features, skips

    def _go_up(self, features: Tensor, skips: list[Tensor], embedding: Tensor) -> Tensor:
        """The last layer's answer, by way of the pyramid of small answers if there is one."""
        answer: Tensor | None = None
        for layers in self.up:
            for layer in layers.children():
                if isinstance(layer, ResidualBlock):
                    joined = features if layer.resample else torch.cat((features, skips.pop()), dim=1)
                    features = layer(joined, embedding)
                elif isinstance(layer, Output):
                    answer = layer(features) + (0 if answer is None else double(answer, self.kernel))
                else:
                    features = layer(features)
        if self.output is not None:
            answer = self.output(features)
        assert answer is not None
        return answer


def _published(module: nn.Module, name: str) -> str:
    """The name of a parameter within a module, as published: each step is renamed by the class that it is taken in."""
    first, _, rest = name.partition(".")
    names: dict[str, str] = getattr(module, "PUBLISHED", {})
    renamed = names.get(first, first)
    return f"{renamed}.{_published(module.get_submodule(first), rest)}" if rest else renamed
