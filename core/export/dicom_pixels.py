"""Numbers as 16-bit pixels with a rescale slope and intercept (DICOM PS3.3 C.11.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.export import ExportError
from core.scan import Volume

Pixels = npt.NDArray[Any]

_HU_OFFSET = -1024.0
_WHOLE_HU = _HU_OFFSET - 2**15, _HU_OFFSET + 2**15 - 1
"""What whole HU in 16 bits reach."""

_FEW_HU = 256.0
"""Below this span whole HU would show steps."""

_WINDOW_HU = 40.0, 400.0
_BRIGHT = 99.5


@dataclass(frozen=True)
class Scale:
    """value = slope * stored + intercept, stored of the type int16 or uint16. window: (centre, width) of values."""

    slope: float
    intercept: float
    stored: np.dtype[Any]
    window: tuple[float, float]

    def pack(self, values: Pixels) -> Pixels:
        """The stored numbers, at most half a slope off."""
        limits = np.iinfo(self.stored)
        steps = (values.astype(np.float64) - self.intercept) / self.slope
        return np.clip(np.rint(steps), limits.min, limits.max).astype(self.stored)


def real_values(volume: Volume) -> Pixels:
    """The array, of complex numbers the magnitude, float32. Raises ExportError for NaN and infinity."""
    array = np.abs(volume.array) if np.iscomplexobj(volume.array) else volume.array
    if array.ndim != 3 or array.size == 0 or not np.isfinite(array).all():
        raise ExportError("This image cannot be written.", "It is empty, or holds NaN or infinite numbers.")
    return np.asarray(array, dtype=np.float32)


def scale_for(values: Pixels, unit: str) -> Scale:
    """HU: whole numbers, 0.5 off at most, where they fit into int16. All else: uint16 over the range of the values.

    Of values without a negative one, 0 stays exactly 0. The numbers are those that 16 characters hold.
    """
    low, high = float(values.min()), float(values.max())
    if unit == "HU" and high - low >= _FEW_HU and _WHOLE_HU[0] <= low and high <= _WHOLE_HU[1]:
        return Scale(1.0, _HU_OFFSET, np.dtype("<i2"), _WINDOW_HU)
    bottom = as_written(min(low, 0.0) if unit != "HU" else low)
    slope = as_written((high - bottom) / 65535) or 1.0
    bright = float(np.percentile(values, _BRIGHT))
    width = (bright if bright > bottom else high) - bottom or 1.0
    window = _WINDOW_HU if unit == "HU" else (bottom + width / 2, width)
    return Scale(slope, bottom, np.dtype("<u2"), window)


def decimal(value: float) -> str:
    """A decimal string of at most 16 characters, as exact as fits (PS3.5 6.2, DS)."""
    from pydicom.valuerep import format_number_as_ds

    return str(format_number_as_ds(float(value)))


def as_written(value: float) -> float:
    """The number that a reader gets of a decimal string."""
    return float(decimal(value))
