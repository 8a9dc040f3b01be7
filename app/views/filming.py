"""The steps of runs in the window: the film below the panes of Review, marks on the curves, and branches."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.bridge.branching import branch, not_taken
from app.bridge.bridge import Bridge
from app.preferences import Preferences
from app.state.notice import Notice
from app.state.room.film import Cut
from app.state.runs import Run
from app.state.session import Session
from app.views.film_strip import FilmStrip
from app.views.reviewing import Reviewing
from app.views.run_panel import RunPanel
from app.views.steps_dialog import StepsDialog
from app.words import tr
from core.errors import UserError

MIB = 2**20


class Filming(QObject):
    """Which step of which run is looked at, on the curves and in the room alike.

    changed: another step is. branched: a run was started from it.
    """

    changed = Signal()
    branched = Signal()

    def __init__(
        self,
        window: QWidget,
        session: Session,
        bridge: Bridge,
        preferences: Preferences,
        reviewing: Reviewing,
        panel: RunPanel,
    ) -> None:
        super().__init__(window)
        self._window, self._session, self._bridge, self._preferences = window, session, bridge, preferences
        self._reviewing, self._panel = reviewing, panel
        self.room, self.film = session.room, reviewing.film
        self.strip = FilmStrip(panel.branch)
        reviewing.page.add_below(self.strip)
        self._run: Run | None = None
        self._step: int | None = None
        self._seen: tuple[str, int] | None = None
        self._set_bounds()
        panel.curve.chosen.connect(self._chosen_in_panel)
        self.strip.curve.chosen.connect(self._chosen_in_strip)
        self.strip.noisy.toggled.connect(self._show_noisy)
        self.room.changed.connect(self.refresh)
        self.room.items_changed.connect(self.refresh)
        for signal in (session.runs.changed, session.runs.fronted):
            signal.connect(self.refresh)
        self.refresh()

    @property
    def at(self) -> tuple[Run, int] | None:
        """The run and the step that are looked at."""
        return None if self._run is None or self._step is None else (self._run, self._step)

    @property
    def can_branch(self) -> bool:
        return self._run is not None and self._run.job.scan is not None and self._run.step_to_leave(self._step) > 0

    def branch(self) -> None:
        """Start a run with the present settings of the form from the step that is looked at."""
        if not self.can_branch or self._run is None or self._step is None:
            return
        settings, run = self._session.choice.settings, self._run
        try:
            branch(self._bridge.queue, run, self._step, settings)
        except UserError as error:
            self._session.tell(Notice.of(error))
            return
        kept = not_taken(run, settings)
        if kept:
            what = tr("These settings stay those of the run that is left: {names}.", names=", ".join(kept))
            self._session.tell(Notice(what, "", "", error=False))
        self.branched.emit()

    def ask_how_much(self) -> None:
        """How much memory the steps may take."""
        states = self._bridge.queue.keeping.states
        front = self._session.runs.front
        picture = front.result if front is not None and front.is_dds else None
        dialog = StepsDialog(self._preferences.steps_mib, self.film.nbytes, states.nbytes, picture, self._window)
        dialog.chosen.connect(self._set_how_much)
        dialog.open()

    def refresh(self) -> None:
        """Follow the room, and mark the step on the curves."""
        self._follow_room()
        runs = self._session.runs
        if self._run is not None and self._run not in runs:
            self._run = self._step = None
        front = runs.front
        here = self._step if front is not None and front is self._run else None
        self._panel.curve.let_choose(front is not None and front.volume is not None and bool(front.residuals))
        for curve in (self._panel.curve, self._panel.quality):
            curve.show_cursor(here)
        self._panel.branch.setVisible(here is not None)
        cut = self._cut
        self.strip.show_step(self._run if cut is not None else None, self._step)
        if cut is not None:
            self.strip.show_noisy(bool(self.film.of(cut.result, noisy=True)), self._is_noisy(cut))
        self.changed.emit()

    @property
    def _cut(self) -> Cut | None:
        """Of the film in the active pane."""
        item = self.room.item_in(self.room.active)
        return self.film.cut(item.key) if item is not None else None

    def _is_noisy(self, cut: Cut) -> bool:
        return self.room.panes[self.room.active].item == self.film.of(cut.result, noisy=True)

    def _follow_room(self) -> None:
        """The step that the active pane shows, if it shows another film or another moment than before."""
        cut, item = self._cut, self.room.item_in(self.room.active)
        if cut is None or item is None:
            self._seen = None
            return
        moment = min(self.room.moment, len(cut.steps) - 1)
        seen = (cut.result, moment)
        result = self.room.item(cut.result)
        if seen == self._seen or result is None or not isinstance(result.origin, Run):
            return
        self._seen, self._run, self._step = seen, result.origin, cut.steps[moment]

    def _chosen_in_panel(self, step: int) -> None:
        """On the curve of the run in front: see it in Review, if there is a film of it."""
        front = self._session.runs.front
        if front is None:
            return
        self._run, self._step, self._seen = front, step, None
        key = next((i.key for i in self.room if i.origin is front and self.film.of(i.key)), "")
        if not key:
            self.refresh()
            return
        cut = self.film.cut(self.film.of(key))
        if cut is not None:
            if self._cut is not cut:
                self.room.show(self.room.active, self.film.of(key))
            self.room.set_moment(cut.nearest(step))
            self._reviewing.wanted.emit()

    def _chosen_in_strip(self, step: int) -> None:
        if (cut := self._cut) is not None:
            self.room.set_moment(cut.nearest(step))

    def _show_noisy(self, on: bool) -> None:
        cut = self._cut
        key = self.film.of(cut.result, noisy=on) if cut is not None else ""
        if key and key != self.room.panes[self.room.active].item:
            self.room.show(self.room.active, key)

    def _set_how_much(self, size: int) -> None:
        self._preferences.steps_mib = size
        self._set_bounds()

    def _set_bounds(self) -> None:
        """A quarter for the films of runs that go on, a quarter for those of the others, half for states."""
        most = self._preferences.steps_mib * MIB
        self.film.most_bytes = most // 4
        self._bridge.queue.keeping.states.most_bytes = most // 2
