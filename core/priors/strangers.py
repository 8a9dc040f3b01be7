"""Names for networks that are known but of no use here, so that a refusal can say what was found."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.priors.checkpoint import StateDict

_SIGNS = (
    (r"^down\.\d+\.\d+\.film\.", "a small network of this program without its card, the .json file beside it"),
    (r"(^|\.)label_emb\.", "a class-conditional ADM network, which needs a class label"),
    (r"cond_stage_model\.|conditioner\.embedders\.", "Stable Diffusion: latent diffusion steered by text"),
    (r"input_blocks\.\d+\.\d+\.transformer_blocks\.", "the U-Net of Stable Diffusion, which needs a text"),
    (r"double_blocks\.\d+\.|single_blocks\.\d+\.", "a Flux image transformer"),
    (r"joint_blocks\.\d+\.", "Stable Diffusion 3, a transformer that needs a text"),
    (r"down_blocks\.\d+\.attentions\.\d+\.transformer_blocks", "a diffusers UNet2DConditionModel, which needs a text"),
    (r"^down_blocks\.\d+\.resnets.*", "a diffusers UNet2DModel"),
    (r"first_stage_model\.", "a latent diffusion model: it works on codes, not on images"),
    (r"(^|\.)quant_conv\.|^encoder\.(down|mid)\.|^decoder\.(up|mid)\.", "an autoencoder (VAE)"),
    (r"^model\.(enc|dec)\.\d+x\d+|^(enc|dec)\.\d+x\d+", "an EDM network (Karras et al. 2022)"),
    (r"init_conv\.|^downs\.\d+\.", "a U-Net of denoising_diffusion_pytorch"),
    (r"lora_(up|down|A|B)\b", "a LoRA: a small change to another network, not a network"),
    (r"(^|\.)(q_proj|k_proj|attn\.qkv|self_attn|self_attention|attention\.query|in_proj_weight)", "a transformer"),
    (r"^(features|classifier|layer[1-4])\.|^fc\.", "an image classifier"),
    (r"lstm|gru|weight_ih_l0", "a recurrent network"),
)
_MODULE_LISTS = re.compile(r"^all_modules\.\d+\.")


def likely(names: Iterable[str]) -> str:
    """What a network with these entry names probably is, in words; "" if nothing comes to mind."""
    listed = list(names)
    if any(name.startswith("down_blocks.") for name in listed) and any(".resnets." in name for name in listed):
        encoder = any(name.startswith("encoder.") for name in listed)
        if not encoder and not any("transformer_blocks" in name for name in listed):
            return "a diffusers UNet2DModel"
    for pattern, words in _SIGNS:
        if any(re.search(pattern, name) for name in listed):
            return words
    return ""


def inventory(weights: StateDict) -> str:
    """Such as "It has 12 entries, 3.4 million numbers; the first are a, b and c." """
    first = list(weights)[:3]
    listed = " and ".join((", ".join(first[:-1]), first[-1])) if len(first) > 1 else first[0]
    numbers = sum(tensor.numel() for tensor in weights.values())
    entries = f"{len(weights)} entries" if len(weights) > 1 else "one entry"
    count = f"{numbers / 1e6:.3g} million numbers" if numbers >= 1e5 else f"{numbers} numbers"
    return f"It has {entries}, {count}; first {listed}."
