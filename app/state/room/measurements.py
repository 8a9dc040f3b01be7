"""The measurements of the viewing room: which there are, which is chosen, and what each tells of its image now."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from psygnal import Signal

from app.state.room.figure import Measurement
from app.state.room.item import Item
from app.state.room.reading import LIGHT, Reading, effort, read
from app.state.room.room import Room
from app.words import tr

LONGEST_NAME = 80


class Past(Protocol):
    """Where steps are remembered, such as app.state.undo.History."""

    def push(
        self, label: str, undo: Callable[[], object], redo: Callable[[], object], merge_key: Hashable = None
    ) -> None: ...


class Measurements:
    """Measurements by their keys, in the order in which they were made. history: remembers every change; None for not.

    selected: keys, in the order in which they were chosen. sketch: a measurement that is being drawn or changed; one
    with the key of a kept one stands in its place until it is kept or dropped. changed: anything of this, or a value.
    """

    changed = Signal()

    def __init__(self, room: Room, history: Past | None = None) -> None:
        self.room = room
        self.history = history
        self.selected: tuple[str, ...] = ()
        self.sketch: Measurement | None = None
        self._kept: tuple[Measurement, ...] = ()
        self._count = 0
        self._names: dict[str, str] = {}
        self._read: dict[str, tuple[Measurement, Item | None, int, Reading]] = {}
        room.items_changed.connect(self._items_changed)
        self._items_changed()

    def __iter__(self) -> Iterator[Measurement]:
        """Kept ones, as they are drawn now."""
        sketch = self.sketch
        return (sketch if sketch is not None and sketch.key == m.key else m for m in self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def drawn(self) -> tuple[Measurement, ...]:
        """All, with one that is being drawn."""
        new = (self.sketch,) if self.sketch is not None and not self.sketch.key else ()
        return (*self, *new)

    def get(self, key: str) -> Measurement | None:
        return next((m for m in self if m.key == key), None)

    # Changes

    def add(self, measurement: Measurement, label: str = "") -> Measurement:
        """Keep a new measurement under a name of its own, and select it. Raises ValueError where points lack."""
        if not measurement.complete:
            raise ValueError(f"{measurement.figure.value} of {len(measurement.points)} points")
        self._count += 1
        name = measurement.name or self._new_name(measurement)
        made = replace(measurement, key=f"m{self._count}", name=name)
        self._keep((*self._kept, made), label or tr("drawing {name}", name=name), (made.key,))
        return made

    def change(self, measurement: Measurement, label: str = "") -> None:
        """Keep another state of a measurement; nothing where it is gone, as by an undo while it is dragged."""
        if all(m.key != measurement.key for m in self._kept):
            self.draw(None)
            return
        kept = tuple(measurement if m.key == measurement.key else m for m in self._kept)
        self._keep(kept, label or tr("moving {name}", name=measurement.name), self.selected)

    def rename(self, key: str, name: str) -> None:
        """Line breaks become spaces; an empty name changes nothing."""
        found, name = self.get(key), " ".join(name.split())[:LONGEST_NAME]
        if found is not None and name and name != found.name:
            self.change(replace(found, name=name), tr("renaming {name}", name=found.name))

    def remove(self, keys: Sequence[str]) -> None:
        gone = [m for m in self._kept if m.key in keys]
        if gone:
            names = ", ".join(m.name for m in gone)
            left = tuple(m for m in self._kept if m.key not in keys)
            self._keep(left, tr("deleting {name}", name=names), tuple(k for k in self.selected if k not in keys))

    def copy(self, key: str, by: Sequence[float] = (0.0, 0.0, 0.0)) -> Measurement | None:
        """Another one of the same figure, (3,) mm beside it."""
        found = self.get(key)
        if found is None:
            return None
        return self.add(replace(found.shifted(by), key="", name=""), tr("copying {name}", name=found.name))

    def put_all(self, measurements: Sequence[Measurement]) -> None:
        """These in place of all, as a project brings them; no step that can be undone."""
        self._count += len(measurements)
        first = self._count - len(measurements)
        self._kept = tuple(replace(m, key=f"m{first + i}") for i, m in enumerate(measurements, 1))
        self.sketch, self.selected = None, ()
        self.changed.emit()

    def _keep(self, kept: tuple[Measurement, ...], label: str, selected: tuple[str, ...]) -> None:
        before, chosen = self._kept, self.selected
        self._restore(kept, selected)
        if self.history is not None:
            self.history.push(label, lambda: self._restore(before, chosen), lambda: self._restore(kept, selected))

    def _restore(self, kept: tuple[Measurement, ...], selected: tuple[str, ...]) -> None:
        there = {m.key for m in kept}
        self._kept, self.sketch = kept, None
        self.selected = tuple(key for key in selected if key in there)
        self.changed.emit()

    def _new_name(self, measurement: Measurement) -> str:
        words, taken = tr(measurement.figure.words), {m.name for m in self._kept}
        number = 1 + sum(m.figure is measurement.figure for m in self._kept)
        while f"{words} {number}" in taken:
            number += 1
        return f"{words} {number}"

    # Drawing and choosing

    def draw(self, sketch: Measurement | None) -> None:
        """Show what is being drawn; None drops it."""
        if sketch is not self.sketch:
            self.sketch = sketch
            self.changed.emit()

    def finish(self) -> None:
        """Keep what is being drawn if it has all its points, else drop it."""
        sketch, self.sketch = self.sketch, None
        if sketch is None or not sketch.complete:
            self.changed.emit()
        elif sketch.key:
            self.change(sketch)
        else:
            self.add(sketch)

    def select(self, *keys: str) -> None:
        there = {m.key for m in self._kept}
        chosen = tuple(dict.fromkeys(key for key in keys if key in there))
        if chosen != self.selected:
            self.selected = chosen
            self.changed.emit()

    # What they tell

    def reading(self, measurement: Measurement, *, wait: bool = True) -> Reading | None:
        """Of its own image at the moment on view, read once. wait False: None where that would take long."""
        item, moment = self.room.item(measurement.item), self.moment_of(measurement)
        kept = self._read.get(measurement.key)
        if kept is not None and kept[:3] == (measurement, item, moment):
            return kept[3]
        if not wait and item is not None and effort(measurement, item) > LIGHT:
            return None
        return self.take(measurement, item, moment, read(measurement, item, moment))

    def take(self, measurement: Measurement, item: Item | None, moment: int, found: Reading) -> Reading:
        """Remember what was read elsewhere."""
        if len(self._read) > 2 * len(self._kept) + 8:
            self._read = {m.key: self._read[m.key] for m in self._kept if m.key in self._read}
        self._read[measurement.key] = (measurement, item, moment, found)
        return found

    def moment_of(self, measurement: Measurement) -> int:
        """Which stack of its image is on view."""
        item = self.room.item(measurement.item)
        return 0 if item is None else min(self.room.moment, len(item.stacks) - 1)

    def item_name(self, measurement: Measurement) -> str:
        """Of its image, also of one that is gone."""
        return self._names.get(measurement.item, "")

    def is_open(self, measurement: Measurement) -> bool:
        """Its image is still there."""
        return self.room.item(measurement.item) is not None

    def shares_place(self, measurement: Measurement, item: Item) -> bool:
        """Its points mean the same place in an item: both lie in the patient, or in the same scan."""
        if measurement.item == item.key or (measurement.placed and item.placed):
            return True
        return not (measurement.placed or item.placed) and measurement.item.split("/")[0] == item.family

    def _items_changed(self) -> None:
        self._names.update({item.key: item.name for item in self.room})
        self.changed.emit()
