"""A stack of TIFF pictures as one array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.files import check_readable, require_memory

Counts = npt.NDArray[np.generic]

SUFFIXES = (".tif", ".tiff")
_COPIES = 5.0
_LARGEST_TILE = 2**20


def pictures_of(folder: Path, pattern: str, what: str) -> list[Path]:
    """The TIFF files of a pattern, or all in the folder for "", by name. Raises ScanError where there are none."""
    found = sorted(p for p in folder.glob(pattern or "*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise ScanError(
            f"There are no TIFF files for {what}.",
            f"Nothing in {folder.name or folder} fits {pattern or '*.tif'}.",
            "Correct the pattern in geometry.toml.",
        )
    return found


def read_pictures(files: list[Path]) -> Counts:
    """(view, row, column) of all pages of all files, of one type. Raises ScanError where their sizes differ."""
    layouts = [_layout(file) for file in files]
    shapes = [shape for shape, _ in layouts]
    dtype = np.result_type(*(kind for _, kind in layouts))
    sizes = {shape[1:] for shape in shapes}
    if len(sizes) != 1:
        raise ScanError("The TIFF pictures differ in size.", f"There are {sorted(sizes)[:4]}.", "Choose those alike.")
    if dtype.kind not in "fiu":
        raise ScanError("The TIFF pictures hold no real numbers.", f"They are {dtype}.", "Save them as such.")
    views, (rows, columns) = sum(shape[0] for shape in shapes), next(iter(sizes))
    require_memory(_COPIES * dtype.itemsize * float(views) * rows * columns, "The scan")
    stack = np.empty((views, rows, columns), dtype=dtype)
    start = 0
    for file, shape in zip(files, shapes, strict=True):
        with _opened(file) as held:
            stack[start : start + shape[0]] = held.series[0].asarray().reshape(shape)
        start += shape[0]
    return stack


def pages_of(path: Path) -> int:
    """How many views a file holds. Raises ScanError for what is no stack of grey pictures."""
    return _layout(path)[0][0]


def _layout(path: Path) -> tuple[tuple[int, int, int], np.dtype[np.generic]]:
    """(shape (view, row, column), type) of a file."""
    import tifffile

    check_readable(path)
    try:
        with _opened(path) as held:
            series = held.series[0]
            _check_tiles(series, path.name)
            return _stack_shape(series.shape, path.name), np.dtype(series.dtype)
    except (tifffile.TiffFileError, IndexError) as error:
        raise ScanError(f"{path.name} is no TIFF picture.", str(error), "Copy it again.") from error


def _opened(path: Path) -> Any:
    """A tifffile.TiffFile that keeps to its own pages: metadata of microscopes may name other files."""
    import tifffile

    return tifffile.TiffFile(path, is_ome=False, is_mmstack=False)


def _check_tiles(series: Any, name: str) -> None:
    """Raise ScanError where a tile, which is unpacked as a whole, is far larger than the picture."""
    page = series.keyframe
    if page.is_tiled and page.tilewidth * page.tilelength > max(_LARGEST_TILE, page.imagewidth * page.imagelength):
        raise ScanError(
            f"{name} is damaged.",
            f"Its tiles have {page.tilewidth} x {page.tilelength} pixels, the picture {page.imagewidth} x"
            f" {page.imagelength}.",
            "Save it again.",
        )


def _stack_shape(shape: tuple[int, ...], name: str) -> tuple[int, int, int]:
    if len(shape) == 2:
        return 1, shape[0], shape[1]
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    raise ScanError(f"{name} is no stack of grey pictures.", f"Its shape is {shape}.", "Save it in grey.")
