"""Runs that were going on when the program ended unexpectedly: asked about at the next start, and gone on with."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from app.bridge.bridge import Bridge
from app.bridge.recovery import RUN, Place, left_behind
from app.state.session import Session
from app.views.project_dialogs import ProjectDialogs, Wish
from app.views.project_words import when
from app.views.projects import Projects
from core.engine.checkpoint import ENDING, summary
from core.engine.job import JobSpec
from core.errors import UserError


class Resuming(QObject):
    """Waits for a session that is being restored before it opens the scan of a run by itself."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        bridge: Bridge,
        projects: Projects,
        asks: ProjectDialogs | None = None,
    ) -> None:
        super().__init__(window)
        self._window, self._session, self._bridge = window, session, bridge
        self._projects, self._asks = projects, asks or ProjectDialogs()
        self._pending: tuple[JobSpec, Place] | None = None
        self._opening = False
        session.opened.connect(self._scan_is_there)
        projects.opened.connect(self._go_on)
        session.reading_changed.connect(self._reading_ended)

    def begin(self) -> None:
        """Ask what to do with runs whose windows are gone, the latest first, until one is gone on with."""
        places = left_behind(self._bridge.queue.keeping.folder, RUN, ENDING)
        for place in places:
            if self._pending is not None:
                place.leave()
                continue
            try:
                told = summary(place.file)
                job = JobSpec.from_dict(told["job"])
            except UserError:
                place.discard()
                continue
            name = Path(job.source.path).name
            wish = self._asks.run_left_behind(self._window, name, told["done"], told["total"], when(place))
            if wish is Wish.RESTORE:
                self._pending = (job, place)
            elif wish is Wish.DISCARD:
                place.discard()
            else:
                place.leave()
        if not self._session.reading:
            self._go_on()

    def release(self) -> None:
        """The window closes: a run that was not gone on with is asked about another time."""
        self._session.opened.disconnect(self._scan_is_there)
        self._session.reading_changed.disconnect(self._reading_ended)
        self._give_up()

    def _go_on(self) -> None:
        """Queue the run, after opening its scan where another one is open."""
        if self._pending is None:
            return
        job, place = self._pending
        scan = self._session.scan
        source = job.source
        if scan is not None and scan.source.path == source.path:
            self._pending, self._opening = None, False
            self._bridge.resume(job, place)
        elif not self._opening:
            self._opening = True
            self._bridge.open(source.path, source.axes, source.domain)

    def _scan_is_there(self) -> None:
        """Another scan that the user opens meanwhile does not end the wait, nor does one that cannot be read."""
        if self._opening:
            QTimer.singleShot(0, self, self._go_on)  # after the classical image, which comes first of all runs

    def _reading_ended(self) -> None:
        """A session that is restored stands only after whoever read it has done the rest."""
        if not self._session.reading and self._pending is not None and not self._opening:
            QTimer.singleShot(0, self, self._go_on)

    def _give_up(self) -> None:
        if self._pending is not None:
            self._pending[1].leave()
        self._pending, self._opening = None, False
