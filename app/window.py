"""Starts the window."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app import theme as themes
from app import translating
from app.bridge.bridge import Bridge
from app.bridge.crash_watch import CrashWatch
from app.bridge.engine import Engine
from app.bridge.garbage import Collector
from app.bridge.recovery import recovery_folder
from app.bridge.worker import Worker
from app.preferences import Preferences
from app.state.crash_report import take_hard
from app.state.kiosk import IDLE_S, Policy, Show
from app.state.notice import Notice
from app.state.runs import Phase, Run
from app.state.session import Session
from app.views.crash_desk import CrashDesk
from app.views.files import demo_path
from app.views.kiosk import Kiosk
from app.views.main_window import MainWindow
from app.words import tr

BAD_INPUT = 2


def build(engine: Engine | None = None, theme: str = "") -> tuple[QApplication, MainWindow]:
    """The application and its window, not yet shown. theme: "dark", "light" or "system"; "" for the user's choice."""
    app = QApplication.instance() or QApplication(["dds-viewer"])
    assert isinstance(app, QApplication)
    app.setApplicationName("DDS Viewer")
    app.setDesktopFileName("dds-viewer")
    preferences = Preferences()
    translating.install(preferences.language)
    themes.apply(theme or preferences.theme)
    session = Session()
    bridge = Bridge(session, engine)
    return app, MainWindow(session, bridge, preferences)


def launch(
    path: str | None = None,
    *,
    demo: str | None = None,
    screenshot: str | None = None,
    exit_when_done: bool = False,
    nfe: int | None = None,
    theme: str = "",
    engine: Engine | None = None,
) -> int:
    """Run the program until its window is closed; returns the exit status.

    path: a scan to open. demo: the name of a bundled scan to open and reconstruct ("mri", "ct"). screenshot: where to
    write a picture of the window when the last run has ended (with demo the DDS run, else the classical one).
    exit_when_done: close the window then; the status is 2 if it failed. nfe: network evaluations of the demo's run,
    None for what suits its prior.
    """
    watch = CrashWatch()
    watch.start()
    app, window = build(engine, theme)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    errand = Errand(window, reconstruct=demo is not None, screenshot=screenshot, leave=exit_when_done, nfe=nfe)
    window.show()
    app.processEvents()
    window.bridge.warm_up()
    if not (screenshot or exit_when_done):
        tell_crashes(window, watch)
        window.projects.begin()
        window.resuming.begin()
    if demo is not None:
        window.open_path(demo_path(demo), remember=False)
    elif path:
        window.open_path(path)
    elif not (screenshot or exit_when_done or window.preferences.tour_seen):
        window.tour.start()
    collector = Collector(app)
    status = app.exec()
    collector.stop()
    window.bridge.finish()
    window.projects.wait_for_end()
    watch.stop()
    end_at_once_if_held(status or errand.status)
    return status or errand.status


def end_at_once_if_held(status: int) -> None:
    """End the process where a thread still computes: a step of a large network takes ten seconds and cannot be stopped.

    What is written is complete by then, and nothing of what goes on would be kept.
    """
    if Worker.left():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def tell_crashes(window: MainWindow, watch: CrashWatch) -> CrashDesk:
    """Show the user what nobody foresaw, and first of all how the program ended the last time if that was not well."""

    def kept() -> str:
        if window.session.scan is None and not len(window.session.room):
            return ""
        window.projects.keep()
        return str(recovery_folder())

    def short() -> None:
        window.session.tell(
            Notice(
                tr("The memory ran out while an image was drawn."),
                tr("What is shown may not be complete; nothing else is lost."),
                tr("Show fewer panes, close volumes in Review, or close other programs."),
            )
        )

    desk = CrashDesk(window, kept, window.leave, short)
    watch.told.connect(desk.show)
    for report in take_hard():
        desk.show(report)
    return desk


def launch_kiosk(idle_s: float = IDLE_S, *, engine: Engine | None = None) -> int:
    """Run the stand until its keys are pressed. idle_s: seconds without a visitor until it starts over.

    Nothing is remembered: no file, no preference, no place of the window.
    """
    app = QApplication.instance() or QApplication(["dds-viewer"])
    assert isinstance(app, QApplication)
    app.setApplicationName("DDS Viewer")
    app.setDesktopFileName("dds-viewer")
    translating.install(translating.SYSTEM)
    themes.apply("dark")
    session = Session()
    window = Kiosk(session, Bridge(session, engine), Show(Policy(idle_s=idle_s)))
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    told = sys.excepthook
    sys.excepthook = lambda kind, error, trace: (told(kind, error, trace), window.fail())
    window.show_full()
    window.bridge.warm_up()
    collector = Collector(app)
    try:
        status = app.exec()
    finally:
        sys.excepthook = told
    collector.stop()
    window.bridge.finish()
    end_at_once_if_held(status)
    return status


class Errand:
    """What was asked for on the command line beside opening a file: reconstruct, write a screenshot, leave."""

    def __init__(
        self, window: MainWindow, *, reconstruct: bool, screenshot: str | None, leave: bool, nfe: int | None = None
    ) -> None:
        self._window = window
        self._nfe = nfe
        self._reconstruct = reconstruct
        self._screenshot = screenshot
        self._leave = leave
        self._done = False
        self.status = 0
        if reconstruct or screenshot or leave:
            window.session.runs.changed.connect(self._look)
            window.session.notice_changed.connect(self._look_for_failure)

    def _look(self) -> None:
        """After each change: start the run that was asked for, or finish when the last one has ended."""
        runs = list(self._window.session.runs)
        if self._done or not runs or any(r.going_on or r.phase is Phase.WAITING for r in runs):
            return
        if self._reconstruct and not any(r.is_dds for r in runs):
            self._reconstruct = False
            self._later(self._begin)
            return
        self._done = True
        self._later(partial(self._finish, runs[-1]))

    def _look_for_failure(self) -> None:
        notice = self._window.session.notice
        if notice is None or not notice.error or self._done:
            return
        print(" ".join(part for part in (notice.what, notice.why, notice.try_this) if part), file=sys.stderr)
        self._done = True
        self.status = BAD_INPUT
        self._later(partial(self._finish, None))

    def _begin(self) -> None:
        if self._nfe is not None:
            self._window.session.choice.set(nfe=self._nfe)
        self._window.bridge.reconstruct()

    def _finish(self, run: Run | None) -> None:
        if self._screenshot and not self._window.grab().save(self._screenshot):
            print(f"{self._screenshot} could not be written.", file=sys.stderr)
            self.status = BAD_INPUT
        if run is not None and run.volume is None:
            self.status = BAD_INPUT
        if self._leave:
            self._window.leave()

    def _later(self, does: Callable[[], object]) -> None:
        """Once the views have taken in what changed."""
        QTimer.singleShot(0, does)
