"""The recipe of a prior: all that its training depends on, kept as a JSON file so that it can be repeated."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import JobError


@dataclass(frozen=True)
class SourceRecipe:
    """One source of images.

    kind: "volume" (a file or folder, see core.priors.volumes), or one that is made up, `count` times from `seed`:
    "phantom:head" and, in HU, "phantom:head-ct", "phantom:chest", "phantom:abdomen" and "phantom:leaves".
    weight: its share among the sources. box: first and last voxel per axis (z, y, x), or all. denoise: take the noise
    of the source itself away first. brain: find the brain in a T1-weighted head, so that it can be given other
    contrasts than what surrounds it. repaint: where a CT prior learns from an MR volume, the seed of the random
    Hounsfield units that its intensities are given; 0 for a file in HU. name and licence go on the model card.
    """

    kind: str = "volume"
    path: str = ""
    weight: float = 1.0
    box: tuple[tuple[int, int], ...] | None = None
    denoise: bool = False
    brain: bool = False
    repaint: int = 0
    count: int = 8
    seed: int = 1000
    name: str = ""
    licence: str = ""


@dataclass(frozen=True)
class TrainingRecipe:
    """Everything that decides what a training gives.

    crop: side in pixels. pixel_mm, thickness_mm: ranges of a crop's pixel size and slice thickness. The learning rate
    warms up linearly, stays, and falls to nothing over the last `decay_share` of the steps. low_noise_share of the
    timesteps are low_noise_below * u ** low_noise_power for a uniform u, the others lie anywhere. precision: "fp32" or
    "bf16" (autocast). clip: largest norm of the gradient. presets: settings that suit the prior, for its card.
    start_from: a prior (name or file) of the same network whose weights the training starts with, or none.
    min_snr: largest signal-to-noise ratio that counts in the weight of the loss (Hang et al. 2023, arXiv 2303.09556),
    or 0 for the plain loss of the parametrization.
    """

    name: str
    sources: tuple[SourceRecipe, ...]
    modality: str = "MR"
    anatomy: str = "head"
    contrast: str = "T1-, T2- and FLAIR-like"
    licence: str = "Apache-2.0"
    channels: int = 2
    widths: tuple[int, ...] = (32, 96, 192)
    blocks: tuple[int, ...] = (1, 2, 3)
    parametrization: str = "v"
    noise_schedule: str = "vp-linear"
    crop: int = 96
    pixel_mm: tuple[float, float] = (0.65, 1.35)
    thickness_mm: tuple[float, float] = (0.7, 5.0)
    batch: int = 8
    steps: int = 10000
    learning_rate: float = 1e-3
    warmup: int = 300
    decay_share: float = 0.35
    ema: float = 0.998
    clip: float = 1.0
    low_noise_share: float = 0.75
    low_noise_below: int = 400
    low_noise_power: float = 2.0
    min_snr: float = 0.0
    precision: str = "bf16"
    start_from: str = ""
    seed: int = 0
    validate_every: int = 1000
    presets: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: str = ""

    def network(self) -> dict[str, Any]:
        """The arguments of the network, as they go on the card."""
        return {"channels": self.channels, "widths": list(self.widths), "blocks": list(self.blocks)}

    def rate_at(self, step: int) -> float:
        rising = min((step + 1) / max(self.warmup, 1), 1.0)
        falling = min((self.steps - step) / max(self.steps * self.decay_share, 1.0), 1.0)
        return self.learning_rate * rising * max(falling, 0.0)

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def without_folders(self) -> TrainingRecipe:
        """The same with bare file names, so that it tells nothing of the machine it was used on."""
        sources = tuple(dataclasses.replace(s, path=Path(s.path).name if s.path else "") for s in self.sources)
        return dataclasses.replace(self, sources=sources)


def read_recipe(path: Path) -> TrainingRecipe:
    """The recipe in a JSON file. Raises JobError if it is not one."""
    try:
        values = json.loads(path.read_text("utf-8"))
        values["sources"] = tuple(_source(v) for v in values["sources"])
        for name in ("widths", "blocks", "pixel_mm", "thickness_mm"):
            if name in values:
                values[name] = tuple(values[name])
        return TrainingRecipe(**values)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise JobError(f"The recipe {path.name} cannot be read.", str(error), "Correct it.") from error


def _source(values: dict[str, Any]) -> SourceRecipe:
    if values.get("box") is not None:
        values = values | {"box": tuple(tuple(int(n) for n in ends) for ends in values["box"])}
    return SourceRecipe(**values)
