"""The window: puts the views together and carries out actions."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QLabel, QMainWindow, QProgressBar, QVBoxLayout, QWidget

from app import theme
from app.actions import Actions
from app.bridge.bridge import Bridge
from app.preferences import Preferences
from app.state.display import PLANES, SLICE, SPREAD
from app.state.naming import file_name
from app.state.picture import COMPONENTS
from app.state.runs import Phase
from app.state.session import Session
from app.views.appearance import Appearance
from app.views.aside import Aside
from app.views.axes_dialog import AxesDialog
from app.views.banner import Banner, FitStrip
from app.views.command_palette import CommandPalette
from app.views.dialogs import Dialogs
from app.views.empty_state import EmptyState
from app.views.enabling import enable_pictures, enable_room, enable_runs
from app.views.filming import Filming
from app.views.focus_ring import FocusRings
from app.views.leaving import given_up_on_leaving
from app.views.manual import Manual
from app.views.menus import Menus
from app.views.opening import Opening
from app.views.priors_dialog import PriorsDialog
from app.views.projects import Projects
from app.views.referencing import Referencing
from app.views.resuming import Resuming
from app.views.reviewing import Reviewing
from app.views.simulating import Simulating
from app.views.tour import Tour
from app.views.tune_page import TunePage
from app.views.undoing import Undoing
from app.views.wiring import commands_of, connect_actions
from app.views.workplace import Workplace
from app.views.workspaces import RECONSTRUCT, REVIEW, TUNE, Workspaces
from app.words import tr
from core.formats.project_file import ENDING

TITLE = "DDS Viewer"


class MainWindow(QMainWindow):
    """Scan card and settings | image | run panel; a banner above them when something must be read."""

    def __init__(
        self,
        session: Session,
        bridge: Bridge,
        preferences: Preferences | None = None,
        dialogs: Dialogs | None = None,
    ) -> None:
        super().__init__()
        self.session = session
        self.bridge = bridge
        self.preferences = preferences or Preferences()
        self.dialogs = dialogs or Dialogs()
        self.actions_ = Actions(self, self.preferences.keys)
        self.priors_dialog: PriorsDialog | None = None
        self._leave_without_asking = False
        self._resume_shown: bool | None = None
        self._lay_out()
        self.menus = Menus(self.menuBar(), self.actions_, self.preferences, self.open_path)
        self.menuBar().setCornerWidget(self.stack.switch)
        self.opening = Opening(self, session, bridge, self.preferences, self.dialogs)
        self.projects = Projects(self, session, bridge, self.preferences, self.dialogs)
        self.opening.kept = lambda: self.projects.path is not None and not self.projects.modified
        self.resuming = Resuming(self, session, bridge, self.projects)
        for name, part in {**self.reviewing.parts, **self.tune.parts}.items():
            self.projects.add_part(name, part)
        self.simulating = Simulating(self, session, bridge, self.preferences, self.dialogs, self.open_path)
        form = self.parameters.reference
        self.referencing = Referencing(self, session, form, self.preferences, self.dialogs)
        self.aside = Aside(self, self.preferences, self.dialogs)
        session.display.set_layout(PLANES if self.preferences.planes else SLICE)
        self._connect_session()
        self._add_manners()
        connect_actions(self)
        self.setAcceptDrops(True)
        self.setWindowIcon(theme.icon("app"))
        self.setMinimumSize(QSize(1120, 660))
        self.resize(1280, 720)
        self.restoreGeometry(self.preferences.geometry)
        self.refresh()

    @property
    def axes_dialog(self) -> AxesDialog | None:
        """The question for the axes of a plain array, once it was asked."""
        return self.opening.axes_dialog

    def _lay_out(self) -> None:
        self.banner = Banner(self.session)
        self.fit_strip = FitStrip(self.session)
        self.empty = EmptyState(self.actions_)
        self.parts = Workplace(self.session, self.actions_)
        self.parts.fit_sides(self.preferences.text_size)
        self.scan_card, self.parameters = self.parts.scan_card, self.parts.parameters
        self.viewer, self.run_panel = self.parts.viewer, self.parts.run_panel
        self.reviewing = Reviewing(self, self.session, self.bridge, self.preferences, self.dialogs)
        self.filming = Filming(self, self.session, self.bridge, self.preferences, self.reviewing, self.run_panel)
        self.tune = TunePage(self.session, self.bridge, self.dialogs, preferences=self.preferences)
        self.stack = Workspaces(self.actions_, self.empty, self.parts, self.reviewing.page, self.tune)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self.fit_strip)
        column.addWidget(self.stack, 1)
        self.setCentralWidget(middle)
        self._reading = QLabel()
        self._share = QProgressBar()
        self._share.setAccessibleName(tr("How much has been read"))
        self._share.setMaximumWidth(160)
        self._share.hide()
        self.statusBar().addPermanentWidget(self._reading)
        self.statusBar().addPermanentWidget(self._share)
        self.statusBar().setSizeGripEnabled(False)

    def _add_manners(self) -> None:
        """What helps to use the rest: looks, undo, palette, tour, a mark where the keyboard is."""
        self.appearance = Appearance(self, self.actions_, self.preferences, self._redraw)
        images: list[QWidget] = [view.viewport() for view in self.viewer.planes.views]
        images += [pane.canvas for pane in self.reviewing.page.panes]
        self.undoing = Undoing(self, self.session, self.actions_, images)
        self.palette_ = CommandPalette(
            self, partial(commands_of, self), lambda: self.preferences.commands, self._run_command
        )
        self.tour = Tour(self)
        self.manual = Manual(self)
        self.rings = FocusRings(self)

    def _run_command(self, name: str) -> None:
        """Chosen in the palette."""
        self.preferences.remember_command(name)
        self.actions_[name].trigger()

    def _connect_session(self) -> None:
        self.opening.opened.connect(self._opened)
        self.session.reading_changed.connect(self._show_reading)
        self.session.saved.connect(
            lambda path: self.statusBar().showMessage(tr("Saved {name}", name=Path(path).name), 10_000)
        )
        self.banner.simulate_wanted.connect(self.simulating.begin)
        self.banner.again_wanted.connect(self.bridge.again_on_cpu)
        self.session.notice_changed.connect(self._lead_to_setting)
        self.session.shelf.working_changed.connect(self._tell_trouble)
        self.session.runs.changed.connect(self.refresh)
        self.session.runs.told.connect(self.refresh)
        self.session.runs.fronted.connect(self.refresh)
        self.session.display.changed.connect(self.refresh)
        self.session.room.changed.connect(self.refresh)
        self.session.room.items_changed.connect(self.refresh)
        self.stack.changed.connect(self._change_workspace)
        book = self.reviewing.trusting.book
        self.viewer.more_warnings = book.warnings_of
        book.changed.connect(self.viewer.refresh)
        self.projects.changed.connect(self.refresh)
        self.projects.opened.connect(self._show_project)
        self.tune.opened.connect(lambda *_: self.stack.go_to(RECONSTRUCT))
        self.reviewing.wanted.connect(partial(self.stack.go_to, REVIEW))
        self.filming.changed.connect(self.refresh)
        self.filming.branched.connect(partial(self.stack.go_to, RECONSTRUCT))

    def refresh(self, *_: object) -> None:
        """What can be done now."""
        opened, current = self.session.scan, self.session.runs.current
        room, reviewing = self.session.room, self.stack.reviewing
        self.stack.refresh(scan=opened is not None, volumes=len(room) > 0)
        names = (self.projects.name, opened.public_name if opened else "", TITLE)
        self.setWindowTitle(" — ".join(name for name in names if name))
        enable_pictures(self.actions_, self.session)
        enable_runs(self.actions_, self.session)
        self.actions_["branch"].setEnabled(self.filming.can_branch)
        enable_room(self.actions_, room, reviewing=reviewing, can_film=self.reviewing.pictures.can_film)
        self.menus.windows.menuAction().setVisible(self.session.display.components != COMPONENTS)
        self._show_pause(current is not None and current.stop.paused)

    def _show_pause(self, paused: bool) -> None:
        """The action is Resume while a run is paused."""
        if self._resume_shown is not paused:
            self._resume_shown = paused
            self.actions_["pause"].setText(tr("&Resume") if paused else tr("&Pause"))
            self.actions_["pause"].setIcon(theme.icon("run" if paused else "pause"))

    def open_path(self, path: str, *, remember: bool = True) -> None:
        """Open a file or folder, as app.views.opening.Opening.open, or a project."""
        if path.lower().endswith(ENDING):
            self.projects.open(path)
        else:
            self.opening.open(path, remember=remember)

    def ask_where_to_save(self) -> None:
        run, opened = self.session.runs.front, self.session.scan
        if run is None or run.volume is None or opened is None:
            return
        shown = self.session.shown()
        spread = shown is not None and shown.run is run and shown.view == SPREAD
        name = file_name(opened.public_name, run.name, spread=spread)
        path = self.dialogs.file_to_save(self, str(Path(self.preferences.folder) / name))
        if path:
            self.bridge.save(run, path, spread=spread)

    def blink(self) -> None:
        """Show the run that was in front before this one."""
        if self.session.runs.before is not None:
            self.session.runs.put_in_front(self.session.runs.before)

    def show_priors(self, name: str = "") -> None:
        """All priors, and what is known of the one of a name."""
        if self.priors_dialog is None:
            self.priors_dialog = PriorsDialog(self.session, self.bridge.priors, self.dialogs, self)
            self.priors_dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self.priors_dialog.finished.connect(self._forget_priors)
            self.priors_dialog.open()
        if name:
            self.priors_dialog.look_at(name)

    def _forget_priors(self) -> None:
        self.priors_dialog = None

    def discard(self) -> None:
        """The run in front if it waits or goes on, else the one that is going on; then show what can still be seen."""
        runs = self.session.runs
        front = runs.front
        run = front if front is not None and (front.phase is Phase.WAITING or front.going_on) else runs.current
        if run is not None:
            self.bridge.discard(run)

    def set_theme(self, name: str) -> None:
        """One of app.theme.THEMES, remembered."""
        self.appearance.set_theme(name)

    def set_language(self, name: str) -> None:
        """One of app.translating.LANGUAGES, remembered."""
        self.appearance.set_language(name)
        self.statusBar().showMessage(tr("The language changes when DDS Viewer is started again."), 10_000)

    def step_text(self, by: int) -> None:
        """Larger text (1), smaller text (-1), or the usual one (0); remembered."""
        self.appearance.step_text(by)
        self.parts.fit_sides(self.preferences.text_size)

    def _redraw(self) -> None:
        """Icons have other colours."""
        self._resume_shown = None
        self.refresh()

    def set_layout(self, planes: bool) -> None:
        """Three planes and a rendering, or the slice alone; remembered."""
        self.preferences.planes = planes
        self.session.display.set_layout(PLANES if planes else SLICE)

    def leave(self) -> None:
        """Close without asking."""
        self._leave_without_asking = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._leave_without_asking and not self.opening.may_lose_work(
            tr("Leave DDS Viewer?"), tr("Leave"), given_up_on_leaving(self.bridge, self.reviewing, self.aside)
        ):
            event.ignore()
            return
        self.preferences.geometry = self.saveGeometry()
        self.simulating.close()
        self.manual.release()
        self.aside.close()
        self.hide()
        self.viewer.planes.volume.release()
        self.tune.release()
        self.resuming.release()
        self.projects.release()
        self.reviewing.release()
        self.preferences.flush()
        self.bridge.shut_down()
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls()]
        if len(paths) == 1 and paths[0].lower().endswith(ENDING):
            event.acceptProposedAction()
            self.projects.open(paths[0])
        elif self.opening.take_drop(event.mimeData()):
            event.acceptProposedAction()

    def _show_project(self) -> None:
        if self.session.scan is None:
            self.stack.go_to(REVIEW)
        self.refresh()

    def _change_workspace(self) -> None:
        self.refresh()
        first = {RECONSTRUCT: self.viewer.slice_view, REVIEW: self.reviewing.page.active.canvas, TUNE: self.tune}
        first[self.stack.current].setFocus()

    def _opened(self) -> None:
        self.stack.go_to(RECONSTRUCT)
        self.refresh()
        self.viewer.slice_view.setFocus()

    def _lead_to_setting(self) -> None:
        """Put the cursor where the user can mend what the notice tells."""
        notice = self.session.notice
        if notice is not None and notice.setting and self.session.scan is not None:
            self.parameters.focus_on(notice.setting)

    def _tell_trouble(self) -> None:
        """A prior could not be added, and the dialog that would say so has been closed."""
        trouble = self.session.shelf.trouble
        if trouble is not None and self.priors_dialog is None:
            self.session.tell(trouble)

    def _show_reading(self) -> None:
        name, share = self.session.reading, self.session.reading_share
        self._reading.setText(tr("Reading {name} …", name=name) if name else "")
        self._share.setVisible(bool(name) and share is not None)
        self._share.setValue(round(100 * (share or 0)))
        self.empty.show_reading(name)
