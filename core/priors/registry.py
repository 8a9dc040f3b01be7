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
from core.priors.catalogue import find_prior
from core.priors.checkpoint import load_weights, read_state_dict, sha256_of
from core.priors.prior import Prior
from core.priors.published import PUBLISHED, recognise


def load_prior(path_or_name: str | Path, config: dict[str, Any] | str | Path | None = None) -> Prior:
    """A prior, ready on the CPU.

    path_or_name: a name from `list_priors`, a .safetensors file beside its card, or a checkpoint (.pt, .pth,
    .safetensors) of an ADM network. config: for the last, the published configuration as a dict or a JSON file; left
    out, a JSON file of the checkpoint's name is looked for, then the published DDS checkpoints are recognised.
    Raises PriorError for everything that cannot be loaded. The network's hash is on the card.
    """
    path = find_prior(path_or_name)
    digest = sha256_of(path)
    weights = read_state_dict(path)
    card = _card_for(path, weights, config)
    if card.sha256 and card.sha256 != digest:
        raise PriorError(
            f"The weights of {card.name} are not the ones on its card.",
            "The file was damaged or replaced.",
            "Install the program again, or add the prior again.",
        )
    network = load_weights(build_network(card), weights, path.name)
    parameters = sum(p.numel() for p in network.parameters())
    return Prior(network, card.with_changes(sha256=digest, parameters=parameters))


def build_network(card: ModelCard) -> nn.Module:
    """The network that a card describes, without its weights (on the meta device)."""
    with torch.device("meta"):
        if card.family == "adm":
            return AdmUNet(AdmConfig.from_published(card.config))
        if card.family == "small":
            from core.diffusion.small_unet import SmallUNet

            network: nn.Module = SmallUNet(**card.config)
            return network
    raise PriorError(f"The network family {card.family!r} of {card.name} is not known.", "", "Update the program.")


def _card_for(path: Path, weights: dict[str, Any], config: dict[str, Any] | str | Path | None) -> ModelCard:
    beside = path.with_suffix(".json")
    if config is None and beside.is_file():
        config = beside
    if isinstance(config, (str, Path)):
        values = _read_json(Path(config))
        if "family" in values:
            return read_card(Path(config))
        config = values
    if config is None:
        known = recognise(weights)
        if known is None:
            raise PriorError(
                f"The network in {path.name} is not recognised.",
                f"It has {len(weights)} entries, first {next(iter(weights))}.",
                "Put its configuration beside it as a .json file.",
            )
        config = PUBLISHED[known]
    try:
        return _card_of_config(path.stem, config)
    except (KeyError, TypeError, ValueError) as error:
        raise PriorError(f"The configuration of {path.name} is not complete.", str(error), "Correct it.") from error


def _card_of_config(name: str, config: dict[str, Any]) -> ModelCard:
    channels = int(config["in_channels"])
    return ModelCard(
        name=name,
        family="adm",
        config=config,
        channels=channels,
        modality="MR" if channels == 2 else "unknown",
        image_size=int(config["image_size"]),
        warnings=("Training data and licence of this checkpoint are not known.",),
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PriorError(f"{path.name} cannot be read.", str(error), "Correct it.") from error
    if not isinstance(values, dict):
        raise PriorError(f"{path.name} is not a configuration.", "It is no JSON object.", "Correct it.")
    return values
