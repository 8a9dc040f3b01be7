"""Named sets of settings: the paper's, and those that a prior's card brings because they were measured to suit it."""

from __future__ import annotations

from typing import Any

from core.engine.settings import LAST_TIMESTEP, ReconSettings
from core.errors import PriorError
from core.priors.catalogue import card_of

_PAPER = {"spacing": "uniform", "cg_steps": 5, "gamma": 5.0, "noiseless": False, "t_start": LAST_TIMESTEP}

PRESETS: dict[str, dict[str, Any]] = {
    "Fast 10": {**_PAPER, "nfe": 10, "spacing": "quadratic", "eta": 1.0, "gamma": 10.0, "t_start": 150},
    "Paper 20": {**_PAPER, "nfe": 20, "eta": 0.15},
    "Paper 50": {**_PAPER, "nfe": 50, "eta": 0.85},
    "Paper 100": {**_PAPER, "nfe": 100, "eta": 0.85},
}
"""Sets that suit any prior, by name."""

DEFAULT = "default"


def presets_for(prior: str) -> dict[str, dict[str, Any]]:
    """All presets that are offered with a prior, by name; its own "default" is called after it."""
    own = dict(_card_presets(prior))
    recommended = own.pop(DEFAULT, None)
    named = {f"Best for {prior}": recommended} if recommended else {}
    return {**named, **PRESETS, **own}


def settings_for(**chosen: Any) -> ReconSettings:
    """Settings where a user chose some and left the rest open: the prior's card decides, then the defaults.

    Raises JobError for a value out of range.
    """
    prior = chosen.get("prior", ReconSettings.prior)
    return ReconSettings.from_dict({**_card_presets(prior).get(DEFAULT, {}), **chosen})


def _card_presets(prior: str) -> dict[str, dict[str, Any]]:
    try:
        card = card_of(prior)
    except PriorError:
        return {}
    return card.presets if card else {}
