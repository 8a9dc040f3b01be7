"""Readouts as a scanner stores them, one after the other, and their sorting into a k-space array."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.encoding import Encoding, Integers, kept_range
from core.formats.files import require_memory
from core.formats.fourier import remove_oversampling
from core.scan import BoolArray, Complex64Array

_BLOCK_BYTES = 2**25
_COPIES = 3
_LARGE = 2**26
_MOST_EMPTY = 512
"""No scan leaves out more than this."""


@dataclass(frozen=True)
class Lines:
    """A table of readouts in the order of the file; every array has one entry for each.

    rows: numbers by which `read` finds them. contrast, repetition, slice: counted from 0 without gaps; average, kz, ky:
    as numbered by the scanner. centre: the sample with k = 0. first, last: the samples [first, last) are good.
    All three are counted in the order of k, that is after turning round a reversed readout.
    read(rows) gives complex64 (rows, coils, samples) as stored.
    """

    rows: Integers
    contrast: Integers
    repetition: Integers
    slice: Integers
    average: Integers
    kz: Integers
    ky: Integers
    centre: Integers
    first: Integers
    last: Integers
    reverse: BoolArray
    coils: int
    samples: int
    read: Callable[[Integers], Complex64Array]

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, chosen: npt.NDArray[Any]) -> Lines:
        """Some of the readouts, by their places in this table or by a yes or no for each."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{k: v[chosen] for k, v in arrays.items() if isinstance(v, np.ndarray)})

    def blocks(self, samples: int) -> Iterator[Lines]:
        """The readouts in pieces of moderate size, also where each becomes so many samples."""
        step = max(1, _BLOCK_BYTES // (8 * self.coils * max(self.samples, samples)))
        for start in range(0, len(self), step):
            yield self.where(np.arange(start, min(start + step, len(self))))


@dataclass(frozen=True)
class Gathered:
    """A sorted array. data: (contrast, repetition, slice, coil, kz, ky, kx), the mean over what was measured.

    count: uint16 (contrast, repetition, slice, kz, ky, kx or 1), how often a place was measured.
    """

    data: Complex64Array
    count: npt.NDArray[np.uint16]


def gather(
    lines: Lines, encoding: Encoding, frames: tuple[int, int, int], whitening: npt.NDArray[np.complexfloating] | None
) -> Gathered:
    """Sort readouts into an array, whitened and without oversampling; readouts of the same place are averaged.

    frames: (contrasts, repetitions, slices). Raises ScanError when the array does not fit into memory.
    """
    e = encoding
    partial = _any_partial(lines, e)
    _require_filled(lines, e, frames)
    bytes_needed = 8.0 * float(np.prod([*frames, lines.coils, e.nz, e.ny, e.nx], dtype=np.float64))
    require_memory(_COPIES * bytes_needed, "The scan")
    data = np.zeros((*frames, lines.coils, e.nz, e.ny, e.nx), np.complex64)
    count = np.zeros((*frames, e.nz, e.ny, e.nx if partial else 1), np.uint16)
    for block in lines.blocks(e.nx_full):
        readouts, ranges = _place_samples(block, e, whitening)
        z, y = e.kz(block.kz), e.ky(block.ky)
        for i, (low, high) in enumerate(ranges):
            frame = block.contrast[i], block.repetition[i], block.slice[i]
            data[(*frame, slice(None), z[i], y[i], slice(low, high))] += readouts[i, :, low:high]
            count[(*frame, z[i], y[i], slice(low, high) if partial else 0)] += 1
    if count.max() > 1:
        data /= np.maximum(count, 1)[:, :, :, None]
    return Gathered(data, count)


def _require_filled(lines: Lines, e: Encoding, frames: tuple[int, int, int]) -> None:
    """Raise ScanError for a large array of which next to nothing was measured: its size is damaged."""
    places = float(np.prod([*frames, e.nz, e.ny, e.nx_full], dtype=np.float64))
    if 8.0 * lines.coils * places > _LARGE and places > _MOST_EMPTY * lines.samples * len(lines):
        raise ScanError(
            "The size of the scan does not fit its data.",
            f"It announces {places:.3g} samples, of which {lines.samples * len(lines)} are there.",
            "Its header or its counters are damaged; export it again.",
        )


def _placed_range(line: Lines, i: int, e: Encoding) -> tuple[int, int, int]:
    """(first, last) of the full readout that readout i fills, and the sample that lands on its first place."""
    shift = e.nx_full // 2 - int(line.centre[i])
    first = max(int(line.first[i]) + shift, 0)
    last = min(int(line.last[i]) + shift, e.nx_full)
    return first, max(last, first), first - shift


def _any_partial(lines: Lines, e: Encoding) -> bool:
    shift = e.nx_full // 2 - lines.centre
    return bool(((lines.first + shift > 0) | (lines.last + shift < e.nx_full)).any())


def _place_samples(
    block: Lines, e: Encoding, whitening: npt.NDArray[np.complexfloating] | None
) -> tuple[Complex64Array, list[tuple[int, int]]]:
    """Whole readouts (n, coils, nx) without oversampling, and the range of each that was measured."""
    stored = block.read(block.rows)
    if not np.isfinite(stored.view(np.float32)).all():
        raise ScanError(
            "The k-space holds NaN or infinite numbers.",
            "A damaged file or a failed conversion leaves such values.",
            "Export the scan again from its source.",
        )
    stored[block.reverse] = stored[block.reverse][..., ::-1]
    if whitening is not None:
        stored = np.matmul(whitening.astype(np.complex64), stored)
    full = np.zeros((len(block), block.coils, e.nx_full), np.complex64)
    ranges = []
    for i in range(len(block)):
        first, last, start = _placed_range(block, i, e)
        full[i, :, first:last] = stored[i, :, start : start + last - first]
        ranges.append(kept_range(first, last, e.nx_full, e.nx))
    return remove_oversampling(full, e.nx), ranges
