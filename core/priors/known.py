"""Whether a prior is one that is known: its card lies beside it, and tells the hash of its weights."""

from __future__ import annotations

from pathlib import Path

from core.errors import PriorError
from core.priors.card import read_card
from core.priors.catalogue import find_prior, has_card, of_plugin


def doubt_of(path_or_name: str | Path) -> str:
    """Why a prior must not be used without asking, one sentence; "" for one that is known.

    Whether the weights are those of the hash is found when they are read. Raises PriorError where there is no such
    prior, or its card is damaged.
    """
    if of_plugin(path_or_name):
        return ""
    weights = find_prior(path_or_name)
    if not has_card(weights):
        return f"{weights.name} has no card: nothing tells what it was trained on, or whether it is whole."
    if not read_card(weights.with_suffix(".json")).sha256:
        return f"The card of {weights.name} tells no hash: nothing tells whether the weights are the ones it describes."
    return ""


def refuse_unknown(path_or_name: str | Path) -> None:
    """Raise PriorError for a prior that is not known."""
    if doubt := doubt_of(path_or_name):
        raise PriorError(
            "This prior is not known, and is not used without asking.",
            doubt,
            "Add it first: dds-viewer prior add FILE.",
        )
