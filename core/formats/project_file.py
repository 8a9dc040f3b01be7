"""Project files of this program: a zip with what was open as JSON, and the images as they were made, as .npy.

Its members are read by their places alone and never unpacked to disk; nothing in them is executed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.files import require_memory
from core.formats.zip_members import Member, members_of

FORMAT, VERSION = "dds-viewer project", 1
ENDING = ".ddsproj"
RECORD, SPARE = "project.json", "project.spare.json"
"""What was open, at the start of the file and once more at its end, so that one damaged place does not lose it."""
KINDS = ("complex64", "float32", "complex128", "float64")
"""Types of numbers that images can have."""

MOST_RECORD = 64 * 2**20
"""Bytes of a record; one larger is no record of this program."""
MOST_ARRAYS = 20_000

_LARGEST_SIDE = 2**20
_MOST_AXES = 4
_LONGEST_HEADER = 2**16
_CHUNK = 2**22

Array = npt.NDArray[Any]
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class ProjectFile:
    """What could be read of a project file.

    record: as it was written, not yet checked beyond format and version. arrays: by name. damaged: by name, why an
    array is missing. notes: what is wrong with the file as a whole, one sentence each.
    """

    record: dict[str, Any]
    arrays: dict[str, Array] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read(path: Path, tell: Tell | None = None, other: dict[str, Any] | None = None) -> ProjectFile:
    """What is in a project file, as far as it can be read.

    tell("Reading", done, of) counts bytes and may raise to stop. other: a record that was written alone, used where it
    is later than the file's own by its "serial". Raises ScanError where no record is left or a later version of the
    program has written it.
    """
    try:
        with path.open("rb") as file:
            members, whole = members_of(file)
            notes = [] if whole else [f"{path.name} is damaged or cut off."]
            found, intact = _latest(file, members, path.name, other)
            if not intact and whole:
                notes.append(f"A part of {path.name} is damaged; its copy was used.")
            arrays, damaged = _arrays(file, members, _table(found), tell)
    except OSError as error:
        raise ScanError(
            f"{path.name} cannot be read.", f"{error.strerror or error}.", "Check that it is there and may be read."
        ) from error
    return ProjectFile(found, arrays, damaged, tuple(notes))


def read_record(path: Path) -> dict[str, Any]:
    """A record in a file of its own. Raises ScanError."""
    try:
        with path.open("rb") as file:
            return checked_record(file.read(MOST_RECORD + 1), path.name)
    except OSError as error:
        raise ScanError(f"{path.name} cannot be read.", f"{error.strerror or error}.") from error


def checked_record(text: bytes, name: str) -> dict[str, Any]:
    """The record in a text. Raises ScanError for one that is damaged, of something else, or of a later version."""
    damaged = ScanError(f"{name} is no project, or damaged.", "What it holds cannot be read.", "Choose another file.")
    if len(text) > MOST_RECORD:
        raise damaged
    try:
        record = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise damaged from error
    if not isinstance(record, dict) or record.get("format") != FORMAT or type(record.get("version")) is not int:
        raise damaged
    if record["version"] > VERSION:
        raise ScanError(
            f"{name} was written by a later version of this program.",
            f"It is of version {record['version']}; this program knows version {VERSION}.",
            "Update the program.",
        )
    return record


def header_of(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """The bytes before the numbers of an array in C order (NumPy enhancement proposal 1, .npy version 1.0)."""
    from io import BytesIO

    made = BytesIO()
    values = {"descr": dtype.newbyteorder("<").str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(made, values)
    return made.getvalue()


def _latest(
    file: BinaryIO, members: dict[str, Member], name: str, other: dict[str, Any] | None
) -> tuple[dict[str, Any], bool]:
    """The later one of the file's record and another, and whether nothing of them is damaged."""
    try:
        own, intact = _record(file, members, name)
    except ScanError:
        if other is None:
            raise
        return other, False
    later = other is not None and _serial(other) > _serial(own)
    return (other if later and other is not None else own), intact


def _serial(record: dict[str, Any]) -> int:
    found = record.get("serial")
    return found if type(found) is int else 0


def _record(file: BinaryIO, members: dict[str, Member], name: str) -> tuple[dict[str, Any], bool]:
    """The record, and whether the first of the two was good."""
    last = ScanError(f"{name} is no project, or damaged.", "There is no record of a project in it.", "")
    for place in (RECORD, SPARE):
        if place in members:
            try:
                return checked_record(_unpacked(file, members[place]), name), place == RECORD
            except (ScanError, ValueError, zlib.error) as error:
                last = error if isinstance(error, ScanError) else last
    raise last


def _unpacked(file: BinaryIO, member: Member) -> bytes:
    """The bytes of a small member. Raises ValueError or zlib.error where they are damaged."""
    if member.size > MOST_RECORD or member.unpacked > MOST_RECORD:
        raise ValueError("too large")
    file.seek(member.start)
    held = file.read(member.size)
    text = zlib.decompressobj(-zlib.MAX_WBITS).decompress(held, MOST_RECORD + 1) if member.deflated else held
    if len(text) != member.unpacked or zlib.crc32(text) != member.crc:
        raise ValueError("checksum")
    return text


def _table(record: dict[str, Any]) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]] | None]:
    """By name, what each array should be; None for one whose description makes no sense."""
    table = record.get("arrays")
    if not isinstance(table, dict):
        return {}
    return {name: _announced(said) for name, said in list(table.items())[:MOST_ARRAYS]}


def _announced(said: Any) -> tuple[np.dtype[Any], tuple[int, ...]] | None:
    kind, shape = (said.get("dtype"), said.get("shape")) if isinstance(said, dict) else (None, None)
    if kind not in KINDS or not isinstance(shape, list) or not 1 <= len(shape) <= _MOST_AXES:
        return None
    if not all(type(n) is int and 0 < n <= _LARGEST_SIDE for n in shape):
        return None
    return np.dtype(kind), tuple(shape)


def _arrays(
    file: BinaryIO,
    members: dict[str, Member],
    table: dict[str, tuple[np.dtype[Any], tuple[int, ...]] | None],
    tell: Tell | None,
) -> tuple[dict[str, Array], dict[str, str]]:
    arrays: dict[str, Array] = {}
    damaged: dict[str, str] = {}
    whole = max(sum(members[name].size for name in table if name in members), 1)
    left = file.seek(0, 2)
    done = 0

    def told(count: int) -> None:
        nonlocal done
        done += count
        if tell is not None:
            tell("Reading", min(done, whole), whole)

    for name, said in table.items():
        try:
            if name not in members:
                raise ScanError("It is not in the file.")
            if said is None:
                raise ScanError("What the file tells of it makes no sense.")
            left -= members[name].size
            if left < 0:
                raise ScanError("It shares its bytes with others.")
            arrays[name] = _array(file, members[name], *said, told)
        except ScanError as error:
            damaged[name] = error.what
        except MemoryError:
            damaged[name] = "It does not fit into memory."
    return arrays, damaged


def _array(
    file: BinaryIO, member: Member, dtype: np.dtype[Any], shape: tuple[int, ...], told: Callable[[int], None]
) -> Array:
    """The numbers of a member. Raises ScanError, before anything is allocated where sizes do not agree."""
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    ahead = member.size - size
    if member.deflated or not 0 < ahead <= _LONGEST_HEADER:
        raise ScanError("Its size is not that of its numbers.")
    require_memory(float(size), "It")
    file.seek(member.start)
    header = file.read(ahead)
    if not _agrees(header, dtype, shape):
        raise ScanError("It is another array than the file tells.")
    array = np.empty(shape, dtype.newbyteorder("<"))
    held = array.reshape(-1).view(np.uint8).data
    crc = zlib.crc32(header)
    for start in range(0, size, _CHUNK):
        piece = held[start : start + _CHUNK]
        if file.readinto(piece) != len(piece):  # type: ignore[attr-defined]
            raise ScanError("It is cut off.")
        crc = zlib.crc32(piece, crc)
        told(len(piece))
    if crc != member.crc:
        raise ScanError("Its numbers are damaged.")
    return array


def _agrees(header: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> bool:
    """The header in the file announces this array."""
    from io import BytesIO

    if header == header_of(dtype, shape):
        return True
    try:
        stream = BytesIO(header)
        if np.lib.format.read_magic(stream) != (1, 0):
            return False
        said, fortran, kind = np.lib.format.read_array_header_1_0(stream)
    except Exception:  # whatever damaged text does to the parser
        return False
    return said == shape and not fortran and kind == dtype.newbyteorder("<") and stream.tell() == len(header)
