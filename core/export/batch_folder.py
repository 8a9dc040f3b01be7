"""A folder in which a batch keeps its images: each with its run card, which says by its digest that it is done."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from core.export import DICOM, ExportError, card_path, ending_of, save
from core.export.sweep_folder import MOST_BYTES, sweep_away
from core.export.units import in_unit
from core.scan import Volume

_MARK = 10


class Named(Protocol):
    """What a folder needs to know of a task."""

    @property
    def digest(self) -> str: ...

    @property
    def name(self) -> str: ...


class BatchFolder:
    """NAME-DIGEST.ENDING and, written after it, NAME-DIGEST.card.json, for every scan.

    ending: of a format of core.export. hounsfield: CT in HU, not 1/mm; DICOM is always in HU where that can be.
    Raises ExportError where the folder cannot be made or the format is not known.
    """

    def __init__(self, folder: Path, ending: str = ".nii.gz", *, hounsfield: bool = False) -> None:
        self.folder, self.hounsfield = folder, hounsfield
        self.ending = ending_of(Path(f"x.{ending.lstrip('.')}"))
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ExportError(f"The folder {folder.name} cannot be made.", f"{reason}.", "Choose another.") from error
        sweep_away(folder)

    def path_of(self, task: Named) -> Path:
        """Where the image of a task lies when it is done."""
        name = re.sub(r"[^\w.-]+", "_", task.name)[:80]
        return self.folder / f"{name}-{task.digest[:_MARK]}{self.ending}"

    def read(self, task: Named) -> dict[str, Any] | None:
        """The record of a task whose image and card are there, else None."""
        path = self.path_of(task)
        card = _card_in(card_path(path))
        if card is None or card.get("digest") != task.digest or not path.exists():
            return None
        outcome = card.get("outcome", {})
        figures = {name: outcome.get(name) for name in ("seconds", "residual", "metrics")}
        return {"digest": task.digest, "name": task.name, **figures, "card": card}

    def write(self, task: Named, record: dict[str, Any], volume: Volume | None) -> None:
        """Keep an image with its card. Raises ExportError."""
        if volume is None:
            raise ExportError(f"There is no image of {task.name}.", "Only its figures came back.", "Run it again.")
        marked = replace(volume, card={**volume.card, "digest": task.digest})
        hounsfield = self.hounsfield or (self.ending == DICOM and volume.unit == "HU")
        save(in_unit(marked, hounsfield=hounsfield), self.path_of(task))


def _card_in(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text("utf-8")) if path.stat().st_size <= MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
