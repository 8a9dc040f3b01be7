"""The configuration of an ADM U-Net, read from the names and shapes of its weights.

What the weights do not show is the number of attention heads and their order, the image size, what the network
predicts and under which noise schedule.
"""

from __future__ import annotations

import re
from typing import Any

import torch

from core.diffusion.unet import AdmConfig, AdmUNet
from core.errors import PriorError
from core.priors.checkpoint import StateDict, check_shapes
from core.priors.published import published_name, published_settings

UNSEEN = ("num_heads", "num_heads_upsample", "num_head_channels", "use_new_attention_order", "image_size")
"""Entries of a published configuration that the weights do not show."""

USUAL_HEAD_CHANNELS = 64


def looks_like_adm(weights: StateDict) -> bool:
    return "time_embed.0.weight" in weights and "input_blocks.0.0.weight" in weights


def recognise_adm(weights: StateDict, name: str, said: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """(configuration in published keys, warnings) of the network in the file `name`.

    said: what is known of the configuration besides; if it is complete it is taken as it is. Raises PriorError for
    networks that need a class, a text or another image, for those that are built in another way, and for weights that
    do not fit what is said.
    """
    if "in_channels" in said:
        return _checked(said, weights, name), ()
    _refuse_conditional(weights, name)
    try:
        seen = _seen(weights)
    except (KeyError, IndexError, ValueError, ArithmeticError) as error:
        raise PriorError(
            f"The network in {name} looks like a guided-diffusion (ADM) U-Net, but is built in another way.",
            f"It could not be followed at {error}.",
            "Choose a network as guided-diffusion makes it.",
        ) from error
    known = published_name(weights)
    warnings: list[str] = []
    unseen = published_settings(known) if known else {}
    unseen |= {key: said[key] for key in UNSEEN if said.get(key) is not None}
    if not known:
        unseen |= _heads(weights, name, unseen, warnings)
        if "use_new_attention_order" not in unseen:
            warnings.append(
                "The weights do not show in which order attention keeps query, key and value; the older one is assumed."
            )
    return _checked(seen | unseen, weights, name), tuple(warnings)


def _checked(config: dict[str, Any], weights: StateDict, name: str) -> dict[str, Any]:
    """The configuration, after a network has been built from it and compared."""
    try:
        with torch.device("meta"):
            network = AdmUNet(AdmConfig.from_published(config))
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise PriorError(
            f"The configuration of {name} is not complete or cannot be built.", str(error), "Correct it."
        ) from error
    check_shapes(network, weights, name)
    return config


def _refuse_conditional(weights: StateDict, name: str) -> None:
    wanted = ""
    if any(key.startswith("label_emb.") for key in weights):
        wanted = "It is class-conditional: it needs a class label with every image."
    elif any("transformer_blocks" in key for key in weights):
        wanted = "It is the U-Net of Stable Diffusion: it needs a text."
    elif not any(key.startswith("output_blocks.") for key in weights):
        wanted = "It has an encoder only, such as the classifiers that guide an ADM network."
    else:
        stem, end = weights["input_blocks.0.0.weight"].shape, weights.get("out.2.weight", torch.empty(0)).shape
        entering, leaving = (stem[1], end[0]) if len(stem) == len(end) == 4 else (1, 1)
        if leaving not in (entering, 2 * entering):
            wanted = f"It makes {leaving} channels from {entering}, so it needs another image, such as a small one."
    if wanted:
        raise PriorError(f"The network in {name} cannot be a prior.", wanted, "Choose an unconditional network.")


def _seen(weights: StateDict) -> dict[str, Any]:
    """Everything that names and shapes tell. Raises KeyError, IndexError or ValueError where they make no sense."""
    width = weights["time_embed.0.weight"].shape[1]
    channels = weights["input_blocks.0.0.weight"].shape[1]
    entering, leaving = _blocks(weights, "input_blocks"), _blocks(weights, "output_blocks")
    rising = [n for n, keys in leaving.items() if any(re.match(r"[1-9]\.(in_layers|conv)\.", key) for key in keys)]
    pooled = [n for n in range(1, max(entering)) if n not in entering]
    levels = 1 + (len(rising) or len(pooled))
    stages, rest = divmod(max(leaving) + 1, levels)
    if rest or stages < 2:
        raise ValueError(f"{max(leaving) + 1} output blocks on {levels} levels")
    firsts = [1 + level * stages for level in range(levels)]
    outs = [weights[f"input_blocks.{n}.0.out_layers.3.weight"].shape[0] for n in firsts]
    if min(channels, width, *outs) < 1:
        raise ValueError("a layer without channels")
    strided = any(key == "0.op.weight" for keys in entering.values() for key in keys)
    return {
        "in_channels": channels,
        "num_channels": width,
        "num_res_blocks": stages - 1,
        "channel_mult": ",".join(f"{out / width:g}" for out in outs),
        "attention_factors": [
            2**level for level, n in enumerate(firsts) if f"input_blocks.{n}.1.qkv.weight" in weights
        ],
        "learn_sigma": weights["out.2.weight"].shape[0] == 2 * channels,
        "use_scale_shift_norm": weights["input_blocks.1.0.emb_layers.1.weight"].shape[0] == 2 * outs[0],
        "resblock_updown": not strided and not pooled,
        "conv_resample": not pooled,
        "image_size": None,
    }


def _blocks(weights: StateDict, part: str) -> dict[int, list[str]]:
    """Names within every numbered block of a part."""
    found: dict[int, list[str]] = {}
    for key in weights:
        if match := re.match(rf"{part}\.(\d{{1,3}})\.(.*)", key):
            found.setdefault(int(match[1]), []).append(match[2])
    return found


def _heads(weights: StateDict, name: str, said: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    """The attention heads: those that are said, which must divide the channels, or the usual ones and a warning."""
    attended = sorted({t.shape[1] for key, t in weights.items() if key.endswith(".qkv.weight") and t.dim() == 3})
    each, heads = int(said.get("num_head_channels", -1)), int(said.get("num_heads", -1))
    if each > 0 or heads > 0:
        divisor, words = (each, "channels a head") if each > 0 else (heads, "heads")
        if any(channels % divisor for channels in attended):
            raise PriorError(
                f"{divisor} {words} do not fit the network in {name}.",
                f"Its attention has {' and '.join(map(str, attended))} channels.",
                "Give a number that divides them.",
            )
        return {}
    fits = all(channels % USUAL_HEAD_CHANNELS == 0 for channels in attended)
    assumed = f"{USUAL_HEAD_CHANNELS} channels a head are" if fits else "a single head is"
    warnings.append(
        f"The weights do not show the number of attention heads; {assumed} assumed. If its images look wrong, "
        "add it again with --heads or --head-channels."
    )
    return {"num_head_channels": USUAL_HEAD_CHANNELS} if fits else {"num_heads": 1}
