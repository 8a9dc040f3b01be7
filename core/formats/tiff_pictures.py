"""A stack of TIFF pictures as one array."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.files import DEFLATE, check_readable, require_held, require_memory, stays_within

Counts = npt.NDArray[np.generic]

SUFFIXES = (".tif", ".tiff")
_COPIES = 5.0
_LARGEST_TILE = 2**20
_LARGEST_BOMB = 2**26
"""Bytes; a strip that cannot become more is not looked into."""
_BY_ZLIB = (8, 32946)
_LZMA = 34925
_MOST_PAGES = 2**20
_FARTHEST = 2**48
"""Bytes; no file is as long."""
_PIECE = 2**20


def pictures_of(folder: Path, pattern: str, what: str) -> list[Path]:
    """The TIFF files of a pattern, or all in the folder for "", by name; none to which a link leads out of it.

    Raises ScanError where there are none.
    """
    pictures = (p for p in folder.glob(pattern or "*") if p.suffix.lower() in SUFFIXES and p.is_file())
    found = sorted(p for p in pictures if stays_within(p, folder))
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
    _check_pages(path)
    try:
        with _opened(path) as held:
            series = held.series[0]
            _check_tiles(series, path.name)
            _check_bytes(series, path)
            return _stack_shape(series.shape, path.name), np.dtype(series.dtype)
    except (tifffile.TiffFileError, IndexError) as error:
        raise ScanError(f"{path.name} is no TIFF picture.", str(error), "Copy it again.") from error


def _check_pages(path: Path) -> None:
    """Raise ScanError where a page leads back to an earlier one, which tifffile may follow for ever (TIFF 6.0, 2)."""
    with path.open("rb") as file:
        start = file.read(16)
        order = "<" if start[:2] == b"II" else ">"
        big = start[2:4] in (b"+\0", b"\0+")
        count_form, entry, place_form = (f"{order}Q", 20, f"{order}Q") if big else (f"{order}H", 12, f"{order}I")
        seen: set[int] = set()
        held = start[8:] if big else start[4:8]
        while len(held) == struct.calcsize(place_form) and (place := struct.unpack(place_form, held)[0]):
            if place in seen or len(seen) > _MOST_PAGES:
                raise ScanError(f"{path.name} is damaged.", "Its pages run in a circle.", "Save it again.")
            seen.add(place)
            if place > _FARTHEST:
                return
            file.seek(place)
            if len(count := file.read(struct.calcsize(count_form))) < struct.calcsize(count_form):
                return
            entries = struct.unpack(count_form, count)[0] * entry
            if entries > _FARTHEST:
                return
            file.seek(entries, 1)
            held = file.read(struct.calcsize(place_form))


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


def _check_bytes(series: Any, path: Path) -> None:
    """Raise ScanError where the pictures are larger than their bytes, or these unpack to more than the pictures."""
    page, held = series.keyframe, path.stat().st_size
    packed = page.compression != 1 or (page.bitspersample or 8) < 8
    require_held(float(series.nbytes), held, path.name, packed)
    if page.compression == _LZMA:
        raise ScanError(f"{path.name} is packed by LZMA.", "That is not read.", "Save it plain or packed by deflate.")
    if page.compression not in _BY_ZLIB:
        return
    rows, columns = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    most = max(2 * rows * columns * max(page.samplesperpixel, 1) * 8, _LARGEST_TILE)
    with path.open("rb") as file:
        for part in series.pages:
            for place, count in zip(part.dataoffsets, part.databytecounts, strict=False):
                if count * DEFLATE > _LARGEST_BOMB and not _unpacks_to(file, place, count, most):
                    raise ScanError(
                        f"{path.name} is damaged.", "It unpacks to more than its picture.", "Save it again."
                    )


def _unpacks_to(file: BinaryIO, place: int, count: int, most: int) -> bool:
    """A packed piece of a file becomes no more than so many bytes."""
    file.seek(place)
    stream, packed, total = zlib.decompressobj(), file.read(count), 0
    while packed and total <= most and not stream.eof:
        total += len(stream.decompress(packed, _PIECE))
        packed = stream.unconsumed_tail
    return total <= most


def _stack_shape(shape: tuple[int, ...], name: str) -> tuple[int, int, int]:
    if len(shape) == 2:
        return 1, shape[0], shape[1]
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    raise ScanError(f"{name} is no stack of grey pictures.", f"Its shape is {shape}.", "Save it in grey.")
