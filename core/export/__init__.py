"""Writing results: NumPy arrays, NIfTI, NRRD, DICOM and pictures. Each is written whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError
from core.export.whole import beside, write_whole
from core.scan import Volume

if TYPE_CHECKING:
    from core.export.dicom_about import About


class ExportError(UserError):
    """A result cannot be written."""


DICOM, PICTURE = ".dcm", ".png"
_FULL = os.strerror(errno.ENOSPC)
_NEXT_TO_NOTHING = 2**20


def save(volume: Volume, path: str | Path, about: About | None = None) -> None:
    """Write a volume in the format that its name's ending tells: .npy, .nii, .nii.gz, .nrrd, .png or .dcm.

    .npy holds the array as it is; all others the magnitude. .dcm is a folder with a DICOM series; `about` says what the
    volume does not know. The run card is written beside it as NAME.card.json. Raises ExportError; then nothing is left
    behind and an older file is untouched.
    """
    path = Path(path)
    ending = ending_of(path)
    # The card first: it waits under another name until the image is in its place.
    with writing(path), beside(volume.card, card_path(path)):
        if ending == DICOM:
            from core.export import dicom_about, dicom_series

            dicom_series.write(volume, path, about=about or dicom_about.about_volume(volume))
        else:
            write = _writers()[ending]
            write_whole(path, ending, lambda part: write(volume, part))


def save_spread(volume: Volume, path: str | Path, about: About | None = None) -> None:
    """Write the spread of a volume's samples, in the formats and with the errors of `save`, without a run card.

    .npy holds it as float32; the picture is in colours and says what it shows; .dcm is a Parametric Map.
    """
    from core.export import picture

    path = Path(path)
    ending = ending_of(path)
    if volume.spread is None:
        raise ExportError("This result has no spread.", "It is not the mean of several samples.", "Draw at least two.")
    bare = replace(volume, array=volume.spread, spread=None, card={})
    with writing(path):
        if ending == DICOM:
            from core.export import dicom_about, dicom_map

            dicom_map.write(bare, path, about=about or dicom_about.about_volume(volume), shows=dicom_map.SPREAD)
        elif ending == PICTURE:
            write_whole(path, ending, lambda part: picture.write_spread(volume, part))
        else:
            write = _writers()[ending]
            write_whole(path, ending, lambda part: write(bare, part))


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the disk says while `path` is written into an ExportError; first its folder must be there."""
    if not path.parent.is_dir():
        raise ExportError(f"The folder {path.parent} does not exist.", "", "Make it, or choose another.")
    try:
        yield
    except OSError as error:
        reason = error.strerror or (_FULL if _is_full(path.parent) else str(error))
        raise ExportError(f"{path.name} could not be written.", f"{reason}.", "Choose another place.") from error


def _is_full(folder: Path) -> bool:
    """Some libraries say only how many of their numbers were written."""
    try:
        return shutil.disk_usage(folder).free < _NEXT_TO_NOTHING
    except OSError:
        return False


def ending_of(path: Path) -> str:
    """The ending of a path, of those that can be written. Raises ExportError for one that is not known."""
    endings = (*_writers(), DICOM)
    for ending in endings:
        if path.name.lower().endswith(ending):
            return ending
    raise ExportError(f"The format of {path.name} is not known.", "", f"End the name in one of {', '.join(endings)}.")


def _writers() -> dict[str, Callable[[Volume, Path], None]]:
    """By their endings, the writers of one file."""
    from core.export import arrays, nifti, nrrd, picture

    return {
        ".npy": arrays.write,
        ".nii.gz": nifti.write,
        ".nii": nifti.write,
        ".nrrd": nrrd.write,
        PICTURE: picture.write,
    }


def card_path(path: Path) -> Path:
    """Where the run card of a result lies: beside it."""
    return path.with_name(path.name[: -len(ending_of(path))] + ".card.json")
