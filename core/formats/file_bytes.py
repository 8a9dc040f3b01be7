"""A file seen as one long array of bytes, of which only the pieces asked for are read."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import ScanError


class FileBytes:
    """bytes[start:stop] is a new uint8 array (n,); as with any array it ends where the file ended when it was opened.

    The file is read, never mapped into memory: where a mapped file is cut off or its disk goes, the system ends the
    whole program. Here such a read raises ScanError. For one thread.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._file = path.open("rb", buffering=0)
        self._length = os.fstat(self._file.fileno()).st_size

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, piece: slice) -> npt.NDArray[np.uint8]:
        start, stop, _ = piece.indices(self._length)
        wanted = max(stop - start, 0)
        self._file.seek(start)
        held = self._file.read(wanted) or b""
        while len(held) < wanted and (more := self._file.read(wanted - len(held))):
            held += more
        if len(held) < wanted:
            raise ScanError(
                f"{self._name} was cut off while it was read.",
                f"It had {self._length} bytes; now it ends at byte {start + len(held)}.",
                "Wait until it is copied, and open it again.",
            )
        return np.frombuffer(held, np.uint8)

    def __del__(self) -> None:
        file = getattr(self, "_file", None)
        if file is not None:
            file.close()
