"""Reads measurements that take long, such as a region of an oblique slab, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.bridge.worker import Worker
from app.state.room.figure import Measurement
from app.state.room.item import Item
from app.state.room.measurements import Measurements
from app.state.room.reading import Reading, read

Wanted = tuple[Measurement, Item | None, int]


class SlowReading(QObject):
    """Gives readings at once where that is quick; the others come later, the latest of each measurement only."""

    _done = Signal(object, object)

    def __init__(self, measurements: Measurements, arrived: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.measurements, self._arrived = measurements, arrived
        self._worker: Worker | None = None
        self._wanted: dict[str, Wanted] = {}
        self._going: set[str] = set()
        self._done.connect(self._take)

    def __call__(self, measurement: Measurement) -> Reading | None:
        found = self.measurements.reading(measurement, wait=False)
        if found is None:
            self._ask(measurement)
        return found

    def _ask(self, measurement: Measurement) -> None:
        item, moment = self.measurements.room.item(measurement.item), self.measurements.moment_of(measurement)
        wanted = (measurement, item, moment)
        if self._wanted.get(measurement.key) == wanted:
            return
        self._wanted[measurement.key] = wanted
        if measurement.key not in self._going:
            self._start(wanted)

    def _start(self, wanted: Wanted) -> None:
        if self._worker is None:
            self._worker = Worker("measurements", self)
        self._going.add(wanted[0].key)
        self._worker.submit(lambda: self._done.emit(wanted, read(*wanted)))

    def _take(self, wanted: Wanted, found: Reading) -> None:
        if self._worker is None:
            return
        key = wanted[0].key
        self._going.discard(key)
        latest = self._wanted.get(key)
        if latest != wanted and latest is not None:
            self._start(latest)
            return
        self._wanted.pop(key, None)
        self.measurements.take(*wanted, found)
        self._arrived()

    def release(self) -> None:
        """End the thread, if there is one."""
        if self._worker is not None:
            self._worker.leave()
            self._worker.ended()
            self._worker = None
