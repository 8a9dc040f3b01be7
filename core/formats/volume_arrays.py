"""NumPy volumes (.npy, .npz): axes (z, y, x) or (y, x), without place or voxel size."""

from __future__ import annotations

from pathlib import Path

from core.errors import ScanError
from core.formats.array_files import kind_of, loaded, variables
from core.formats.volume_parts import Opened, Tell, opened

STORED_AS_VIEWED = True


def claims(path: Path) -> bool:
    """Named or beginning like a NumPy file."""
    return path.is_file() and (path.name.lower().endswith((".npy", ".npz")) or kind_of(path) in ("npy", "npz"))


def read(path: Path, tell: Tell | None = None) -> Opened:
    """The volume; of several arrays the first that holds numbers. Nothing is ever unpickled. Raises ScanError."""
    if kind_of(path) not in ("npy", "npz"):
        raise ScanError(f"{path.name} is no NumPy file.", "Its first bytes are others.", "Copy it again.")
    held = variables(path)
    usable = [variable for variable in held if variable.usable]
    if not usable:
        raise ScanError(f"{path.name} holds no array of numbers.", "", "Save a plain array of numbers.")
    notes = ["The file tells no voxel size; 1 mm was taken."]
    if len(usable) > 1:
        notes.append(f"The file holds {len(usable)} arrays; the first, {usable[0].name}, was read.")
    array = loaded(usable[0])
    return opened(array, path, "NumPy array", None, (1.0, 1.0, 1.0), notes=notes)
