"""The two checkpoints that were published for DDS (arXiv 2303.05754), and what is known of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from core.diffusion.unet import AdmConfig, AdmUNet
from core.priors.checkpoint import StateDict

_COMMON = {
    "num_channels": 256,
    "num_res_blocks": 1,
    "attention_resolutions": "16",
    "num_heads": 4,
    "num_head_channels": 64,
    "learn_sigma": True,
    "use_scale_shift_norm": True,
    "resblock_updown": True,
    "use_new_attention_order": False,
}

PUBLISHED: dict[str, dict[str, Any]] = {
    "AAPM256": {**_COMMON, "image_size": 256, "in_channels": 1},
    "fastmri_knee_320_complex": {**_COMMON, "image_size": 320, "in_channels": 2},
}
"""Configurations by name, in the keys that core.diffusion.unet.AdmConfig.from_published reads."""

_RANGE_UNKNOWN = "Its authors do not say how its training images were scaled; {range} is taken, as their programs do."

FACTS: dict[str, dict[str, Any]] = {
    "AAPM256": {
        "modality": "CT",
        "anatomy": "abdomen and chest",
        "contrast": "unknown",
        "value_range": (0.0, 1.0),
        "scale_percentile": 100.0,
        "training_data": ("2016 NIH-AAPM-Mayo Clinic Low-Dose CT Grand Challenge, 256 x 256 pixels",),
        "licence": "none stated by its authors",
        "warnings": (
            "Recognised by its shapes as the CT prior that was published for DDS.",
            _RANGE_UNKNOWN.format(range="0 to 1"),
            "No licence is stated: ask its authors before you pass it on.",
        ),
    },
    "fastmri_knee_320_complex": {
        "modality": "MR",
        "anatomy": "knee",
        "contrast": "proton density, with and without fat suppression",
        "value_range": (-1.0, 1.0),
        "scale_percentile": 100.0,
        "training_data": ("fastMRI knee, multi-coil images, 320 x 320 pixels",),
        "licence": "none stated by its authors",
        "warnings": (
            "Recognised by its shapes as the knee prior that was published for DDS. It was trained on knees, "
            "also where its file is called brain.",
            _RANGE_UNKNOWN.format(range="a magnitude of at most 1"),
            "No licence is stated: ask its authors before you pass it on.",
        ),
    },
}
"""Fields of the model card by name of the configuration."""

_UNSEEN = ("image_size", "num_heads", "num_head_channels", "use_new_attention_order")


@cache
def published_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """All entries of a published network and their shapes."""
    with torch.device("meta"):
        network = AdmUNet(AdmConfig.from_published(PUBLISHED[name]))
    return {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}


def published_name(weights: StateDict) -> str | None:
    """The published network that has exactly these entries and shapes, or None."""
    found = {key: tuple(tensor.shape) for key, tensor in weights.items()}
    stem = found.get("input_blocks.0.0.weight", ())
    for name, config in PUBLISHED.items():
        if stem[:2] == (config["num_channels"], config["in_channels"]) and found == published_shapes(name):
            return name
    return None


def published_settings(name: str) -> dict[str, Any]:
    """What the weights of a published network do not show of its configuration."""
    return {key: PUBLISHED[name][key] for key in _UNSEEN}
