"""How the viewing room is arranged, as plain data for project files and back. What it shows is no part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from app.state.picture import Levels
from app.state.room.pane import PANES, Comparison, Face, Layout, Look, Pane, Point
from app.state.room.room import Room
from core.viewing.cut import Slab

FARTHEST_MM = 1e6
LARGEST_ZOOM = 1e4
HIGHEST, FINEST = 1e30, 1e-9
"""How high a grey scale may reach, and how narrow it may be as a share of its ends."""
_SWITCHES = ("linked_scroll", "linked_zoom", "linked_window", "corners")
"""Switches of the room. Whether names of patients are shown is asked anew every time."""
_ARBITRARY = "a.u. "

Rename = Callable[[str], str]
"""From the key of an item, or of its family, to another."""


def to_dict(room: Room, rename: Rename) -> dict[str, Any]:
    """What `restore` takes: text, numbers and lists. rename: what the keys of items are called in it."""
    layout, panes_of, active, cross, levels, moment = room.snapshot()
    return {
        "layout": layout.name,  # type: ignore[attr-defined]
        "active": active,
        "maximised": room.maximised,
        "cross": _list(cross),  # type: ignore[arg-type]
        "moment": moment,
        "tool": room.tool,
        "switches": {name: getattr(room, name) for name in _SWITCHES if hasattr(room, name)},
        "levels": {_scale(scale, rename): _pair(found) for scale, found in levels.items()},  # type: ignore[attr-defined]
        "panes": {
            one.name: [_pane_record(pane, rename) for pane in panes]
            for one, panes in panes_of.items()  # type: ignore[attr-defined]
        },
    }


def restore(room: Room, record: Mapping[str, Any], rename: Rename, colours: Callable[[str], bool]) -> None:
    """Arrange a room as it was. rename: from keys in the record to those of the items now; colours: whether there is a
    colour map of a name. Raises ValueError, and changes nothing, for a record that is damaged."""
    try:
        layout = Layout[record["layout"]]
        panes = {Layout[name]: _panes(made, rename, colours) for name, made in record["panes"].items()}
        panes_of = {one: panes.get(one) or made for one, made in room.snapshot()[1].items()}  # type: ignore[attr-defined]
        levels = {_scale(str(scale), rename): _levels(found) for scale, found in record["levels"].items()}
        shown = layout.shown
        active, maximised = _index(record["active"], shown), record["maximised"]
        maximised = None if maximised is None else _index(maximised, shown)
        cross, moment, tool = _point(record["cross"]), max(int(record["moment"]), 0), str(record["tool"])
        switches = {name: bool(record["switches"][name]) for name in _SWITCHES if name in record["switches"]}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ValueError("no arrangement of a room") from error
    if cross is None or not len(room):
        cross = room.cross
    for name, on in switches.items():
        if hasattr(room, name):
            setattr(room, name, on)
    room.maximised, room.tool = maximised, tool
    room.restore((layout, panes_of, active, cross, levels, min(moment, room.moments - 1)))


def _pane_record(pane: Pane, rename: Rename) -> dict[str, Any]:
    return {
        "item": rename(pane.item),
        "face": pane.face.name,
        "over": rename(pane.over),
        "comparison": pane.comparison.name,
        "share": pane.share,
        "slab_mm": pane.slab_mm,
        "slab": pane.slab.name,
        "invert": pane.invert,
        "colours": pane.colours,
        "zoom": pane.look.zoom,
        "centre": _list(pane.look.centre),
        "at": _list(pane.at),
        "levels": None if pane.own_levels is None else _pair(pane.own_levels),
        "patient_axes": pane.patient_axes,
    }


def _panes(records: Any, rename: Rename, colours: Callable[[str], bool]) -> tuple[Pane, ...]:
    if not isinstance(records, list) or len(records) != PANES:
        raise ValueError("panes")
    return tuple(_pane(record, rename, colours) for record in records)


def _pane(record: Mapping[str, Any], rename: Rename, colours: Callable[[str], bool]) -> Pane:
    zoom, levels, name = record["zoom"], record["levels"], str(record["colours"])
    return Pane(
        item=rename(str(record["item"])),
        face=Face[record["face"]],
        over=rename(str(record["over"])),
        comparison=Comparison[record["comparison"]],
        share=_number(record["share"], 0.0, 1.0),
        slab_mm=_number(record["slab_mm"], 0.0, FARTHEST_MM),
        slab=Slab[record["slab"]],
        invert=bool(record["invert"]),
        colours=name if colours(name) else Pane.colours,
        look=Look(None if zoom is None else _number(zoom, 1 / LARGEST_ZOOM, LARGEST_ZOOM), _point(record["centre"])),
        at=_point(record["at"]),
        own_levels=None if levels is None else _levels(levels),
        patient_axes=bool(record["patient_axes"]),
    )


def _scale(scale: str, rename: Rename) -> str:
    """Arbitrary units are those of one scan, which may be called otherwise now."""
    return _ARBITRARY + rename(scale.removeprefix(_ARBITRARY)) if scale.startswith(_ARBITRARY) else scale


def _pair(levels: Levels) -> list[float]:
    return [levels.low, levels.high]


def _levels(pair: Any) -> Levels:
    low, high = (float(value) for value in pair)
    if not (abs(low) < HIGHEST and abs(high) < HIGHEST and high - low > FINEST * max(abs(low), abs(high))):
        raise ValueError("levels")
    return Levels(low, high)


def _list(point: Point | None) -> list[float] | None:
    return None if point is None else [float(value) for value in point]


def _point(values: Any) -> Point | None:
    if values is None:
        return None
    point = np.asarray(values, dtype=np.float64)
    if point.shape != (3,) or not (np.abs(point) <= FARTHEST_MM).all():
        raise ValueError("point")
    return point


def _number(value: Any, low: float, high: float) -> float:
    if not low <= float(value) <= high:
        raise ValueError("number")
    return float(value)


def _index(value: Any, shown: tuple[int, ...]) -> int:
    if value not in shown:
        raise ValueError("index")
    return int(value)
