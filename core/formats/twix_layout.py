"""The layout of Siemens twix files: measurements, readouts and their flags. Structures are twixtools'."""

from __future__ import annotations

import importlib.util
import struct
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.encoding import Integers
from core.formats.file_bytes import FileBytes
from core.scan import BoolArray, Complex64Array

_MOST_MEASUREMENTS = 64
_LONGEST_HEADER = 2**26
_LEAST_HEADER = 32
_SYNC, _END = 1 << 5, 1


@cache
def part_of_twixtools(name: str) -> ModuleType:
    """One module of twixtools, without the package around it.

    Importing the package loads matplotlib.pyplot: seconds of waiting, and a drawing toolkit inside a worker thread.
    """
    package = importlib.util.find_spec("twixtools")
    folder = next(iter(package.submodule_search_locations or ()), "") if package else ""
    spec = importlib.util.spec_from_file_location(f"_twixtools_{name}", Path(folder) / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ScanError("Siemens files cannot be read.", "twixtools is not installed.", "Install the program again.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Part:
    """One measurement of a file: the bytes [start, stop), and the length of its header."""

    start: int
    stop: int
    header: int


@dataclass(frozen=True)
class TwixFile:
    """A twix file seen as bytes. is_vd: the layout of VD and VE, else that of VA and VB."""

    stored: FileBytes
    is_vd: bool
    parts: tuple[Part, ...]

    def header_of(self, part: Part) -> bytes:
        return self.stored[part.start : part.start + part.header].tobytes()


@dataclass(frozen=True)
class Readouts:
    """All readouts of a measurement. head: structured, the fields of the scan header. place: byte of their samples."""

    head: npt.NDArray[np.void]
    place: Integers
    file: TwixFile

    def has(self, flag: str) -> BoolArray:
        """Which of them carry a flag, by twixtools' names."""
        bit = np.uint64(1) << np.uint64(part_of_twixtools("mdh_def").mask_dict[flag])
        return np.asarray((self.head["EvalInfoMask"] & bit) != 0)

    def samples(self, rows: Integers) -> Complex64Array:
        """Samples (rows, channels, samples) of readouts of equal size."""
        _, before = _header_types(self.file.is_vd)
        channels, samples = (int(self.head[n][rows[0]]) for n in ("UsedChannels", "SamplesInScan"))
        block = before + 8 * samples
        out = np.empty((len(rows), channels, samples), np.complex64)
        for i, row in enumerate(rows):
            start = int(self.place[row])
            stored = self.file.stored[start : start + channels * block].reshape(channels, block)
            out[i] = np.ascontiguousarray(stored[:, before:]).view("<c8")
        return out

    def channels_of(self, row: int) -> tuple[int, ...]:
        """Identity of the channels of a readout."""
        kind, before = _header_types(self.file.is_vd)
        channels, samples = (int(self.head[n][row]) for n in ("UsedChannels", "SamplesInScan"))
        if self.file.is_vd:
            kind = np.dtype(part_of_twixtools("mdh_def").Channel_header)
        start, block = int(self.place[row]), before + 8 * samples
        stored = self.file.stored[start : start + channels * block].reshape(channels, block)[:, : kind.itemsize]
        return tuple(np.ascontiguousarray(stored).view(kind)["ChannelId"].ravel().tolist())


def open_twix(path: Path) -> TwixFile:
    """Open a file and find its measurements. Raises ScanError when it is cut off or no twix file."""
    stored = FileBytes(path)
    if _lists_measurements(stored[:_LEAST_HEADER].tobytes()):
        return TwixFile(stored, True, _parts(stored, int(stored[4:8].view("<u4")[0])))
    return TwixFile(stored, False, (_part(stored, 0, len(stored)),))


def looks_like_twix(start: bytes, size: int) -> bool:
    """The first 32 bytes of a file of `size` bytes are those of a twix file.

    VD and VE begin with a list of measurements, VB with the header of its only one: its length, the number of texts
    in it and the name of the first.
    """
    if min(size, len(start)) < _LEAST_HEADER:
        return False
    length, count = struct.unpack_from("<II", start)
    name = start[8:24].split(b"\0")[0]
    is_header = _LEAST_HEADER < length < _LONGEST_HEADER and count < 64 and len(name) >= 4 and name.isalpha()
    return _lists_measurements(start) or is_header


def _lists_measurements(start: bytes) -> bool:
    """The file begins with a list of measurements, the first of which starts on a block of 512 bytes."""
    size, count, _, _, offset = struct.unpack_from("<IIIIQ", start)
    return bool(size < 10000 and 1 <= count <= _MOST_MEASUREMENTS and 0 < offset < 2**40 and offset % 512 == 0)


def walk(file: TwixFile, part: Part) -> Readouts:
    """Find all readouts of a measurement by stepping from header to header. Raises ScanError when it is cut off."""
    kind, before = _header_types(file.is_vd)
    position, found, ended = part.start + part.header, [], False
    while position + kind.itemsize <= part.stop:
        head = file.stored[position : position + kind.itemsize].view(kind)[0]
        flags = int(head["EvalInfoMask"])
        if flags & _END:
            ended = True
            break
        length = _length(head, flags, kind.itemsize, before, file.is_vd)
        if position + length > part.stop:
            break
        if not flags & _SYNC:
            found.append(position)
        position += length
    if not ended:
        raise ScanError(
            "The measurement is cut off.",
            f"{len(found)} complete lines were found and no mark of its end.",
            "Copy the file again from its source.",
        )
    places = np.array(found, dtype=np.int64)
    heads = np.empty(len(places), kind)
    for i, place in enumerate(places):
        heads[i] = file.stored[place : place + kind.itemsize].view(kind)[0]
    return Readouts(heads, places + (kind.itemsize if file.is_vd else 0), file)


def _length(head: Any, flags: int, itemsize: int, before: int, is_vd: bool) -> int:
    """Bytes from this readout to the next; always enough to get on."""
    if flags & _SYNC:
        return max(int(head["FlagsAndDMALength"]) % 2**25, itemsize)
    samples = int(head["UsedChannels"]) * (before + 8 * int(head["SamplesInScan"]))
    return max(samples + (itemsize if is_vd else 0), itemsize)


def _header_types(is_vd: bool) -> tuple[np.dtype[Any], int]:
    """Type of a readout's header, and bytes before the samples of each channel."""
    structures = part_of_twixtools("mdh_def")
    if is_vd:
        return np.dtype(structures.Scan_header), np.dtype(structures.Channel_header).itemsize
    return np.dtype(structures.VB17_header), np.dtype(structures.VB17_header).itemsize


def _parts(stored: FileBytes, count: int) -> tuple[Part, ...]:
    """The measurements that the list at the beginning of a VD or VE file names."""
    kind = part_of_twixtools("hdr_def").MultiRaidFileHeader
    if len(stored) < kind.itemsize:
        raise ScanError("The Siemens file is cut off.", "Its list of measurements is incomplete.", "Copy it again.")
    entries = stored[: kind.itemsize].view(kind)[0]["entry"][:count]
    parts = []
    for entry in entries:
        start, length = int(entry["off_"]), int(entry["len_"])
        if length == 0 and count == 1:
            length = len(stored) - start
        if start + length > len(stored) or start + _LEAST_HEADER > len(stored):
            raise ScanError(
                "The Siemens file is cut off.",
                f"A measurement should end at byte {start + length}, the file at {len(stored)}.",
                "Copy it again from its source.",
            )
        if length:
            parts.append(_part(stored, start, start + length))
    return tuple(parts)


def _part(stored: FileBytes, start: int, stop: int) -> Part:
    header = int(stored[start : start + 4].view("<u4")[0])
    if not _LEAST_HEADER <= header <= min(stop - start, _LONGEST_HEADER):
        raise ScanError("The Siemens header is damaged.", f"It claims {header} bytes.", "Copy the file again.")
    return Part(start, stop, header)
