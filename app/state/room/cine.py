"""What plays by itself in the viewing room: the slices of the active pane, or the moments of its item."""

from __future__ import annotations

from enum import Enum

from psygnal import Signal

from app.state.room.room import Room
from app.words import later

SLOWEST, FASTEST = 1, 60
"""Frames a second."""


class Played(Enum):
    """The value is the word for it, to be translated. Moments are repetitions, contrasts, or the steps of a run."""

    SLICES = later("Slices")
    MOMENTS = later("Moments")


class CineModel:
    """Moves the room as time goes by. It knows no clock: whoever has one calls `advance`.

    changed: what is played, how, and whether it plays. It stops when the pane is empty or the layout changes.
    """

    changed = Signal()

    def __init__(self, room: Room) -> None:
        self.room = room
        self.fps = 10
        self.rocking = self.playing = False
        self._wanted = Played.SLICES
        self._way = 1
        self._owed = 0.0
        self._layout = room.layout
        room.changed.connect(self._room_changed)
        room.items_changed.connect(self._room_changed)

    @property
    def offered(self) -> tuple[Played, ...]:
        """What there is more than one of in the active pane."""
        return tuple(played for played in Played if (place := self._place_of(played)) is not None and place[1] > 1)

    @property
    def played(self) -> Played | None:
        """What was chosen last, or what there is instead; None where nothing can be played."""
        offered = self.offered
        return self._wanted if self._wanted in offered else next(iter(offered), None)

    @property
    def place(self) -> tuple[int, int] | None:
        """(position from 0, how many there are) of what is played."""
        played = self.played
        return self._place_of(played) if played is not None else None

    def choose(self, played: Played) -> None:
        self._wanted = played
        self._begin()
        self.changed.emit()

    def set_fps(self, fps: int) -> None:
        """Frames a second, from SLOWEST to FASTEST."""
        self.fps = min(max(fps, SLOWEST), FASTEST)
        self.changed.emit()

    def rock(self, on: bool) -> None:
        """Back and forth, in the place of round and round."""
        self.rocking = on
        self._begin()
        self.changed.emit()

    def toggle(self) -> None:
        """Play or stop."""
        if self.playing:
            self.stop()
        elif self.played is not None:
            self._begin()
            self.playing = True
            self.changed.emit()

    def stop(self) -> None:
        if self.playing:
            self.playing = False
            self.changed.emit()

    def go_to(self, position: int) -> None:
        """Show a position, counted from 0; beyond the ends the first or the last."""
        place = self.place
        if place is not None:
            show(self.room, self.room.active, self.played, min(max(position, 0), place[1] - 1))

    def advance(self, seconds: float) -> None:
        """So much time has gone by: show what is due now, and leave out what was due before."""
        place = self.place
        if not self.playing or place is None:
            return
        self._owed += max(seconds, 0.0) * self.fps
        # To the nearest, so that the trembling of a timer neither drops a frame nor shows one twice.
        steps = int(self._owed + 0.5)
        self._owed -= steps
        if steps:
            self.go_to(self._after(*place, steps))

    def round(self) -> tuple[int, ...]:
        """The positions of one round, as a film of it has them."""
        place = self.place
        if place is None:
            return ()
        there = tuple(range(place[1]))
        return (*there, *there[-2:0:-1]) if self.rocking else there

    def release(self) -> None:
        """Let go of the room."""
        self.room.changed.disconnect(self._room_changed)
        self.room.items_changed.disconnect(self._room_changed)

    def _after(self, position: int, count: int, steps: int) -> int:
        if not self.rocking:
            return (position + steps) % count
        last = count - 1
        along = (position if self._way > 0 else 2 * last - position) + steps
        along %= 2 * last
        self._way = 1 if along < last else -1
        return min(along, 2 * last - along)

    def _place_of(self, played: Played) -> tuple[int, int] | None:
        room, item = self.room, self.room.item_in(self.room.active)
        if item is None:
            return None
        if played is Played.SLICES:
            return room.place_of(room.active)
        count = len(item.stacks)
        return min(room.moment, count - 1), count

    def _begin(self) -> None:
        self._way, self._owed = 1, 0.0

    def _room_changed(self) -> None:
        other, self._layout = self.room.layout is not self._layout, self.room.layout
        if self.playing and (other or self.played is None):
            self.stop()


def show(room: Room, index: int, played: Played | None, position: int) -> None:
    """Let a pane show a position of what is played."""
    if played is Played.SLICES:
        room.go_to_slice(index, position)
    elif played is Played.MOMENTS:
        room.set_moment(position)
