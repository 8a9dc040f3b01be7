"""A scan file, a prior file and the command line, for tests that work as a user in a terminal does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from app.cli import main
from core.diffusion.small_unet import SmallUNet
from core.priors.card import ModelCard
from core.priors.checkpoint import sha256_of


@pytest.fixture
def scan_file(tmp_path: Path) -> Path:
    """BART files of a 2-slice, 4-coil scan of 40 x 32."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1:1:40j, -1:1:32j]
    image = ((x / 0.7) ** 2 + (y / 0.8) ** 2 < 1) * (1 + 0.5 * (x > 0.2))
    angles = np.pi / 2 * np.arange(4)
    coils = np.stack([np.exp(-((x - np.cos(a)) ** 2 + (y - np.sin(a)) ** 2) / 2 + 1j * a) for a in angles])
    images = np.stack([coils * image, coils * image * (y < 0.4)])
    axes = (-2, -1)
    k_space = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(images, axes=axes), norm="ortho"), axes=axes)
    k_space = k_space + 1e-3 * (rng.standard_normal(k_space.shape) + 1j * rng.standard_normal(k_space.shape))
    dims = [32, 40, 1, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1]
    array = k_space.transpose(3, 2, 1, 0).astype(np.complex64).reshape(dims, order="F")
    (tmp_path / "scan.hdr").write_text("# Dimensions\n" + " ".join(map(str, dims)) + "\n")
    (tmp_path / "scan.cfl").write_bytes(array.tobytes(order="F"))
    return tmp_path / "scan.cfl"


@pytest.fixture
def prior_file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    config = {"channels": 2, "widths": [16, 16], "blocks": 1, "time_width": 16}
    path = tmp_path / "tiny.safetensors"
    save_file(SmallUNet(**config).state_dict(), path)
    card = ModelCard("tiny", "small", config, 2, parametrization="v", sha256=sha256_of(path))
    path.with_suffix(".json").write_text(card.to_json())
    return path


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def dds_viewer(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Call the command line in this process: dds_viewer("info", path)."""

    def call(*words: object) -> Outcome:
        code = 0
        try:
            main([str(word) for word in words])
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
