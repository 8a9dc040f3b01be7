"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_whole(path: Path, ending: str, write: Callable[[Path], None]) -> None:
    """Call write(part) with a file beside `path` that ends alike, then put it in place; on any error it is gone."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=ending)
    os.close(handle)
    part = Path(name)
    try:
        write(part)
        umask = os.umask(0)
        os.umask(umask)
        part.chmod(0o666 & ~umask)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_json(values: dict[str, Any], path: Path) -> None:
    """Write a JSON file, keys in order."""
    text = json.dumps(values, indent=1, sort_keys=True) + "\n"

    def write(part: Path) -> None:
        part.write_text(text, encoding="utf-8")

    write_whole(path, ".json", write)
