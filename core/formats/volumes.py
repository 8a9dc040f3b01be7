"""Opens an image volume of any known format."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Protocol, cast

from core.errors import ScanError
from core.formats.in_words import in_words
from core.formats.volume_parts import Opened, as_viewed

_READERS = ("volume_dicom", "volume_nifti", "volume_nrrd", "volume_arrays")


class VolumeReader(Protocol):
    """What the module of a format offers."""

    STORED_AS_VIEWED: bool
    """The rows and columns of this format lie as its maker shows them."""

    def claims(self, path: Path) -> bool:
        """The file or folder looks like this format. Cheap: its name, its first bytes."""

    def read(self, path: Path) -> Opened:
        """The volume as it is stored. Raises ScanError, or any other exception when the file is damaged."""


def open_volume(path: str | Path) -> Opened:
    """Read an image volume: NIfTI, NRRD, NumPy, or DICOM by its folder or one file of a series.

    The voxels become float32 (slice, y, x), or complex64 where the file holds complex numbers; the unit is HU or a.u.,
    the affine LPS mm. Rows and columns of NIfTI and NRRD are turned to be seen as usual, with a note that says so.
    Raises ScanError, and nothing else.
    """
    path = Path(path)
    with in_words(path):
        reader = reader_of(path)
        found = reader.read(path)
        return found if reader.STORED_AS_VIEWED else as_viewed(found)


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
