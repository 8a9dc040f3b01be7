"""A copy of the viewing room for pictures that leave the program: it tells no name of a file, and so of no patient."""

from __future__ import annotations

from dataclasses import replace

from app.state.naming import item_file_name
from app.state.room.item import Item, Kind
from app.state.room.room import Room
from app.words import later, tr
from core.formats.volume_parts import Opened

_NAMED_AFTER_FILES = (Kind.VOLUME, Kind.DIFFERENCE)
"""A file may be named after a patient, and a difference after two files."""
_VOLUME = later("Volume")
_VOLUMES = {"CT": later("CT volume"), "MR": later("MR volume")}


def public_room(room: Room) -> Room:
    """Another room that shows the same as this one does now, and goes its own way from here.

    Voxels are shared. What the items were made of, and who was scanned, stays behind.
    """
    made = Room()
    names = public_names(room)
    for item in room:
        made.put(replace(item, name=names[item.key], origin=None))
    made.linked_scroll, made.linked_zoom, made.linked_window = room.linked_scroll, room.linked_zoom, room.linked_window
    made.corners = room.corners
    made.restore(room.snapshot())
    made.maximised = room.maximised
    return made


def public_names(room: Room) -> dict[str, str]:
    """By key what every item is called: its method and settings, or only what kind of volume it is, and which one."""
    names = {item.key: _public_name(item) for item in room}
    for name in {names[item.key] for item in room if item.kind in _NAMED_AFTER_FILES}:
        alike = [key for key, other in names.items() if other == name]
        if len(alike) > 1:
            names.update({key: f"{name} {number}" for number, key in enumerate(alike, 1)})
    return names


def _public_name(item: Item) -> str:
    if item.kind is Kind.DIFFERENCE:
        return tr("Difference")
    if item.kind is not Kind.VOLUME:
        return item.name
    modality = item.origin.modality if isinstance(item.origin, Opened) else ""
    return tr(_VOLUMES.get(modality, _VOLUME))


def picture_file_name(room: Room, index: int, ending: str) -> str:
    """A name for a picture of a pane, such as "DDS-20_CG-5_axial-12.png". ending: with its dot."""
    item, place, pane = room.item_in(index), room.place_of(index), room.panes[index]
    name = public_names(room)[item.key] if item is not None else tr("Picture")
    where = f", {pane.face.value.lower()}" + (f" {place[0] + 1}" if place is not None else "")
    return item_file_name(name + where).removesuffix(".dcm") + ending
