"""Opens HDF5 files without letting a damaged one take the program down.

The HDF5 library crashes the process on some damaged files, which no exception handler can stop. So an unknown file is
first read through in a process of its own; only if that ends well is it opened here.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.errors import ScanError

_PROBE = Path(__file__).with_name("hdf5_probe.py")
_SECONDS = 60.0
_BYTES_PER_SECOND = 2e7


@contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """The file as an h5py.File, open for reading. Raises ScanError for a damaged one."""
    import h5py

    state = path.stat()
    trouble = trouble_with(str(path.resolve()), state.st_mtime_ns, state.st_size)
    if trouble:
        raise ScanError(
            f"{path.name} cannot be opened.",
            f"It is an HDF5 file, but damaged or cut off ({trouble}).",
            "Copy it again from its source.",
        )
    with h5py.File(path, "r") as file:
        yield file


@lru_cache(maxsize=64)
def trouble_with(path: str, changed: int, size: int) -> str:
    """What the HDF5 library says of a file, or "" if it reads through it. changed (ns) and size tell versions apart."""
    if getattr(sys, "frozen", False) or not sys.executable:
        return ""
    try:
        ended = subprocess.run(
            [sys.executable, "-I", str(_PROBE), path],
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
    return said[-1][:160] if ended.returncode == 1 and said else "the HDF5 library breaks down on it"
