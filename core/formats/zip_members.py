"""Where the members of a zip file lie, also of one that is damaged or cut off (PKWARE APPNOTE 4.3)."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import dataclass
from typing import BinaryIO

MOST_MEMBERS = 50_000

_SIGN = b"PK\x03\x04"
_HEADER = struct.Struct("<4s5H3L2H")
_WIDE = 0xFFFFFFFF
_WIDE_FIELD = 1
_AFTERWARDS, _ENCRYPTED = 8, 1
_STORED, _DEFLATED = 0, 8
_CHUNK = 2**20
_LEAST_STEP = 512
_MOST_FALSE = 100_000
"""The sign of a header comes by chance once in 4 GB; a file with many is made to keep its reader busy."""


@dataclass(frozen=True)
class Member:
    """start: of its bytes in the file. size: of them; unpacked: of what they stand for. crc: of the latter."""

    start: int
    size: int
    unpacked: int
    crc: int
    deflated: bool


def members_of(file: BinaryIO) -> tuple[dict[str, Member], bool]:
    """The members by name, and whether the file is whole: its directory can be read, and all members lie within it.

    Without a directory they are found by the header before each of them.
    """
    length = file.seek(0, 2)
    try:
        return _listed(file, length), True
    except Exception:  # whatever a damaged directory does to the library
        return _walked(file, length), False


def _listed(file: BinaryIO, length: int) -> dict[str, Member]:
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        raise ValueError("too many members")
    found = {}
    for info in infos:
        at = _header_at(file, info.header_offset)
        if at is None or info.flag_bits & _ENCRYPTED or info.compress_type not in (_STORED, _DEFLATED):
            raise ValueError("a member that no project has")
        member = Member(at[1].start, info.compress_size, info.file_size, info.CRC, info.compress_type == _DEFLATED)
        if member.start + member.size > length:
            raise ValueError("cut off")
        found[info.filename] = member
    return found


def _walked(file: BinaryIO, length: int) -> dict[str, Member]:
    """From header to header; where one is damaged, on to the next that can be found. Of two of a name the first."""
    found: dict[str, Member] = {}
    place = false_signs = 0
    while len(found) < MOST_MEMBERS and false_signs < _MOST_FALSE:
        at = _header_at(file, place)
        if at is None:
            onward = _next_sign(file, place + 1, length)
            if onward is None:
                break
            place = onward
            false_signs += 1
            continue
        name, member = at
        found.setdefault(name, member)
        place = member.start + member.size
    return found


def _header_at(file: BinaryIO, place: int) -> tuple[str, Member] | None:
    file.seek(place)
    head = file.read(_HEADER.size)
    if len(head) < _HEADER.size:
        return None
    sign, _, flags, method, _, _, crc, size, unpacked, name_length, extra_length = _HEADER.unpack(head)
    rest = file.read(name_length + extra_length)
    if sign != _SIGN or len(rest) < name_length + extra_length:
        return None
    if flags & (_AFTERWARDS | _ENCRYPTED) or method not in (_STORED, _DEFLATED):
        return None
    if _WIDE in (size, unpacked):
        unpacked, size = _wide(rest[name_length:], unpacked, size)
    name = rest[:name_length].decode("utf-8", "replace")
    start = place + _HEADER.size + len(rest)
    return name, Member(start, size, unpacked, crc, method == _DEFLATED)


def _wide(extra: bytes, unpacked: int, size: int) -> tuple[int, int]:
    """Sizes of eight bytes, where the header's four were not enough."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        held = extra[4 : 4 + length]
        if kind == _WIDE_FIELD and len(held) >= 16:
            found: tuple[int, int] = struct.unpack_from("<QQ", held)
            return found
        extra = extra[4 + length :]
    return unpacked, size


def _next_sign(file: BinaryIO, place: int, length: int) -> int | None:
    step = _LEAST_STEP
    while place < length:
        file.seek(place)
        held = file.read(step + len(_SIGN) - 1)
        at = held.find(_SIGN)
        if at >= 0:
            return place + at
        place += step
        # Many false signs shall not make for many large reads.
        step = min(2 * step, _CHUNK)
    return None
