"""What computes here, without anything that tells whose machine it is."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import torch

from core.engine.run_card import versions

_CPU_INFO = Path("/proc/cpuinfo")


def machine() -> dict[str, Any]:
    """Processor, cores, memory in GiB, GPU or None, and the versions of the run card; no host or user name."""
    return {
        "processor": processor(),
        "cores_physical": psutil.cpu_count(logical=False) or 0,
        "cores_logical": os.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
        "versions": versions(),
    }


def processor() -> str:
    """The model's name as the system tells it."""
    with suppress(OSError):
        for line in _CPU_INFO.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def in_short(about: dict[str, Any]) -> str:
    """A machine in a few words: "2 cores, no GPU"."""
    cores = about["cores_logical"]
    return f"{cores} core{'s' if cores != 1 else ''}, {about['gpu'] or 'no GPU'}"
