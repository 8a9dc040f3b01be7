"""Named sets of settings: the paper's, and those that a prior's card brings because they were measured to suit it."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from core.engine.settings import LAST_TIMESTEP, ReconSettings
from core.errors import JobError, PriorError
from core.priors.catalogue import card_of
from core.projections import Projections
from core.scan import KSpace, Scan

_PLAIN = {"gamma_rule": "constant", "samples": 1, "rho": 0.0}
"""What a preset means that does not say it."""
_PAPER = {**_PLAIN, "spacing": "uniform", "cg_steps": 5, "gamma": 5.0, "noiseless": False, "t_start": LAST_TIMESTEP}

PRESETS: dict[str, dict[str, Any]] = {
    "Fast 10": {**_PAPER, "nfe": 10, "spacing": "quadratic", "eta": 1.0, "gamma": 10.0, "t_start": 150},
    "Paper 20": {**_PAPER, "nfe": 20, "eta": 0.15},
    "Paper 50": {**_PAPER, "nfe": 50, "eta": 0.85},
    "Paper 100": {**_PAPER, "nfe": 100, "eta": 0.85},
}
"""Sets that suit any prior, by name."""

DEFAULT = "default"
BEST = "Best"
BEST_SAMPLES = 4

GAMMA_OF_RULE = {"constant": ReconSettings.gamma, "noise": 1.0}
"""gamma where the rule is chosen and nothing is said of its weight."""

METHOD_LAM = {"cg-sense": 3e-3, "l1-wavelet": 2.5e-3, "tv": 1.5e-3}
"""lam where the method is chosen and nothing is said of its weight."""

CT_LAM = {"tv": 4e-4}
"""The same for CT."""

METHOD_ITERATIONS = {"cgls": 20, "sirt": 150}
"""Iterations where the method is chosen and nothing is said of them."""


@singledispatch
def default_prior(scan: Scan) -> str:
    """The bundled prior of a kind of scan."""
    raise TypeError(type(scan))


@default_prior.register
def _(scan: KSpace) -> str:
    return "mri-small"


@default_prior.register
def _(scan: Projections) -> str:
    return "ct-small"


@singledispatch
def usual(scan: Scan, method: str) -> dict[str, Any]:
    """The settings that suit a method on a kind of scan where they differ from what settings_for takes."""
    return {}


@usual.register
def _(scan: Projections, method: str) -> dict[str, Any]:
    return {"lam": CT_LAM[method]} if method in CT_LAM else {}


def presets_for(prior: str) -> dict[str, dict[str, Any]]:
    """All presets that are offered with a prior, by name.

    A card's own "default" is called "Recommended for PRIOR". "Best" is the card's own, or else the default (without
    one: "Paper 20") with the mean of four samples.
    """
    own = {name: {**_PLAIN, **values} for name, values in _card_presets(prior).items()}
    recommended = own.pop(DEFAULT, None)
    named = {f"Recommended for {prior}": recommended} if recommended else {}
    best = {BEST: own.pop(BEST, None) or {**(recommended or PRESETS["Paper 20"]), "samples": BEST_SAMPLES}}
    return {**named, **best, **PRESETS, **own}


def preset_named(name: str, prior: str) -> dict[str, Any]:
    """A preset by its name or the beginning of it, in capitals or not. Raises JobError unless exactly one is meant."""
    offered = presets_for(prior)
    wanted = name.strip().casefold()
    exact = [n for n in offered if n.casefold() == wanted]
    found = exact or [n for n in offered if wanted and n.casefold().startswith(wanted)]
    if len(found) != 1:
        why = f"It could be {', '.join(found)}." if found else ""
        raise JobError(f"There is no preset {name!r}.", why, f"Choose one of: {', '.join(offered)}.")
    return offered[found[0]]


def settings_for(*, preset: str = "", **chosen: Any) -> ReconSettings:
    """Settings where a user chose some and left the rest open.

    The rest is decided by the preset, then by the default on the prior's card, then by the defaults. A gamma counts
    only under the rule that it was given with, since it means something else under another. Raises JobError for a
    value out of range or an unknown preset.
    """
    prior = chosen.get("prior", ReconSettings.prior)
    layers = [_card_presets(prior).get(DEFAULT, {}), preset_named(preset, prior) if preset else {}, chosen]
    values: dict[str, Any] = {}
    for layer in layers:
        before = values.get("gamma_rule", ReconSettings.gamma_rule)
        if layer.get("gamma_rule", before) != before:
            values.pop("gamma", None)
        values.update(layer)
    if values.get("gamma_rule") in GAMMA_OF_RULE:
        values.setdefault("gamma", GAMMA_OF_RULE[values["gamma_rule"]])
    method = values.get("method", ReconSettings.method)
    if method in METHOD_LAM:
        values.setdefault("lam", METHOD_LAM[method])
    if method in METHOD_ITERATIONS:
        values.setdefault("iterations", METHOD_ITERATIONS[method])
    return ReconSettings.from_dict(values)


def _card_presets(prior: str) -> dict[str, dict[str, Any]]:
    try:
        card = card_of(prior)
    except PriorError:
        return {}
    return card.presets if card else {}
