"""Which numbers the network computes with: half as long ones where that is fast and does no harm."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

from core.engine.settings import Precision

FLOAT32: Precision = "float32"
BFLOAT16: Precision = "bfloat16"

ALLOWS_BFLOAT16 = ("small",)
"""Network families of which it was measured that bfloat16 moves the PSNR by less than 0.05 dB."""


def choose_precision(setting: Precision, family: str, device: torch.device) -> Precision:
    """float32 or bfloat16: as the setting says, or for "auto" what suits the network's family and the device."""
    if setting != "auto":
        return setting
    return BFLOAT16 if family in ALLOWS_BFLOAT16 and fast_bfloat16(device) else FLOAT32


def fast_bfloat16(device: torch.device) -> bool:
    """The device multiplies bfloat16 numbers in hardware; elsewhere they are slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def computing_in(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """A context in which the network's convolutions and products run in that precision."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == BFLOAT16)
