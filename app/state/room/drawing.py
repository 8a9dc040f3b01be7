"""From the numbers of a plane to the 256 levels that are drawn. Pure functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from app.state.picture import Levels
from app.state.room.item import Item
from app.state.room.pane import Pane
from core.viewing.cut import cut
from core.viewing.sheet import Sheet

Plane = npt.NDArray[Any]
DARKEST = 1
"""Level 0 is kept for pixels outside the volume, which are black in every colour map."""


def plane_of(item: Item, pane: Pane, sheet: Sheet, moment: int) -> Plane:
    """What an item has on a sheet (height, width), NaN where it has nothing."""
    return cut(item.stack(moment), item.affine, sheet, slab_mm=pane.slab_mm, mode=pane.slab)


def indices(plane: Plane, levels: Levels) -> npt.NDArray[np.uint8]:
    """Levels 1 to 255 between black and white, 0 where there is no number."""
    width = max(levels.window, 1e-30)
    scale = (255 - DARKEST) / width
    drawn = np.multiply(plane, np.float32(scale), dtype=np.float32)
    drawn += np.float32(DARKEST + 0.5 - levels.low * scale)
    if plane.dtype.kind != "f":
        return np.clip(drawn, DARKEST, 255, out=drawn).astype(np.uint8)
    outside = np.isnan(drawn)
    np.clip(drawn, DARKEST, 255, out=drawn)
    if outside.any():
        drawn[outside] = 0
    return drawn.astype(np.uint8)


def difference_of(one: Plane, other: Plane) -> npt.NDArray[np.float32]:
    """one - other, float32."""
    return np.subtract(one, other, dtype=np.float32)


def symmetric(levels: Levels) -> Levels:
    """The scale about zero on which differences of images with these levels are shown: a quarter of their window."""
    reach = levels.window / 4
    return Levels(-reach, reach)
