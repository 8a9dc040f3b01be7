"""Examines how far images can be trusted, in a thread of its own: one study at a time, at once or when asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QObject, QTimer

from app.bridge.crew import Crew
from app.bridge.file_desk import notice_of
from app.bridge.mailbox import Mailbox
from app.bridge.trust_engine import Examine, Examiner
from app.bridge.worker import Worker
from app.state.notice import Notice
from app.state.room.item import Item
from app.state.runs import Run
from app.state.session import Session
from app.state.trust.book import TrustBook
from app.state.trust.found import Asked, Doing, Found
from app.state.trust.items import base_of, items_of
from app.state.trust.study import Part, Study
from core.engine.stop import Halt, Stop

IDLE_MS = 400
"""So long after the last news of a run it is looked whether anything waits for a verdict."""
LAST_WAIT_MS = 500
"""For a study to end when the window closes."""


@dataclass(eq=False)
class Ongoing:
    """A study that is being made. doing: how far it is."""

    run: Run
    study: Study
    seeds: int = 0
    stop: Stop = field(default_factory=Stop)
    doing: Doing | None = None


class TrustDesk(QObject):
    """Takes requests in the window's thread, and files what is found in the book and the room.

    told: called when something has changed. elsewhere: something else is being worked on, so that no verdict is found
    meanwhile. examine: finds; by default with the real engine. crew: who draws samples elsewhere. Whoever closes the
    window calls `release` first.
    """

    def __init__(
        self,
        session: Session,
        elsewhere: Callable[[], bool],
        told: Callable[[], None],
        examine: Examine | None = None,
        parent: QObject | None = None,
        crew: Crew | None = None,
    ) -> None:
        super().__init__(parent)
        self.session, self.book = session, TrustBook()
        self._elsewhere, self._told = elsewhere, told
        self._examiner = Examiner(crew)
        self._examine = examine or self._examiner
        self._mailbox = Mailbox(self)
        self._worker = Worker("trust", self)
        self._made: dict[Run, dict[Part, str]] = {}
        self._examined: Run | None = None
        self.ongoing: Ongoing | None = None
        self._due = QTimer(self)
        self._due.setObjectName("trust when idle")
        self._due.setSingleShot(True)
        self._due.setInterval(IDLE_MS)
        self._due.timeout.connect(self._when_idle)
        session.runs.changed.connect(self._follow)
        session.opened.connect(self._follow)
        self._follow()

    @property
    def busy(self) -> bool:
        return self.ongoing is not None

    def may_ask(self, run: Run | None) -> bool:
        """Its image and its scan are there, and nothing else is going on."""
        free = self.ongoing is None or self.ongoing.study is Study.VERDICT
        return run is not None and self._can_be_examined(run) and free and self.session.runs.current is None

    def _can_be_examined(self, run: Run) -> bool:
        return run.volume is not None and run.job.scan is not None and self.session.scan is not None

    def ask(self, run: Run | None, study: Study, seeds: int = 0) -> bool:
        """Begin a study; False if it cannot be made now. A verdict that is being found makes room, and comes later."""
        if run is None or not self.may_ask(run):
            return False
        if self.ongoing is not None:
            self.ongoing.stop.discard()
        return self._start(run, study, seeds)

    def stop(self) -> None:
        """Give up what is going on. What it found so far is lost."""
        if self.ongoing is not None:
            self.ongoing.stop.discard()

    def items_of(self, run: Run) -> dict[Part, Item]:
        """What the room holds of what was found about a run."""
        room = self.session.room
        known = ((part, room.item(key)) for part, key in self._made.get(run, {}).items())
        return {part: item for part, item in known if item is not None}

    def release(self) -> None:
        """Stop, and wait a moment for the thread: one evaluation of a large network takes long."""
        self.session.runs.changed.disconnect(self._follow)
        self.session.opened.disconnect(self._follow)
        self._due.stop()
        self.stop()
        self._mailbox.close()
        self._worker.leave()
        self._worker.ended(LAST_WAIT_MS)
        self.ongoing = None

    def wait_for_end(self) -> None:
        """After `release`."""
        self._worker.ended()

    def _start(self, run: Run, study: Study, seeds: int = 0) -> bool:
        scan, volume = self.session.scan, run.volume
        base = base_of(scan, run, self.session.room) if scan is not None else None
        if base is None or volume is None:
            return False
        self.ongoing, self._examined = Ongoing(run, study, seeds), run
        self._worker.submit(partial(self._work, self.ongoing, Asked(study, run.job, volume, seeds), base))
        self._told()
        return True

    def _work(self, ongoing: Ongoing, asked: Asked, base: Item) -> None:
        """In the trust thread."""
        items: dict[Part, Item] = {}
        found: Found | None = None
        trouble: Notice | None = None
        try:
            found = self._pull(ongoing, asked)
            if found is not None and not ongoing.stop.discarding:
                items = items_of(found, base, ongoing.run, asked.seeds)
        except Halt:
            found = None
        except Exception as error:
            trouble = notice_of(error, "It could not be examined how far this image can be trusted.")
        self._mailbox.post(partial(self._finish, ongoing, found, items, trouble))

    def _pull(self, ongoing: Ongoing, asked: Asked) -> Found | None:
        steps = self._examine(asked, ongoing.stop)
        while not ongoing.stop.discarding:
            try:
                doing = next(steps)
            except StopIteration as end:
                found: Found | None = end.value
                return found
            self._mailbox.post(partial(self._show, ongoing, doing), ongoing)
        steps.close()
        return None

    def _show(self, ongoing: Ongoing, doing: Doing) -> None:
        ongoing.doing = doing
        if ongoing is self.ongoing:
            self._told()

    def _finish(self, ongoing: Ongoing, found: Found | None, items: dict[Part, Item], trouble: Notice | None) -> None:
        """Back in the window's thread. What belongs to a run that has gone, or was given up, is dropped."""
        if ongoing is self.ongoing:
            self.ongoing = None
        run = ongoing.run
        if run in self.session.runs and not ongoing.stop.discarding:
            if found is not None:
                for part, item in items.items():
                    self._made.setdefault(run, {})[part] = item.key
                    self.session.room.put(item)
                self.book.take(run, ongoing.study, found)
            elif trouble is not None:
                self._fail(ongoing, trouble)
        self._told()
        self._later()

    def _fail(self, ongoing: Ongoing, trouble: Notice) -> None:
        """Who has asked is told; a verdict that nobody asked for is only noted."""
        if ongoing.study is Study.VERDICT:
            self.book.fail(ongoing.run, f"{trouble.what} {trouble.why}".strip())
        else:
            self.session.tell(trouble)

    def _follow(self) -> None:
        """Runs came or went."""
        there = set(self.session.runs)
        if self.ongoing is not None and self.ongoing.run not in there:
            self.stop()
        for run in [run for run in self._made if run not in there]:
            for key in self._made.pop(run).values():
                self.session.room.remove(key)
        if self._examined is not None and self._examined not in there:
            self._examined = None
            self._worker.submit(self._examiner.forget)
        self.book.keep_only(there)
        self._told()
        self._later()

    @property
    def _unjudged(self) -> Run | None:
        """The latest finished run of DDS of which nothing is known."""
        runs = reversed(list(self.session.runs))
        waiting = (run for run in runs if run.is_dds and self._can_be_examined(run))
        return next((run for run in waiting if self._wants_verdict(run)), None)

    def _wants_verdict(self, run: Run) -> bool:
        known = self.book.record(run)
        return known is None or (known.verdict is None and not known.trouble)

    def _later(self) -> None:
        if not self.busy and self._unjudged is not None:
            self._due.start()

    def _when_idle(self) -> None:
        """Find a verdict if the machine has nothing else to do, or look again later."""
        run = self._unjudged
        if run is None or self.busy:
            return
        if self._elsewhere() or self.session.runs.waiting or not self._start(run, Study.VERDICT):
            self._due.start()
