"""MetaImage (.mha, .mhd with its .raw), plain or compressed (ITK, "MetaIO documentation")."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.files import check_beside, head_of, require_held, require_memory

_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_LONGEST_HEADER = 2**16
_COPIES = 3.0


@dataclass(frozen=True, eq=False)
class MetaImage:
    """array: (..., z, y, x). spacing, origin: (x, y, z, ...) mm, a spacing below 0 where the axis runs backwards.

    turned: its axes do not run along the frame's.
    """

    array: npt.NDArray[np.generic]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    turned: bool


def is_metaimage(path: Path) -> bool:
    """By its name, or by how its header begins."""
    if path.suffix.lower() in (".mha", ".mhd"):
        return True
    return head_of(path, 32).startswith((b"ObjectType = Image", b"NDims = "))


def read_metaimage(path: Path) -> MetaImage:
    """Raises ScanError for a header that is damaged, too few numbers, or a kind of file that is not read."""
    fields, start = _header(path)
    shape = tuple(int(n) for n in _numbers(fields, "DimSize"))[::-1]
    if not shape or min(shape) < 1 or len(shape) != int(_numbers(fields, "NDims")[0]):
        raise _damaged(path, f"its DimSize is {fields.get('DimSize')}")
    if fields.get("ElementNumberOfChannels", "1") != "1" or fields.get("ElementType") not in _TYPES:
        raise ScanError(
            f"{path.name} holds no real numbers.", f"Its type is {fields.get('ElementType')}.", "Save it as MET_FLOAT."
        )
    big = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False")).lower() == "true"
    dtype = np.dtype(_TYPES[fields["ElementType"]]).newbyteorder(">" if big else "<")
    count = dtype.itemsize * float(np.prod(shape, dtype=np.float64))
    require_memory(_COPIES * count, f"The image in {path.name}")
    stored = _stored(path, fields, start, int(count))
    array = np.frombuffer(stored, dtype=dtype).reshape(shape)
    spacing = _numbers(fields, "ElementSpacing", [1.0] * len(shape))
    origin = next((_numbers(fields, k) for k in ("Offset", "Origin", "Position") if k in fields), [0.0] * len(shape))
    if min(len(spacing), len(origin)) < len(shape):
        raise _damaged(path, "its spacing or origin is too short")
    signs = _signs(_numbers(fields, "TransformMatrix", list(np.eye(len(shape)).ravel())), len(shape))
    steps = spacing if signs is None else [n * sign for n, sign in zip(spacing, signs, strict=False)]
    return MetaImage(array, tuple(steps), tuple(origin), turned=signs is None)


def _header(path: Path) -> tuple[dict[str, str], int]:
    """(the fields, where the numbers begin if they follow in the same file)."""
    start = head_of(path, _LONGEST_HEADER)
    fields: dict[str, str] = {}
    place = 0
    for line in start.split(b"\n"):
        place += len(line) + 1
        key, equals, value = line.decode("latin-1").partition("=")
        if not equals:
            raise _damaged(path, "its header is no list of names and values")
        fields[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            return fields, place
    raise _damaged(path, "its header does not name ElementDataFile")


def _signs(turn: list[float], dimension: int) -> list[float] | None:
    """1 or -1 for each axis of a matrix that only turns axes round, else None."""
    if len(turn) != dimension**2:
        return None
    matrix = np.reshape(turn, (dimension, dimension))
    signs = np.sign(np.diag(matrix))
    return signs.tolist() if np.allclose(matrix, np.diag(signs)) and signs.all() else None


def _numbers(fields: dict[str, str], name: str, default: list[float] | None = None) -> list[float]:
    if name not in fields and default is not None:
        return default
    return [float(word) for word in fields[name].split()]


def _stored(path: Path, fields: dict[str, str], start: int, count: int) -> bytes:
    """The numbers as bytes, unpacked where they are compressed."""
    name = fields["ElementDataFile"]
    source = path if name in ("LOCAL", "Local", "local") else path.with_name(Path(name).name)
    if not source.is_file():
        raise ScanError(f"{source.name} is missing.", f"{path.name} keeps its numbers in it.", "Copy both files.")
    compressed = fields.get("CompressedData", "False").lower() == "true"
    size = check_beside(source, path.parent).stat().st_size
    require_held(count, size, source.name, compressed)
    skip = start if source == path else int(fields.get("HeaderSize", "0"))
    if skip < 0 and not compressed:
        # The numbers are the end of the file.
        skip = max(size - count, 0)
    raw = head_of(source, size if compressed else count, max(skip, 0))
    if compressed:
        raw = zlib.decompressobj().decompress(raw, count)
    if len(raw) != count:
        raise _damaged(path, f"it announces {count} bytes of numbers and holds {len(raw)}")
    return raw


def _damaged(path: Path, detail: str) -> ScanError:
    return ScanError(f"{path.name} is damaged or cut off.", f"Seemingly {detail}.", "Copy it again from its source.")
