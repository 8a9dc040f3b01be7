"""Pictures of what a prior has learned: images it makes up, and noisy images it cleans."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from core.priors.prior import Prior

_GAP = 4

AIR, BRIGHTEST = -1.0, 0.5
"""What a one-channel prior shows as black and white, in its own units of 1000 HU."""


def sample_sheet(prior: Prior, path: Path, *, size: int = 96, count: int = 8, nfe: int = 40, seed: int = 0) -> None:
    """Write a PNG of `count` images made from noise alone by DDIM (Song et al. 2020, arXiv 2010.02502, eq. 12)."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn((count, prior.channels, size, size), generator=generator)
    steps = [round(t) for t in torch.linspace(prior.schedule.steps - 1, 0, nfe).tolist()]
    estimate = x
    for now, after in zip(steps, [*steps[1:], -1], strict=True):
        estimate, noise = prior.predict(x, now)
        a, s = prior.schedule.levels(after)
        x = a * estimate.clamp(-1.5, 1.5) + s * noise
    half = (count + 1) // 2
    _write_png([list(magnitude(estimate[:half])), list(magnitude(estimate[half:]))], path)


def denoising_sheet(
    prior: Prior, crops: Tensor, path: Path, *, timesteps: Sequence[int] = (50, 150, 300, 500), seed: int = 0
) -> None:
    """Write a PNG: a row of clean images (b, channels, h, w), then a noisy and a cleaned row for each timestep."""
    generator = torch.Generator().manual_seed(seed)
    rows = [list(magnitude(crops))]
    for timestep in timesteps:
        a, s = prior.schedule.levels(timestep)
        noisy = a * crops + s * torch.randn(crops.shape, generator=generator)
        estimate, _ = prior.predict(noisy, timestep)
        rows += [list(magnitude(noisy / a)), list(magnitude(estimate))]
    _write_png(rows, path)


def magnitude(images: Tensor) -> Tensor:
    """(b, channels, h, w) to (b, h, w), 0 black: the size of a complex image, or CT from air to 500 HU."""
    one = images.shape[1] == 1
    shown: Tensor = (images[:, 0] - AIR) / (BRIGHTEST - AIR) if one else torch.linalg.vector_norm(images, dim=1)
    return shown


def _write_png(rows: list[list[Tensor]], path: Path) -> None:
    height, width = rows[0][0].shape
    columns = max(len(row) for row in rows)
    sheet = torch.zeros(len(rows) * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top, left = i * (height + _GAP), j * (width + _GAP)
            sheet[top : top + height, left : left + width] = image
    Image.fromarray((sheet.clamp(0, 1) * 255).round().to(torch.uint8).numpy()).save(path)
