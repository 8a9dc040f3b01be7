"""The words over a pane of the viewing room: what it shows, where it is cut, how it is drawn, and the cursor."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.state.picture import Levels
from app.state.room.item import Item, Kind
from app.state.room.pane import Comparison, Pane
from app.state.room.room import Room
from app.views.number_edit import format_number
from app.views.overlay import Overlay
from app.views.room_colours import GREY, table
from app.words import later, tr
from core.formats.volume_parts import Opened
from core.viewing.cut import Slab
from core.viewing.lengths import value_at

Point = npt.NDArray[np.float64]

SLABS = {Slab.MEAN: later("mean"), Slab.MIP: later("MIP"), Slab.MINIP: later("MinIP")}
WRITTEN = ("HU", "1/mm")
"""Units that say something; arbitrary ones go without saying."""
_AXES = ("LR", "PA", "HF")


def pane_overlay(room: Room, index: int, levels: Levels, point: Point | None, colours: str = GREY) -> Overlay:
    """Over a flat pane. levels, colours: as it is drawn. point: under the cursor."""
    item, pane, sheet = room.item_in(index), room.panes[index], room.sheet_of(index)
    if item is None or sheet is None:
        return Overlay()
    over = room.over_in(index)
    return Overlay(
        title=_title(item, over, pane),
        place=tuple(line for line in _place(room, index) if line) if room.corners else (),
        who=_who(item) if room.identity else (),
        marks=tuple(dict.fromkeys((*item.marks, *(over.marks if over else ()), *_kind_marks(item, over)))),
        levels=window_words(levels, item.unit) if room.corners else "",
        cursor=_cursor(room, item, over, point) if room.corners and point is not None else (),
        letters=sheet.letters if item.placed else None,
        millimetres=item.spaced,
        colours=(format_number(levels.low), format_number(levels.high)) if colours != GREY else None,
        palette=tuple(table(colours, pane.invert)[1:]) if colours != GREY else (),
    )


def window_words(levels: Levels, unit: str) -> str:
    """Such as "W 400  L 40 HU"."""
    words = f"W {format_number(levels.window)}  L {format_number(levels.level)}"
    return f"{words} {unit}" if unit in WRITTEN else words


def place_words(point: Point, placed: bool) -> str:
    """Such as "L 12.3 P 4.0 H 55.1 mm"; plain millimetres where the patient's position is not known."""
    if not placed:
        return "  ".join(f"{name} {value:.1f}" for name, value in zip("xyz", point, strict=True)) + " mm"
    return " ".join(f"{pair[0 if v >= 0 else 1]} {abs(v):.1f}" for v, pair in zip(point, _AXES, strict=True)) + " mm"


def _title(item: Item, over: Item | None, pane: Pane) -> str:
    if over is None:
        return item.title
    if pane.comparison is Comparison.DIFFERENCE:
        return tr("{one} minus {other}", one=item.name, other=over.name)
    return f"{item.title} | {over.title}"


def _place(room: Room, index: int) -> tuple[str, ...]:
    item, pane, place = room.item_in(index), room.panes[index], room.place_of(index)
    assert item is not None
    face = tr(pane.face.value)
    where = f"{face} {place[0] + 1} / {place[1]}" if place else face
    slab = tr("{kind} of {thick} mm", kind=tr(SLABS[pane.slab]), thick=f"{pane.slab_mm:g}") if pane.slab_mm else ""
    moment = min(room.moment, len(item.stacks) - 1)
    named = item.moments[moment] if moment < len(item.moments) else f"{moment + 1} / {len(item.stacks)}"
    return (
        where,
        slab,
        named if len(item.stacks) > 1 else "",
        tr("along the patient's axes") if pane.patient_axes else "",
    )


def _who(item: Item) -> tuple[str, ...]:
    """Of whom it is, as the file tells; only for the screen and only when the user asks for it."""
    if not isinstance(item.origin, Opened):
        return ()
    known = item.origin.identity
    return tuple(line for line in (known.patient_name, known.patient_id, known.birth_date, known.study_date) if line)


def _kind_marks(item: Item, over: Item | None) -> tuple[str, ...]:
    """A difference and an uncertainty must not be taken for an image."""
    kinds = {each.kind for each in (item, over) if each is not None}
    return (
        *(
            (tr("Uncertainty: standard deviation of samples, not a confidence interval"),)
            if Kind.SPREAD in kinds
            else ()
        ),
        *((tr("Difference of two volumes"),) if Kind.DIFFERENCE in kinds else ()),
    )


def _cursor(room: Room, item: Item, over: Item | None, point: Point) -> tuple[str, ...]:
    values = [_value(each, room.moment, point) for each in (item, over) if each is not None]
    return (place_words(point, item.placed), "  |  ".join(values))


def _value(item: Item, moment: int, point: Point) -> str:
    value = value_at(item.stack(moment), item.affine, point)
    if value != value:
        return tr("outside")
    return f"{format_number(float(value))} {item.unit}" if item.unit in WRITTEN else format_number(float(value))
