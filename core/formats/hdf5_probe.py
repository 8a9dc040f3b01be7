"""Reads through an HDF5 file in a process of its own, run as a script: see core.formats.hdf5.

Exit status 0: everything could be read. 1: the library said that something is damaged; the last line printed says what.
Any other end is a crash of the library.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

_BLOCK_BYTES = 2**26
_ROWS = 256
"""Rows of variable length, whose size is not known before, are read so many at a time."""

_LARGEST_EXPANSION = 1100
"""No compression filter of HDF5 shrinks data by more (zlib: 1032)."""


def read_through(path: str) -> None:
    """Open every object, and read the values of every dataset in pieces."""
    import h5py

    with h5py.File(path, "r") as file:
        list(file.attrs.items())
        file.visititems(_read)


def _read(name: str, item: Any) -> None:
    import h5py

    if not isinstance(item, h5py.Dataset) or not item.size or item.external or item.is_virtual:
        return
    if not item.shape:
        item[()]
        return
    if item.nbytes > _LARGEST_EXPANSION * item.id.get_storage_size() + _BLOCK_BYTES:
        return
    rows = _ROWS if item.dtype.hasobject else max(1, _BLOCK_BYTES * item.shape[0] // item.nbytes)
    for start in range(0, item.shape[0], rows):
        item[start : start + rows]


def _limit(path: str) -> None:
    """A crash is expected here; it shall not fill the disk, nor a damaged size the memory."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        most = 2**32 + 4 * os.path.getsize(path)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main(arguments: list[str]) -> int:
    """arguments: the path. Returns the exit status."""
    _limit(arguments[0])
    try:
        read_through(arguments[0])
    except Exception as error:
        print(f"{error}".splitlines()[0] if str(error) else type(error).__name__)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
