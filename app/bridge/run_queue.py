"""The queue of runs: one at a time, the others wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from app.bridge.keeping import Keeping
from app.bridge.mailbox import Mailbox
from app.bridge.pull import Listener, pull
from app.bridge.recovery import Place, recovery_folder
from app.bridge.worker import Worker
from app.state.display import RESULT, SPREAD
from app.state.naming import run_name
from app.state.notice import Notice
from app.state.picture import Levels, Picture, Plane
from app.state.runs import Phase, Run
from app.state.session import Session
from core.engine.events import Discarded, Event, Failed
from core.engine.job import JobSpec
from core.engine.state import State


class RunQueue(Listener):
    """Starts the next run when one has ended, and files what runs tell in the session. In the window's thread."""

    def __init__(
        self,
        session: Session,
        events: Callable[..., Iterator[Event]],
        mailbox: Mailbox,
        computer: Worker,
        keeping: Keeping | None = None,
    ) -> None:
        self.keeping = keeping or Keeping(recovery_folder())
        self._session = session
        self._events = events
        self._mailbox = mailbox
        self._computer = computer
        self._current: Run | None = None
        session.runs.changed.connect(self._forget_gone)

    @property
    def current(self) -> Run | None:
        return self._current

    def add(self, job: JobSpec, held: State | Place | None = None) -> Run:
        """A run that starts as soon as no other is going on. held: the state that it goes on from, or where its
        checkpoint is."""
        run = self._session.runs.add(job, run_name(job))
        if held is not None:
            self.keeping.held[id(run)] = held
        self._start_next()
        return run

    def pause(self) -> None:
        """Pause the current run, or go on with it."""
        if self._current is None:
            return
        if self._current.stop.paused:
            self._current.stop.resume()
        else:
            self._current.stop.pause()
        if self._current.phase is not Phase.PREPARING:
            self._current.follow_stop()
        self._session.runs.told.emit(self._current)
        self._session.runs.changed.emit()

    def keep(self) -> None:
        """End the current run with the estimate there is."""
        if self._current is not None:
            self._current.stop.keep()

    def discard(self, run: Run) -> None:
        """End a run without a result, or take a waiting one out of the queue."""
        if run is self._current:
            run.stop.discard()
        elif run.phase is Phase.WAITING:
            self._session.runs.remove(run)

    def stop(self) -> None:
        """Discard everything that runs or waits."""
        for run in list(self._session.runs.waiting):
            self._session.runs.remove(run)
        if self._current is not None:
            self._current.stop.discard()

    def event(self, run: Run, event: Event) -> None:
        before = run.phase
        run.apply(event)
        ended = run is self._current and not run.going_on
        followed = self._session.runs.front in (run, None)
        if ended:
            self._current = None
        try:
            self._tell(run, event, before)
        finally:
            if ended:
                self._start_next(follow=followed)

    def classical(self, run: Run, method: str, picture: Picture, levels: dict[str, Levels]) -> None:
        run.show_classical(method, picture)
        if run is self._session.runs.first:
            self._session.display.offer_levels(levels)
        self._session.runs.told.emit(run)

    def result(self, run: Run, picture: Picture, step: int, noisy: Plane | None = None) -> None:
        run.show_result(picture, step, noisy)
        self._session.runs.told.emit(run)

    def spread(self, run: Run, picture: Picture, levels: Levels) -> None:
        """The scale of the first spread holds for the later ones, so that they can be compared."""
        run.spread = picture
        if SPREAD not in self._session.display.offered:
            self._session.display.offer_levels({SPREAD: levels})
        self._session.runs.told.emit(run)

    def _tell(self, run: Run, event: Event, before: Phase) -> None:
        runs = self._session.runs
        if run not in runs:
            return
        if isinstance(event, Failed):
            self._session.tell(Notice.of_run(event.error, run.job))
        shows = run.classical if run.is_quick else run.result if isinstance(event, Failed) else None
        if isinstance(event, (Failed, Discarded)) and not shows:
            runs.remove(run)
            return
        runs.told.emit(run)
        if run.phase is not before:
            runs.changed.emit()

    def _forget_gone(self) -> None:
        self.keeping.forget_others(self._session.runs)

    def _start_next(self, *, follow: bool = True) -> None:
        """follow: the user looks at the run that went on before, so show the next one."""
        waiting = self._session.runs.waiting
        if self._current is not None or not waiting:
            return
        run = self._current = waiting[0]
        run.phase = Phase.PREPARING
        if not run.is_quick:
            run.borrow_classical(list(self._session.runs))
        if follow:
            self._session.runs.put_in_front(run)
            self._session.display.look_at(RESULT)
        self._session.runs.changed.emit()
        self._computer.submit(partial(pull, run, self._events, self._mailbox, self, self.keeping))
