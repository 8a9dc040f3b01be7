"""What the readers of image volumes share: their result, its checks, and how it is turned to be looked at."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.files import require_memory
from core.orientation import Affine, affine_from_directions, letter, spacing_of
from core.scan import Volume

Voxels = npt.NDArray[Any]

LOWEST_HU = -3100, -900
"""Where the lowest value of a CT volume lies: air at -1000, or -1024 to -3072 outside the scanner's circle."""

_LARGEST_SIDE = 2**20
_DEFLATE = 1100
"""No gzip stream grows by more when it is unpacked (zlib: 1032)."""

_SEEN_AS = (1.0, 1.0, -1.0)
"""Signs of L, P and H along an image's axes by habit: left and back grow to the right and down, the feet lie below."""


@dataclass(frozen=True, eq=False)
class Opened:
    """An image volume as it was read.

    volume: float32 (slice, y, x), complex64 where the file holds complex numbers; its affine is LPS mm. path, format:
    of the file. notes: what the reader did, assumed or found odd, one sentence each. anatomy, contrast: as the file
    names them, else "". Nothing in here tells who was scanned.
    """

    volume: Volume
    path: str
    format: str
    notes: tuple[str, ...] = ()
    anatomy: str = ""
    contrast: str = ""


def opened(
    array: Voxels,
    path: Path,
    file_format: str,
    affine: Affine | None,
    spacing_mm: tuple[float, float, float],
    unit: str | None = None,
    notes: list[str] | None = None,
    **about: str,
) -> Opened:
    """The result of a reader; the unit is guessed where it is None. Raises ScanError for what is no image."""
    said = list(notes or [])
    array = checked(array, path.name)
    if unit is None:
        unit, sentence = guessed_unit(array)
        said += [sentence] if sentence else []
    spacing = spacing_mm if affine is None else spacing_of(affine)
    volume = Volume(array, unit, affine, spacing, len(array))
    return Opened(volume, str(path), file_format, tuple(said), **about)


def checked(array: Voxels, name: str) -> Voxels:
    """The array as contiguous float32 or complex64 (slice, y, x). Raises ScanError where it is no image."""
    array = array[None] if array.ndim == 2 else array
    if array.ndim != 3 or 0 in array.shape:
        raise ScanError(f"{name} is no volume.", f"It has shape {array.shape}.", "Give slices with axes (z, y, x).")
    if array.dtype.kind not in "fciu":
        raise ScanError(f"{name} holds no numbers.", f"Its voxels are of type {array.dtype}.", "Export plain numbers.")
    kind = np.complex64 if np.iscomplexobj(array) else np.float32
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(array, dtype=kind)
    if not np.isfinite(array).all():
        raise ScanError(f"{name} holds NaN or infinite numbers.", "", "Export it again from its source.")
    if (array == array.flat[0]).all():
        raise ScanError(f"{name} is empty.", "All its voxels are equal.", "Choose another file.")
    return array


def check_announced(shape: tuple[int, ...], itemsize: int, held: int, packed: bool, name: str) -> None:
    """Raise ScanError unless the voxels that a header announces can lie in `held` bytes and fit into memory.

    packed: the bytes are compressed by deflate.
    """
    sane = len(shape) > 0 and all(0 < int(n) <= _LARGEST_SIDE for n in shape)
    announced = math.prod(int(n) for n in shape) * itemsize
    if not sane or announced > held * (_DEFLATE if packed else 1):
        raise ScanError(
            f"{name} is damaged or cut off.",
            f"It announces {' x '.join(str(n) for n in shape)} voxels and holds {held} bytes.",
            "Copy it again from its source.",
        )
    require_memory(float(announced) / itemsize * (itemsize + 8), name)


def guessed_unit(array: Voxels) -> tuple[str, str]:
    """(unit, what was assumed) of numbers whose file names no unit."""
    if np.iscomplexobj(array):
        return "a.u.", ""
    lowest = float(array.min())
    if LOWEST_HU[0] <= lowest <= LOWEST_HU[1] and array.max() > LOWEST_HU[1]:
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
