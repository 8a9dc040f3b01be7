"""The two checkpoints that were published for DDS, recognised by their shapes."""

from __future__ import annotations

from typing import Any

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
}

PUBLISHED: dict[str, dict[str, Any]] = {
    "AAPM256": {**_COMMON, "image_size": 256, "in_channels": 1},
    "fastmri_knee_320_complex": {**_COMMON, "image_size": 320, "in_channels": 2},
}
"""Configurations by name, in the keys that core.diffusion.unet.AdmConfig.from_published reads."""

_WIDTH = _COMMON["num_channels"]


def recognise(weights: StateDict) -> str | None:
    """The name of the published configuration that weights are likely of, by their first layer, or None."""
    stem = weights.get("input_blocks.0.0.weight")
    if stem is None or stem.shape[0] != _WIDTH:
        return None
    return {1: "AAPM256", 2: "fastmri_knee_320_complex"}.get(stem.shape[1])
