"""The window of the stand: one screen without menus, files or preferences, that plays the demos and starts over."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app import theme
from app.actions import DEEDS
from app.bridge.bridge import Bridge
from app.bridge.trust_desk import TrustDesk
from app.state.kiosk import Act, Policy, Show, Stage, edge_at
from app.state.room.feed import Feed
from app.state.room.item import Kind
from app.state.room.pane import Comparison, Layout
from app.state.runs import Phase, Run
from app.state.session import Session
from app.state.trust.study import Part, Study
from app.views.files import demo_path
from app.views.kiosk_hand import Hand
from app.views.kiosk_stage import SLIDERS, StagePage, Welcome, research_line

TICK_MS, EDGE_MS = 250, 40
ZOOM = 1.25
HALF = 0.5


class Kiosk(QWidget):
    """Plays a Show with the engine. Only the actions of its policy are made; it closes for `leave` and nothing else.

    It has no menus, takes no drops, opens no dialogs, and reads no files but the bundled demos.
    """

    def __init__(self, session: Session, bridge: Bridge, show: Show | None = None) -> None:
        super().__init__()
        self.session, self.bridge = session, bridge
        self.play = show or Show(Policy())
        self.room = session.room
        self.room.set_layout(Layout.ONE)
        self.feed = Feed(session, self.room)
        self.desk = TrustDesk(session, lambda: bridge.busy, self._trust_told, bridge.engine.trust, self)
        self._run: Run | None = None
        self._leaving = False
        self._lay_out()
        self.deeds = {name: self._action(name, does) for name, does in self._does().items()}
        escape = QShortcut(QKeySequence(self.play.policy.escape), self, context=Qt.ShortcutContext.ApplicationShortcut)
        escape.activated.connect(self.leave)
        self._connect()
        self._stage_changed()

    def _lay_out(self) -> None:
        self.setWindowTitle("DDS Viewer")
        self.setWindowIcon(theme.icon("app"))
        self.setMinimumSize(QSize(1024, 640))
        self.resize(1280, 720)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.welcome, self.stage = Welcome(), StagePage(self.room)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.welcome)
        self.pages.addWidget(self.stage)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.pages, 1)
        whole.addWidget(research_line())

    def _does(self) -> dict[str, Callable[[], object]]:
        """What each action does. Raises KeyError for one that the policy names and that does nothing here."""
        known: dict[str, Callable[[], object]] = {
            "reset_levels": self.room.reset_levels,
            "fit": self.room.fit,
            "zoom_in": lambda: self.stage.pane.zoom_by(ZOOM),
            "zoom_out": lambda: self.stage.pane.zoom_by(1 / ZOOM),
            "reconstruct": self._again,
        }
        return {name: known[name] for name in self.play.policy.actions}

    def _action(self, name: str, does: Callable[[], object]) -> QAction:
        deed = DEEDS[name]
        action = QAction(deed.words, self)
        action.setObjectName(name)
        action.setShortcut(QKeySequence(deed.key))
        action.triggered.connect(lambda *_: does())
        self.addAction(action)
        return action

    def _connect(self) -> None:
        self.welcome.start.clicked.connect(self._go_on)
        self.stage.wanted.connect(self._go_on)
        self.stage.again.connect(self._again)
        self.stage.over.connect(self.play.restart)
        self.stage.turned.connect(lambda name, value: self.session.choice.set(**{name: value}))
        self.play.changed.connect(self._stage_changed)
        self.play.restarted.connect(self._forget_visitor)
        self.session.opened.connect(self._opened)
        self.session.runs.changed.connect(self._look)
        self.session.runs.told.connect(self._look)
        self.session.notice_changed.connect(self._look_for_failure)
        self._ticks, self._edges = QTimer(self), QTimer(self)
        self._ticks.timeout.connect(self.tick)
        self._edges.timeout.connect(self._move_edge)
        self._ticks.start(TICK_MS)
        self._edges.setInterval(EDGE_MS)
        self._hand = Hand(self.play.touch, self)

    def tick(self) -> None:
        """Time has passed; also looks whether something was missed."""
        self._guarded(self.play.tick)
        self._guarded(self._look)

    # The show

    def _stage_changed(self) -> None:
        """Do what the stage is for, once, and show it."""
        stage, act = self.play.stage, self.play.act
        quiet = stage in (Stage.WELCOME, Stage.TROUBLE)
        self.pages.setCurrentWidget(self.welcome if quiet else self.stage)
        self.welcome.show_stage(act, stage)
        self.stage.show_stage(act, stage, ready=self.play.ready)
        if stage is Stage.COMPARE and not self.play.visited:
            self._edges.start()
        else:
            self._edges.stop()
        if (stage, act) != getattr(self, "_done", None) or quiet:
            self._done: tuple[Stage, Act] | None = (stage, act)
            self._guarded(self._begin_stage)

    def _begin_stage(self) -> None:
        does: dict[Stage, Callable[[], object]] = {
            Stage.WELCOME: self._rest,
            Stage.TROUBLE: self._rest,
            Stage.MEASURED: self._open,
            Stage.FORMING: self._form,
            Stage.COMPARE: self._compare,
            Stage.UNSEEN: self._show_unseen,
        }
        does[self.play.stage]()

    def _rest(self) -> None:
        self.bridge.queue.stop()
        self.desk.stop()
        self._run = None

    def _open(self) -> None:
        self._run = None
        self._alone()
        self._forget_looks()
        self.bridge.open(demo_path(self.play.act.demo))

    def _opened(self) -> None:
        choice = self.session.choice
        choice.set(**{name: choice.default_of(name) for name in SLIDERS})
        self.stage.show_settings({name: int(getattr(choice.settings, name)) for name in SLIDERS})

    def _form(self) -> None:
        """A run with the settings chosen now, over the classical image; earlier ones are let go."""
        self._run = None
        self._alone()
        for run in [run for run in self.session.runs if run.is_dds and not run.going_on]:
            self.session.runs.remove(run)
        self._run = self.bridge.reconstruct()
        if self._run is None:
            self.play.fail()

    def _compare(self) -> None:
        result, classical = self._item(Kind.RESULT), self._item(Kind.CLASSICAL)
        if result is None or classical is None:
            self.play.fail()
            return
        self.room.set_pane(0, item=classical, over=result, comparison=Comparison.SWIPE, share=HALF)
        self.desk.ask(self._run, Study.SUPPORT)

    def _show_unseen(self) -> None:
        """Laid over the image when it is there; passed over where it could not be found."""
        found = self.desk.items_of(self._run).get(Part.UNSEEN) if self._run is not None else None
        result, asked = self._item(Kind.RESULT), self.desk.ongoing
        if found is not None and result is not None:
            self.room.set_pane(0, item=result, over=found.key, comparison=Comparison.BLEND, share=HALF)
            self.play.arrive()
        elif asked is None or asked.study is not Study.SUPPORT:
            self.play.go_on()

    def _trust_told(self) -> None:
        if hasattr(self, "play") and self.play.stage is Stage.UNSEEN and not self.play.ready:
            self._guarded(self._show_unseen)

    def _look(self, *_: object) -> None:
        """At the runs: has come what the stage waits for?"""
        scan, first = self.session.scan, self.session.runs.first
        if self.play.ready:
            return
        if self.play.stage is Stage.MEASURED:
            there = scan is not None and scan.source.path == demo_path(self.play.act.demo) and not self.session.reading
            if there and first is not None:
                self._follow(first)
        elif self.play.stage is Stage.FORMING and self._run is not None:
            self.stage.show_progress(self._run.step, self._run.steps)
            self._follow(self._run)

    def _follow(self, run: Run) -> None:
        if run.volume is not None and run.shown() is not None:
            self.play.arrive()
        elif run.phase in (Phase.FAILED, Phase.DISCARDED):
            self.play.fail()

    def _look_for_failure(self) -> None:
        """What went wrong is told to those who look after the stand; visitors read a friendly sentence."""
        notice = self.session.notice
        if notice is None or not notice.error:
            return
        print(" ".join(part for part in (notice.what, notice.rest) if part), file=sys.stderr)
        if self.play.stage in (Stage.MEASURED, Stage.FORMING):
            self.play.fail()

    def _item(self, kind: Kind) -> str | None:
        """The key of the latest one."""
        return next((item.key for item in reversed(list(self.room)) if item.kind is kind), None)

    def _alone(self) -> None:
        classical = self._item(Kind.CLASSICAL)
        self.room.set_pane(0, item=classical or "", over="", comparison=Comparison.NONE)

    def _move_edge(self) -> None:
        if self.play.visited:
            self._edges.stop()
        else:
            self.room.set_pane(0, share=edge_at(self.play.seconds))

    # The visitor

    def _go_on(self) -> None:
        if self.play.ready:
            self.play.go_on()

    def _again(self) -> None:
        if self.play.stage in (Stage.COMPARE, Stage.UNSEEN):
            self.desk.stop()
            self.play.form_again()

    def _forget_visitor(self) -> None:
        self._forget_looks()
        self._run = None

    def _forget_looks(self) -> None:
        self.room.reset_levels()
        self.room.fit()

    # The end

    def fail(self) -> None:
        """Something unforeseen happened: tell it kindly and start over."""
        if self.play.stage is not Stage.TROUBLE:
            self.play.fail()

    def _guarded(self, does: Callable[[], object]) -> None:
        """An error costs the act, not the stand."""
        try:
            does()
        except Exception:  # whatever it is: nobody stands by who could help
            traceback.print_exc()
            self.fail()

    def leave(self) -> None:
        """The only way out."""
        self._leaving = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._leaving:
            event.ignore()
            return
        self._hand.release()
        self._ticks.stop()
        self._edges.stop()
        self.desk.release()
        self.stage.release()
        self.bridge.shut_down()
        event.accept()

    def changeEvent(self, event: QEvent) -> None:
        """A desktop may shrink or hide it; it comes back."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.WindowStateChange and self._wanted_full and not self._leaving:
            QTimer.singleShot(0, self, self.show_full)

    _wanted_full = False

    def show_full(self) -> None:
        """The whole screen, above other windows."""
        self._wanted_full = True
        if not self.isFullScreen():
            self.setWindowFlag(Qt.WindowType.WindowStaysOnTopHint)
            self.showFullScreen()
