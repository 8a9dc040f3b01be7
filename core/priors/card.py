"""The model card of a prior: what it was trained on, what goes in, what to warn of, which settings suit it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import PriorError
from core.priors.card_types import check_kinds


@dataclass(frozen=True)
class ModelCard:
    """Everything that is known of a prior without loading it; stored as JSON beside its weights.

    family: the network's class ("adm", "small" or "ncsnpp"). config: its arguments. channels: 1 (real) or 2 (complex:
    real and imaginary part). parametrization: what the network predicts (eps, v or x0). noise_schedule: "vp-linear",
    "vp-cosine" or "ve", with `training_steps` levels; sigma_range: the least and greatest noise of a "ve" schedule,
    unused by the others. value_range: what the images were scaled to in training; scale_percentile: the percentile of
    the magnitude that is 1 then, 0 where the scale is fixed: HU / 1000 of CT. pixel_mm: the least and greatest pixel
    size of the training data, None where it is not known. sha256: of the weights beside the card; source_sha256: of the
    checkpoint that they were made from.
    presets: named settings measured to suit it, the one called "default" is used where the user says nothing.
    validation: denoising PSNR in dB by timestep.
    """

    name: str
    family: str
    config: dict[str, Any]
    channels: int
    parametrization: str = "eps"
    noise_schedule: str = "vp-linear"
    training_steps: int = 1000
    sigma_range: tuple[float, float] = (0.01, 378.0)
    value_range: tuple[float, float] = (-1.0, 1.0)
    scale_percentile: float = 99.5
    modality: str = "unknown"
    anatomy: str = "unknown"
    contrast: str = "unknown"
    image_size: int | None = None
    pixel_mm: tuple[float, float] | None = None
    parameters: int | None = None
    training_data: tuple[str, ...] = ()
    licence: str = "unknown"
    sha256: str = ""
    source_sha256: str = ""
    warnings: tuple[str, ...] = ()
    presets: dict[str, dict[str, Any]] = field(default_factory=dict)
    validation: dict[str, float] = field(default_factory=dict)
    recipe: str = ""

    @property
    def takes_parts(self) -> bool:
        """Whether a complex image goes through as two real ones, as with the score networks of MR magnitudes.

        Chung and Ye 2022 (arXiv 2110.05243, section 3.3).
        """
        return self.family == "ncsnpp" and self.channels == 1 and self.modality == "MR"

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True) + "\n"

    def with_changes(self, **changes: Any) -> ModelCard:
        return dataclasses.replace(self, **changes)


_TUPLES = ("value_range", "training_data", "warnings", "sigma_range", "pixel_mm")


def read_card(path: Path) -> ModelCard:
    """The card in a JSON file. Raises PriorError if it is not one."""
    try:
        values = json.loads(path.read_text("utf-8"))
        check_kinds(values)
        values.update({name: tuple(values[name]) for name in _TUPLES if values.get(name) is not None})
        return ModelCard(**values)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise PriorError(
            f"The model card {path.name} cannot be read.", str(error), "Add the prior again from its weights."
        ) from error
