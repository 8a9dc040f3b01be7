"""DICOM images: a series of single slices, or enhanced multi-frame files (DICOM PS3.3 C.7.6.2, C.7.6.16)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ScanError
from core.formats.dicom_frames import Frame, frames_of
from core.formats.dicom_stack import Stack, stacked
from core.formats.files import head_of, require_memory
from core.formats.volume_parts import Opened, Voxels, opened

STORED_AS_VIEWED = True
MAX_FILES = 20_000

_UNITS = {"CT": "HU"}
"""By DICOM's Modality; all others are in arbitrary units."""

_AIR_HU = -1000.0
_MOST_NAMED = 6


def claims(path: Path) -> bool:
    """A folder, or a file named or beginning like DICOM."""
    if path.is_dir():
        return True
    return path.name.lower().endswith((".dcm", ".ima")) or head_of(path, 4, 128) == b"DICM"


def read(path: Path) -> Opened:
    """The series in a folder, or the series that a file belongs to, of the files beside it.

    Slices lie in the order of their positions along their common normal; CT is in HU by its rescale slope and
    intercept. Raises ScanError for a folder that holds several series, or none.
    """
    if path.is_dir():
        series = _series(path, sorted(path.rglob("*")))
        if len(series) > 1:
            raise _several(path, series)
        return _volume(path, series[0])
    # The file itself comes first, so that its own trouble is the one that is told.
    series = _series(path, [path, *sorted(p for p in path.parent.iterdir() if p != path)])
    return _volume(path, next(s for s in series if any(frame.file == path for frame in s)))


def read_largest(path: Path) -> Opened:
    """The series with the most slices in a folder, or one file alone: what priors are trained on. Raises ScanError."""
    series = _series(path, sorted(path.rglob("*")) if path.is_dir() else [path])
    return _volume(path, max(series, key=len))


def _series(path: Path, files: list[Path]) -> list[list[Frame]]:
    """The frames of all DICOM images, by patient, series, size and direction; at least one series."""
    files = [file for file in files if file.is_file()]
    if len(files) > MAX_FILES:
        raise ScanError(
            f"{path.name} holds {len(files)} files.", "That is more than one series.", "Choose the series' own folder."
        )
    series: dict[tuple[Any, ...], list[Frame]] = {}
    broken: list[Path] = []
    for file in files:
        try:
            frames = frames_of(file)
        except ScanError:
            if file == path:
                raise
            broken.append(file)
            continue
        for frame in frames:
            series.setdefault(frame.series, []).append(frame)
    if broken and path.is_dir():
        raise ScanError(
            f"{len(broken)} of the DICOM files in {path.name} are damaged.",
            f"The first is {broken[0].name}.",
            "Copy them again from their source, or take them out of the folder.",
        )
    if not series:
        raise ScanError(f"There are no DICOM images in {path.name}.", "", "Choose the folder that holds the slices.")
    return list(series.values())


def _several(path: Path, series: list[list[Frame]]) -> ScanError:
    told = [f"{s[0].file.name} ({len(s)} image{'s' * (len(s) > 1)})" for s in series[:_MOST_NAMED]]
    more = f" and {len(series) - _MOST_NAMED} more" if len(series) > _MOST_NAMED else ""
    return ScanError(
        f"{path.name} holds {len(series)} series, which are not mixed.",
        f"They begin with {', '.join(told)}{more}.",
        "Choose one file of the series that you want.",
    )


def _volume(path: Path, frames: list[Frame]) -> Opened:
    stack = stacked(frames)
    first = stack.frames[0]
    unit = _UNITS.get(first.modality, "a.u.")
    notes = list(stack.notes)
    array = _pixels(stack, unit, notes)
    spacing = first.spacing_mm
    return opened(
        array,
        path,
        "DICOM",
        stack.affine,
        (spacing[1], spacing[0], stack.step_mm),
        unit,
        notes,
        anatomy=first.anatomy,
        contrast=first.contrast,
    )


def _pixels(stack: Stack, unit: str, notes: list[str]) -> Voxels:
    """float32 (slices, rows, columns), rescaled, in the order of the stack; every file is read once."""
    import pydicom
    from pydicom.pixels import iter_pixels

    shape = (len(stack.frames), *stack.frames[0].shape)
    require_memory(8.0 * float(np.prod(shape)), "The series")
    array = np.empty(shape, dtype=np.float32)
    wanted: dict[Path, list[int]] = {}
    for place, frame in enumerate(stack.frames):
        wanted.setdefault(frame.file, []).append(place)
    padded = False
    for file, places in wanted.items():
        dataset = pydicom.dcmread(file)
        if not any(name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
            raise ScanError(f"{file.name} holds no pixels.", "", "Copy it again from its source.")
        numbers = [stack.frames[place].number for place in places]
        try:
            for place, pixels in zip(places, iter_pixels(dataset, indices=numbers), strict=True):
                frame = stack.frames[place]
                if pixels.shape != frame.shape:
                    raise ValueError(f"pixels {pixels.shape} where {frame.shape} are announced")
                outside = _outside(frame, pixels) if unit == "HU" else None
                array[place] = pixels * np.float64(frame.slope) + frame.intercept
                if outside is not None and outside.any():
                    array[place][outside] = _AIR_HU
                    padded = True
        except Exception as error:
            raise _undecoded(file, dataset, error) from error
    if padded:
        notes.append("Padding outside the scanner's circle was taken as air.")
    return array


def _outside(frame: Frame, pixels: Voxels) -> Voxels | None:
    return None if frame.padding is None else np.asarray(pixels == frame.padding)


def _undecoded(file: Path, dataset: Any, error: Exception) -> ScanError:
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax is not None and syntax.is_compressed and isinstance(error, RuntimeError | NotImplementedError):
        return ScanError(
            f"The pixels of {file.name} are packed in a way that cannot be read here.",
            f"They are in {syntax.name}.",
            "Export the series uncompressed.",
        )
    return ScanError(
        f"The pixels of {file.name} are damaged or cut off.",
        " ".join(str(error).split())[:160],
        "Copy it again from its source.",
    )
