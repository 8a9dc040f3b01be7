"""Opens an image volume of any known format."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, cast

from core.errors import ScanError
from core.formats.in_words import in_words
from core.formats.volume_parts import Opened, Tell, as_viewed

_READERS = ("volume_dicom", "volume_nifti", "volume_nrrd", "volume_arrays")


class VolumeReader(Protocol):
    """What the module of a format offers."""

    STORED_AS_VIEWED: bool
    """The rows and columns of this format lie as its maker shows them."""

    def claims(self, path: Path) -> bool:
        """The file or folder looks like this format. Cheap: its name, its first bytes."""

    def read(self, path: Path, tell: Tell | None = None) -> Opened:
        """The volume as it is stored. Raises ScanError, or any other exception when the file is damaged."""


def open_volume(path: str | Path, tell: Tell | None = None) -> Opened:
    """Read an image volume: NIfTI, NRRD, NumPy, or DICOM by its folder or one file of a series.

    The voxels are int16 (slice, y, x) where all are whole numbers within its range, else float32, or complex64 where
    the file holds complex numbers; the unit is HU or a.u., the affine LPS mm. Rows and columns of NIfTI and NRRD are
    turned to be seen as usual, with a note that says so. tell("Reading", done, of) is called slice by slice where the
    format is read so, before it for every file that is looked at. Raises ScanError, and whatever `tell` raises to stop.
    """
    path = Path(path)
    with telling(tell) as told, in_words(path):
        reader = reader_of(path)
        found = reader.read(path, told)
        return found if reader.STORED_AS_VIEWED else as_viewed(found)


class _Stopped(BaseException):
    """Carries what a caller's `tell` raised past those who turn every exception into words."""

    def __init__(self, cause: BaseException) -> None:
        self.cause = cause


@contextmanager
def telling(tell: Tell | None) -> Iterator[Tell | None]:
    """A `tell` for readers; what the caller's own raises comes out of the context as it is."""

    def told(doing: str, done: int, of: int) -> None:
        try:
            if tell is not None:
                tell(doing, done, of)
        except BaseException as error:
            raise _Stopped(error) from error

    try:
        yield None if tell is None else told
    except _Stopped as stopped:
        raise stopped.cause from None


def reader_of(path: Path) -> VolumeReader:
    """The reader that claims the file or folder. Raises ScanError where there is none."""
    if not path.exists():
        raise ScanError(f"There is no file {path.name}.", f"Nothing was found at {path}.", "Check the name.")
    if path.is_file() and path.stat().st_size == 0:
        raise ScanError(f"{path.name} is empty.", "It has 0 bytes.", "Copy it again from its source.")
    for name in _READERS:
        reader = cast(VolumeReader, importlib.import_module(f"core.formats.{name}"))
        if (path.is_file() or path.is_dir()) and reader.claims(path):
            return reader
    raise ScanError(
        f"{path.name} is no image volume.",
        f"Its name ends in {path.suffix or 'nothing'}, and its first bytes are of no known kind.",
        "Give NIfTI, NRRD, .npy, .npz, or DICOM by its folder or one of its files.",
    )
