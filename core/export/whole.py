"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_whole(path: Path, ending: str, write: Callable[[Path], None]) -> None:
    """Call write(part) with a file beside `path` that ends alike, then put it in place; on any error it is gone."""
    with _staged(path, ending, write) as part:
        os.replace(part, path)


@contextmanager
def _staged(path: Path, ending: str, write: Callable[[Path], None]) -> Iterator[Path]:
    """A complete file beside `path`, for as long as the context lasts."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=ending)
    os.close(handle)
    part = Path(name)
    try:
        write(part)
        part.chmod(_allowed(0o666))
        yield part
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def beside(values: dict[str, Any], path: Path) -> Iterator[None]:
    """Write a JSON file that belongs to another one, written meanwhile: it is complete before, and in its place after,
    so that what a full disk refuses is refused for both. Nothing of no values."""
    if not values:
        yield
        return
    with _staged(path, ".json", _json_writer(values)) as part:
        yield
        os.replace(part, path)


def write_whole_folder(path: Path, write: Callable[[Path], None]) -> None:
    """Call write(part) with an empty folder beside `path`, then put it in place; on any error it is gone.

    A folder that is there already is replaced: the caller has asked whose it is. It comes back when the new one cannot
    take its place.
    """
    part = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:40]}."))
    old = part.with_name(part.name + ".old")
    try:
        write(part)
        part.chmod(_allowed(0o777))
        if path.exists():
            os.replace(path, old)
        try:
            os.replace(part, path)
        except BaseException:
            if old.exists():
                old.rename(path)
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    # Only now: until here it may be the one copy that there is.
    shutil.rmtree(old, ignore_errors=True)


def _allowed(mode: int) -> int:
    umask = os.umask(0)
    os.umask(umask)
    return mode & ~umask


def write_json(values: dict[str, Any], path: Path) -> None:
    """Write a JSON file, keys in order."""
    write_whole(path, ".json", _json_writer(values))


def _json_writer(values: dict[str, Any]) -> Callable[[Path], None]:
    text = json.dumps(values, indent=1, sort_keys=True) + "\n"

    def write(part: Path) -> None:
        part.write_text(text, encoding="utf-8")

    return write
