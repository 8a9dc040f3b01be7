"""Keeps how a run came about: one slice of every estimate, as an item whose moments are the steps."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from app.state.room.item import Item, Kind
from app.state.room.room import Room

MOST_BYTES = 256 * 2**20
"""That the steps of the runs that go on may take, and as much again those of all that have ended."""
LEAST_STEPS = 2
_RESULT = "result"

Plane = npt.NDArray[np.generic]


@dataclass(eq=False)
class _Reel:
    """What is kept of a run that goes on. slice, moment: of its stack. every: of so many estimates one is kept."""

    slice: int
    moment: int
    latest: Item
    planes: list[Plane] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    every: int = 1
    seen: int = 0

    def take(self, item: Item, name: str, bytes_free: int) -> None:
        """Copy the slice of an estimate. Where space runs out every second one that is kept makes room."""
        self.latest = item
        self.seen += 1
        if (self.seen - 1) % self.every:
            return
        plane = item.stack(self.moment)[self.slice]
        while len(self.planes) > 1 and (len(self.planes) + 1) * plane.nbytes > bytes_free:
            del self.planes[1::2], self.names[1::2]
            self.every *= 2
        if plane.nbytes <= bytes_free and (self.seen - 1) % self.every == 0:
            self.planes.append(plane.copy())
            self.names.append(name)


class Film:
    """Watches the room. While a result is not final the slice that was on view at its first estimate is collected, and
    when it is final the item "NAME, steps" is put into the room; no pane takes it by itself. It goes when its run goes.

    most_bytes: as MOST_BYTES. An older film makes room for a newer one, unless a pane shows it.
    """

    def __init__(self, room: Room, most_bytes: int = MOST_BYTES) -> None:
        self.room, self.most_bytes = room, most_bytes
        self._reels: dict[str, _Reel] = {}
        self._films: dict[str, str] = {}
        room.items_changed.connect(self._items_changed)

    def release(self) -> None:
        """Let go of the room."""
        self.room.items_changed.disconnect(self._items_changed)

    def _items_changed(self) -> None:
        for item in [i for i in self.room if i.kind is Kind.RESULT and i.key not in self._films.values()]:
            reel = self._reels.get(item.key)
            if not item.final and (reel is None or reel.latest is not item):
                self._take(reel, item)
            elif item.final and reel is not None:
                del self._reels[item.key]
                self._finish(reel, item)
        for key in [key for key in self._reels if self.room.item(key) is None]:
            del self._reels[key]
        for key in [key for key in self._films if self.room.item(key) is None]:
            self.room.remove(self._films.pop(key))

    def _take(self, reel: _Reel | None, item: Item) -> None:
        if reel is not None and reel.latest.stacks.shape != item.stacks.shape:
            reel = None
        if reel is None:
            moment = min(self.room.moment, len(item.stacks) - 1)
            reel = self._reels[item.key] = _Reel(self._slice_on_view(item), moment, item)
        reel.take(item, item.state.rpartition(", ")[2], self.most_bytes // max(len(self._reels), 1))

    def _slice_on_view(self, item: Item) -> int:
        """The stored slice through the crosshair, the middle one where that lies outside."""
        count, point = item.shape[0], self.room.cross
        if point is None:
            return count // 2
        at = round(float(np.linalg.solve(item.affine, np.append(point, 1.0))[2]))
        return at if 0 <= at < count else count // 2

    def _finish(self, reel: _Reel, item: Item) -> None:
        if item.stacks.shape[1:] == reel.latest.stacks.shape[1:]:
            self._end_with(reel, item.stack(reel.moment)[reel.slice], item.state or _RESULT)
        if len(reel.planes) < LEAST_STEPS:
            return
        film = _film_of(reel, item)
        self._make_space(film.stacks.nbytes)
        self._films[item.key] = film.key
        before = self.room.snapshot()
        self.room.put(film)
        # A pane that shows the classical image would give way to any new result.
        self.room.restore(before)

    def _end_with(self, reel: _Reel, plane: Plane, name: str) -> None:
        """The result is the last moment; it takes the name of the last estimate if that is the same."""
        if reel.planes and np.array_equal(reel.planes[-1], plane):
            return
        reel.planes.append(plane.copy())
        reel.names.append(name)

    def _make_space(self, wanted: int) -> None:
        on_view = {pane.item for pane in self.room.panes} | {pane.over for pane in self.room.panes}
        for key, film in list(self._films.items()):
            held = sum(found.stacks.nbytes for f in self._films.values() if (found := self.room.item(f)) is not None)
            if held + wanted <= self.most_bytes:
                return
            if film not in on_view:
                del self._films[key]
                self.room.remove(film)


def _film_of(reel: _Reel, item: Item) -> Item:
    """An item (step, 1, y, x) that lies where the slice lies."""
    affine = item.affine.copy()
    affine[:3, 3] += reel.slice * item.affine[:3, 2]
    stacks = np.empty((len(reel.planes), 1, *reel.planes[0].shape), reel.planes[0].dtype)
    for i, plane in enumerate(reel.planes):
        stacks[i, 0] = plane
    return Item(
        f"{item.key}/steps",
        f"{item.name}, steps",
        Kind.RESULT,
        stacks,
        affine,
        item.placed,
        item.unit,
        item.offered,
        marks=item.marks,
        moments=tuple(reel.names),
    )
