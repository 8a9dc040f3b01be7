"""Opens HDF5 files without letting a damaged one take the program down.

The HDF5 library crashes the process on some damaged files, which no exception handler can stop. So an unknown file is
first read through in a process of its own; only if that ends well is it opened here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.files import require_held
from core.formats.probe import trouble_of

_PROBE = Path(__file__).with_name("hdf5_probe.py")
_SMALL = 2**24
"""Bytes; less than this may be empty."""


@contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """The file as an h5py.File, open for reading. Raises ScanError for a damaged one, or one that reads others."""
    import h5py

    state = path.stat()
    version = str(path.resolve()), state.st_mtime_ns, state.st_size
    trouble = trouble_with(*version)
    if trouble:
        raise ScanError(
            f"{path.name} cannot be opened.",
            f"It is an HDF5 file, but damaged or cut off ({trouble}).",
            "Copy it again from its source.",
        )
    if elsewhere := kept_elsewhere(*version):
        raise ScanError(
            f"{path.name} keeps a part of its data in other files.",
            f"These are not followed: {elsewhere} leads out of the file.",
            "Save the scan as one file with all its data inside.",
        )
    with h5py.File(path, "r") as file:
        yield file


def numbers_of(dataset: Any, most: int) -> npt.NDArray[Any]:
    """The numbers of a dataset in one row, read only where there are at most so many. Raises ScanError."""
    import h5py

    good = isinstance(dataset, h5py.Dataset) and dataset.dtype.kind in "fiu"
    if not good or dataset.size is None or dataset.size > most:
        raise ScanError(
            f"{dataset.name} does not match the projections.",
            f"It holds {dataset.size} numbers; at most {most} fit." if good else "It holds no numbers.",
            "Check that none is missing, and the order of the axes.",
        )
    return np.asarray(dataset[()]).ravel()


def stored_of(dataset: Any) -> npt.NDArray[Any]:
    """All of a dataset, which may not be far larger than what the file holds of it. Raises ScanError."""
    require_stored(dataset)
    return np.asarray(dataset[()])


def require_stored(dataset: Any) -> None:
    """Raise ScanError where a dataset announces more than its bytes in the file can be unpacked to.

    What was never written reads as zeros, and costs its maker nothing.
    """
    announced = float(np.prod(dataset.shape or (), dtype=np.float64)) * dataset.dtype.itemsize
    require_held(max(announced - _SMALL, 0), float(dataset.id.get_storage_size()), str(dataset.name), packed=True)


@lru_cache(maxsize=64)
def kept_elsewhere(path: str, changed: int, size: int) -> str:
    """The name of a link or dataset of a sound file that lies in another file, or "". For the rest see trouble_with."""
    import h5py

    def outer_link(name: str, link: Any) -> str | None:
        return name if isinstance(link, h5py.ExternalLink) else None

    def outer_data(name: str, item: Any) -> str | None:
        if not isinstance(item, h5py.Dataset):
            return None
        virtual = item.is_virtual and any(source.file_name != "." for source in item.virtual_sources())
        return name if item.external or virtual else None

    with h5py.File(path, "r") as file:
        return file.visititems_links(outer_link) or file.visititems(outer_data) or ""


@lru_cache(maxsize=64)
def trouble_with(path: str, changed: int, size: int) -> str:
    """What the HDF5 library says of a file, or "" if it reads through it. changed (ns) and size tell versions apart."""
    return trouble_of(_PROBE, path, size)
