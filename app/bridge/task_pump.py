"""Has many tasks done: here in the computing thread, with runs in between, or by workers elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any, Protocol

from app.bridge.crew import Crew, seen
from app.bridge.file_desk import notice_of
from app.bridge.worker import Worker
from app.state.notice import Notice
from app.state.tune.place import Place
from core.engine.stop import Stop
from core.engine.tasks import TaskDone, TaskFailed, Workplace

Events = Iterator[Any]
"""As of core.engine.sweep.performed: a generator."""


class Errand(Protocol):
    """A sweep or a batch that is to be done. Called in the thread that does it."""

    def prepare(self, *, elsewhere: bool) -> None:
        """Find out what is to be done. May raise."""

    def events(self, workplace: Workplace | None) -> Events:
        """What happens, as of core.engine.sweep.run_sweep. May raise. workplace: None is here."""

    def joined(self, workers: int) -> None:
        """So many workers are there."""

    def tell(self, event: Any) -> None:
        """Something has happened."""

    def ended(self, trouble: Notice | None) -> None:
        """It is over. trouble: what ended it too early."""


class TaskPump:
    """computer: the computing thread. crew: who has workers elsewhere. failed: what could not be done, in words."""

    def __init__(self, computer: Worker, crew: Crew | None, failed: str) -> None:
        self._computer, self._crew, self._failed = computer, crew, failed

    def start(self, errand: Errand, place: Place, stop: Stop) -> None:
        """Do an errand at a place; to be called in the window's thread."""
        if self._crew is not None and place.elsewhere:
            self._crew.submit(partial(self._elsewhere, self._crew, errand, place, stop))
        else:
            self._computer.submit(partial(self._here, errand))

    def _here(self, errand: Errand) -> None:
        try:
            errand.prepare(elsewhere=False)
            events = errand.events(None)
        except Exception as error:
            errand.ended(notice_of(error, self._failed))
            return
        self._advance(errand, events)

    def _advance(self, errand: Errand, events: Events) -> None:
        """Go on to the end of a task, and then stand in the queue again."""
        try:
            for event in events:
                errand.tell(event)
                computed = isinstance(event, TaskDone) and not event.again
                if computed or isinstance(event, TaskFailed):
                    self._computer.submit(partial(self._advance, errand, events))
                    return
        except Exception as error:
            errand.ended(notice_of(error, self._failed))
            return
        errand.ended(None)

    def _elsewhere(self, crew: Crew, errand: Errand, place: Place, stop: Stop) -> None:
        """In the thread that waits for workers: to the end."""
        trouble = None
        try:
            if not stop.ending:
                errand.prepare(elsewhere=True)
                with crew.at_work(place, stop) as workplace:
                    errand.joined(len(seen(workplace)))
                    with closing(errand.events(workplace)) as events:  # type: ignore[type-var]
                        for event in events:
                            errand.tell(event)
        except Exception as error:
            trouble = notice_of(error, self._failed)
        errand.ended(trouble)
