"""Keeps how a run came about: one slice of every estimate, and of what it was made of, as items of steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from app.state.room.item import Item, Kind
from app.state.room.room import Room
from app.state.runs import Run

MOST_BYTES = 256 * 2**20
"""That the steps of the runs that go on may take, and as much again those of all that have ended."""
LEAST_STEPS = 2
DENOISED, NOISY = ("steps", "steps"), ("noisy", "noisy states")
"""Ends of the key and of the name of a film."""
_RESULT = "result"

Plane = npt.NDArray[np.generic]


@dataclass(eq=False)
class _Reel:
    """What is kept of a run that goes on. slice, moment: of its stack. every: of so many estimates one is kept. noisy:
    beside each estimate what the sampler went on with, None where that is not known."""

    slice: int
    moment: int
    latest: Item
    planes: list[Plane] = field(default_factory=list)
    noisy: list[Plane | None] = field(default_factory=list)
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
        noisy = _noisy(item, self.moment, self.slice)
        wanted = plane.nbytes + (noisy.nbytes if noisy is not None else 0)
        while len(self.planes) > 1 and (len(self.planes) + 1) * wanted > bytes_free:
            self.thin()
        if wanted <= bytes_free and (self.seen - 1) % self.every == 0:
            self.planes.append(plane.copy())
            self.noisy.append(None if noisy is None else noisy.copy())
            self.names.append(name)

    def thin(self) -> None:
        """Let go of every second step."""
        del self.planes[1::2], self.noisy[1::2], self.names[1::2]
        self.every *= 2


@dataclass(frozen=True)
class Cut:
    """What a film shows: key of the result whose steps they are, and the step of each moment (None: not known)."""

    result: str
    steps: tuple[int | None, ...]

    def nearest(self, step: int) -> int:
        """The moment that shows a step, or the one nearest to it."""
        return min(range(len(self.steps)), key=lambda k: abs((self.steps[k] or 0) - step))


class Film:
    """Watches the room. While a result is not final the slice that was on view at its first estimate is collected, and
    when it is final the item "NAME, steps" is put into the room, and "NAME, noisy states" where the noisy images are
    known; no pane takes them by itself. They go when their run goes.

    most_bytes: as MOST_BYTES; 0 makes no films. An older film makes room for a newer one, unless a pane shows it.
    """

    def __init__(self, room: Room, most_bytes: int = MOST_BYTES) -> None:
        self.room, self.most_bytes = room, most_bytes
        self._reels: dict[str, _Reel] = {}
        self._films: dict[str, str] = {}
        self._noisy: dict[str, str] = {}
        self._cuts: dict[str, Cut] = {}
        room.items_changed.connect(self._items_changed)

    def cut(self, key: str) -> Cut | None:
        """What an item shows if it is a film, denoised or noisy."""
        return self._cuts.get(key)

    def of(self, result: str, *, noisy: bool = False) -> str:
        """The key of the film of a result; "" for none."""
        return (self._noisy if noisy else self._films).get(result, "")

    @property
    def nbytes(self) -> int:
        """Of all films."""
        found = (self.room.item(key) for key in (*self._films.values(), *self._noisy.values()))
        return sum(item.stacks.nbytes for item in found if item is not None)

    def release(self) -> None:
        """Let go of the room."""
        self.room.items_changed.disconnect(self._items_changed)

    def _items_changed(self) -> None:
        for item in [i for i in self.room if i.kind is Kind.RESULT and i.key not in self._cuts]:
            reel = self._reels.get(item.key)
            if not item.final and (reel is None or reel.latest is not item):
                self._take(reel, item)
            elif item.final and reel is not None:
                del self._reels[item.key]
                self._finish(reel, item)
        for key in [key for key in self._reels if self.room.item(key) is None]:
            del self._reels[key]
        for key in [key for key in self._films if self.room.item(key) is None]:
            self._forget(key)

    def _forget(self, result: str) -> None:
        """The films of a result go."""
        for films in (self._films, self._noisy):
            key = films.pop(result, "")
            self._cuts.pop(key, None)
            self.room.remove(key)

    def _take(self, reel: _Reel | None, item: Item) -> None:
        """What comes before a run has ended and is no step is its result on the way."""
        name = item.state.rpartition(", ")[2]
        if _step(name) is None:
            return
        if reel is not None and reel.latest.stacks.shape != item.stacks.shape:
            reel = None
        if reel is None:
            moment = min(self.room.moment, len(item.stacks) - 1)
            reel = self._reels[item.key] = _Reel(self._slice_on_view(item), moment, item)
        reel.take(item, name, self.most_bytes // max(len(self._reels), 1))

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
        film = _film_of(reel, item, reel.planes)
        there = [noisy for noisy in reel.noisy if noisy is not None]
        self._make_space(film.stacks.nbytes * (2 if there else 1))
        steps = tuple(_step(name) for name in reel.names[:-1])
        self._cuts[film.key] = cut = Cut(item.key, (*steps, _last_step(item, reel.names[-1])))
        self._films[item.key] = film.key
        before = self.room.snapshot()
        self.room.put(film)
        if there:
            # Where a sample is done there is no noise left: its image is what it was made of.
            pairs = zip(reel.noisy, reel.planes, strict=True)
            noisy = _film_of(reel, item, [plane if own is None else own for own, plane in pairs], NOISY)
            self._cuts[noisy.key], self._noisy[item.key] = cut, noisy.key
            self.room.put(noisy)
        # A pane that shows the classical image would give way to any new result.
        self.room.restore(before)

    def _end_with(self, reel: _Reel, plane: Plane, name: str) -> None:
        """The result is the last moment; it takes the name of the last estimate if that is the same."""
        if reel.planes and np.array_equal(reel.planes[-1], plane):
            return
        reel.planes.append(plane.copy())
        reel.noisy.append(None)
        reel.names.append(name)

    def _make_space(self, wanted: int) -> None:
        on_view = {pane.item for pane in self.room.panes} | {pane.over for pane in self.room.panes}
        for key, film in list(self._films.items()):
            if self.nbytes + wanted <= self.most_bytes:
                return
            if not on_view & {film, self._noisy.get(key, film)}:
                self._forget(key)


def _noisy(item: Item, moment: int, slice_: int) -> Plane | None:
    """A slice of what the sampler went on with beside an estimate."""
    values = item.origin.noisy if isinstance(item.origin, Run) else None
    if values is None or values.size != item.stacks.size:
        return None
    plane: Plane = values.reshape(item.stacks.shape)[moment, slice_]
    return plane


def _step(name: str) -> int | None:
    """7, of "step 7 of 20"."""
    words = name.split()
    return int(words[1]) if len(words) > 1 and words[0] == "step" and words[1].isdigit() else None


def _last_step(item: Item, name: str) -> int | None:
    """That of a result, which has another name where it is not the last estimate itself."""
    return item.origin.step if isinstance(item.origin, Run) else _step(name)


def _film_of(reel: _Reel, item: Item, planes: Sequence[Plane], kind: tuple[str, str] = DENOISED) -> Item:
    """An item (step, 1, y, x) that lies where the slice lies."""
    affine = item.affine.copy()
    affine[:3, 3] += reel.slice * item.affine[:3, 2]
    stacks = np.empty((len(planes), 1, *planes[0].shape), planes[0].dtype)
    for i, plane in enumerate(planes):
        stacks[i, 0] = plane
    return Item(
        f"{item.key}/{kind[0]}",
        f"{item.name}, {kind[1]}",
        Kind.RESULT,
        stacks,
        affine,
        item.placed,
        item.unit,
        item.offered,
        marks=item.marks,
        moments=tuple(reel.names),
    )
