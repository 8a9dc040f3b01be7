"""Keeps other libraries from saying aloud what stands in a patient's file."""

from __future__ import annotations

import logging
import sys
import warnings
from contextlib import suppress
from typing import TextIO

_PLACES = ("site-packages", "dist-packages")


def keep_quiet() -> None:
    """Of warnings only kind and place are printed, and logs that nobody asked for are not.

    Their words may quote a value of the file that is read, such as a date that is none, and so a name.
    """
    warnings.showwarning = _show
    logging.lastResort = None


def _show(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    parts = filename.replace("\\", "/").split("/")
    start = next((place + 1 for place, part in enumerate(parts) if part in _PLACES), len(parts) - 1)
    with suppress(Exception):
        print(f"{category.__name__} at {'/'.join(parts[start:])}:{lineno}", file=file or sys.stderr)
