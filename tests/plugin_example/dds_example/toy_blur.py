"""A prior that takes every image for smooth: its denoised image is a blurred one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.priors.card import ModelCard


def card() -> ModelCard:
    warnings = ("A toy: it only blurs.",)
    return ModelCard("toy-blur", "toy", {}, channels=2, parametrization="x0", modality="MR", warnings=warnings)


def network() -> nn.Module:
    return Blur()


class Blur(nn.Module):
    """The mean of 3 x 3 pixels, channel by channel."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((1, 1, 3, 3), 1 / 9))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return nn.functional.conv2d(x, self.weight.expand(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1])
