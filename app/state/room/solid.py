"""How an item is seen in three dimensions: preset, own points, surface, what is cut off; and the way back from each."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from app.state.rendering import Box, Point, VolumePreset, room_presets
from app.state.room.item import Item, Kind
from app.state.undo import History
from core.viewing.grid import corners

LEAST_POINTS = 2
SURFACE_HU = 300.0
"""Bone."""
SURFACE_SHARE = 0.35
"""Of the way from black to white, for all other units."""
RENDERED = (Kind.VOLUME, Kind.CLASSICAL, Kind.RESULT)
"""Kinds whose values mean more the brighter they are."""

_CLOSEST = 1e-4
"""Of their whole range: how near points may come to each other."""


@dataclass(frozen=True)
class Solid:
    """preset: by name. points: of the user, in values of the item; None for the preset's. surface: the surface at the
    threshold in the place of the rays. box: what is left, LPS mm, None for all. depth: of a plane across the view that
    cuts off what is before it, mm behind the middle, None for no plane. slices: those through the crosshair are seen.
    """

    preset: str = ""
    points: tuple[Point, ...] | None = None
    surface: bool = False
    threshold: float = 0.0
    box: Box | None = None
    depth: float | None = None
    slices: bool = False


class SolidModel:
    """What one pane shows. history: where its steps go; another one may be put in its place."""

    changed = Signal()

    def __init__(self) -> None:
        self.history = History()
        self.now = Solid()
        self._item: Item | None = None
        self._of: dict[str, Solid] = {}
        self._scale = ""

    def take(self, item: Item) -> None:
        """Another item, or the next of a run: keeps what was set for its scale."""
        self._item = item
        if item.scale == self._scale:
            return
        self._of[self._scale] = self.now
        self._scale = item.scale
        self.now = self._of.get(item.scale) or self._usual(item)

    def _usual(self, item: Item) -> Solid:
        levels = item.offered
        share = levels.low + SURFACE_SHARE * levels.window
        return Solid(room_presets(item.unit)[0].name, threshold=SURFACE_HU if item.unit == "HU" else share)

    @property
    def placed(self) -> bool:
        """The patient's position is known."""
        return self._item is not None and self._item.placed

    @property
    def presets(self) -> tuple[VolumePreset, ...]:
        return room_presets(self._item.unit) if self._item else ()

    @property
    def preset(self) -> VolumePreset:
        return next((p for p in self.presets if p.name == self.now.preset), self.presets[0])

    @property
    def points(self) -> tuple[Point, ...]:
        """Those that are drawn, in values of the item."""
        if self.now.points is not None or self._item is None:
            return self.now.points or ()
        return self.preset.placed(self._item.offered)

    def change(self, label: str, merge_key: Hashable = None, **values: Any) -> None:
        """Change fields of `now`, as a step that can be undone. merge_key: as History.push."""
        before, after, scale = self.now, replace(self.now, **values), self._scale
        if after == before:
            return
        self._go_to(after, scale)
        self.history.push(label, lambda: self._go_to(before, scale), lambda: self._go_to(after, scale), merge_key)

    def _go_to(self, solid: Solid, scale: str) -> None:
        self._of[scale] = solid
        if scale == self._scale:
            self.now = solid
            self.changed.emit()


def whole_box(item: Item) -> Box:
    """The box along the patient's axes that holds an item, LPS mm."""
    found = corners(item.shape, item.affine, margin=0.5)
    l, p, h = zip(found.min(axis=0).tolist(), found.max(axis=0).tolist(), strict=True)  # noqa: E741
    return l, p, h


def moved(points: tuple[Point, ...], index: int, value: float, opacity: float) -> tuple[Point, ...]:
    """A point elsewhere, between its neighbours."""
    gap = _CLOSEST * (points[-1][0] - points[0][0])
    low = points[index - 1][0] + gap if index else -np.inf
    high = points[index + 1][0] - gap if index + 1 < len(points) else np.inf
    at = points[index][0] if low > high else float(np.clip(value, low, high))
    made = (at, *points[index][1:4], float(np.clip(opacity, 0, 1)))
    return (*points[:index], made, *points[index + 1 :])


def with_point(points: tuple[Point, ...], value: float, opacity: float) -> tuple[Point, ...]:
    """One point more, with the colour that is there; none where there is a point at this value."""
    if any(point[0] == value for point in points):
        return points
    red, green, blue = colours_at(points, np.array([value]))[0].tolist()
    made: Point = (value, red, green, blue, float(np.clip(opacity, 0, 1)))
    return tuple(sorted((*points, made)))


def without_point(points: tuple[Point, ...], index: int) -> tuple[Point, ...]:
    """One point less, as long as LEAST_POINTS are left."""
    return (*points[:index], *points[index + 1 :]) if len(points) > LEAST_POINTS else points


def coloured(points: tuple[Point, ...], index: int, rgb: tuple[float, float, float]) -> tuple[Point, ...]:
    """A point in another colour; parts 0 to 1."""
    value, *_, opacity = points[index]
    return (*points[:index], (value, *rgb, opacity), *points[index + 1 :])


def colours_at(points: tuple[Point, ...], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n, 3) red, green, blue between the points."""
    places = [point[0] for point in points]
    return np.stack([np.interp(values, places, [point[i] for point in points]) for i in (1, 2, 3)], axis=1)
