"""Looking at a file before trusting it: can it be read, what does it begin with, will its contents fit."""

from __future__ import annotations

import hashlib
from pathlib import Path

from core.errors import ScanError

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_HDF5_PLACES = (0, 512, 1024, 2048)
_CHUNK = 2**22
_SHARE_OF_MEMORY = 0.8


def check_readable(path: Path) -> None:
    """Raise ScanError unless path is a file with something in it that this user may read."""
    if path.is_dir():
        raise ScanError(f"{path.name or path} is a folder.", "", "Choose one file of raw data.")
    if not path.exists():
        raise ScanError(f"There is no file {path.name}.", f"Nothing was found at {path}.", "Check the name.")
    if not path.is_file():
        raise ScanError(f"{path.name} is not a regular file.", "", "Choose one file of raw data.")
    if path.stat().st_size == 0:
        raise ScanError(f"{path.name} is empty.", "It has 0 bytes.", "Copy it again from its source.")
    with path.open("rb") as file:
        file.read(1)


def head_of(path: Path, count: int, start: int = 0) -> bytes:
    """Up to `count` bytes of a file from `start`."""
    with path.open("rb") as file:
        file.seek(start)
        return file.read(count)


def is_hdf5(path: Path) -> bool:
    """The file carries HDF5's signature (HDF5 specification, II.A: at 0, 512, 1024 ... bytes)."""
    return any(head_of(path, len(_HDF5_MAGIC), place) == _HDF5_MAGIC for place in _HDF5_PLACES)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def require_memory(count: float, what: str) -> None:
    """Raise ScanError if `count` bytes do not fit into the memory that is free now."""
    import psutil

    free = psutil.virtual_memory().available
    if count > _SHARE_OF_MEMORY * free:
        raise ScanError(
            f"{what} does not fit into memory.",
            f"It needs {count / 2**30:.1f} GB and {free / 2**30:.1f} GB are free.",
            "Check that the file is not damaged, or use a machine with more memory.",
        )
