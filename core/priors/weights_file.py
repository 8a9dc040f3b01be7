"""Writes weights as .safetensors, one tensor after the other: a large network needs no second copy in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

_NAMES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
_CHUNK = 1 << 24


def stored_bytes(tensors: Mapping[str, Tensor]) -> int:
    """How many bytes the tensors take in the file, without its header."""
    return sum(tensor.numel() * _stored(tensor.dtype).itemsize for tensor in tensors.values())


def write_safetensors(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Write a new file; returns its SHA-256. float32, float16 and bfloat16 are kept, everything else becomes float32.

    OSError if it cannot be written; what has been written by then is left to the caller.
    """
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, tensor in tensors.items():
        dtype = _stored(tensor.dtype)
        start, end = end, end + tensor.numel() * dtype.itemsize
        header[name] = {"dtype": _NAMES[dtype], "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    digest = hashlib.sha256()
    with path.open("xb") as file:
        for part in (len(text).to_bytes(8, "little"), text):
            file.write(part)
            digest.update(part)
        for tensor in tensors.values():
            flat = tensor.detach().to("cpu", _stored(tensor.dtype)).contiguous().reshape(-1).view(torch.uint8)
            for start in range(0, flat.numel(), _CHUNK):
                data = flat[start : start + _CHUNK].numpy().data
                file.write(data)
                digest.update(data)
    return digest.hexdigest()


def _stored(dtype: torch.dtype) -> torch.dtype:
    return dtype if dtype in _NAMES else torch.float32
