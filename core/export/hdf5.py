"""HDF5 files that are made in memory: on a disk that is full the library itself would end the whole program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from core.formats.files import require_memory

_ROOM = 2.0
"""Times the size of the data: its file, and what the library holds on the way."""


@contextmanager
def made_in_memory(path: Path, nbytes: int) -> Iterator[BytesIO]:
    """What to open as a file of h5py, closed by the end of the context; then it is written to `path`.

    nbytes: of the data. Raises ScanError where they do not fit into memory, OSError for what the disk says.
    """
    require_memory(_ROOM * nbytes, path.name)
    made = BytesIO()
    yield made
    with path.open("wb") as file:
        file.write(made.getbuffer())
