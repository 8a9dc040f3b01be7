"""Where the cells of a sweep are kept between two starts: the user's state folder, a folder for each scan."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.engine.tasks import Task
from core.export import writing
from core.export.sweep_folder import SweepFolder
from core.export.whole import write_json
from core.scan import Scan, Volume

PRIVATE = 0o700
MOST_SCANS = 10
"""Scans whose cells are kept; those swept longest ago go first."""


def sweeps_folder() -> Path:
    """sweeps/ in $DDS_VIEWER_STATE, or in the user's folder for what programs remember of their state."""
    named = os.environ.get("DDS_VIEWER_STATE")
    if named:
        return Path(named) / "sweeps"
    import platformdirs

    return Path(platformdirs.user_state_dir("dds-viewer", appauthor=False)) / "sweeps"


def folder_for(scan: Scan, root: Path) -> Path:
    """The folder of a scan, named by a hash: of its file, or of where that lies and its time where there is none."""
    named = scan.provenance.sha256
    if not named:
        path = Path(scan.provenance.path)
        stamp = path.stat().st_mtime_ns if path.is_file() else 0
        named = hashlib.sha256(f"{path} {stamp}".encode()).hexdigest()
    return root / named[:20]


class CellStore(SweepFolder):
    """A folder of cells whose images come back as volumes. Raises ExportError where the folder cannot be made."""

    def __init__(self, folder: Path) -> None:
        with suppress(OSError):
            folder.parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            folder.mkdir(mode=PRIVATE, exist_ok=True)
        super().__init__(folder, resume=True)
        with suppress(OSError):
            os.utime(folder)

    def write(self, task: Any, record: dict[str, Any], volume: Volume | None) -> None:
        """Also where the image lies."""
        if volume is not None:
            with writing(self.cells / "place"):
                self.images.mkdir(exist_ok=True)
                write_json(_place(volume), self._place_of(task))
            volume = replace(volume, spread=None)
        super().write(task, record, volume)

    def read(self, task: Any) -> dict[str, Any] | None:
        record = super().read(task)
        return record if record is not None and self._place_of(task).is_file() else None

    def volume(self, task: Task, card: dict[str, Any]) -> Volume:
        """The image of a cell that is done, with its place. Raises OSError, ValueError, KeyError or TypeError."""
        place = json.loads(self._place_of(task).read_text("utf-8"))
        affine = place["affine"]
        x, y, z = place["spacing_mm"]
        return Volume(
            np.load(self.image_of(task), allow_pickle=False),
            str(place["unit"]),
            None if affine is None else np.asarray(affine, dtype=np.float64),
            (float(x), float(y), float(z)),
            int(place["slices"]),
            tuple(place["frame_names"]),
            card,
            mu_water=float(place["mu_water"]),
        )

    def middle(self, task: Task) -> npt.NDArray[Any]:
        """The middle slice of its image (y, x), of a complex one the magnitude. Raises OSError or ValueError."""
        stack = np.load(self.image_of(task), mmap_mode="r", allow_pickle=False)
        if stack.ndim != 3 or not len(stack):
            raise ValueError("no stack of slices")
        plane = np.array(stack[len(stack) // 2])
        return np.abs(plane) if np.iscomplexobj(plane) else plane

    def _place_of(self, task: Any) -> Path:
        return self.image_of(task).with_suffix(".place.json")


def forget_old(root: Path, most: int = MOST_SCANS) -> None:
    """Delete the cells of the scans that were swept longest ago, above so many scans."""
    with suppress(OSError):
        folders = sorted((f for f in root.iterdir() if f.is_dir()), key=lambda f: f.stat().st_mtime_ns)
        for folder in folders[: max(len(folders) - most, 0)]:
            shutil.rmtree(folder, ignore_errors=True)


def _place(volume: Volume) -> dict[str, Any]:
    return {
        "unit": volume.unit,
        "affine": None if volume.affine is None else np.asarray(volume.affine).tolist(),
        "spacing_mm": list(volume.spacing_mm),
        "slices": volume.slices,
        "frame_names": list(volume.frame_names),
        "mu_water": volume.mu_water,
    }
