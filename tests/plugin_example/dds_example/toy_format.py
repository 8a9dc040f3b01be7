"""Toy files: the word TOY1, then a NumPy array of k-space (coil, ky, kx), k = 0 at n // 2, zero where not measured."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np

from core.errors import ScanError
from core.scan import KSpace, Provenance

MAGIC = b"TOY1"


def claims(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read(path: Path) -> KSpace:
    content = path.read_bytes()
    array = np.load(io.BytesIO(content[len(MAGIC) :]), allow_pickle=False)
    if array.ndim != 3:
        raise ScanError(f"{path.name} is no toy scan.", f"Its array has {array.ndim} axes.", "Write coil, ky and kx.")
    _, ny, nx = array.shape
    mask = np.abs(array).sum(axis=0) > 0
    return KSpace(
        array.astype(np.complex64)[None, None, None, :, None],
        mask[None, None, None, None],
        (1, ny, nx),
        Provenance(str(path), "Toy", sha256=hashlib.sha256(content).hexdigest()),
    )
