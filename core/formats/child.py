"""How this program starts a script of its own in another process, installed or frozen into one folder."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

OPTION = "--child"
"""The first word of a frozen program that is to be one of these scripts, and no window."""

SCRIPTS = ("hdf5_probe", "mat5_probe", "dicom_unpack")
"""Modules of core.formats with a main(arguments) -> exit status. A frozen program runs no others."""


def may_start() -> bool:
    """Another process can be started here."""
    return bool(sys.executable)


def command_of(script: Path, *arguments: str) -> list[str]:
    """The words that start a script.

    A frozen program has no interpreter that would take a file: sys.executable is the program itself, which is told the
    script's name (see `main`).
    """
    if getattr(sys, "frozen", False):
        return [sys.executable, OPTION, script.stem, *arguments]
    return [sys.executable, "-I", str(script), *arguments]


def main(words: list[str]) -> int | None:
    """Be the script that the command line of a frozen program asks for; its exit status, None if it asks for none."""
    if words[:1] != [OPTION]:
        return None
    if len(words) < 2 or words[1] not in SCRIPTS:
        return 2
    status: int = importlib.import_module(f"core.formats.{words[1]}").main(words[2:])
    return status
