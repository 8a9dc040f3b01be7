"""MATLAB files up to version 7, read through in a process of its own first: scipy crashes on some damaged ones."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import ScanError
from core.formats.files import DEFLATE, free_memory, require_memory
from core.formats.probe import trouble_of

_PROBE = Path(__file__).with_name("mat5_probe.py")
_COMPRESSED = 15
_CHUNK = 2**20
Contents = list[tuple[str, tuple[int, ...], str]]


def contents_of(path: Path) -> Contents:
    """(name, shape, kind) of each variable. Raises ScanError for a damaged file."""
    from scipy import io

    _check(path)
    found: Contents = io.whosmat(path)
    return found


def variables_of(path: Path, names: tuple[str, ...], **options: Any) -> dict[str, Any]:
    """Some variables by name; options are those of scipy.io.loadmat. Raises ScanError for a damaged file."""
    from scipy import io

    _check(path)
    found: dict[str, Any] = io.loadmat(path, variable_names=list(names), **options)
    return found


def _check(path: Path) -> None:
    state = path.stat()
    require_memory(4.0 * _unpacked_size(path, free_memory()), "The file")
    trouble = _trouble_with(str(path.resolve()), state.st_mtime_ns, state.st_size)
    if trouble:
        raise ScanError(
            f"{path.name} cannot be opened.",
            f"It is a MATLAB file, but damaged or cut off ({trouble}).",
            "Copy it again from its source.",
        )


def _unpacked_size(path: Path, enough: int) -> int:
    """Bytes of the file's elements unpacked, each by itself packed by deflate or not; not counted beyond `enough`.

    MAT-File Format, level 5: a header of 128 bytes, then elements with 4 bytes each for type and length.
    """
    size = path.stat().st_size
    if size * DEFLATE * 8 < enough:
        return size
    total = 0
    with path.open("rb") as file:
        order = ">" if file.read(128).endswith(b"MI") else "<"
        while total < enough and len(tag := file.read(8)) == 8:
            kind, length = struct.unpack(f"{order}II", tag)
            end = file.tell() + length
            total += length if kind != _COMPRESSED else _inflated(file, length, enough)
            file.seek(end)
    return max(total, size)


def _inflated(file: BinaryIO, length: int, enough: int) -> int:
    stream, total = zlib.decompressobj(), 0
    while total < enough and not stream.eof:
        packed = stream.unconsumed_tail
        if not packed:
            packed = file.read(min(length, _CHUNK))
            length -= len(packed)
        try:
            piece = stream.decompress(packed, _CHUNK)
        except zlib.error:
            break
        total += len(piece)
        if not packed and not piece:
            break
    return total


@lru_cache(maxsize=64)
def _trouble_with(path: str, changed: int, size: int) -> str:
    return trouble_of(_PROBE, path, size)
