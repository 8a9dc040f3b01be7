"""The stored pixels of DICOM frames; compressed ones are unpacked in a process of its own, which may crash."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from core.errors import ScanError
from core.formats.child import command_of, may_start
from core.formats.dicom_frames import Frame
from core.formats.dicom_unpack import unpacked
from core.formats.whole_numbers import Voxels

_SCRIPT = Path(__file__).with_name("dicom_unpack.py")
_LONGEST_LINE = 2000


def pixels_of(frames: Sequence[Frame]) -> Iterator[tuple[int, Voxels]]:
    """(place in `frames`, stored numbers (rows, columns)) of each frame, file by file; colours as their luminance.

    The decoders of JPEG and its kin can take the process down with them on damaged data, which no exception handler
    can stop: packed frames are unpacked by core.formats.dicom_unpack as a script, which ends with the iterator.
    Raises ScanError.
    """
    wanted: dict[Path, list[int]] = {}
    for place, frame in enumerate(frames):
        wanted.setdefault(frame.file, []).append(place)
    files = [(file, [frames[place].number for place in places]) for file, places in wanted.items()]
    packed = any(frame.packed for frame in frames)
    found = _elsewhere(files) if packed and _may_start_processes() else _here(files)
    try:
        for file, places in wanted.items():
            for place in places:
                pixels = next(found)
                if pixels.shape != frames[place].shape:
                    raise damaged(file, f"pixels {pixels.shape} where {frames[place].shape} are announced")
                yield place, pixels
    finally:
        found.close()


def _may_start_processes() -> bool:
    return may_start()


def _here(files: list[tuple[Path, list[int]]]) -> Any:
    for file, numbers in files:
        try:
            yield from unpacked(str(file), numbers)
        except NotImplementedError as error:
            raise _unreadable(file, str(error)) from error
        except Exception as error:
            raise damaged(file, str(error)) from error


def _elsewhere(files: list[tuple[Path, list[int]]]) -> Any:
    process = subprocess.Popen(
        command_of(_SCRIPT),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(json.dumps([(str(file.absolute()), numbers) for file, numbers in files]).encode())
        for file, numbers in files:
            for _ in numbers:
                yield _received(file, process.stdout)
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def _received(file: Path, pipe: IO[bytes]) -> Voxels:
    line = pipe.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise damaged(file, "the library that unpacks it breaks down on it")
    told = json.loads(line)
    if "error" in told:
        raise _unreadable(file, told["error"]) if told["absent"] else damaged(file, told["error"])
    dtype, shape = np.dtype(told["dtype"]), tuple(told["shape"])
    data = bytearray(math.prod(shape) * dtype.itemsize)
    view, count = memoryview(data), 0
    while count < len(data):
        got = pipe.readinto(view[count:])  # type: ignore[attr-defined]
        if not got:
            raise damaged(file, "the library that unpacks it breaks down on it")
        count += got
    return np.frombuffer(data, dtype=dtype).reshape(shape)


def damaged(file: Path, detail: str) -> ScanError:
    """For pixels that do not come out of their file."""
    return ScanError(
        f"The pixels of {file.name} are damaged or cut off.",
        " ".join(detail.split())[:160],
        "Copy it again from its source.",
    )


def _unreadable(file: Path, syntax: str) -> ScanError:
    return ScanError(
        f"The pixels of {file.name} are packed in a way that cannot be read here.",
        f"They are in {syntax.removeprefix('NotImplementedError: ')}.",
        "Export the series uncompressed.",
    )
