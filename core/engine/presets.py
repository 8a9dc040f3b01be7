"""Named sets of settings: the paper's, and those that a prior's card brings because they were measured to suit it."""

from __future__ import annotations

from typing import Any

from core.engine.settings import LAST_TIMESTEP, ReconSettings
from core.errors import PriorError
from core.priors.catalogue import card_of

PRESETS: dict[str, dict[str, Any]] = {
    "Fast 10": {
        "nfe": 10,
        "spacing": "quadratic",
        "eta": 1.0,
        "cg_steps": 5,
        "gamma": 10.0,
        "noiseless": False,
        "t_start": 150,
    },
    "Paper 20": {
        "nfe": 20,
        "spacing": "uniform",
        "eta": 0.15,
        "cg_steps": 5,
        "gamma": 5.0,
        "noiseless": False,
        "t_start": LAST_TIMESTEP,
    },
    "Paper 50": {
        "nfe": 50,
        "spacing": "uniform",
        "eta": 0.85,
        "cg_steps": 5,
        "gamma": 5.0,
        "noiseless": False,
        "t_start": LAST_TIMESTEP,
    },
    "Paper 100": {
        "nfe": 100,
        "spacing": "uniform",
        "eta": 0.85,
        "cg_steps": 5,
        "gamma": 5.0,
        "noiseless": False,
        "t_start": LAST_TIMESTEP,
    },
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
