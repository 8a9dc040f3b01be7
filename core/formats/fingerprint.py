"""By what a scan or a volume on disk is known again: a hash of its file, or of all its files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from core.formats.files import sha256_of

MOST_FILES = 20_000

Signature = tuple[tuple[str, int, int], ...]
"""(name, bytes, time of the last change in ns) of every file."""


def signature_of(path: Path, files: Sequence[str] = ()) -> Signature:
    """What tells, without reading, that a file or folder has changed; empty where there is nothing.

    files: those of the folder that count, or none for all of it. A path that is nothing itself but the stem of BART's
    pair stands for both.
    """
    found = []
    for file, name in _files(path, files):
        try:
            about = file.stat()
        except OSError:
            continue
        found.append((name, about.st_size, about.st_mtime_ns))
    return tuple(found)


def fingerprint_of(path: Path, files: Sequence[str] = (), tell: Callable[[], None] | None = None) -> str:
    """SHA-256 of a file; of several that of the list of their names, sizes and hashes. "" where there is nothing.

    tell is called before every file and may raise to stop. Raises OSError for what cannot be read.
    """
    listed = _files(path, files)
    if not listed:
        return ""
    if path.is_file() and not files:
        return sha256_of(path)
    digest = hashlib.sha256()
    for file, name in listed:
        if tell is not None:
            tell()
        digest.update(f"{name}\n{file.stat().st_size}\n{sha256_of(file)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(path: Path, files: Sequence[str]) -> list[tuple[Path, str]]:
    """The files that count, with names that do not tell where the folder lies."""
    if files:
        root = Path(os.path.commonpath([Path(file).parent for file in files]))
        return sorted((Path(file), Path(file).relative_to(root).as_posix()) for file in files if Path(file).is_file())
    if path.is_file():
        return [(path, path.name)]
    if path.is_dir():
        inside = []
        for folder, names, held in os.walk(path, followlinks=False):
            names[:] = sorted(name for name in names if not name.startswith("."))
            files_here = (Path(folder) / name for name in sorted(held) if not name.startswith("."))
            inside += [(file, file.relative_to(path).as_posix()) for file in files_here if file.is_file()]
            if len(inside) > MOST_FILES:
                return inside[:MOST_FILES]
        return inside
    pair = [path.with_name(path.name + end) for end in (".cfl", ".hdr")] if path.name else []
    return [(file, file.name) for file in pair if file.is_file()]
