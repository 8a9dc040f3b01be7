"""Looking at a file before trusting it: can it be read, what does it begin with, will its contents fit."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from core.errors import ScanError

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_HDF5_PLACES = (0, 512, 1024, 2048)
_CHUNK = 2**22
_SHARE_OF_MEMORY = 0.8

DEFLATE = 1100
"""No deflate stream grows by more when it is unpacked (zlib: 1032)."""


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
        # A read takes memory for all that is asked for, before it knows how much there is.
        return file.read(min(count, max(os.fstat(file.fileno()).st_size - start, 0)))


def check_beside(path: Path, folder: Path) -> Path:
    """The path of a file that another one names. Raises ScanError for a link that leads out of the folder."""
    if path.is_symlink() and folder.resolve() not in path.resolve().parents:
        raise ScanError(
            f"{path.name} is not read.",
            "It is a link that leads out of the folder of the scan.",
            "Put a copy of the file itself there.",
        )
    return path


def stays_within(path: Path, folder: Path) -> bool:
    """No link leads from the folder to the path outside of it."""
    root = folder.resolve()
    return root in path.resolve().parents


def require_held(announced: float, held: float, what: str, packed: bool = False) -> None:
    """Raise ScanError if `announced` bytes cannot come out of `held` ones. packed: these are compressed by deflate."""
    if announced > held * (DEFLATE if packed else 1):
        raise ScanError(
            f"{what} is damaged or cut off.",
            f"It announces {announced:.0f} bytes and holds {held:.0f}.",
            "Copy it again from its source.",
        )


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


def free_memory() -> int:
    """Bytes that programs can still have."""
    import psutil

    return int(psutil.virtual_memory().available)


def require_memory(count: float, what: str) -> None:
    """Raise ScanError if `count` bytes do not fit into the memory that is free now."""
    free = free_memory()
    if count > _SHARE_OF_MEMORY * free:
        raise ScanError(
            f"{what} does not fit into memory.",
            f"It needs {count / 2**30:.1f} GB and {free / 2**30:.1f} GB are free.",
            "Check that the file is not damaged, or use a machine with more memory.",
        )
