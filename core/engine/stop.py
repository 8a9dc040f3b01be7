"""The one handle by which a run is paused, resumed, kept or discarded from outside, from any thread."""

from __future__ import annotations

import threading
import time


class Halt(Exception):
    """Raised inside a run when it shall end early. It never leaves the runner."""


class Stop:
    """Pause, resume, keep or discard a run. Cooperative and thread-safe; the last of keep and discard wins."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._paused = False
        self._ending = ""
        self.waited = 0.0
        """Seconds that the run has stood still because it was paused."""

    @property
    def paused(self) -> bool:
        return self._paused and not self._ending

    @property
    def discarding(self) -> bool:
        return self._ending == "discard"

    @property
    def ending(self) -> bool:
        """Keep or discard has been asked for."""
        return bool(self._ending)

    def pause(self) -> None:
        self._set(paused=True)

    def resume(self) -> None:
        self._set(paused=False)

    def keep(self) -> None:
        """End now with the present estimate."""
        self._set(ending="keep")

    def discard(self) -> None:
        """End now without a result."""
        self._set(ending="discard")

    def check(self) -> None:
        """Called by the run between any two pieces of work: waits while paused, raises Halt when the run shall end."""
        self._wait(None)
        if self._ending:
            raise Halt

    def wait_while_paused(self, seconds: float) -> bool:
        """Wait until no longer paused, at most `seconds`; True if still paused."""
        return not self._wait(seconds)

    def worked(self) -> float:
        """A clock, in seconds, that stands still while the run is paused. For the thread of the run."""
        return time.perf_counter() - self.waited

    def _wait(self, seconds: float | None) -> bool:
        if not self.paused:
            return True
        begun = time.perf_counter()
        with self._changed:
            going_on = self._changed.wait_for(lambda: not self.paused, timeout=seconds)
        self.waited += time.perf_counter() - begun
        return going_on

    def _set(self, *, paused: bool | None = None, ending: str = "") -> None:
        with self._changed:
            self._paused = self._paused if paused is None else paused
            self._ending = ending or self._ending
            self._changed.notify_all()
