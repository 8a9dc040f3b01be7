"""An item: a volume that a pane can hold, whoever made it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from app.state.picture import Levels
from app.state.windows import NamedWindow, windows_for
from core.orientation import Affine, spacing_of

Values = npt.NDArray[Any]
Point = npt.NDArray[np.float64]


class Kind(Enum):
    """Where an item comes from; the value is the word for it."""

    VOLUME = "volume"
    CLASSICAL = "measured data only"
    RESULT = "reconstruction"
    SPREAD = "uncertainty"
    SUPPORT = "measured support"
    DIFFERENCE = "difference"


MAPS = (Kind.SPREAD, Kind.SUPPORT, Kind.DIFFERENCE)
"""Kinds whose numbers are no image values."""


@dataclass(frozen=True, eq=False)
class Item:
    """key: who it is; an item with the same key takes its place, as the next estimate of a run does.

    name: what lists and panes call it, such as "DDS 20, CG 5, gamma 5". stacks: float32 or int16 (stack, z, y, x); more
    than one stack are repetitions, contrasts, or the steps of a run, which `moments` names. affine: LPS mm of voxel
    indices (x, y, z); where the patient's position is not known (placed False) mm from the first voxel. offered: the
    grey scale until the user sets one. from_file: windows that the file brings along. marks: what must stand in every
    picture of it. state: such as "step 3 of 20", or "". final: nothing will take its place. spaced: its voxels
    have a known size; where False they count as 1 mm, and no length may be told in mm. origin: what it was made of, for
    exports (an Opened, or a Run).
    """

    key: str
    name: str
    kind: Kind
    stacks: Values = field(repr=False)
    affine: Affine = field(repr=False)
    placed: bool
    unit: str
    offered: Levels
    from_file: tuple[NamedWindow, ...] = ()
    marks: tuple[str, ...] = ()
    state: str = ""
    moments: tuple[str, ...] = ()
    final: bool = True
    spaced: bool = True
    origin: object = field(default=None, repr=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a stack, (z, y, x)."""
        z, y, x = self.stacks.shape[1:]
        return z, y, x

    @property
    def signed(self) -> bool:
        """Its numbers are differences: shown about zero, in colours."""
        return self.kind is Kind.DIFFERENCE

    @property
    def scale(self) -> str:
        """Items with the same scale are shown with the same window where windows are linked."""
        own = self.kind in MAPS
        return f"{self.unit} {self.kind.value}" if own else self.unit if self.unit != "a.u." else f"a.u. {self.family}"

    @property
    def family(self) -> str:
        """Items whose arbitrary units are the same: those of one scan."""
        return self.key.split("/")[0]

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        return spacing_of(self.affine)

    @cached_property
    def middle(self) -> Point:
        """Of the voxel in the middle, mm."""
        z, y, x = (n // 2 for n in self.shape)
        place: Point = (self.affine @ (x, y, z, 1))[:3]
        return place

    @property
    def windows(self) -> tuple[NamedWindow, ...]:
        """Those of the file first, then the usual ones for its unit."""
        usual = () if self.kind in MAPS else windows_for(self.unit)
        return (*self.from_file, *usual)

    def stack(self, moment: int) -> Values:
        """(z, y, x) at a moment, the last one where there are fewer."""
        found: Values = self.stacks[min(moment, len(self.stacks) - 1)]
        return found

    @property
    def title(self) -> str:
        return f"{self.name} — {self.state}" if self.state else self.name
