"""What fails, and when."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest
import torch

FULL = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes."),
    MemoryError(),
]


def breaking(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, error: BaseException, at: int) -> list[int]:
    """Have a function of a class or module raise at its call number `at`, counted from 0, and at all later ones.

    Returns a list with an entry for each call.
    """
    place = importlib.import_module(where) if isinstance(where, str) else where
    whole: Callable[..., Any] = getattr(place, name)
    calls: list[int] = []

    def broken(*args: Any, **more: Any) -> Any:
        calls.append(len(calls))
        if len(calls) > at:
            raise error
        return whole(*args, **more)

    monkeypatch.setattr(place, name, broken)
    return calls
