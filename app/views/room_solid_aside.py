"""Works things out beside the window, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from app.bridge.preload import preload_vtk

NO_GL = ("offscreen", "minimal")
"""Platforms of Qt without a screen that OpenGL could draw on."""
Stopped = Callable[[], bool]
LAST_WAIT_S = 2.0


@dataclass(frozen=True, eq=False)
class _Job:
    kind: str
    work: Callable[[Stopped], Any]
    take: Callable[[Any], object]
    fail: Callable[[Exception], object]
    stop: threading.Event = field(default_factory=threading.Event)


class Aside(QObject):
    """Of what is asked for only the latest of each kind is worked out; an older one is told to stop, and forgotten."""

    _ended = Signal(object, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[str, _Job] = {}
        self._running: _Job | None = None
        self._thread: threading.Thread | None = None
        self._ended.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        return self._running is not None

    def ask(
        self,
        kind: str,
        work: Callable[[Stopped], Any],
        take: Callable[[Any], object],
        fail: Callable[[Exception], object],
    ) -> None:
        """Have work(stopped) done in a thread, and then take(its value) or fail(its error) in the window's."""
        self._waiting[kind] = _Job(kind, work, take, fail)
        if self._running is not None and self._running.kind == kind:
            self._running.stop.set()
        self._next()

    def forget(self, kind: str) -> None:
        """What is asked for is no longer wanted."""
        self._waiting.pop(kind, None)
        if self._running is not None and self._running.kind == kind:
            self._running.stop.set()

    def close(self, seconds: float = LAST_WAIT_S) -> None:
        """Let go of everything, and wait so long for what cannot be stopped."""
        for kind in (*self._waiting, *([self._running.kind] if self._running else [])):
            self.forget(kind)
        if self._thread is not None:
            self._thread.join(seconds)

    def _next(self) -> None:
        if self._running is None and self._waiting:
            job = self._running = self._waiting.pop(next(iter(self._waiting)))
            self._thread = threading.Thread(target=self._run, args=(job,), name=f"rendering: {job.kind}")
            self._thread.start()

    def _run(self, job: _Job) -> None:
        value, error = None, None
        try:
            value = job.work(job.stop.is_set)
        except Exception as failed:
            error = failed
        with suppress(RuntimeError):  # the window has gone
            self._ended.emit(job, value, error)

    def _deliver(self, job: _Job, value: Any, error: Exception | None) -> None:
        self._running = None
        if not job.stop.is_set():
            if error is None:
                job.take(value)
            else:
                job.fail(error)
        self._next()


def load_vtk(_: Stopped) -> None:
    """Import what renders; modules may be loaded in any thread, contexts of OpenGL belong to the window's."""
    preload_vtk()
    import app.views.volume3d  # noqa: F401
