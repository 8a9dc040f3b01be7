"""What a rendering is made of, worked out from an item: its reduced stack, its surface, the slices through a point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.state.picture import Levels
from app.state.rendering import MOVING, SETTLED, ReducedStack, coarser_if_short, reduced
from app.state.room.drawing import DARKEST, indices
from app.state.room.item import Item
from app.words import tr
from core.viewing.cut import cut
from core.viewing.histogram import histogram
from core.viewing.sheet import Sheet
from core.viewing.standard import Orientation, standard_sheet
from core.viewing.surface import Surface, surface

SURFACE_SIDE = 192
"""Voxels a side, or as many in all, of which a surface is made."""
Pixels = npt.NDArray[np.uint8]
"""(height, width, 4): red, green, blue, opacity."""
_PLANES = (Orientation.AXIAL, Orientation.CORONAL, Orientation.SAGITTAL)


@dataclass(frozen=True, eq=False)
class Prepared:
    """counts (n,) and edges (n + 1,): the histogram of the reduced stack."""

    item: Item
    moment: int
    stack: ReducedStack
    counts: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Skin:
    """A surface. words: its grid, as ReducedStack.words."""

    surface: Surface
    words: tuple[str, ...]
    sentence: str


def prepared(item: Item, moment: int) -> Prepared:
    """For any thread. An estimate that will be replaced is reduced further than a result."""
    values = item.stack(moment)

    def make(most: int) -> Prepared:
        stack = reduced(values, 0, len(values), most)
        counts, edges = histogram(stack.values)
        return Prepared(item, moment, stack.work_out(), counts, edges)

    return coarser_if_short(make, SETTLED if item.final else MOVING)


def skin(item: Item, moment: int, threshold: float, stopped: Callable[[], bool]) -> Skin | None:
    """The surface of an item at a threshold, None if it was stopped. For any thread. Raises ScanError as `surface`."""
    values = item.stack(moment)
    side = SURFACE_SIDE if item.final else MOVING
    return coarser_if_short(lambda most: _skin(item, reduced(values, 0, len(values), most), threshold, stopped), side)


def _skin(item: Item, stack: ReducedStack, threshold: float, stopped: Callable[[], bool]) -> Skin | None:
    affine = item.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ stack.first  # where the middle of the first block lies
    found = surface(stack.values, affine, threshold, step=stack.step, stopped=stopped)
    if found is None:
        return None
    _ = found.normals  # in this thread, not in the one that draws
    grid = " × ".join(str(n) for n in stack.values.shape[::-1])
    count = f"{len(found.triangles):,}".replace(",", " ")
    if stack.words:
        made = tr("{count} triangles, made on {grid} voxels {of}.", count=count, grid=grid, of=stack.words[1])
    else:
        made = tr("{count} triangles, made on all {grid} voxels.", count=count, grid=grid)
    return Skin(found, stack.words, made)


def slices_through(
    item: Item, moment: int, point: npt.NDArray[np.float64], levels: Levels
) -> list[tuple[Sheet, Pixels]]:
    """The three standard planes through a point with their pixels (height, width, 4); what is black is seen through."""
    sheets = [standard_sheet(item.shape, item.affine, plane, point) for plane in _PLANES]
    return [(sheet, _grey(cut(item.stack(moment), item.affine, sheet), levels)) for sheet in sheets]


def _grey(plane: npt.NDArray[Any], levels: Levels) -> Pixels:
    level = indices(plane, levels)
    pixels = np.empty((*level.shape, 4), np.uint8)
    pixels[..., :3] = level[..., None]
    pixels[..., 3] = np.where(level > DARKEST, 255, 0)
    return pixels
