"""An image stack as the views draw it: complex frames and their real components."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

COMPONENTS = ("magnitude", "phase", "real", "imaginary")
WHITE_PERCENTILE = 99.5

Plane = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Levels:
    """The grey scale: low is drawn black, high white. window is its width, level its middle."""

    low: float
    high: float

    @classmethod
    def of_window(cls, window: float, level: float) -> Levels:
        return cls(level - window / 2, level + window / 2)

    @property
    def window(self) -> float:
        return self.high - self.low

    @property
    def level(self) -> float:
        return (self.high + self.low) / 2


class Picture:
    """Frames (frame, y, x) complex64 and what is drawn of them.

    The magnitude of all frames is made at once, by whoever makes the picture (the worker); the other components frame
    by frame, when they are looked at. Values that are no numbers are drawn as 0.
    """

    def __init__(self, image: npt.NDArray[np.complex64]) -> None:
        self.image = np.asarray(image)
        self._drawn: dict[tuple[str, int], Plane] = {}
        for frame in range(len(self.image)):
            self.component("magnitude", frame)

    @property
    def frames(self) -> int:
        return len(self.image)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.image.shape[1], self.image.shape[2]

    def component(self, name: str, frame: int) -> Plane:
        """One of COMPONENTS of a frame as float32, finite everywhere."""
        key = (name, frame)
        if key not in self._drawn:
            plane = _MAKERS[name](self.image[frame]).astype(np.float32)
            self._drawn[key] = np.nan_to_num(plane, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        return self._drawn[key]

    def levels(self) -> dict[str, Levels]:
        """The grey scale of every component: magnitude from 0 to its 99.5th percentile over all frames."""
        magnitudes = np.stack([self.component("magnitude", f) for f in range(self.frames)])
        white = float(np.percentile(magnitudes, WHITE_PERCENTILE)) or float(magnitudes.max()) or 1.0
        signed = Levels(-white, white)
        return {
            "magnitude": Levels(0.0, white),
            "phase": Levels(-np.pi, np.pi),
            "real": signed,
            "imaginary": signed,
        }


_MAKERS: dict[str, Callable[[npt.NDArray[np.complex64]], Plane]] = {
    "magnitude": np.abs,
    "phase": np.angle,
    "real": np.real,
    "imaginary": np.imag,
}
