"""The words over a rendering: what it is of, how it is seen, which side is where; or why there is no picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.state.room.item import Item, Kind
from app.state.room.solid import RENDERED, SolidModel
from app.state.room.solid_parts import Prepared, Skin
from app.views.number_edit import format_number
from app.views.overlay import Overlay
from app.words import tr
from core.orientation import letter

Directions = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def words_of(error: Exception) -> str:
    """What an error says of why nothing can be rendered."""
    if isinstance(error, MemoryError):
        return tr("The memory ran out. Close other volumes or programs.")
    return str(error) or type(error).__name__


def words_in_the_middle(trouble: str, item: Item | None, ready: bool) -> str:
    """Why there is no picture, or "". ready: there is what could be rendered, and what renders it."""
    if trouble:
        return trouble
    if item is not None and item.kind not in RENDERED:
        difference = item.kind is Kind.DIFFERENCE
        return tr("A difference is not rendered.") if difference else tr("A map of numbers is not rendered.")
    return "" if ready else tr("Preparing the rendering …")


def grid_words(skin: Skin | None, made: Prepared | None) -> tuple[str, ...]:
    """Of what is seen, where it has fewer voxels than the volume."""
    if skin is not None:
        return skin.words
    return made.stack.words if made is not None else ()


def edge_letters(directions: Directions) -> tuple[str, str, str, str]:
    """The sides of the patient to the left, to the right, at the top and at the bottom."""
    right, down = directions
    return letter(-right), letter(right), letter(-down), letter(down)


def overlay(
    title: str, grid: tuple[str, ...], item: Item, model: SolidModel, skin: Skin | None, directions: Directions
) -> Overlay:
    """The words under a title, of a grid. directions: to the right and downwards on the screen, LPS."""
    now = model.now
    if skin is not None:
        how = tr("Surface at {value}", value=format_number(now.threshold))
    elif now.points is not None:
        how = tr("{preset}, changed", preset=tr(model.preset.name))
    else:
        how = tr(model.preset.name)
    return Overlay(
        title=title,
        place=(how,),
        marks=(*item.marks, *((tr("Cut open"),) if now.box is not None or now.depth is not None else ())),
        cursor=grid,
        letters=edge_letters(directions) if item.placed else None,
    )
