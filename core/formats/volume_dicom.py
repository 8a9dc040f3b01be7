"""DICOM images: a series of single slices, or enhanced multi-frame files (DICOM PS3.3 C.7.6.2, C.7.6.16)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ScanError
from core.formats.dicom_about import Windows, description_of, header_of, identity_of, windows_of
from core.formats.dicom_frames import COLOUR, DARK, Frame, frames_of
from core.formats.dicom_pixels import pixels_of
from core.formats.dicom_stack import Stack, stacked
from core.formats.files import head_of, require_memory, stays_within
from core.formats.volume_parts import Opened, Tell, Voxels, opened
from core.formats.whole_numbers import gathered, is_whole, range_of, rescaled

STORED_AS_VIEWED = True
MAX_FILES = 20_000

_UNITS = {"CT": "HU"}
"""By DICOM's Modality; all others, and colours, are in arbitrary units."""

_COUNTS = ("", "hu", "hu_mod")
"""Rescale types of Hounsfield units (PS3.3 C.11.1.1.2); most CT leaves its type out."""

_AIR_HU = -1000.0
_MOST_NAMED = 6


def claims(path: Path) -> bool:
    """A folder, or a file named or beginning like DICOM."""
    if path.is_dir():
        return True
    return path.name.lower().endswith((".dcm", ".ima")) or head_of(path, 4, 128) == b"DICM"


def read(path: Path, tell: Tell | None = None) -> Opened:
    """The series in a folder, or the series that a file belongs to, of the files beside it.

    Slices lie in the order of their positions along their common normal; CT is in HU by its rescale slope and
    intercept. Raises ScanError for a folder that holds several series, or none.
    """
    if path.is_dir():
        series = _series(path, _files(path), tell)
        if len(series) > 1:
            raise _several(path, series)
        return volume_of(path, series[0], tell)
    # The file itself comes first, so that its own trouble is the one that is told.
    beside = sorted(
        p for p in path.parent.iterdir() if p != path and (not p.is_symlink() or stays_within(p, path.parent))
    )
    series = _series(path, [path, *beside], tell)
    return volume_of(path, next(s for s in series if any(frame.file == path for frame in s)), tell)


def read_largest(path: Path) -> Opened:
    """The series with the most slices in a folder, or one file alone: what priors are trained on. Raises ScanError."""
    series = _series(path, _files(path) if path.is_dir() else [path], None)
    return volume_of(path, max(series, key=len), None)


def _files(folder: Path) -> list[Path]:
    """All below a folder; a link only where it leads to something in it."""
    return sorted(p for p in folder.rglob("*") if not p.is_symlink() or stays_within(p, folder))


def _series(path: Path, files: list[Path], tell: Tell | None) -> list[list[Frame]]:
    """The frames of all DICOM images, by patient, series, size and direction; at least one series."""
    files = [file for file in files if file.is_file()]
    if len(files) > MAX_FILES:
        raise ScanError(
            f"{path.name} holds {len(files)} files.", "That is more than one series.", "Choose the series' own folder."
        )
    series: dict[tuple[Any, ...], list[Frame]] = {}
    broken: list[Path] = []
    for index, file in enumerate(files):
        if tell is not None:
            tell("Looking at the files", index, len(files))
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


def volume_of(path: Path, frames: list[Frame], tell: Tell | None = None) -> Opened:
    """The volume that frames of one series make. path: what was chosen. Raises ScanError."""
    stack = stacked(frames)
    first, middle = stack.frames[0], stack.frames[len(stack.frames) // 2]
    colour = first.look == COLOUR
    counted = not colour and first.counts in _COUNTS
    unit = _UNITS.get(first.modality, "a.u.") if counted else "a.u."
    notes = list(stack.notes)
    header = header_of(middle)
    windows: Windows = () if colour else windows_of(header, middle.number)
    array = _pixels(stack, unit, notes, tell)
    if colour:
        notes.append("Its colours were not kept: the numbers are the brightness of the picture.")
    if first.look == DARK:
        windows = _brightened(array, unit, windows, notes)
    return opened(
        array,
        path,
        "DICOM",
        stack.affine,
        (first.spacing_mm[1], first.spacing_mm[0], stack.step_mm),
        unit,
        notes,
        anatomy=first.anatomy,
        contrast=first.contrast,
        identity=identity_of(header),
        windows=windows,
        modality=first.modality,
        series=description_of(header),
    )


def _pixels(stack: Stack, unit: str, notes: list[str], tell: Tell | None) -> Voxels:
    """int16 or float32 (slices, rows, columns), rescaled, in the order of the stack; every file is read once."""
    shape = (len(stack.frames), *stack.frames[0].shape)
    whole = all(is_whole(frame.slope, frame.intercept) for frame in stack.frames)
    require_memory((2.0 if whole else 4.0) * float(np.prod(shape)), "The series")
    padded = set()

    def slices() -> Iterator[tuple[int, Voxels]]:
        if tell is not None:
            tell("Reading", 0, len(stack.frames))
        for done, (place, pixels) in enumerate(pixels_of(stack.frames), 1):
            frame = stack.frames[place]
            values = rescaled(pixels, frame.slope, frame.intercept)
            if unit == "HU" and frame.padding is not None:
                outside = pixels == frame.padding
                if outside.any():
                    values[outside] = _AIR_HU
                    padded.add(place)
            yield place, values
            if tell is not None:
                tell("Reading", done, len(stack.frames))

    array = gathered(shape, slices, whole)
    if padded:
        notes.append("Padding outside the scanner's circle was taken as air.")
    return array


def _brightened(array: Voxels, unit: str, windows: Windows, notes: list[str]) -> Windows:
    """Turn numbers of which the small ones are meant to be bright, in place; the windows after it.

    Hounsfield units are what they are, however they are shown.
    """
    if unit == "HU":
        notes.append("The file asks for small numbers to be shown bright; Hounsfield units are shown as usual.")
        return windows
    lowest, highest = range_of(array)
    if not np.isfinite(lowest + highest):
        return windows
    for plane in array:
        plane[...] = lowest + highest - plane.astype(np.float64)
    notes.append("Small numbers were meant to be bright: the numbers were turned round between lowest and highest.")
    return tuple((name, width, lowest + highest - level) for name, width, level in windows)
