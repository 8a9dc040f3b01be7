"""Which network weights belong to, told from their names and shapes alone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from core.errors import PriorError
from core.priors.card import ModelCard
from core.priors.checkpoint import StateDict
from core.priors.published import published_name
from core.priors.recognition_adm import looks_like_adm, recognise_adm
from core.priors.recognition_ncsnpp import looks_like_ncsnpp, recognise_ncsnpp
from core.priors.strangers import inventory, likely


@dataclass(frozen=True)
class Hints:
    """What a person says of a checkpoint, because its weights do not; None and "" where nothing is said.

    config: entries of the configuration that it was trained with, as published. heads, head_channels: of its attention.
    new_attention_order: see core.diffusion.adm_layers.SelfAttention.
    """

    config: dict[str, Any] = field(default_factory=dict)
    heads: int | None = None
    head_channels: int | None = None
    new_attention_order: bool | None = None
    image_size: int | None = None
    modality: str = ""
    anatomy: str = ""

    def with_config(self, config: dict[str, Any]) -> Hints:
        return dataclasses.replace(self, config=config | self.config)

    def added_to(self, card: ModelCard) -> ModelCard:
        """A card that came with the weights, corrected. Raises PriorError if it is the network that is corrected."""
        if any(value is not None for value in (self.heads, self.head_channels, self.new_attention_order)):
            raise PriorError(f"The card of {card.name} says how its network is built.", "", "Leave out what you said.")
        said = {"modality": self.modality, "anatomy": self.anatomy, "image_size": self.image_size}
        return card.with_changes(**{key: value for key, value in said.items() if value})


@dataclass(frozen=True)
class Recognised:
    """A network: its family and configuration for a card, the weights by its own names, and what had to be assumed.

    published: its name in core.priors.published, if it is one of those.
    """

    family: str
    config: dict[str, Any]
    channels: int
    weights: StateDict
    warnings: tuple[str, ...] = ()
    published: str | None = None


def recognise(weights: StateDict, name: str, hints: Hints | None = None) -> Recognised:
    """The network that the weights of the file `name` are of: an ADM U-Net or an NCSN++.

    Raises PriorError that says what was found where it is another one, or does not fit what is said of it.
    """
    said = hints or Hints()
    if looks_like_adm(weights):
        config, warnings = recognise_adm(weights, name, _adm_settings(said))
        channels = int(config["in_channels"])
        found = Recognised("adm", config, channels, weights, warnings, published_name(weights))
    elif looks_like_ncsnpp(weights):
        settings, renamed, warnings = recognise_ncsnpp(weights, name, said.config)
        found = Recognised("ncsnpp", settings, int(settings["channels"]), renamed, warnings)
    else:
        guess = likely(weights)
        raise PriorError(
            f"The network in {name} is not recognised.",
            f"{inventory(weights)}{f' It looks like {guess}.' if guess else ''}",
            "Priors can be guided-diffusion (ADM) U-Nets and NCSN++ score networks that work on images themselves.",
        )
    if not 1 <= found.channels <= 3:
        raise PriorError(
            f"The network in {name} works on images of {found.channels} channels.",
            "A real image has one, a complex one two. More are usually the codes of a latent diffusion model.",
            "Choose a network of one or two channels.",
        )
    return found


def _adm_settings(said: Hints) -> dict[str, Any]:
    """The published configuration, as far as it is given, overruled by what was said besides."""
    other = {
        "num_heads": said.heads,
        "num_head_channels": said.head_channels if said.head_channels else -1 if said.heads else None,
        "use_new_attention_order": said.new_attention_order,
        "image_size": said.image_size,
    }
    return said.config | {key: value for key, value in other.items() if value is not None}
