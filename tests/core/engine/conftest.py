"""A prior on disk that is small enough to run in a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.diffusion.small_unet import SmallUNet
from core.priors.card import ModelCard


@pytest.fixture
def tiny_prior(tmp_path: Path) -> Callable[..., str]:
    """Write a small random prior and return its path. nan: its answers are NaN. channels: as named."""

    def write(nan: bool = False, channels: int = 2, **card: object) -> str:
        torch.manual_seed(0)
        config = {"channels": channels, "widths": [16, 16], "blocks": 1, "time_width": 16}
        network = SmallUNet(**config)
        torch.nn.init.normal_(network.head.weight, std=0.02)
        if nan:
            torch.nn.init.constant_(network.head.bias, float("nan"))
        path = tmp_path / "tiny.safetensors"
        save_file(network.state_dict(), path)
        details = {"parametrization": "v", **card}
        path.with_suffix(".json").write_text(ModelCard("tiny", "small", config, channels, **details).to_json())
        return str(path)

    return write
