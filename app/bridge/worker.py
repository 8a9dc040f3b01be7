"""A thread that does one task after another."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable

from PySide6.QtCore import QDeadlineTimer, QObject, QThread

Task = Callable[[], None]


class Worker(QThread):
    """Tasks in the order of their submission, in one thread. A task that fails is reported; the next is done."""

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()

    def submit(self, task: Task) -> None:
        """Do a task after those that wait. The thread starts with the first one."""
        self._tasks.put(task)
        if not self.isRunning():
            self.start()

    def run(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except Exception:
                sys.excepthook(*sys.exc_info())

    def leave(self) -> None:
        """End after the tasks that wait."""
        self._tasks.put(None)

    def ended(self, milliseconds: int | None = None) -> bool:
        """Wait until the thread has ended, at most so long; True if it has."""
        forever = QDeadlineTimer(QDeadlineTimer.ForeverConstant.Forever)
        return bool(self.wait(forever if milliseconds is None else QDeadlineTimer(milliseconds)))
