"""The model card of a network that came without one: what is known, what is said, and warnings about the rest."""

from __future__ import annotations

import math
from typing import Any

from core.priors.card import ModelCard
from core.priors.published import FACTS
from core.priors.recognition import Hints, Recognised

UNKNOWN_ORIGIN = "Training data and licence of this checkpoint are not known."

_SCORE_MRI = {"channels": 1, "width": 128, "multipliers": (1, 2, 2, 2), "blocks": 4, "input_pyramid": "residual"}
"""The shape of network that was trained both on knees (score-MRI) and on CT (DiffusionMBIR)."""


def first_card(name: str, found: Recognised, hints: Hints) -> ModelCard:
    """The card of the network `found` in a file called `name`; its hashes are left empty."""
    parameters = sum(math.prod(tensor.shape) for tensor in found.weights.values())
    card = ModelCard(name, found.family, found.config, found.channels, parameters=parameters)
    card = card.with_changes(image_size=hints.image_size or found.config.get("image_size"))
    if found.published:
        card = card.with_changes(**FACTS[found.published])
    elif found.family == "ncsnpp":
        card = card.with_changes(**_score_network(found.config))
    else:
        modality = "MR" if found.channels == 2 else "unknown"
        assumed = "It is assumed to predict the noise (eps) on the linear schedule with 1000 steps, as ADM networks do."
        card = card.with_changes(modality=modality, warnings=(assumed, UNKNOWN_ORIGIN))
    if found.channels == 3:
        colours = "It has three channels, as for colour photographs: neither MR nor CT images are like that."
        card = card.with_changes(warnings=(colours, *card.warnings))
    said = Hints(modality=hints.modality, anatomy=hints.anatomy)
    return said.added_to(card.with_changes(warnings=(*found.warnings, *card.warnings)))


def _score_network(config: dict[str, Any]) -> dict[str, Any]:
    warnings = [UNKNOWN_ORIGIN]
    if all(
        tuple(config[key]) == value if key == "multipliers" else config[key] == value
        for key, value in _SCORE_MRI.items()
    ):
        warnings.insert(
            0,
            "Networks of this shape were published for knees (score-MRI, fastMRI) and for CT of the body "
            "(DiffusionMBIR, AAPM). Nothing in the file says which this is.",
        )
    return {
        "modality": "MR" if config["channels"] == 2 else "unknown",
        "noise_schedule": "ve",
        "sigma_range": tuple(config["sigma_range"]),
        "value_range": (-1.0, 1.0) if config["centred"] or config["channels"] == 2 else (0.0, 1.0),
        "scale_percentile": 100.0,
        "warnings": tuple(warnings),
    }
