"""What a folder holds that can be opened: series of DICOM images, volumes and raw scans."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from core.errors import ScanError
from core.formats import thumbnails, volume_dicom, volume_nifti, volume_nrrd
from core.formats.dicom_about import description_of, header_of
from core.formats.dicom_frames import Frame, frames_of
from core.formats.dicom_stack import stacked
from core.formats.files import head_of, is_hdf5
from core.formats.in_words import in_words
from core.formats.volume_parts import Opened, Tell
from core.formats.volumes import open_volume, telling
from core.orientation import letter

MOST_FILES = 20_000

_CHEAP = ("rtk_projections", "bart", "arrays", "twix")
"""Readers of raw scans whose claim looks at the first bytes only. HDF5 is told by its signature: whether a reader knows
what lies in it is only found by reading it through."""
_PLANES = {**dict.fromkeys("HF", "axial"), **dict.fromkeys("AP", "coronal"), **dict.fromkeys("LR", "sagittal")}
_BESIDE = (".xml", ".hdr")
"""A raw scan's second file."""


@dataclass(frozen=True, eq=False)
class Entry:
    """Something in a folder that can be opened.

    kind: "series" (DICOM images), "volume" or "scan" (raw data). name: tells one from another, and nobody's identity.
    path: what to open; files: all of a series. count: images. detail: more about it, or "". thumbnail: uint8 (rows,
    columns), at most 96 each, or None. key: tells series in the same files apart.
    """

    kind: str
    name: str
    path: str
    files: tuple[str, ...] = field(repr=False)
    count: int
    detail: str = ""
    thumbnail: thumbnails.Thumbnail | None = field(default=None, repr=False)
    key: str = field(default="", repr=False)


class _Claimant(Protocol):
    def claims(self, path: Path) -> bool: ...


def contents(path: str | Path, tell: Tell | None = None) -> tuple[Entry, ...]:
    """The series, the volumes and the raw scans in a folder and those within it; other files are passed over.

    At most MOST_FILES files are looked at, links out of the folder are not followed, no raw scan is read. Files that
    are damaged are left out; the detail of a series says so. tell(doing, done, of) may raise to stop. Raises
    ScanError for what is no folder or holds too much.
    """
    path = Path(path)
    with telling(tell) as told, in_words(path):
        files = _files(path)
        frames: dict[tuple[object, ...], list[Frame]] = {}
        damaged: dict[Path, int] = {}
        others: list[Entry] = []
        stacks = {file.parent for file in files if file.name == "geometry.toml"}
        for index, file in enumerate(files):
            if told is not None:
                told("Looking at the files", index, len(files))
            if file.parent in stacks:
                continue
            with suppress(OSError):
                others += _sorted_in(file, frames, damaged)
        others += [Entry("scan", f"{folder.name}, TIFF projections", str(folder), (), 0) for folder in sorted(stacks)]
        entries = []
        for index, group in enumerate(frames.values()):
            if told is not None:
                told("Making small pictures", index, len(frames))
            entries.append(_series(group, sum(damaged.get(p, 0) for p in {f.file.parent for f in group})))
        return (*entries, *sorted(others, key=lambda entry: (entry.kind != "volume", entry.path)))


def open_series(entry: Entry, tell: Tell | None = None) -> Opened:
    """The volume of an entry; of a series exactly its images, whatever lies beside them.

    Raises ScanError, and whatever `tell` raises to stop.
    """
    if entry.kind == "volume":
        return open_volume(entry.path, tell)
    if entry.kind != "series":
        raise ScanError(f"{Path(entry.path).name} is raw data.", "It holds no image yet.", "Open it as a scan.")
    with telling(tell) as told, in_words(Path(entry.path)):
        frames: list[Frame] = []
        for index, file in enumerate(entry.files):
            if told is not None:
                told("Looking at the files", index, len(entry.files))
            frames += [frame for frame in frames_of(Path(file)) if _key(frame) == entry.key]
        if not frames:
            raise ScanError("The series is not there any more.", "Its files have changed.", "Open the folder again.")
        return volume_dicom.volume_of(Path(entry.path), frames, told)


def _files(path: Path) -> list[Path]:
    """All files below a folder but hidden ones, in order; a link only where it leads to a file in the folder."""
    if not path.is_dir():
        raise ScanError(f"{path.name} is no folder.", "", "Choose a folder.")
    root, found = path.resolve(), []
    for folder, names, files in os.walk(path, followlinks=False):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            file = Path(folder) / name
            if name.startswith(".") or not file.is_file() or (file.is_symlink() and root not in file.resolve().parents):
                continue
            found.append(file)
            if len(found) > MOST_FILES:
                raise ScanError(
                    f"{path.name} holds more than {MOST_FILES} files.",
                    "",
                    "Choose a folder further down, with one study.",
                )
    return found


def _sorted_in(file: Path, frames: dict[tuple[object, ...], list[Frame]], damaged: dict[Path, int]) -> list[Entry]:
    """What a file is: frames are added to those of their series, anything else is returned."""
    if head_of(file, 4, 128) == b"DICM":
        try:
            for frame in frames_of(file):
                frames.setdefault(frame.series, []).append(frame)
        except ScanError:
            damaged[file.parent] = damaged.get(file.parent, 0) + 1
        return []
    try:
        with in_words(file):
            return list(_volume(file) if _is_volume(file) else _scan(file))
    except ScanError:
        return []


def _is_volume(file: Path) -> bool:
    return volume_nifti.claims(file) or volume_nrrd.claims(file)


def _series(frames: list[Frame], damaged: int) -> Entry:
    stack = stacked(frames)
    middle = stack.frames[len(stack.frames) // 2]
    rows, columns = middle.shape
    count = len(frames)
    title = _title(middle)
    name = f"{title}, {count} image{'s' * (count != 1)}, {columns} x {rows}, {middle.modality or 'DICOM'}"
    detail = [f"{stack.step_mm:.3g} mm from slice to slice"] if count > 1 and stack.affine is not None else []
    detail += [f"{damaged} damaged file{'s' * (damaged != 1)} left out"] if damaged else []
    picture = None
    with suppress(ScanError):
        picture = thumbnails.of_frame(middle, middle.spacing_mm)
    files = tuple(dict.fromkeys(str(frame.file) for frame in frames))
    return Entry("series", name, files[0], files, count, ", ".join(detail), picture, _key(middle))


def _title(frame: Frame) -> str:
    """The series' description with the plane that it is cut in."""
    plane = ""
    if frame.row is not None and frame.column is not None:
        plane = _PLANES.get(letter(np.cross(frame.row, frame.column))[:1], "")
    text = ""
    with suppress(ScanError):
        text = description_of(header_of(frame))
    if not text:
        return plane.capitalize() or "Series"
    return text if not plane or plane in text.lower() else f"{text} {plane}"


def _key(frame: Frame) -> str:
    return repr(frame.series)


def _volume(file: Path) -> Iterator[Entry]:
    glance = volume_nifti.glance if volume_nifti.claims(file) else volume_nrrd.glance
    shape, kind, picture = glance(file)
    count = f"{shape[0]} slice{'s' * (shape[0] != 1)}"
    yield Entry(
        "volume",
        f"{file.name}, {count}, {shape[2]} x {shape[1]}, {kind}",
        str(file),
        (str(file),),
        shape[0],
        "",
        picture,
    )


def _scan(file: Path) -> Iterator[Entry]:
    beside = any(file.with_suffix(end).is_file() for end in (".cfl", ".mha", ".mhd"))
    if file.stat().st_size == 0 or (file.suffix.lower() in _BESIDE and beside):
        return
    readers = (cast(_Claimant, importlib.import_module(f"core.formats.{name}")) for name in _CHEAP)
    if is_hdf5(file) or any(reader.claims(file) for reader in readers):
        size = file.stat().st_size / 2**20
        yield Entry("scan", f"{file.name}, raw data", str(file), (str(file),), 0, f"{size:.3g} MB")
