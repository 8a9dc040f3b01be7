"""A measurement: a figure laid into the patient, on the image in which it was drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import numpy.typing as npt

from app.words import later
from core.viewing.cut import Slab
from core.viewing.sheet import Point, Sheet

Points = npt.NDArray[np.float64]
"""(n, 3) LPS mm."""

_ROUND = 72


class Figure(Enum):
    """What is measured with; the value is the name of its tool and of its kind in files."""

    DISTANCE = "distance"
    ANGLE = "angle"
    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    FREEHAND = "freehand"
    PROFILE = "profile"
    PROBE = "probe"

    @property
    def words(self) -> str:
        """Its name, to be translated."""
        return _WORDS[self]

    @property
    def is_region(self) -> bool:
        """Of which there are statistics."""
        return self in (Figure.RECTANGLE, Figure.ELLIPSE, Figure.FREEHAND)

    @property
    def points(self) -> tuple[int, int]:
        """The least and the most points that fix it."""
        return _POINTS.get(self, (2, 2))


MOST_POINTS = 20_000
"""Of a free-hand region."""

_POINTS = {Figure.ANGLE: (3, 3), Figure.FREEHAND: (3, MOST_POINTS), Figure.PROBE: (1, 1)}
_WORDS = {
    Figure.DISTANCE: later("Distance"),
    Figure.ANGLE: later("Angle"),
    Figure.RECTANGLE: later("Rectangle"),
    Figure.ELLIPSE: later("Ellipse"),
    Figure.FREEHAND: later("Free-hand"),
    Figure.PROFILE: later("Profile"),
    Figure.PROBE: later("Probe"),
}


@dataclass(frozen=True, eq=False)
class Measurement:
    """key: who it is, "" until it is kept. item: Item.key of the image whose numbers it tells.

    plane: in which it was drawn, a Sheet of pixels of 1 mm; a rectangle or an ellipse has its sides along it. points:
    (n, 3) LPS mm in that plane: ends, or arm, vertex and arm, or opposite corners, or the line of a free-hand region.
    placed: LPS mm are those of the patient, not only of the volume. slab_mm, slab: of the pane in which it was drawn; a
    region tells the numbers of that slab.
    """

    figure: Figure
    item: str
    plane: Sheet
    points: Points
    name: str = ""
    key: str = ""
    placed: bool = True
    slab_mm: float = 0.0
    slab: Slab = Slab.MEAN

    @property
    def complete(self) -> bool:
        """It has the points that its figure needs."""
        least, most = self.figure.points
        return least <= len(self.points) <= most

    @property
    def middle(self) -> Point:
        """Of its outline, in its plane."""
        found: Point = self.outline.mean(axis=0)
        return found

    @property
    def outline(self) -> Points:
        """(n, 3), the line that is drawn; closed for a region."""
        if len(self.points) == 2 and self.figure is Figure.RECTANGLE:
            return self._solid(_corners(self._flat()))
        if len(self.points) == 2 and self.figure is Figure.ELLIPSE:
            (left, top), (right, bottom) = self._flat()
            turn = np.linspace(0.0, 2 * np.pi, _ROUND, endpoint=False)
            across = (left + right) / 2 + (right - left) / 2 * np.cos(turn)
            return self._solid(np.stack([across, (top + bottom) / 2 + (bottom - top) / 2 * np.sin(turn)], axis=1))
        return self.points

    @property
    def handles(self) -> Points:
        """(n, 3), the points by which it is changed."""
        if len(self.points) == 2 and self.figure is Figure.RECTANGLE:
            return self.outline
        if len(self.points) == 2 and self.figure is Figure.ELLIPSE:
            return self._solid(_sides(self._flat()))
        return self.points[:0] if self.figure is Figure.FREEHAND else self.points

    def with_handle(self, index: int, point: npt.ArrayLike) -> Measurement:
        """With one handle moved over a point; what lies opposite stays."""
        target = self.within(point)
        if self.figure is Figure.RECTANGLE:
            return replace(self, points=np.stack([self.handles[(index + 2) % 4], target]))
        points = self.points.copy()
        if self.figure is Figure.ELLIPSE:
            flat, axis = self._flat(), 1 - index % 2
            flat[0 if index in (0, 3) else 1, axis] = self.plane.pixel_of(target)[axis]
            return replace(self, points=self._solid(flat))
        points[index] = target
        return replace(self, points=points)

    def with_point(self, point: npt.ArrayLike) -> Measurement:
        """With one more point."""
        return replace(self, points=np.concatenate([self.points, self.within(point)[None]]))

    def ending_at(self, point: npt.ArrayLike) -> Measurement:
        """With its last point there."""
        return replace(self, points=np.concatenate([self.points[:-1], self.within(point)[None]]))

    def shifted(self, by: npt.ArrayLike) -> Measurement:
        """Moved as a whole by (3,) mm, within its plane."""
        way = np.asarray(by, dtype=np.float64)
        return replace(self, points=self.points + (way - (way @ self.plane.normal) * self.plane.normal))

    def within(self, point: npt.ArrayLike) -> Point:
        """The point of its plane under a point."""
        return self.plane.point_at(*self.plane.pixel_of(point))

    def is_seen_on(self, sheet: Sheet, step: float) -> bool:
        """It lies along a sheet, and no more than half a step of slices before or behind it."""
        parallel = abs(float(sheet.normal @ self.plane.normal)) > PARALLEL
        return parallel and abs(sheet.depth_of(self.middle)) <= step / 2 * (1 + 1e-6)

    def _flat(self) -> npt.NDArray[np.float64]:
        return np.array([self.plane.pixel_of(point) for point in self.points])

    def _solid(self, flat: npt.NDArray[np.float64]) -> Points:
        plane = self.plane
        return plane.origin + flat[:, :1] * plane.across + flat[:, 1:] * plane.down


PARALLEL = 1 - 1e-6
"""Cosine between two planes that are taken for parallel."""


def plane_of_sheet(sheet: Sheet) -> Sheet:
    """The plane of a sheet, in pixels of 1 mm."""
    return Sheet(sheet.origin.copy(), sheet.across.copy(), sheet.down.copy(), (1.0, 1.0))


def kept_apart(points: Iterable[Point], least_mm: float) -> Points:
    """Those points that lie so far from the one before them, (n, 3)."""
    kept: list[Point] = []
    for point in points:
        if not kept or float(np.linalg.norm(point - kept[-1])) >= least_mm:
            kept.append(point)
    return np.array(kept).reshape(-1, 3)


def _corners(flat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    (left, top), (right, bottom) = flat
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _sides(flat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    (left, top), (right, bottom) = flat
    x, y = (left + right) / 2, (top + bottom) / 2
    return np.array([(x, top), (right, y), (x, bottom), (left, y)])
