"""The sweep on the bench: its cells, what has become of each, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from app.state.display import Display
from app.state.notice import Notice
from app.state.picture import Levels
from app.state.tune.spent import evaluations
from core.engine.sweep_plan import Axis
from core.engine.tasks import Task, Thumbnail

Plane = npt.NDArray[np.float32]
SIDE = 160
"""Pixels of the longer side of a cell's picture, at most."""


class Fate(Enum):
    """What has become of a cell; the value is the word for it."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class State(Enum):
    """Of the whole sweep."""

    IDLE = "idle"
    PLANNING = "planning"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DONE = "done"


BUSY = (State.PLANNING, State.RUNNING, State.STOPPING)


@dataclass(eq=False)
class Cell:
    """One run of a sweep. plane: its middle slice, small. record: see core.engine.work. share: of it that is done.

    again: it was there from before.
    """

    task: Task
    fate: Fate = Fate.WAITING
    record: dict[str, Any] | None = None
    plane: Plane | None = field(default=None, repr=False)
    preview: Thumbnail | None = field(default=None, repr=False)
    share: float = 0.0
    trouble: str = ""
    again: bool = False


class Bench:
    """What the sweep tab shows. Whoever sweeps tells it here, in the window's thread."""

    changed = Signal()
    """Another sweep, or another state of it."""
    told = Signal(Cell)
    """A cell has news."""

    def __init__(self) -> None:
        self._clear()
        self.state = State.IDLE

    def _clear(self) -> None:
        self.axes: tuple[Axis, ...] = ()
        self.cells: list[Cell] = []
        self.levels = Levels(0.0, 1.0)
        self.spacing = (1.0, 1.0)
        self.trouble: Notice | None = None
        self.workers = 0

    @property
    def busy(self) -> bool:
        return self.state in BUSY

    @property
    def records(self) -> list[dict[str, Any]]:
        """Of the cells that are done, in their order."""
        return [cell.record for cell in self.cells if cell.record is not None]

    @property
    def compared(self) -> bool:
        """There is a reference, so that quality is known."""
        return any(record["metrics"] for record in self.records)

    def count(self, fate: Fate) -> int:
        return sum(cell.fate is fate for cell in self.cells)

    @property
    def seconds_left(self) -> float | None:
        """From what the cells have taken that were done now; None before the first of them."""
        new = [cell for cell in self.cells if cell.record is not None and not cell.again]
        if not new:
            return None
        spent = sum(float(cell.record["seconds"]) for cell in new if cell.record)
        rate = spent / sum(_work(cell) for cell in new)
        open_ = [cell for cell in self.cells if cell.fate in (Fate.WAITING, Fate.RUNNING)]
        return rate * sum(_work(cell) * (1 - cell.share) for cell in open_) / max(self.workers, 1)

    @property
    def share(self) -> float:
        """Of the whole that is done, by the evaluations."""
        whole = sum(_work(cell) for cell in self.cells)
        done = sum(_work(c) * (c.share if c.fate is Fate.RUNNING else c.fate is not Fate.WAITING) for c in self.cells)
        return done / whole if whole else 0.0

    def begin(self) -> None:
        """A sweep is being planned."""
        self._clear()
        self._go(State.PLANNING)

    def planned(
        self, axes: Sequence[Axis], tasks: Sequence[Task], levels: Levels, spacing: tuple[float, float]
    ) -> None:
        """It can start. levels: for all cells alike. spacing: of a pixel, (x, y) mm."""
        self.axes, self.cells = tuple(axes), [Cell(task) for task in tasks]
        self.levels, self.spacing = levels, spacing
        self._go(State.RUNNING if self.state is State.PLANNING else self.state)

    def joined(self, workers: int) -> None:
        """So many workers elsewhere do it, side by side."""
        self.workers = workers
        self.changed.emit()

    def started(self, number: int) -> None:
        """Cell `number`, from 1, has begun."""
        self._tell(number, fate=Fate.RUNNING)

    def stepped(self, number: int, share: float, preview: Thumbnail | None) -> None:
        """It is so far; preview: of its middle slice, where there is one."""
        self._tell(number, share=share, **({} if preview is None else {"preview": preview}))

    def done(self, number: int, record: dict[str, Any], plane: Plane | None, again: bool) -> None:
        """It has a result."""
        self._tell(number, fate=Fate.DONE, record=record, plane=plane, again=again, share=1.0)

    def failed(self, number: int, trouble: str) -> None:
        """It could not be done; the others go on."""
        self._tell(number, fate=Fate.FAILED, trouble=trouble)

    def stopping(self) -> None:
        """The user wants it to end."""
        if self.busy:
            self._go(State.STOPPING)

    def ended(self, trouble: Notice | None = None) -> None:
        """Nothing of it is done any more."""
        for cell in self.cells:
            if cell.fate is Fate.RUNNING:
                cell.fate, cell.share, cell.preview = Fate.WAITING, 0.0, None
        self.trouble = trouble
        whole = bool(self.cells) and trouble is None and not self.count(Fate.WAITING)
        self._go(State.DONE if whole else State.STOPPED)

    def clear(self) -> None:
        """Another scan has been opened."""
        self._clear()
        self._go(State.IDLE)

    def _tell(self, number: int, **news: Any) -> None:
        if 1 <= number <= len(self.cells):
            cell = self.cells[number - 1]
            for name, value in news.items():
                setattr(cell, name, value)
            self.told.emit(cell)

    def _go(self, state: State) -> None:
        self.state = state
        self.changed.emit()


def reduced(plane: npt.NDArray[Any], side: int = SIDE) -> Plane:
    """A plane (y, x) as float32 with at most `side` pixels along its longer side: means over square blocks."""
    step = -(-max(plane.shape) // side)
    height, width = (max(n // step, 1) for n in plane.shape)
    cut = np.nan_to_num(np.asarray(plane[: height * step, : width * step], dtype=np.float32))
    if step > 1 and min(plane.shape) >= step:
        cut = cut.reshape(height, step, width, step).mean(axis=(1, 3))
    return np.ascontiguousarray(cut)


def levels_of(display: Display) -> Levels:
    """The window and level in which the images of the open scan are shown."""
    scale = display.components[0]
    return display.levels if display.scale == scale else display.offered.get(scale) or Levels(0.0, 1.0)


def _work(cell: Cell) -> int:
    return evaluations(cell.task.job.settings)
