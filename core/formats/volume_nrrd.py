"""NRRD volumes (.nrrd, .nhdr): axes fastest first, in the space that the header names (teem's NRRD 5 definition)."""

from __future__ import annotations

import bz2
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from core.errors import ScanError
from core.formats import thumbnails
from core.formats.files import check_beside, head_of
from core.formats.volume_parts import Opened, Tell, Voxels, affine_from_corner, check_announced, opened
from core.orientation import Affine

STORED_AS_VIEWED = False

_SPACES = {
    "left-posterior-superior": (1.0, 1.0),
    "lps": (1.0, 1.0),
    "right-anterior-superior": (-1.0, -1.0),
    "ras": (-1.0, -1.0),
    "left-anterior-superior": (1.0, -1.0),
    "las": (1.0, -1.0),
}
"""Signs of x and y on the way to LPS."""

_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    "float": "f4",
    "double": "f8",
}
_PIECE = 2**18


def claims(path: Path) -> bool:
    """Named or beginning like NRRD."""
    return path.is_file() and (path.name.lower().endswith((".nrrd", ".nhdr")) or head_of(path, 7) == b"NRRD000")


def read(path: Path, tell: Tell | None = None) -> Opened:
    """The volume; where a pixel holds several numbers, the first. Axes (x, y, z) are read as (z, y, x).

    The affine is turned to LPS from the file's space; an unknown space leaves the place unknown. Raises ScanError.
    """
    import nrrd

    with path.open("rb") as file:
        header = nrrd.read_header(file)
        array = _voxels(header, file, path)
    notes: list[str] = []
    directions, lists = _directions(header, array.ndim)
    for axis in sorted(lists, reverse=True):
        if array.shape[axis] > 1:
            notes.append(f"Each pixel holds {array.shape[axis]} numbers; the first was read.")
        array = array.take(0, axis=axis)
    array = array.T
    affine = _place(header, directions, array.shape)
    if affine is None:
        notes.append("The file does not tell where the patient lies.")
    lengths = [float(np.linalg.norm(step)) if step is not None else 1.0 for step in directions]
    x, y, z = [*(n if np.isfinite(n) and n > 0 else 1.0 for n in lengths), 1.0, 1.0, 1.0][:3]
    return opened(array, path, "NRRD", affine, (x, y, z), notes=notes)


def glance(path: Path) -> tuple[tuple[int, int, int], str, thumbnails.Thumbnail | None]:
    """(shape (z, y, x), name of the format, small picture of the middle unless the file is large)."""
    import nrrd

    with path.open("rb") as file:
        header = nrrd.read_header(file)
    sizes = [int(n) for n in header["sizes"]]
    _, lists = _directions(header, len(sizes))
    x, y, z = (*(n for axis, n in enumerate(sizes) if axis not in lists), 1, 1, 1)[:3]
    if math.prod(sizes) > thumbnails.MOST_BYTES // 8:
        return (z, y, x), "NRRD", None
    volume = read(path).volume
    picture = thumbnails.of_slice(volume.array[len(volume.array) // 2], volume.affine, volume.spacing_mm)
    return (z, y, x), "NRRD", picture


def _directions(header: dict[str, Any], dimension: int) -> tuple[list[Any], list[int]]:
    """(the step of every axis in space, which axes are lists and no direction in space)."""
    given, kinds = header.get("space directions"), header.get("kinds", ["domain"] * dimension)
    if given is None:
        spacings = np.asarray(header.get("spacings", np.ones(dimension)), dtype=float)
        lists = [i for i, kind in enumerate(kinds) if kind not in ("domain", "space", "none", "???")]
        return [np.array([s]) for i, s in enumerate(spacings) if i not in lists], lists
    rows = [None if row is None else np.asarray(row, dtype=float) for row in given]
    lists = [i for i, row in enumerate(rows) if row is None or not np.isfinite(row).all()]
    return [row for i, row in enumerate(rows) if i not in lists], lists


def _place(header: dict[str, Any], directions: list[Any], shape: tuple[int, ...]) -> Affine | None:
    signs = _SPACES.get(str(header.get("space", "")).lower())
    origin = header.get("space origin")
    if signs is None or origin is None or len(directions) != 3 or any(len(step) != 3 for step in directions):
        return None
    to_lps = np.diag([*signs, 1.0])
    return affine_from_corner(to_lps @ np.stack(directions, axis=1), to_lps @ np.asarray(origin, float), shape)


def _voxels(header: dict[str, Any], file: BinaryIO, path: Path) -> Voxels:
    """The array in file order, (x, y, z); never more is unpacked than the header announces."""
    kind, encoding = _TYPES.get(str(header["type"]).lower()), str(header["encoding"]).lower()
    if kind is None or encoding not in ("raw", "gzip", "gz", "bzip2", "bz2"):
        raise ScanError(
            f"{path.name} cannot be read.",
            f"Its numbers are of type {header['type']}, encoded as {encoding}.",
            "Save it as raw or gzip numbers.",
        )
    dtype = np.dtype(kind).newbyteorder(">" if header.get("endian") == "big" else "<")
    shape = tuple(int(n) for n in header["sizes"])
    name = header.get("data file", header.get("datafile"))
    if name is None:
        return _numbers(file, path, shape, dtype, encoding, header)
    beside = path.parent / Path(str(name)).name
    if beside.name != str(name) or not beside.is_file():
        raise ScanError(
            f"The data of {path.name} are not beside it.", f"It names {name}.", "Put both files into one folder."
        )
    with check_beside(beside, path.parent).open("rb") as apart:
        return _numbers(apart, beside, shape, dtype, encoding, header)


def _numbers(
    file: BinaryIO, path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], encoding: str, header: dict[str, Any]
) -> Voxels:
    packed = encoding != "raw"
    check_announced(shape, dtype.itemsize, path.stat().st_size, packed, path.name)
    wanted = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    for _ in range(min(int(header.get("line skip", header.get("lineskip", 0))), 10_000)):
        file.readline(_PIECE)
    skip = int(header.get("byte skip", header.get("byteskip", 0)))
    if skip and packed:
        raise ScanError(f"{path.name} cannot be read.", "It skips bytes of packed data.", "Save it without a skip.")
    file.seek(path.stat().st_size - wanted if skip < 0 else file.tell() + skip)
    data = bytearray(wanted)
    count = _fill(memoryview(data), _unpacked(file, encoding) if packed else _pieces(file))
    if count < wanted:
        raise ScanError(
            f"{path.name} is cut off.", f"It announces {wanted} bytes of data and holds {count}.", "Copy it again."
        )
    return np.frombuffer(data, dtype=dtype).reshape(shape, order="F")


def _fill(data: memoryview, pieces: Iterator[bytes]) -> int:
    """How many bytes there were; what goes beyond the memory is left out."""
    count = 0
    for piece in pieces:
        part = piece[: len(data) - count]
        data[count : count + len(part)] = part
        count += len(part)
        if count == len(data):
            break
    return count


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def _unpacked(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    """A packed stream in pieces of bounded size."""
    if encoding.startswith("b"):
        unpacker = bz2.BZ2Decompressor()
        while not unpacker.eof:
            packed = file.read(_PIECE) if unpacker.needs_input else b""
            piece = unpacker.decompress(packed, _PIECE)
            yield piece
            if not packed and not piece:
                return
        return
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    while not stream.eof:
        packed = stream.unconsumed_tail or file.read(_PIECE)
        if not packed:
            return
        yield stream.decompress(packed, _PIECE)
