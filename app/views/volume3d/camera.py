"""The camera: looks at the middle of a stack along parallel rays, in a room whose axes are the patient's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from vtkmodules.vtkRenderingCore import vtkCamera

Vector = npt.NDArray[np.float64]

VIEWS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "A": ((0, -1, 0), (0, 0, 1)),
    "P": ((0, 1, 0), (0, 0, 1)),
    "L": ((1, 0, 0), (0, 0, 1)),
    "R": ((-1, 0, 0), (0, 0, 1)),
    "H": ((0, 0, 1), (0, -1, 0)),
    "F": ((0, 0, -1), (0, -1, 0)),
}
"""From where the patient is looked at, and what is up then, in LPS."""

_MARGIN = 1.1
_FAR = 5
"""Times the reach of the stack: how far away the camera stands."""


class Camera:
    """reach: from the middle of the stack to its corners, mm. Directions are LPS, places mm from the middle."""

    def __init__(self, camera: vtkCamera) -> None:
        self._camera = camera
        self.reach = 1.0

    def look_from(self, letter: str) -> None:
        """Look at the middle from one of VIEWS."""
        place, up = VIEWS[letter]
        self._camera.SetFocalPoint(0, 0, 0)
        self._camera.SetPosition(*(_FAR * self.reach * part for part in place))
        self._camera.SetViewUp(*up)
        self._camera.SetParallelProjection(1)

    def fit(self, points: Vector, aspect: float) -> None:
        """Zoom so that points (n, 3) just fit into a picture `aspect` times as wide as it is high."""
        wide, high = (float(np.abs(points @ axis).max()) for axis in self.screen_axes())
        self._camera.SetParallelScale(_MARGIN * max(high, wide / aspect))

    def turn(self, right: float, down: float) -> None:
        """Turn the stack under the hand, by degrees."""
        self._camera.Azimuth(-right)
        self._camera.Elevation(down)
        self._camera.OrthogonalizeViewUp()

    def zoom(self, factor: float) -> None:
        scale = min(max(self._camera.GetParallelScale() / factor, 0.02 * self.reach), 10 * self.reach)
        self._camera.SetParallelScale(scale)

    def pan(self, right: float, down: float) -> None:
        """Move the stack by shares of the picture's height."""
        across, below = self.screen_axes()
        height = 2 * self._camera.GetParallelScale()
        self._move(-height * (right * across + down * below))

    def screen_axes(self) -> tuple[Vector, Vector]:
        """The directions that run to the right and downwards on the screen."""
        up = np.array(self._camera.GetViewUp())
        right = np.cross(self._camera.GetDirectionOfProjection(), up)
        return right, -up

    @property
    def direction(self) -> Vector:
        """Into the picture."""
        return np.array(self._camera.GetDirectionOfProjection())

    @property
    def looks_at(self) -> Vector:
        """The place in the middle of the picture."""
        return np.array(self._camera.GetFocalPoint())

    @property
    def height_mm(self) -> float:
        """Of the whole picture."""
        return float(2 * self._camera.GetParallelScale())

    def take(self, other: Camera) -> None:
        """Look as another camera does."""
        self._camera.DeepCopy(other._camera)
        self.reach = other.reach

    def _move(self, by: Vector) -> None:
        self._camera.SetFocalPoint(*(np.array(self._camera.GetFocalPoint()) + by))
        self._camera.SetPosition(*(np.array(self._camera.GetPosition()) + by))
