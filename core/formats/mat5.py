"""MATLAB files up to version 7, read through in a process of its own first: scipy crashes on some damaged ones."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from core.errors import ScanError
from core.formats.files import require_memory
from core.formats.probe import trouble_of

_PROBE = Path(__file__).with_name("mat5_probe.py")
Contents = list[tuple[str, tuple[int, ...], str]]


def contents_of(path: Path) -> Contents:
    """(name, shape, kind) of each variable. Raises ScanError for a damaged file."""
    from scipy import io

    _check(path)
    found: Contents = io.whosmat(path)
    return found


def variables_of(path: Path, names: tuple[str, ...], **options: Any) -> dict[str, Any]:
    """Some variables by name; options are those of scipy.io.loadmat. Raises ScanError for a damaged file."""
    from scipy import io

    _check(path)
    found: dict[str, Any] = io.loadmat(path, variable_names=list(names), **options)
    return found


def _check(path: Path) -> None:
    state = path.stat()
    require_memory(4.0 * state.st_size, "The file")
    trouble = _trouble_with(str(path.resolve()), state.st_mtime_ns, state.st_size)
    if trouble:
        raise ScanError(
            f"{path.name} cannot be opened.",
            f"It is a MATLAB file, but damaged or cut off ({trouble}).",
            "Copy it again from its source.",
        )


@lru_cache(maxsize=64)
def _trouble_with(path: str, changed: int, size: int) -> str:
    return trouble_of(_PROBE, path, size)
