"""A pane: what one part of the viewing room shows, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

from app.state.picture import Levels
from app.words import later
from core.viewing.cut import Slab
from core.viewing.standard import Orientation

Point = npt.NDArray[np.float64]
PANES = 4
"""There are always so many; a layout shows some of them."""


class Layout(Enum):
    """How the panes lie; the value is its name on screen, before it is translated."""

    ONE = later("One")
    SIDE = later("Side by side")
    FOUR = later("2 × 2")
    MPR = later("Three planes and 3-D")

    @property
    def shown(self) -> tuple[int, ...]:
        """Indices of the panes that it shows."""
        return {Layout.ONE: (0,), Layout.SIDE: (0, 1)}.get(self, (0, 1, 2, 3))


class Face(Enum):
    """What a pane draws: a plane, or the volume in three dimensions."""

    AXIAL = later("Axial")
    CORONAL = later("Coronal")
    SAGITTAL = later("Sagittal")
    STORED = later("As stored")
    RENDERED = later("3-D")

    @property
    def orientation(self) -> Orientation:
        """Of its plane. Raises KeyError for the rendering, which has none."""
        return Orientation[self.name]

    @property
    def flat(self) -> bool:
        return self is not Face.RENDERED


class Comparison(Enum):
    """How a second item is laid over the first."""

    NONE = later("Alone")
    SWIPE = later("Swipe")
    BLEND = later("Blend")
    FLICKER = later("Flicker")
    DIFFERENCE = later("Difference")


@dataclass(frozen=True, eq=False)
class Look:
    """How far in, and about which point, a pane looks. zoom: screen pixels per mm, None for the whole image. centre:
    the point of the patient in the middle of the pane, None for the middle of the image."""

    zoom: float | None = None
    centre: Point | None = field(default=None)


@dataclass(frozen=True, eq=False)
class Pane:
    """item, over: keys of what it shows and of what is laid over it, "" for nothing. share: where the swipe's edge lies
    or how much of the upper image is seen, 0 to 1. at: the point it shows while scrolling is not linked. own_levels:
    its grey scale while windows are not linked. patient_axes: cut along the patient's axes, not the volume's."""

    item: str = ""
    face: Face = Face.AXIAL
    over: str = ""
    comparison: Comparison = Comparison.NONE
    share: float = 0.5
    slab_mm: float = 0.0
    slab: Slab = Slab.MEAN
    invert: bool = False
    colours: str = "grey"
    look: Look = field(default_factory=Look)
    at: Point | None = None
    own_levels: Levels | None = None
    patient_axes: bool = False


FACES = {
    Layout.ONE: (Face.STORED,) * PANES,
    Layout.SIDE: (Face.STORED,) * PANES,
    Layout.FOUR: (Face.STORED,) * PANES,
    Layout.MPR: (Face.AXIAL, Face.CORONAL, Face.SAGITTAL, Face.RENDERED),
}
"""What the panes of each layout show at first."""
