"""What the readers of image volumes share: their result, its checks, and how it is turned to be looked at."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.files import DEFLATE, require_memory
from core.formats.identity import Identity
from core.formats.whole_numbers import as_small, range_of
from core.orientation import Affine, affine_from_directions, letter, spacing_of
from core.scan import Volume

Voxels = npt.NDArray[Any]
Tell = Callable[[str, int, int], None]
"""Called with what is being done, how much of it has been done, and of how much; what it raises stops the reading."""

LOWEST_HU = -3100, -900
"""Where the lowest value of a CT volume lies: air at -1000, or -1024 to -3072 outside the scanner's circle."""

_LARGEST_SIDE = 2**20
_SEEN_AS = (1.0, 1.0, -1.0)
"""Signs of L, P and H along an image's axes by habit: left and back grow to the right and down, the feet lie below."""


@dataclass(frozen=True, eq=False)
class Opened:
    """An image volume as it was read.

    volume: int16 (slice, y, x) where all voxels are whole numbers within its range, else float32, complex64 where the
    file holds complex numbers; NaN stands for voxels without a number. Its affine is LPS mm. path, format: of the file.
    notes: what the reader did, assumed or found odd, one sentence each. anatomy, contrast: as the file names them, else
    "". identity: who was scanned; nothing else in here tells it. windows: (name, width, level) of the file, in the
    volume's unit. modality: DICOM's code such as "CT" or "MR", else "". series: a short description of the series,
    which somebody typed in and which is for no log; else "".
    """

    volume: Volume
    path: str
    format: str
    notes: tuple[str, ...] = ()
    anatomy: str = ""
    contrast: str = ""
    identity: Identity = field(default=Identity(), repr=False)
    windows: tuple[tuple[str, float, float], ...] = ()
    modality: str = ""
    series: str = field(default="", repr=False)


def opened(
    array: Voxels,
    path: Path,
    file_format: str,
    affine: Affine | None,
    spacing_mm: tuple[float, float, float],
    unit: str | None = None,
    notes: list[str] | None = None,
    **about: Any,
) -> Opened:
    """The result of a reader; the unit is guessed where it is None. Raises ScanError for what is no image.

    What cannot be measured with can be looked at: equal voxels and voxels without a number are told in the notes.
    """
    said = list(notes or [])
    array = _numbered(as_small(_slices(array, path.name)), path.name, said)
    if is_even(array):
        said.append("All its voxels are equal.")
    if unit is None:
        unit, sentence = guessed_unit(array)
        said += [sentence] if sentence else []
    spacing = spacing_mm if affine is None else spacing_of(affine)
    volume = Volume(array, unit, affine, spacing, len(array))
    return Opened(volume, str(path), file_format, tuple(said), **about)


def checked(array: Voxels, name: str) -> Voxels:
    """The array as contiguous float32 or complex64 (slice, y, x), to learn from. Raises ScanError for equal voxels, and
    for any that is NaN or infinite."""
    array = _slices(array, name)
    kind = np.complex64 if np.iscomplexobj(array) else np.float32
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(array, dtype=kind)
    if not all(np.isfinite(plane).all() for plane in array):
        raise ScanError(f"{name} holds NaN or infinite numbers.", "", "Export it again from its source.")
    if is_even(array):
        raise ScanError(f"{name} is empty.", "All its voxels are equal.", "Choose another file.")
    return array


def is_even(array: Voxels) -> bool:
    """All voxels that have a number have the same."""
    if np.iscomplexobj(array):
        return all((plane == array.flat[0]).all() for plane in array)
    lowest, highest = range_of(array)
    return lowest == highest


def _slices(array: Voxels, name: str) -> Voxels:
    """(slice, y, x) of some kind of numbers."""
    array = array[None] if array.ndim == 2 else array
    if array.ndim != 3 or 0 in array.shape:
        raise ScanError(f"{name} is no volume.", f"It has shape {array.shape}.", "Give slices with axes (z, y, x).")
    if array.dtype.kind not in "fciu":
        raise ScanError(f"{name} holds no numbers.", f"Its voxels are of type {array.dtype}.", "Export plain numbers.")
    return array


def _numbered(array: Voxels, name: str, notes: list[str]) -> Voxels:
    """Infinite voxels become NaN; how many are NaN is told. Raises ScanError where no voxel has a number."""
    if array.dtype.kind == "i":
        return array
    missing = infinite = 0
    for index, plane in enumerate(array):
        finite = np.isfinite(plane)
        if finite.all():
            continue
        missing += finite.size - int(finite.sum())
        endless = np.isinf(plane)
        if endless.any():
            array = array if array.flags.writeable else array.copy()
            array[index][endless] = np.nan
            infinite += int(endless.sum())
    if missing == array.size:
        raise ScanError(f"{name} holds no numbers.", "All its voxels are NaN or infinite.", "Choose another file.")
    if infinite:
        notes.append(f"Infinite numbers in {infinite} of its voxels were taken as missing (NaN).")
    if missing:
        notes.append(f"{missing} of its voxels have no number (NaN).")
    return array


def check_announced(shape: tuple[int, ...], itemsize: int, held: int, packed: bool, name: str) -> None:
    """Raise ScanError unless the voxels that a header announces can lie in `held` bytes and fit into memory.

    packed: the bytes are compressed by deflate.
    """
    sane = len(shape) > 0 and all(0 < int(n) <= _LARGEST_SIDE for n in shape)
    announced = math.prod(int(n) for n in shape) * itemsize
    if not sane or announced > held * (DEFLATE if packed else 1):
        raise ScanError(
            f"{name} is damaged or cut off.",
            f"It announces {' x '.join(str(n) for n in shape)} voxels and holds {held} bytes.",
            "Copy it again from its source.",
        )
    require_memory(float(announced) / itemsize * (itemsize + 4), name)


def guessed_unit(array: Voxels) -> tuple[str, str]:
    """(unit, what was assumed) of numbers whose file names no unit."""
    if np.iscomplexobj(array):
        return "a.u.", ""
    lowest, highest = range_of(array)
    if LOWEST_HU[0] <= lowest <= LOWEST_HU[1] < highest:
        return "HU", f"Taken as Hounsfield units, because the lowest value is {lowest:g}."
    return "a.u.", ""


def affine_from_corner(columns: npt.ArrayLike, corner: npt.ArrayLike, shape: tuple[int, ...]) -> Affine | None:
    """The LPS affine with these columns (3, 3), mm per step of x, y and z, and the middle of voxel (0, 0, 0).

    shape: (nz, ny, nx). None for numbers that span no space, or lie beyond any patient.
    """
    steps, origin = np.asarray(columns, dtype=np.float64), np.asarray(corner, dtype=np.float64)
    if not (np.isfinite(steps).all() and np.isfinite(origin).all()) or np.abs(origin).max() > 1e5:
        return None
    lengths = np.linalg.norm(steps, axis=0)
    if lengths.min() < 1e-4 or lengths.max() > 1e4 or abs(np.linalg.det(steps / lengths)) < 0.05:
        return None
    nz, ny, nx = shape
    centre = origin + steps @ np.array([nx // 2, ny // 2, (nz - 1) / 2])
    read, phase, through = (steps / lengths).T
    return affine_from_directions(read, phase, through, lengths, centre, (nz, ny, nx))


def as_viewed(found: Opened) -> Opened:
    """Columns and rows turned round where the file stores them against the habit of the reading room.

    Afterwards the patient's left or back lies to the right, and the back or the feet at the bottom; the affine moves
    with the voxels, so that everything keeps its place in the patient. Slices keep their order.
    """
    volume = found.volume
    if volume.affine is None:
        return found
    array, affine, notes = volume.array, volume.affine.copy(), list(found.notes)
    for axis, name in ((0, "Columns"), (1, "Rows")):
        step = affine[:3, axis].copy()
        main = int(np.argmax(np.abs(step)))
        if step[main] * _SEEN_AS[main] > 0:
            continue
        notes.append(f"{name} are stored towards {letter(step)[0]}; they were turned round to be seen as usual.")
        array = np.flip(array, axis=2 - axis)
        affine[:3, 3] += step * (array.shape[2 - axis] - 1)
        affine[:3, axis] = -step
    turned = replace(volume, array=np.ascontiguousarray(array), affine=affine)
    return replace(found, volume=turned, notes=tuple(notes))
