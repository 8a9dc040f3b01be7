"""Lets a library read a file in a process of its own first, where a damaged one could take the program down with it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from core.formats.child import command_of, may_start

_SECONDS = 60.0
_BYTES_PER_SECOND = 2e7


def trouble_of(script: Path, path: str, size: int) -> str:
    """What a script says of a file of so many bytes, "" if it reads through it.

    The script gets the path; it ends with 0 if all is well, and with 1 after a last line that says what is damaged. Any
    other end is a crash of the library. Where no process can be started, "" too.
    """
    if not may_start():
        return ""
    try:
        ended = subprocess.run(
            command_of(script, path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS + size / _BYTES_PER_SECOND,
            text=True,
            errors="replace",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "reading it does not come to an end"
    except OSError:
        return ""
    if ended.returncode == 0:
        return ""
    said = ended.stdout.strip().splitlines()
    return said[-1][:160] if ended.returncode == 1 and said else "the library that reads it breaks down on it"
