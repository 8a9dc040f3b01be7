"""Runs that do not wait their turn: they are made in a thread of their own while what is going on is paused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

from app.bridge.mailbox import Mailbox
from app.bridge.pull import pull
from app.bridge.run_queue import RunQueue
from app.bridge.worker import Worker
from app.state.naming import run_name
from app.state.runs import Phase, Run
from app.state.session import Session
from core.engine.events import Event
from core.engine.job import JobSpec
from core.engine.stop import Stop


class Holds(Protocol):
    """Something that computes besides the queue, and can be paused."""

    @property
    def busy(self) -> bool: ...

    def hold(self) -> None:
        """Compute no further until `go_on`."""

    def go_on(self) -> None: ...


class QuickLooks:
    """In the window's thread. Of two looks at once the older one is given up."""

    def __init__(
        self,
        session: Session,
        queue: RunQueue,
        events: Callable[[JobSpec, Stop], Iterator[Event]],
        mailbox: Mailbox,
        worker: Worker,
    ) -> None:
        self._session, self._queue, self._events = session, queue, events
        self._mailbox, self._worker = mailbox, worker
        self._held: list[Callable[[], None]] = []
        self.current: Run | None = None
        session.runs.changed.connect(self._look_for_end)

    def add(self, job: JobSpec, besides: Holds | None = None) -> Run:
        """A run that starts at once. What the queue does, and `besides`, are paused until it has ended."""
        held = besides is not None and besides.busy
        if self._queue.current is None and not held and self.current is None:
            return self._queue.add(job)
        if self.current is None:
            self._hold(besides if held else None)
        else:
            self.current.stop.discard()
        run = self.current = self._session.runs.add(job, run_name(job))
        run.phase = Phase.PREPARING
        self._worker.submit(partial(pull, run, self._events, self._mailbox, self._queue))
        return run

    def stop(self) -> None:
        """Discard the one that is being made."""
        self._held = []
        if self.current is not None:
            self.current.stop.discard()

    def steered(self) -> Run | None:
        """The one that is being made, if it is what the user looks at."""
        return self.current if self.current is self._session.runs.front else None

    def forget_held(self) -> None:
        """The user has paused or resumed by hand: what is held is not set going from here."""
        self._held = []

    def _hold(self, besides: Holds | None) -> None:
        run = self._queue.current
        if run is not None and not run.stop.paused:
            self._queue.pause()
            self._held.append(partial(self._resume, run))
        if besides is not None:
            besides.hold()
            self._held.append(besides.go_on)

    def _resume(self, run: Run) -> None:
        if run is self._queue.current and run.stop.paused:
            self._queue.pause()

    def _look_for_end(self) -> None:
        run = self.current
        if run is None or (run.going_on and run in list(self._session.runs)):
            return
        self.current = None
        held, self._held = self._held, []
        for go_on in held:
            go_on()
