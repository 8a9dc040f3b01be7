"""A sheet: the flat grid of pixels in the patient that a pane shows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from core.orientation import letter

Point = npt.NDArray[np.float64]
"""(3,) LPS mm."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """origin: (3,) LPS mm, the middle of pixel (0, 0). across, down: (3,) unit vectors to the right and downwards on
    the screen, at right angles. spacing: mm of a pixel (across, down). shape: pixels (height, width)."""

    origin: Point
    across: Point
    down: Point
    spacing: tuple[float, float]
    shape: tuple[int, int] = field(default=(1, 1))

    @property
    def normal(self) -> Point:
        """Away from the viewer: across x down."""
        return np.cross(self.across, self.down)

    def point_at(self, x: float, y: float) -> Point:
        """The place in the patient of a pixel; whole numbers are the middles of pixels."""
        return self.origin + x * self.spacing[0] * self.across + y * self.spacing[1] * self.down

    def pixel_of(self, point: npt.ArrayLike) -> tuple[float, float]:
        """The pixel (x, y) over which a point of the patient lies; the inverse of point_at within the sheet."""
        offset = np.asarray(point, dtype=np.float64) - self.origin
        return float(offset @ self.across) / self.spacing[0], float(offset @ self.down) / self.spacing[1]

    def depth_of(self, point: npt.ArrayLike) -> float:
        """How far behind the sheet a point lies, mm along the normal."""
        return float((np.asarray(point, dtype=np.float64) - self.origin) @ self.normal)

    def moved(self, depth: float) -> Sheet:
        """The same sheet, so many mm further along its normal."""
        return replace(self, origin=self.origin + depth * self.normal)

    def through(self, point: npt.ArrayLike) -> Sheet:
        """The same sheet, moved along its normal so that a point lies in it."""
        return self.moved(self.depth_of(point))

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """At the (left, right, top, bottom) edge."""
        return letter(-self.across), letter(self.across), letter(-self.down), letter(self.down)
