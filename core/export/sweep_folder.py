"""A folder in which a sweep keeps its cells, so that one that was killed goes on where it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from core.export import ExportError, save, writing
from core.export.whole import write_json
from core.scan import Volume

FORMAT = 1
MOST_BYTES = 2**24
"""No record of a cell is larger."""

_NAME = 20
_HALF_DONE = re.compile(r"\..+\.[a-z0-9_]{8}\.(npy|nii|nii\.gz|nrrd|png|dcm|json)")


class Named(Protocol):
    """What a folder needs to know of a task."""

    @property
    def digest(self) -> str: ...

    @property
    def keep_image(self) -> bool: ...


class SweepFolder:
    """cells/DIGEST.json: the record of a cell (see core.engine.work), written last; images/DIGEST.npy with its card
    where images are kept.

    Raises ExportError where the folder cannot be made, or holds other files while `resume` is False.
    """

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self.folder, self.cells, self.images = folder, folder / "cells", folder / "images"
        if not resume and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ExportError(
                f"{folder.name} is not empty.", "", "Add --resume to do only what is missing there, or choose another."
            )
        try:
            self.cells.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ExportError(f"The folder {folder.name} cannot be made.", f"{reason}.", "Choose another.") from error
        sweep_away(self.cells)
        sweep_away(self.images)

    def read(self, task: Named) -> dict[str, Any] | None:
        """The record of a task that is done, with its image if it is wanted; a damaged one counts as none."""
        record = record_in(self._cell(task))
        done = record is not None and record.get("digest") == task.digest
        there = not task.keep_image or self.image_of(task).is_file()
        return record if done and there else None

    def write(self, task: Named, record: dict[str, Any], volume: Volume | None) -> None:
        """Keep a result: first its image, then its record. Raises ExportError."""
        if volume is not None:
            with writing(self.images), suppress(FileExistsError):
                self.images.mkdir()
            save(volume, self.image_of(task))
        with writing(self._cell(task)):
            write_json(record, self._cell(task))

    def image_of(self, task: Named) -> Path:
        """Where the image of a task lies if it is kept."""
        return self.images / f"{task.digest[:_NAME]}.npy"

    def records(self) -> Iterator[dict[str, Any]]:
        """All records in the folder, whatever sweep they are of."""
        for path in sorted(self.cells.glob("*.json")):
            record = record_in(path)
            if record is not None:
                yield record

    def _cell(self, task: Named) -> Path:
        return self.cells / f"{task.digest[:_NAME]}.json"


def record_in(path: Path) -> dict[str, Any] | None:
    """What a file holds, if it is a record in this format."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    whole = isinstance(found, dict) and found.get("format") == FORMAT and isinstance(found.get("metrics"), dict)
    return found if whole and isinstance(found.get("seconds"), (int, float)) else None


def sweep_away(folder: Path) -> None:
    """Remove what a writer left half-done when it was killed (see core.export.whole); no other hidden file."""
    for path in folder.glob(".*") if folder.is_dir() else ():
        if path.is_file() and _HALF_DONE.fullmatch(path.name):
            with suppress(OSError):
                path.unlink()
