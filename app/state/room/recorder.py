"""Puts each change of how the viewing room is shown into the history, with its way back."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

from app.state.picture import Levels
from app.state.room.pane import Layout, Look, Pane
from app.state.room.room import Room
from app.state.undo import History
from app.words import tr


@dataclass(frozen=True)
class View:
    """What can be undone: not the place that is looked at, nor which pane is active."""

    layout: Layout
    panes: dict[Layout, tuple[Pane, ...]]
    levels: dict[str, Levels]

    @classmethod
    def of(cls, room: Room) -> View:
        layout, panes, _, _, levels, _ = room.snapshot()
        return cls(layout, _plain(panes), levels)

    def restore(self, room: Room) -> None:
        _, _, active, cross, _, moment = room.snapshot()
        room.restore((self.layout, self.panes, active, cross, self.levels, moment))


class RoomRecorder:
    """Makes steps of a history. Changes of the same kind in one go are one step."""

    def __init__(self, room: Room, history: History) -> None:
        self._room, self._history = room, history
        self._view = View.of(room)
        room.changed.connect(self._changed)
        room.items_changed.connect(self._forget)

    def _forget(self) -> None:
        """What comes and goes with the items is no deed of the user's."""
        self._view = View.of(self._room)

    def _changed(self) -> None:
        before, after = self._view, View.of(self._room)
        if same(before, after):
            return
        self._view = after
        label, key = _change(before, after)
        self._history.push(label, lambda: self._go(before), lambda: self._go(after), key)

    def _go(self, view: View) -> None:
        self._view = view
        view.restore(self._room)


def same(one: View, other: View) -> bool:
    return one.layout is other.layout and one.levels == other.levels and not _differing(one, other)


def _plain(panes: dict[Layout, tuple[Pane, ...]]) -> dict[Layout, tuple[Pane, ...]]:
    """Without the places of panes that scroll on their own."""
    return {layout: tuple(replace(pane, at=None) for pane in each) for layout, each in panes.items()}


def _differing(one: View, other: View) -> set[str]:
    """Names of the fields in which the panes differ."""
    found = set()
    for layout, panes in one.panes.items():
        for a, b in zip(panes, other.panes[layout], strict=True):
            found |= {name for name in Pane.__dataclass_fields__ if not _equal(getattr(a, name), getattr(b, name))}
    return found


def _equal(one: object, other: object) -> bool:
    if isinstance(one, Look) and isinstance(other, Look):
        centres = (one.centre, other.centre)
        placed = all(c is None for c in centres) or all(c is not None for c in centres)
        return one.zoom == other.zoom and placed and (one.centre is None or bool((one.centre == other.centre).all()))
    return one == other


def _change(before: View, after: View) -> tuple[str, Hashable]:
    """The label of a step, and its merge key."""
    fields = _differing(before, after)
    if before.levels != after.levels or "own_levels" in fields:
        return tr("window and level"), "room levels"
    if before.layout is not after.layout:
        return tr("layout"), None
    if fields <= {"look"}:
        return tr("zoom"), "room look"
    if fields <= {"share"}:
        return tr("comparison"), "room share"
    if "item" in fields:
        return tr("image in a pane"), None
    return tr("display"), None
