"""Priors that plug-ins bring."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.errors import PriorError
from core.plugins import FAULTS, Group, in_short
from core.priors.card import ModelCard

if TYPE_CHECKING:
    from torch import nn

    from core.priors.prior import Prior


class PriorPlugin(Protocol):
    """What an entry point of "dds_viewer.priors" names: a module, an object, or a class without arguments.

    A prior that the user added under the same name comes before it.
    """

    def card(self) -> ModelCard:
        """What is known of the prior. Cheap: nothing is loaded."""

    def network(self) -> nn.Module:
        """The network with its weights, on the CPU: (x, t) to a prediction, see core.priors.prior.Prior."""


def _bundled() -> frozenset[str]:
    from core.priors.catalogue import WEIGHTS, bundled_folder

    return frozenset(path.stem for path in bundled_folder().glob(f"*{WEIGHTS}"))


PRIORS = Group("dds_viewer.priors", "prior", ("card", "network"), _bundled)


def plugged_cards() -> dict[str, ModelCard]:
    """The cards of all of them, by name."""
    found = ((name, plugged_card(name)) for name in PRIORS.names())
    return {name: card for name, card in found if card is not None}


def plugged_card(name: str | Path) -> ModelCard | None:
    """The card of a plug-in's prior, under the name of its entry point; None where there is no such plug-in."""
    name = str(name)
    plugin = PRIORS.load(name)
    if plugin is None:
        return None
    try:
        card = plugin.card()
        if not isinstance(card, ModelCard):
            raise TypeError(f"its card is a {type(card).__name__} and no ModelCard")
        return card.with_changes(name=name)
    except FAULTS as error:
        PRIORS.failed(name, error)
        return None


def plugged_prior(name: str | Path) -> Prior | None:
    """A plug-in's prior, ready on the CPU, the hash of its weights on its card; None where there is no such plug-in.

    Raises PriorError where its network cannot be made.
    """
    from core.priors.prior import Prior

    card = plugged_card(name)
    if card is None:
        return None
    try:
        network = PRIORS.load(card.name).network().eval()
        digest, parameters = _measured(network)
    except FAULTS as error:
        raise PriorError(
            f"The prior {card.name} cannot be loaded.",
            f"Its plug-in failed ({in_short(error)}).",
            f"Update or remove {PRIORS.package_of(card.name)}.",
        ) from error
    return Prior(network, card.with_changes(sha256=digest, parameters=parameters))


def _measured(network: nn.Module) -> tuple[str, int]:
    """(SHA-256 of names and numbers of all weights, how many can be trained)."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.detach().cpu().contiguous().flatten()
        digest.update(flat.view(torch.uint8).numpy().data if flat.numel() else b"")
    return digest.hexdigest(), sum(p.numel() for p in network.parameters())
