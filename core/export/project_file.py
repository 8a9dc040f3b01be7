"""Writes project files: see core.formats.project_file."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

import core
from core.export import writing
from core.export.whole import write_whole
from core.formats.project_file import ENDING, FORMAT, KINDS, RECORD, SPARE, VERSION, header_of

Array = npt.NDArray[Any]
Tell = Callable[[str, int, int], None]

PRIVATE = 0o600
_CHUNK = 2**22
_ZIP64 = 2**31 - 2**20


def write(
    path: Path,
    record: Mapping[str, Any],
    arrays: Mapping[str, Array],
    tell: Tell | None = None,
    *,
    private: bool = False,
) -> None:
    """Write a project whole or not at all; an older file stays as it is until the new one is complete.

    record: plain values for JSON. arrays: by name, of one of the types KINDS; they are not compressed, since noise
    does not shrink and time counts. tell("Saving", done, of) counts bytes, and may raise to stop. private: for this
    user's eyes alone. Raises ExportError, and whatever `tell` raises.
    """
    table = {name: description(array) for name, array in arrays.items()}
    text = record_text({**record, "arrays": table})

    def write_part(part: Path) -> None:
        with part.open("wb") as file:
            _write(file, text, arrays, tell)
            file.flush()
            os.fsync(file.fileno())

    _place(path, ENDING, write_part, private)


def write_record(path: Path, record: Mapping[str, Any], *, private: bool = False) -> None:
    """Write a record alone, as a file of JSON. Raises ExportError."""
    text = record_text(record)
    _place(path, ".json", lambda part: part.write_bytes(text), private)


def description(array: Array) -> dict[str, Any]:
    """What a record tells of an array. Raises TypeError for numbers of another type than KINDS."""
    if array.dtype.name not in KINDS:
        raise TypeError(f"an image of {array.dtype}")
    return {"dtype": array.dtype.name, "shape": list(array.shape)}


def record_text(record: Mapping[str, Any]) -> bytes:
    """A record with its format and version, the program's, and the time. Numbers come back bit for bit."""
    told = {
        "format": FORMAT,
        "version": VERSION,
        "program": core.__version__,
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return json.dumps({**record, **told}, default=_plain).encode("utf-8")


def _place(path: Path, ending: str, write_part: Callable[[Path], object], private: bool) -> None:
    def fill(part: Path) -> None:
        write_part(part)

    with writing(path):
        write_whole(path, ending, fill)
        if private:
            path.chmod(PRIVATE)


def _write(file: BinaryIO, text: bytes, arrays: Mapping[str, Array], tell: Tell | None) -> None:
    whole = max(sum(array.nbytes for array in arrays.values()), 1)
    done = 0
    with zipfile.ZipFile(file, "w") as archive:
        # Without a time: the format knows none before 1980, where a clock without a battery stands.
        archive.writestr(zipfile.ZipInfo(RECORD), text, zipfile.ZIP_DEFLATED)
        for name, array in arrays.items():
            header = header_of(array.dtype, array.shape)
            large = array.nbytes + len(header) > _ZIP64
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=large) as member:
                member.write(header)
                for piece in _pieces(array):
                    member.write(piece)
                    done += len(piece)
                    if tell is not None:
                        tell("Saving", done, whole)
        archive.writestr(zipfile.ZipInfo(SPARE), text, zipfile.ZIP_DEFLATED)


def _pieces(array: Array) -> Iterator[memoryview]:
    """The bytes of an array in C order, some megabytes at a time, without a copy of the whole."""
    little = array.dtype.newbyteorder("<")
    for plane in array if array.ndim > 1 else array[None]:
        held = np.ascontiguousarray(plane, dtype=little).reshape(-1).view(np.uint8).data
        for start in range(0, len(held), _CHUNK):
            yield held[start : start + _CHUNK]


def _plain(value: object) -> object:
    """What JSON does not know: NumPy's numbers and arrays, paths, and sets of words."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    return str(value)
