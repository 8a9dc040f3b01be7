"""A graphics card that stops working: how it shows, and that it is not asked again."""

from __future__ import annotations

import torch

from core.engine.memory import is_out_of_memory
from core.errors import DeviceError

_WORDS = (
    *("CUDA error", "CUDA driver error", "CUDA unknown error", "CUDA-capable device", "No CUDA GPUs"),
    *("cuDNN error", "CUDNN_STATUS", "CUBLAS_STATUS", "CUFFT_"),
)
_lost: list[str] = []


def is_lost_device(error: BaseException) -> bool:
    """torch tells of it by an error of its own, and of some of its libraries' only in the words of a RuntimeError."""
    if is_out_of_memory(error) or not isinstance(error, RuntimeError):
        return False
    return isinstance(error, torch.AcceleratorError) or any(word in str(error) for word in _WORDS)


def mark_lost(error: BaseException) -> None:
    """From now on this process computes on the CPU: after such an error CUDA answers nothing but errors."""
    _lost.append(told(error))


def is_marked() -> bool:
    """A graphics card was lost in this process."""
    return bool(_lost)


def told(error: BaseException) -> str:
    """The first line of an error, without torch's advice to programmers."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def lost(why: str = "") -> DeviceError:
    """The error for a person."""
    return DeviceError(
        "The graphics card has stopped working.",
        f"{why or _lost[-1]}." if why or _lost else "",
        "Reconstruct on the CPU. The card may work again after the program, or the machine, was started anew.",
    )
