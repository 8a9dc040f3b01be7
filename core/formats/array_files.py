"""The arrays inside .npy, .npz and .mat files: which there are, and one of them loaded. Nothing is ever unpickled."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.files import head_of, is_hdf5, require_held, require_memory
from core.formats.hdf5 import open_hdf5, stored_of
from core.formats.mat5 import contents_of, variables_of

Array = npt.NDArray[np.generic]

_MATLAB_NUMBERS = ("double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
_BYTES_EACH = 16
_LONGEST_HEADER = 10_000
"""Bytes, as NumPy has it."""


@dataclass(frozen=True)
class Variable:
    """An array in a file. load() reads it. usable: it holds numbers. real: they are known to be no complex ones."""

    name: str
    shape: tuple[int, ...]
    usable: bool
    load: Callable[[], Array]
    real: bool | None = None


def kind_of(path: Path) -> str:
    """ "npy", "npz", "mat5" or "mat73" by the file's first bytes, else ""."""
    start = head_of(path, 128)
    if start.startswith(b"\x93NUMPY"):
        return "npy"
    if start.startswith(b"MATLAB 5.0 MAT-file"):
        return "mat5"
    if start.startswith(b"MATLAB 7.3 MAT-file") or (is_hdf5(path) and path.suffix.lower() == ".mat"):
        return "mat73"
    if start.startswith(b"PK\x03\x04") and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return "npz" if any(n.endswith(".npy") for n in archive.namelist()) else ""
    return "npz" if start.startswith(b"PK\x03\x04") and path.suffix.lower() == ".npz" else ""


def variables(path: Path) -> list[Variable]:
    """All arrays of a file. Raises ScanError for what is unsafe, other exceptions for what is damaged."""
    listed = {"npy": _npy, "npz": _npz, "mat5": _mat5, "mat73": _mat73}[kind_of(path)](path)
    for variable in listed:
        if variable.usable and math.prod(variable.shape) > 2**50:
            raise ScanError(
                f"The array {variable.name} cannot be that large.", f"Its shape is {variable.shape}.", "Copy it again."
            )
    return listed


def loaded(variable: Variable) -> Array:
    """The array, after making sure that it fits into memory. Raises ScanError."""
    require_memory(float(_BYTES_EACH) * math.prod(variable.shape), f"The array {variable.name}")
    return variable.load()


def _npy(path: Path) -> list[Variable]:
    with path.open("rb") as file:
        shape, dtype = _npy_header(file)
        announced = math.prod(shape) * dtype.itemsize
        held = path.stat().st_size - file.tell()
    if not dtype.hasobject and announced > held:
        raise ScanError(
            f"{path.name} is cut off.", f"It announces {announced} bytes of data and holds {held}.", "Copy it again."
        )
    # Read, not mapped: a mapped file that is cut off or written over takes the program, or the image, with it.
    return [Variable("", shape, dtype.kind in "fciu", lambda: np.load(path, allow_pickle=False), dtype.kind in "fiu")]


def _npz(path: Path) -> list[Variable]:
    found = []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.endswith(".npy"):
                continue
            with archive.open(name) as member:
                shape, dtype = _npy_header(member)
            if not dtype.hasobject:
                _check_member(archive.getinfo(name), math.prod(shape) * dtype.itemsize, path)
            found.append(Variable(name[:-4], shape, dtype.kind in "fciu", _npz_loader(path, name[:-4])))
    return found


def _check_member(info: zipfile.ZipInfo, announced: int, path: Path) -> None:
    """Raise ScanError unless a member can hold so many bytes, as np.savez and np.savez_compressed write it."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ScanError(
            f"The array {info.filename} in {path.name} is packed in an unusual way.", "", "Save it with numpy.savez."
        )
    held = min(info.compress_size, path.stat().st_size)
    require_held(announced, held, f"The array {info.filename} in {path.name}", info.compress_type != zipfile.ZIP_STORED)
    if announced > info.file_size:
        raise ScanError(f"The array {info.filename} in {path.name} is cut off.", "", "Copy the file again.")


def _npz_loader(path: Path, name: str) -> Callable[[], Array]:
    def load() -> Array:
        with np.load(path, allow_pickle=False) as archive:
            return np.asarray(archive[name])

    return load


def _npy_header(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    first = np.lib.format.read_magic(file) == (1, 0)
    length = file.read(2 if first else 4)
    count = int.from_bytes(length, "little")
    if count > _LONGEST_HEADER:
        raise ScanError("The array's header is damaged.", f"It is {count} bytes long.", "Copy the file again.")
    reader = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
    shape, _, dtype = reader(BytesIO(length + file.read(count)))
    if min(shape, default=0) < 0:
        raise ScanError("The array's header is damaged.", f"Its shape is {shape}.", "Copy the file again.")
    return shape, dtype


def _mat5(path: Path) -> list[Variable]:
    def loader(name: str) -> Callable[[], Array]:
        return lambda: np.asarray(variables_of(path, (name,))[name])

    return [Variable(name, shape, kind in _MATLAB_NUMBERS, loader(name)) for name, shape, kind in contents_of(path)]


def _mat73(path: Path) -> list[Variable]:
    """MATLAB 7.3 stores arrays in HDF5 with their axes in reverse, complex ones as pairs (real, imag)."""
    import h5py

    found = []
    with open_hdf5(path) as file:
        for name, item in file.items():
            if isinstance(item, h5py.Dataset) and not name.startswith("#"):
                pair = {"real", "imag"} <= set(item.dtype.names or ())
                numbers = pair or item.dtype.kind in "fciu"
                found.append(Variable(name, item.shape[::-1], numbers, _mat73_loader(path, name)))
    return found


def _mat73_loader(path: Path, name: str) -> Callable[[], Array]:
    def load() -> Array:
        with open_hdf5(path) as file:
            stored = stored_of(file[name])
        if stored.dtype.names:
            stored = stored["real"] + 1j * stored["imag"]
        return np.asarray(stored).T

    return load
