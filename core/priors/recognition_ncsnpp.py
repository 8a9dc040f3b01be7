"""The configuration of an NCSN++ score network, read from the names and shapes of its weights.

Published checkpoints number the modules of the network in the order in which they were made; the names within a module
tell what it is. What the weights do not show has the values of score-MRI and DiffusionMBIR.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import torch

from core.diffusion.ncsnpp import NcsnPlusPlus, NcsnppConfig
from core.errors import PriorError
from core.priors.checkpoint import StateDict, check_shapes

Module = dict[str, torch.Tensor]

_ASSUMED = {
    "fir_kernel": ("fir_kernel", "images are resampled with the filter 1, 3, 3, 1"),
    "skip_rescale": ("rescale", "sums are divided by the root of 2"),
    "scale_by_sigma": ("scale_by_sigma", "the output is divided by sigma"),
    "centered": ("centred", "images were scaled to 0..1"),
    "nonlinearity": ("activation", "the activation is swish"),
}
"""By the published key: the name in NcsnppConfig, and what its default means."""

_SIGMAS = (0.01, 378.0)


def looks_like_ncsnpp(weights: StateDict) -> bool:
    return any(re.match(r"all_modules\.\d+\.", key) for key in weights)


def recognise_ncsnpp(
    weights: StateDict, name: str, said: dict[str, Any]
) -> tuple[dict[str, Any], StateDict, tuple[str, ...]]:
    """(configuration of NcsnppConfig, weights by its own names, warnings) of the network in the file `name`.

    said: entries of the published configuration. Raises PriorError for networks that are built in another way.
    """
    modules = _modules(weights)
    try:
        seen = _seen(list(modules.values()))
        unseen, warnings = _unseen(weights, said, seen)
        config = NcsnppConfig.from_dict(seen | unseen)
        with torch.device("meta"):
            network = NcsnPlusPlus(config)
    except (KeyError, IndexError, ValueError, TypeError, ArithmeticError) as error:
        raise PriorError(
            f"The network in {name} looks like an NCSN++ score network, but is built in another way.",
            f"It could not be followed at {error}.",
            "Choose a network as score_sde_pytorch or score-MRI makes it.",
        ) from error
    renamed = _renamed(network, modules)
    check_shapes(network, renamed, name)
    return config.to_dict(), renamed, tuple(warnings)


def _modules(weights: StateDict) -> dict[int, Module]:
    """The entries of each numbered module, in order; `Conv.` and `Conv_0.` are the same in different versions."""
    found: dict[int, Module] = {}
    for key, tensor in weights.items():
        if match := re.match(r"all_modules\.(\d+)\.(.*)", key):
            found.setdefault(int(match[1]), {})[re.sub(r"^Conv\.", "Conv_0.", match[2])] = tensor
    return dict(sorted(found.items()))


def _renamed(network: NcsnPlusPlus, modules: dict[int, Module]) -> StateDict:
    """The weights by the names of our network; what has no counterpart keeps its own, and is found by its name."""
    left = {
        (rank, entry): (f"all_modules.{number}.{entry}", tensor)
        for rank, (number, module) in enumerate(modules.items())
        for entry, tensor in module.items()
    }
    renamed = {}
    for rank, entry, own in network.published_names():
        if (rank, entry) in left:
            renamed[own] = left.pop((rank, entry))[1]
    return renamed | dict(left.values())


def _seen(modules: list[Module]) -> dict[str, Any]:
    """What names and shapes tell. Raises KeyError, IndexError or ValueError where they make no sense."""
    kinds = [_kind(module) for module in modules]
    fourier = int(kinds[0] == "frequencies")
    if kinds[fourier : fourier + 3] != ["linear", "linear", "conv"]:
        raise ValueError(f"its start ({', '.join(kinds[:4])})")
    width = modules[fourier]["weight"].shape[0] // 4
    levels = _levels(modules[fourier + 3 :], kinds[fourier + 3 :])
    ways = {level.way_down for level in levels[:-1]}
    pyramids = {level.pyramid for level in levels[:-1]}
    outputs = kinds.count("norm")
    if len(ways) != 1 or len(pyramids) != 1 or outputs not in (1, len(levels)):
        raise ValueError(f"{outputs} output layers on {len(levels)} levels")
    way, pyramid = ways.pop(), pyramids.pop()
    input_pyramid = {"": "none", "sum": "input_skip", "cat": "input_skip"}.get(pyramid, "residual")
    channels, multipliers = modules[fourier + 2]["weight"].shape[1], tuple(level.width // width for level in levels)
    if min(channels, width, *multipliers) < 1:
        raise ValueError("a layer without channels")
    # Only convolutions carry the filter in their name. All published networks of the other kinds have one.
    filtered = "filtered" in (way, pyramid) or (way == "residual" and input_pyramid != "residual")
    return {
        "channels": channels,
        "width": width,
        "multipliers": multipliers,
        "blocks": levels[0].blocks,
        "attention": tuple(i for i, level in enumerate(levels) if level.attention),
        "block": "biggan" if way == "residual" else "ddpm",
        "input_pyramid": input_pyramid,
        "output_pyramid": "output_skip" if outputs > 1 else "none",
        "combine": "cat" if pyramid == "cat" else "sum",
        "fir_kernel": (1, 3, 3, 1) if filtered else (),
        "embedding": "fourier" if fourier else "positional",
    }


@dataclass
class _Level:
    """One resolution of the way down. way_down: "residual", "filtered" or "plain"; pyramid: one of the last two, "sum",
    "cat", or "" where there is none."""

    width: int = 0
    blocks: int = 0
    attention: bool = False
    way_down: str = ""
    pyramid: str = ""


def _levels(modules: list[Module], kinds: list[str]) -> list[_Level]:
    """The levels of the way down, from the module after the stem on."""
    levels: list[_Level] = []
    at = 0
    while True:
        level = _Level()
        levels.append(level)
        while kinds[at] == "residual" and (len(levels) == 1 or level.blocks < levels[0].blocks):
            level.width, level.blocks = modules[at]["Conv_0.weight"].shape[0], level.blocks + 1
            at += 1
            if kinds[at] == "attention":
                level.attention = True
                at += 1
        if level.blocks != levels[0].blocks or not level.blocks:
            raise ValueError(f"level {len(levels)}, which has {level.blocks} blocks and not {levels[0].blocks}")
        if kinds[at] not in ("residual down", "filtered", "plain"):
            break
        level.way_down = kinds[at].removesuffix(" down")
        at += 1
        if kinds[at] == "join":
            stacked = modules[at]["Conv_0.weight"].shape[0] < modules[at + 1]["GroupNorm_0.weight"].numel()
            level.pyramid = "cat" if stacked else "sum"
            at += 1
        elif kinds[at] in ("filtered", "plain"):
            level.pyramid = kinds[at]
            at += 1
    if len(levels) < 2:
        raise ValueError("its levels, of which there is one only")
    return levels


def _kind(module: Module) -> str:
    """What a module of the published list is, by the entries that it has."""
    if "W" in module:
        return "frequencies"
    if "NIN_3.W" in module:
        return "attention"
    if "GroupNorm_0.weight" in module and "Conv_1.weight" in module:
        entering, leaving = module["GroupNorm_0.weight"].numel(), module["Conv_0.weight"].shape[0]
        return "residual down" if "Conv_2.weight" in module and entering == leaving else "residual"
    if "Conv2d_0.weight" in module:
        return "filtered"
    if "Conv_0.weight" in module:
        return "join" if module["Conv_0.weight"].shape[-1] == 1 else "plain"
    return {1: "norm", 2: "linear", 4: "conv"}[module["weight"].dim()]


def _unseen(weights: StateDict, said: dict[str, Any], seen: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """(settings that the weights do not show, warnings about those that nobody said)."""
    settings: dict[str, Any] = {}
    assumed = []
    for key, (own, words) in _ASSUMED.items():
        if key in said:
            settings[own] = said[key]
        elif key != "fir_kernel" or seen["fir_kernel"]:
            assumed.append(words)
    if said.get("fir") is False:
        settings["fir_kernel"] = ()
    sigmas = weights["sigmas"] if weights.get("sigmas", torch.empty(0)).numel() else None
    low, high = (float(sigmas.min()), float(sigmas.max())) if sigmas is not None else _SIGMAS
    settings["sigma_range"] = (float(said.get("sigma_min", low)), float(said.get("sigma_max", high)))
    settings["sigma_count"] = int(said.get("num_scales", len(sigmas) if sigmas is not None else 2000))
    if sigmas is None and not {"sigma_min", "sigma_max"} <= said.keys():
        assumed.append(f"noise levels reach from {low:g} to {high:g}")
    warnings = (
        [f"The weights do not show everything; assumed, as for score-MRI: {'; '.join(assumed)}."] if assumed else []
    )
    if seen["embedding"] == "positional":
        warnings.append(
            "It is assumed to be told the number of the noise level, the greatest first, as VE networks are."
        )
    return settings, warnings
