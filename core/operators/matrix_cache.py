"""System matrices kept on disk, because building one takes longer than reading it.

Files live in the user's cache folder, or in $DDS_VIEWER_CACHE; together they stay below a bound, the oldest go first.
Nothing here raises: a cache that cannot be used is as good as an empty one.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from core.geometry import Geometry, Grid

Array = npt.NDArray[Any]

BOUND = 2 * 1024**3
LEAST = 1_000_000
"""Entries below which a matrix is built sooner than it is read."""

SHARE = 0.5
"""Of the bound, above which one file is not worth all those that it would push out."""

VERSION = 1
"""Raise it when the same geometry gives another matrix."""


def folder() -> Path:
    """$DDS_VIEWER_CACHE, or the program's folder in the user's cache."""
    chosen = os.environ.get("DDS_VIEWER_CACHE")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("dds-viewer", appauthor=False))


def digest(geometry: Geometry, grid: Grid) -> str:
    """The name of a geometry and of the pixels of a slice: equal for equal numbers, whatever the count of slices."""
    name = hashlib.sha256(f"{VERSION} {type(geometry).__name__}".encode())
    for part in fields(geometry):
        value = np.asarray(getattr(geometry, part.name))
        name.update(f" {part.name} {value.dtype.str} {value.shape} ".encode())
        name.update(np.ascontiguousarray(value).tobytes())
    numbers = (*grid.shape[1:], *grid.spacing_mm[:2], *grid.centre_mm[:2])
    name.update(np.array(numbers, dtype=np.float64).tobytes())
    return name.hexdigest()


def load(name: str, shape: tuple[int, int]) -> sp.csr_array | None:
    """The matrix of that name and shape, float32, or None. A damaged file is removed."""
    path = None
    try:
        path = _path(name)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as parts:
            starts, column, weight = parts["starts"], parts["column"], parts["weight"]
        if not _sound(starts, column, weight, shape):
            raise ValueError(path)
        os.utime(path)
    except FileNotFoundError:
        return None
    except Exception:  # A damaged archive raises almost anything.
        with suppress(OSError):
            if path is not None:
                path.unlink()
        return None
    return sp.csr_array((weight, column, starts), shape=shape)


def save(name: str, matrix: sp.csr_array, bound: int | None = None) -> None:
    """Keep a matrix, unless it is tiny or takes half of the bound in bytes, BOUND by default.

    The file appears whole or not at all.
    """
    bound = BOUND if bound is None else bound
    size = matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes
    if matrix.nnz < LEAST or size > SHARE * bound:
        return
    with suppress(OSError):
        path = _path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(path.parent, bound - size)
        handle, draft = tempfile.mkstemp(suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, starts=matrix.indptr, column=matrix.indices, weight=matrix.data)
            os.replace(draft, path)
        finally:
            Path(draft).unlink(missing_ok=True)


def _path(name: str) -> Path:
    return folder() / "matrices" / f"{name}.npz"


def _make_room(where: Path, left: int) -> None:
    """Remove the files used longest ago, and drafts of writers that died, until no more than `left` bytes remain."""
    ages = []
    for path in where.iterdir():
        with suppress(OSError):
            state = path.stat()
            if path.suffix in (".npz", ".part"):
                ages.append((state.st_mtime, state.st_size, path))
    total = sum(size for _, size, _ in ages)
    for _, size, path in sorted(ages):
        if total <= left:
            break
        with suppress(OSError):
            path.unlink()
            total -= size


def _sound(starts: Array, column: Array, weight: Array, shape: tuple[int, int]) -> bool:
    """The parts are those of a matrix of that shape: a product with wrong indices would read beyond the memory."""
    kinds = starts.dtype in (np.int32, np.int64) and column.dtype == np.int32 and weight.dtype == np.float32
    if not kinds or starts.shape != (shape[0] + 1,) or column.ndim != 1 or column.shape != weight.shape:
        return False
    ordered = starts[0] == 0 and starts[-1] == len(column) and bool((np.diff(starts) >= 0).all())
    inside = len(column) == 0 or (int(column.min()) >= 0 and int(column.max()) < shape[1])
    return ordered and inside and bool(np.isfinite(weight).all())
