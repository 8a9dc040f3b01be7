"""From a name or a file to a prior that can run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.diffusion.unet import AdmConfig, AdmUNet
from core.errors import PriorError
from core.priors.card import ModelCard, read_card
from core.priors.catalogue import find_prior, of_plugin
from core.priors.checkpoint import StateDict, load_weights, read_state_dict, sha256_of
from core.priors.first_card import first_card
from core.priors.plugged import plugged_prior
from core.priors.prior import Prior
from core.priors.recognition import Hints, recognise

_SECTIONS = ("training", "data", "model")
"""Of published configurations; what several have is taken from the last."""


def load_prior(path_or_name: str | Path, config: dict[str, Any] | str | Path | None = None) -> Prior:
    """A prior, ready on the CPU.

    path_or_name: a name from `list_priors`, also of a plug-in, a .safetensors file beside its card, or a checkpoint
    (.pt, .pth, .safetensors) of an ADM or NCSN++ network, which is recognised. config: for the last, the configuration
    that it was published with, as a dict or a JSON file; left out, a JSON file of the checkpoint's name is looked for.
    Raises PriorError for everything that cannot be loaded. The network's hash is on the card.
    """
    if of_plugin(path_or_name) and (plugged := plugged_prior(path_or_name)) is not None:
        return plugged
    path = find_prior(path_or_name)
    card, weights = examine(path, config)
    digest = sha256_of(path)
    _refuse_others(card, digest)
    network = load_weights(build_network(card), weights, path.name)
    parameters = sum(p.numel() for p in network.parameters())
    return Prior(network, card.with_changes(sha256=digest, parameters=parameters))


def examine(
    path: Path, config: dict[str, Any] | str | Path | None = None, hints: Hints | None = None
) -> tuple[ModelCard, StateDict]:
    """(card, weights by the names of its network) of a checkpoint file, without building the network.

    config: see load_prior. hints: what else is said of it. Raises PriorError for what cannot be read or recognised.
    """
    said = hints or Hints()
    weights = read_state_dict(path)
    beside = path.with_suffix(".json")
    if config is None and beside.is_file():
        config = beside
    if isinstance(config, (str, Path)):
        values = read_config(Path(config))
        if "family" in values:
            return said.added_to(read_card(Path(config))), weights
        config = values
    said = said.with_config(config or {})
    found = recognise(weights, path.name, said)
    return first_card(path.stem, found, said), found.weights


def read_config(path: Path) -> dict[str, Any]:
    """The JSON object in a file: a model card, or a published configuration, whose sections are taken together."""
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PriorError(f"{path.name} cannot be read.", str(error), "Correct it.") from error
    if not isinstance(values, dict):
        raise PriorError(f"{path.name} is not a configuration.", "It is no JSON object.", "Correct it.")
    sections = {} if "family" in values else {k: v for k, v in values.items() if k in _SECTIONS and isinstance(v, dict)}
    merged = {key: value for name in _SECTIONS for key, value in sections.get(name, {}).items()}
    return {key: value for key, value in values.items() if key not in sections} | merged


def verify_weights(card: ModelCard, path: Path) -> str:
    """The SHA-256 of a prior's weights. Raises PriorError if the card says another one."""
    digest = sha256_of(path)
    _refuse_others(card, digest)
    return digest


def _refuse_others(card: ModelCard, digest: str) -> None:
    if card.sha256 and card.sha256 != digest:
        raise PriorError(
            f"The weights of {card.name} are not the ones on its card.",
            "The file was damaged or replaced.",
            "Install the program again, or add the prior again.",
        )


def build_network(card: ModelCard) -> nn.Module:
    """The network that a card describes, without its weights (on the meta device)."""
    network: nn.Module
    with torch.device("meta"):
        if card.family == "adm":
            return AdmUNet(AdmConfig.from_published(card.config))
        if card.family == "small":
            from core.diffusion.small_unet import SmallUNet

            network = SmallUNet(**card.config)
            return network
        if card.family == "ncsnpp":
            from core.diffusion.ncsnpp import NcsnPlusPlus, NcsnppConfig

            network = NcsnPlusPlus(NcsnppConfig.from_dict(card.config))
            return network
    raise PriorError(f"The network family {card.family!r} of {card.name} is not known.", "", "Update the program.")
