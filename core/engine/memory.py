"""Memory that is short: how it shows, how much there is, what fits into it, and how it is given back."""

from __future__ import annotations

import ctypes
import sys

import psutil
import torch
from torch import Tensor

MOST_PLANES = 16
"""Planes in one call of the network on a CUDA device; more of them are no faster."""

SHARE = 0.5
"""Of the free memory that the network may fill; the solver needs the rest after it."""

_WORDS = (
    *("can't allocate memory", "not enough memory", "CUDA error: out of memory"),
    *("CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED", "CUFFT_ALLOC_FAILED"),
)


def is_out_of_memory(error: BaseException) -> bool:
    """torch tells of a full CPU memory only in the words of a RuntimeError."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _WORDS)


def available_bytes(device: torch.device) -> int:
    """Memory that can still be had on a device, with what torch holds there and does not use."""
    if device.type == "cuda":
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + held
    return int(psutil.virtual_memory().available)


def planes_at_once(device: torch.device, plane_bytes: int) -> int:
    """Planes that the network sees in one call, of which each fills so many bytes on the way.

    On a CPU always one: four calls of one take 0.6 of the time of one call of four.
    """
    if device.type == "cpu":
        return 1
    return min(max(int(SHARE * available_bytes(device) / max(plane_bytes, 1)), 1), MOST_PLANES)


def give_back(device: torch.device) -> None:
    """Return what was freed to the device, or to the system, where the allocator would keep it for later."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


def onto(x: Tensor, device: torch.device) -> Tensor:
    """x on a device. Page-locked memory, see `page_locked`, goes to a CUDA device while the program runs on."""
    return x.to(device, non_blocking=True)


def page_locked(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """An array on the CPU, of unknown content, that a device copies to and from without a detour."""
    return torch.empty(shape, dtype=dtype, pin_memory=device.type == "cuda")


def on_cpu(x: Tensor) -> Tensor:
    """x on the CPU, complete; itself if it is there already."""
    if x.device.type != "cuda":
        return x.to("cpu")
    here = page_locked(tuple(x.shape), x.dtype, x.device).copy_(x, non_blocking=True)
    torch.cuda.current_stream(x.device).synchronize()
    return here
