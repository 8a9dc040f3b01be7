"""Writing results: NumPy arrays, NIfTI and pictures. Every file is written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.errors import UserError
from core.export.whole import write_json, write_whole
from core.scan import Volume


class ExportError(UserError):
    """A result cannot be written."""


def save(volume: Volume, path: str | Path) -> None:
    """Write a volume in the format that the file's ending names: .npy, .nii, .nii.gz or .png.

    .npy holds the array as it is; NIfTI and PNG the magnitude. The run card is written beside it as NAME.card.json.
    Raises ExportError; then nothing is left behind and an older file is untouched.
    """
    path = Path(path)
    writer, ending = writer_for(path)
    _save(volume, path, ending, lambda part: writer(volume, part))


def save_spread(volume: Volume, path: str | Path) -> None:
    """Write the spread of a volume's samples, in the formats and with the errors of `save`, without a run card.

    .npy holds it as float32; the picture is in colours and says what it shows.
    """
    from core.export import picture

    path = Path(path)
    writer, ending = writer_for(path)
    if volume.spread is None:
        raise ExportError("This result has no spread.", "It is not the mean of several samples.", "Draw at least two.")
    bare = replace(volume, array=volume.spread, spread=None, card={})
    if writer is picture.write:
        _save(bare, path, ending, lambda part: picture.write_spread(volume, part))
    else:
        _save(bare, path, ending, lambda part: writer(bare, part))


def _save(volume: Volume, path: Path, ending: str, write: Callable[[Path], None]) -> None:
    if not path.parent.is_dir():
        raise ExportError(f"The folder {path.parent} does not exist.", "", "Make it, or choose another.")
    try:
        write_whole(path, ending, write)
        if volume.card:
            write_json(volume.card, card_path(path))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ExportError(f"{path.name} could not be written.", f"{reason}.", "Choose another place.") from error


def writer_for(path: Path) -> tuple[Callable[[Volume, Path], None], str]:
    """The writer and the ending of a path. Raises ExportError for an ending that is not known."""
    from core.export import arrays, nifti, picture

    writers = {".npy": arrays.write, ".nii.gz": nifti.write, ".nii": nifti.write, ".png": picture.write}
    for ending, writer in writers.items():
        if path.name.lower().endswith(ending):
            return writer, ending
    raise ExportError(f"The format of {path.name} is not known.", "", f"End the name in one of {', '.join(writers)}.")


def card_path(path: Path) -> Path:
    """Where the run card of a result lies: beside it."""
    _, ending = writer_for(path)
    return path.with_name(path.name[: -len(ending)] + ".card.json")
