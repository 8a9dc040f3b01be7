"""Counts the values of volumes, large ones in a thread of its own, each once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary, ref

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from app.bridge.worker import Worker
from app.state.room.item import Item
from core.viewing.histogram import histogram, percentiles

AT_ONCE = 2**18
"""So many voxels are counted faster than anybody would notice."""
_NEARLY_ALL = (0.05, 99.95)
RANGES = ((1.0, 99.0), (0.5, 99.5))
"""Percentiles between which a volume can be shown."""


@dataclass(frozen=True, eq=False)
class Counts:
    """counts (n,) voxels between edges (n + 1,). middle: between which nearly all values lie. ranges: values of RANGES,
    NaN where there are none."""

    counts: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]
    middle: tuple[float, float]
    ranges: tuple[tuple[float, float], ...]


def counted(item: Item) -> Counts:
    """Of all stacks of an item, off an even part of their voxels. Takes up to a tenth of a second."""
    counts, edges = histogram(item.stacks)
    asked = [q for pair in (_NEARLY_ALL, *RANGES) for q in pair]
    found = percentiles(item.stacks, asked)
    pairs = tuple(zip(found[::2], found[1::2], strict=True))
    return Counts(counts, edges, pairs[0], pairs[1:])


class Counting(QObject):
    """Gives counts at once where they are known or quick; of others only the latest that was asked for is made.

    arrived: called when some have come. at_once: voxels that are not worth a thread.
    """

    _done = Signal(object, object)

    def __init__(self, arrived: Callable[[], None], parent: QObject | None = None, at_once: int = AT_ONCE) -> None:
        super().__init__(parent)
        self._arrived, self._at_once = arrived, at_once
        self._known: WeakKeyDictionary[Item, Counts] = WeakKeyDictionary()
        self._worker: Worker | None = None
        self._wanted: ref[Item] | None = None
        self._going = False
        self._done.connect(self._take)

    def __call__(self, item: Item) -> Counts | None:
        found = self._known.get(item)
        if found is None and item.stacks.size <= self._at_once:
            found = self._known[item] = counted(item)
        if found is None:
            self._wanted = ref(item)
            if not self._going:
                self._start(item)
        return found

    def _start(self, item: Item) -> None:
        if self._worker is None:
            self._worker = Worker("histogram", self)
        self._going, self._wanted = True, None
        self._worker.submit(lambda: self._done.emit(item, counted(item)))

    def _take(self, item: Item, found: Counts) -> None:
        self._going = False
        self._known[item] = found
        wanted = self._wanted() if self._wanted is not None else None
        if wanted is not None and wanted not in self._known:
            self._start(wanted)
        self._arrived()

    def release(self) -> None:
        """End the thread, if there is one."""
        if self._worker is not None:
            self._worker.leave()
            self._worker.ended()
            self._worker = None
