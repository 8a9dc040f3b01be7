"""Neighbourhoods in a frame: the Gaussian window of the maps, and where there is an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import JobError
from core.scan import Volume

Frames = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

BRIGHT_PERCENTILE = 99.5
LARGEST = 100.0
"""Standard deviation of a window, pixels or mm."""
FOREGROUND = 0.1
"""Of the bright parts: below it there is no object."""


@dataclass(frozen=True)
class Window:
    """A Gaussian neighbourhood within a frame: its standard deviation in pixels, or in mm where that is given.

    0 is each pixel alone. Raises JobError for a number that makes no window.
    """

    pixels: float = 2.0
    mm: float | None = None

    def __post_init__(self) -> None:
        chosen = self.pixels if self.mm is None else self.mm
        if not 0 <= chosen <= LARGEST:
            raise JobError(f"A window of {chosen:g} cannot be used.", "", f"Choose from 0 to {LARGEST:g}.")

    def sigmas(self, spacing_mm: tuple[float, float, float]) -> tuple[float, float]:
        """(y, x) in pixels."""
        if self.mm is None:
            return self.pixels, self.pixels
        return self.mm / spacing_mm[1], self.mm / spacing_mm[0]


def mean_within(frame: npt.NDArray[Any], sigmas: tuple[float, float]) -> npt.NDArray[Any]:
    """The Gaussian mean about each pixel of a real or complex frame (y, x); beyond the edge it goes on as a mirror."""
    from scipy.ndimage import gaussian_filter

    if max(sigmas) <= 0:
        return frame
    mean: npt.NDArray[Any] = gaussian_filter(frame, sigmas, mode="reflect", truncate=3.0)
    return mean


def energy_of(frame: npt.NDArray[Any]) -> FloatArray:
    """|x|^2."""
    energy: FloatArray = (frame.real**2 + frame.imag**2 if np.iscomplexobj(frame) else frame**2).astype(np.float32)
    return energy


def shown(volume: Volume, frames: Frames | None = None) -> FloatArray:
    """What is seen of frames of a volume (by default its own): magnitudes of complex ones, else the numbers."""
    chosen = volume.array if frames is None else frames
    seen: FloatArray = (np.abs(chosen) if np.iscomplexobj(chosen) else chosen).astype(np.float32)
    return seen


def air_of(unit: str) -> float:
    """The number of air, from which signal is counted."""
    return -1000.0 if unit == "HU" else 0.0


def bright_of(signal: Frames) -> float:
    """The bright parts of an image whose air is 0; 1 for an empty one."""
    return float(np.percentile(np.abs(signal), BRIGHT_PERCENTILE)) or 1.0


def object_mask(volume: Volume) -> BoolArray:
    """Where a volume shows an object: brighter than a tenth of its bright parts, holes of each frame filled."""
    from scipy.ndimage import binary_fill_holes

    signal = shown(volume) - air_of(volume.unit)
    above = signal > FOREGROUND * bright_of(signal)
    return np.stack([binary_fill_holes(frame) for frame in above])
