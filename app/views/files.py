"""Which file is meant: the bundled scans by name, and the one scan among those that were dropped."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from PySide6.QtCore import QUrl

_VOLUMES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".dcm", ".ima")


def demo_path(name: str = "mri") -> str:
    """The bundled scan of a name."""
    return str(files("resources") / "demo" / {"mri": "mri_head.h5", "ct": "ct_chest.h5"}[name])


def local_file(urls: list[QUrl]) -> str:
    """The one scan among dropped files: a single one, or the .cfl of BART's pair; else ""."""
    paths = [url.toLocalFile() for url in urls if url.isLocalFile()]
    if len(paths) == 2 and {Path(p).suffix for p in paths} == {".cfl", ".hdr"}:
        paths = [p for p in paths if p.endswith(".cfl")]
    return paths[0] if len(paths) == 1 else ""


def is_volume(path: str) -> bool:
    """By its name it is something to look at, whose opening replaces nothing."""
    where = Path(path)
    if where.is_dir():
        return not (where / "geometry.toml").exists()
    return where.name.lower().endswith(_VOLUMES)
