"""Voxels kept as small as they allow: int16 where all are whole numbers within its range, else float32 or complex64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Voxels = npt.NDArray[Any]
Slices = Callable[[], Iterator[tuple[int, Voxels]]]

_RANGE = np.iinfo(np.int16)


def gathered(shape: tuple[int, ...], slices: Slices, whole: bool) -> Voxels:
    """int16 or float32 (slice, y, x), filled slice by slice without a second copy of the whole.

    slices: makes an iterator of (place, numbers (y, x)); it is called again where a number turns out not to fit int16.
    whole: they may be whole numbers.
    """
    if whole:
        small = np.empty(shape, dtype=np.int16)
        if _fill_small(small, slices()):
            return small
        # Let go before the larger array is made, so that the two never lie in memory together.
        del small
    array = np.empty(shape, dtype=np.float32)
    with np.errstate(over="ignore"):
        for place, numbers in slices():
            array[place] = numbers
    return array


def _fill_small(array: Voxels, slices: Iterator[tuple[int, Voxels]]) -> bool:
    for place, numbers in slices:
        if numbers.dtype.kind not in "iu" or numbers.min() < _RANGE.min or numbers.max() > _RANGE.max:
            return False
        array[place] = numbers
    return True


def rescaled(numbers: Voxels, slope: float, intercept: float) -> Voxels:
    """Stored numbers times slope plus intercept; int64 where all of them are whole, else float64."""
    if numbers.dtype.kind in "iu" and is_whole(slope, intercept):
        return np.asarray(numbers.astype(np.int64) * int(slope) + int(intercept))
    return np.asarray(numbers * np.float64(slope) + intercept)


def is_whole(slope: float, intercept: float) -> bool:
    """Whole stored numbers stay whole, and no product leaves int64."""
    return float(slope).is_integer() and float(intercept).is_integer() and abs(slope) < 2**15 and abs(intercept) < 2**40


def as_small(array: Voxels) -> Voxels:
    """An array (slice, y, x) of any numbers as contiguous int16, float32 or complex64; itself where it is that."""
    if array.dtype.kind == "c":
        return np.ascontiguousarray(array, dtype=np.complex64)
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(array, dtype=np.float32)
    if array.dtype == np.int16 and array.dtype.isnative:
        return np.ascontiguousarray(array)
    return gathered(array.shape, lambda: enumerate(array), whole=True)


def range_of(array: Voxels) -> tuple[float, float]:
    """(lowest, highest) of real numbers, those that are NaN left out; NaN where all are."""
    return float(np.fmin.reduce(array, axis=None)), float(np.fmax.reduce(array, axis=None))
