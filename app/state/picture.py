"""An image stack as the views draw it: frames and the real numbers that are drawn of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.state.windows import windows_for

COMPONENTS = ("magnitude", "phase", "real", "imaginary")
"""What can be drawn of a complex image."""
VALUE = "value"
"""What is drawn of a real image: its numbers as they are, with their sign."""
WHITE_PERCENTILE = 99.5
_MOST_SAMPLES = 4_000_000
"""Of more numbers than that a percentile is estimated from evenly spread ones."""

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
    """Frames (frame, y, x), complex64 or float32, and what is drawn of them. unit: of the numbers.

    Whoever makes a picture (the worker) pays for it: the magnitude of all complex frames is made at once; real frames
    are drawn as they are, without a copy. The other components are made of a frame when it is looked at. Values that
    are no numbers are drawn as 0.
    """

    def __init__(self, image: npt.NDArray[Any], unit: str = "a.u.") -> None:
        self.image = np.asarray(image)
        self.unit = unit
        self.components = COMPONENTS if np.iscomplexobj(self.image) else (VALUE,)
        self.values = _finite(np.abs(self.image) if self.is_complex else self.image)
        self._drawn: dict[tuple[str, int], Plane] = {}

    @property
    def is_complex(self) -> bool:
        return self.components is COMPONENTS

    @property
    def frames(self) -> int:
        return len(self.image)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.image.shape[1], self.image.shape[2]

    def component(self, name: str, frame: int) -> Plane:
        """One of `components` of a frame as float32, finite everywhere; of a real image its values, whatever is asked.

        The same array each time, so that a view can tell that nothing has changed.
        """
        key = (self._made_by(name), frame)
        if key not in self._drawn:
            self._drawn[key] = self.drawn_of(name, (frame,))
        return self._drawn[key]

    def drawn_of(self, name: str, part: tuple[Any, ...]) -> Plane:
        """A component of a part of the stack, given as an index into (frame, y, x)."""
        made = self._made_by(name)
        return self.values[part] if made == self.components[0] else _finite(_MAKERS[made](self.image[part]))

    def levels(self) -> dict[str, Levels]:
        """The grey scale of every component.

        Magnitude from 0 to its 99.5th percentile over all frames. Of real images the usual window for their unit, or
        else their 0.5th to 99.5th percentile.
        """
        if not self.is_complex:
            usual = windows_for(self.unit)
            return {VALUE: Levels.of_window(usual[0].window, usual[0].level) if usual else self.range()}
        bright = self.brightness()
        signed = Levels(-bright.high, bright.high)
        return {
            "magnitude": bright,
            "phase": Levels(-np.pi, np.pi),
            "real": signed,
            "imaginary": signed,
        }

    def range(self) -> Levels:
        """From the 0.5th to the 99.5th percentile of the values."""
        low, high = np.percentile(_sample(self.values), (100 - WHITE_PERCENTILE, WHITE_PERCENTILE))
        if low == high:
            low, high = float(self.values.min()), float(self.values.max())
        return Levels(float(low), float(high) if high > low else float(low) + 1.0)

    def brightness(self) -> Levels:
        """From 0 to the 99.5th percentile, for what is never below 0."""
        white = float(np.percentile(_sample(self.values), WHITE_PERCENTILE)) or float(self.values.max()) or 1.0
        return Levels(0.0, white)

    def _made_by(self, name: str) -> str:
        return name if name in self.components else self.components[0]


def _finite(values: npt.NDArray[Any]) -> Plane:
    """As float32, a copy only where it must be another."""
    plane: Plane = values.astype(np.float32, copy=False)
    # One sum tells without a mask as large as the stack: it is finite unless some value is not, or it overflows.
    if np.isfinite(plane.sum(dtype=np.float64)):
        return plane
    return np.nan_to_num(plane, nan=0.0, posinf=0.0, neginf=0.0)


def _sample(values: Plane) -> Plane:
    step = -(-values.size // _MOST_SAMPLES)
    return values if step <= 1 else values.reshape(-1)[::step] if values.flags.c_contiguous else values[::step]


_MAKERS: dict[str, Callable[[npt.NDArray[Any]], npt.NDArray[Any]]] = {
    "magnitude": np.abs,
    "phase": np.angle,
    "real": np.real,
    "imaginary": np.imag,
}
