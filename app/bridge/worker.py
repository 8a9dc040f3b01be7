"""A thread that does one task after another."""

from __future__ import annotations

import queue
import sys
import weakref
from collections.abc import Callable
from typing import ClassVar

import shiboken6
from PySide6.QtCore import QDeadlineTimer, QObject, QThread

Task = Callable[[], None]


class Worker(QThread):
    """Tasks in the order of their submission, in one thread. A task that fails is reported; the next is done."""

    _made: ClassVar[weakref.WeakSet[Worker]] = weakref.WeakSet()

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._made.add(self)
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

    @property
    def alone(self) -> bool:
        """After `leave`: no task waits behind the one that is being done."""
        return self._tasks.qsize() <= 1

    @classmethod
    def left(cls) -> list[str]:
        """Names of those whose threads go on."""
        return [worker.objectName() for worker in cls._made if shiboken6.isValid(worker) and worker.isRunning()]

    def ended(self, milliseconds: int | None = None) -> bool:
        """Wait until the thread has ended, at most so long; True if it has."""
        forever = QDeadlineTimer(QDeadlineTimer.ForeverConstant.Forever)
        return bool(self.wait(forever if milliseconds is None else QDeadlineTimer(milliseconds)))
