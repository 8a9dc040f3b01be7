"""The window: puts the views together and carries out actions."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QLabel, QMainWindow, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app import theme
from app.actions import HOUNSFIELD, WINDOWS, Actions
from app.bridge.bridge import Bridge
from app.preferences import Preferences
from app.state.display import PLANES, RESULT, SINOGRAM, SLICE, SPREAD
from app.state.naming import file_name
from app.state.notice import Notice
from app.state.picture import COMPONENTS
from app.state.runs import Phase
from app.state.session import AxesQuestion, Session
from app.views.axes_dialog import AxesDialog
from app.views.banner import Banner, FitStrip
from app.views.dialogs import Dialogs
from app.views.empty_state import EmptyState
from app.views.enabling import enable_pictures, enable_runs
from app.views.files import demo_path, local_file
from app.views.help_dialogs import AboutDialog, ShortcutsDialog
from app.views.menus import Menus
from app.views.parameters import Parameters
from app.views.priors_dialog import PriorsDialog
from app.views.run_panel import RunPanel
from app.views.scan_card import ScanCard
from app.views.simulating import Simulating
from app.views.viewer import Viewer

TITLE = "DDS Viewer"
ZOOM = 1.25
SIDE = 300


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
        self.actions_ = Actions(self)
        self.axes_dialog: AxesDialog | None = None
        self.priors_dialog: PriorsDialog | None = None
        self._leave_without_asking = False
        self._remember = ""
        self._resume_shown: bool | None = None
        self._lay_out()
        self.menus = Menus(self.menuBar(), self.actions_, self.preferences, self.open_path)
        self.simulating = Simulating(self, session, bridge, self.preferences, self.dialogs, self.open_path)
        self._connect_actions()
        self._connect_session()
        session.display.set_layout(PLANES if self.preferences.planes else SLICE)
        self.setAcceptDrops(True)
        self.setWindowIcon(theme.icon("app"))
        self.setMinimumSize(QSize(1120, 660))
        self.resize(1280, 720)
        self.restoreGeometry(self.preferences.geometry)
        self.refresh()

    def _lay_out(self) -> None:
        self.banner = Banner(self.session)
        self.fit_strip = FitStrip(self.session)
        self.empty = EmptyState(self.actions_)
        self.scan_card = ScanCard(self.session)
        self.parameters = Parameters(self.session, self.actions_)
        self.viewer = Viewer(self.session, self.actions_)
        self.run_panel = RunPanel(self.session, self.actions_)
        left = QSplitter(Qt.Orientation.Vertical)
        left.addWidget(self.scan_card)
        left.addWidget(self.parameters)
        left.setSizes([190, 460])
        self.parts = QSplitter(Qt.Orientation.Horizontal)
        for part in (left, self.viewer, self.run_panel):
            self.parts.addWidget(part)
            self.parts.setCollapsible(self.parts.count() - 1, False)
        left.setMinimumWidth(SIDE - 20)
        self.run_panel.setMinimumWidth(SIDE - 20)
        self.parts.setStretchFactor(1, 1)
        self.parts.setSizes([SIDE, 10**4, SIDE])
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.parts)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self.fit_strip)
        column.addWidget(self.stack, 1)
        self.setCentralWidget(middle)
        self._reading = QLabel()
        self.statusBar().addPermanentWidget(self._reading)
        self.statusBar().setSizeGripEnabled(False)

    def _connect_actions(self) -> None:
        display, queue, view = self.session.display, self.bridge.queue, self.viewer.planes
        does = {
            "open": self.ask_for_scan,
            "open_folder": self.ask_for_folder,
            "simulate": self.simulating.choose_file,
            "simulate_folder": self.simulating.choose_folder,
            "demo": lambda: self.open_path(demo_path("mri"), remember=False),
            "demo_ct": lambda: self.open_path(demo_path("ct"), remember=False),
            "planes": lambda: self.set_layout(self.actions_["planes"].isChecked()),
            "sinogram": lambda: display.look_at(SINOGRAM if self.actions_["sinogram"].isChecked() else RESULT),
            "save": self.ask_where_to_save,
            "quit": self.close,
            "classical": lambda: display.put_classical_in_front(self.actions_["classical"].isChecked()),
            "blink": self.blink,
            "reset_levels": display.reset_levels,
            "fit": view.fit,
            "zoom_in": partial(view.zoom_by, ZOOM),
            "zoom_out": partial(view.zoom_by, 1 / ZOOM),
            "smooth": lambda: view.set_smooth(self.actions_["smooth"].isChecked()),
            "reconstruct": self.bridge.reconstruct,
            "pause": queue.pause,
            "keep": queue.keep,
            "discard": self.discard,
            "about_prior": lambda: self.show_priors(self.session.choice.settings.prior),
            "priors": self.show_priors,
            "dismiss": partial(self.session.tell, None),
            "shortcuts": lambda: ShortcutsDialog(self).open(),
            "about": lambda: AboutDialog(self).open(),
            **{name: partial(display.set_component, name) for name in COMPONENTS},
            **{n: partial(display.set_levels, w.window, w.level) for n, w in zip(WINDOWS, HOUNSFIELD, strict=True)},
            **{f"theme_{name}": partial(self.set_theme, name) for name in theme.THEMES},
        }
        for name in self.actions_:
            self.actions_[name].triggered.connect(_without_argument(does[name]))
        self.actions_["smooth"].setChecked(True)
        self.actions_[f"theme_{self.preferences.theme}"].setChecked(True)

    def _connect_session(self) -> None:
        self.session.opened.connect(self._opened)
        self.session.reading_changed.connect(self._show_reading)
        self.session.axes_asked.connect(self._ask_axes)
        self.session.saved.connect(lambda path: self.statusBar().showMessage(f"Saved {Path(path).name}", 10_000))
        self.banner.simulate_wanted.connect(self.simulating.begin)
        self.session.notice_changed.connect(self._lead_to_setting)
        self.session.shelf.working_changed.connect(self._tell_trouble)
        self.session.runs.changed.connect(self.refresh)
        self.session.runs.told.connect(self.refresh)
        self.session.runs.fronted.connect(self.refresh)
        self.session.display.changed.connect(self.refresh)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_desktop)

    def refresh(self, *_: object) -> None:
        """What can be done now."""
        opened, current = self.session.scan, self.session.runs.current
        self.stack.setCurrentWidget(self.parts if opened else self.empty)
        self.setWindowTitle(f"{opened.name} — {TITLE}" if opened else TITLE)
        enable_pictures(self.actions_, self.session)
        enable_runs(self.actions_, self.session)
        self.menus.windows.menuAction().setVisible(self.session.display.components != COMPONENTS)
        self._show_pause(current is not None and current.stop.paused)

    def _show_pause(self, paused: bool) -> None:
        """The action is Resume while a run is paused."""
        if self._resume_shown is not paused:
            self._resume_shown = paused
            self.actions_["pause"].setText("&Resume" if paused else "&Pause")
            self.actions_["pause"].setIcon(theme.icon("run" if paused else "pause"))

    def open_path(self, path: str, *, remember: bool = True) -> None:
        """Open a file or folder, after asking if that would lose work. Once read it joins the recent ones."""
        if self._may_lose_work(f"Open {Path(path).name}?", "Open it"):
            self._remember = path if remember else ""
            self.bridge.open(path)

    def ask_for_scan(self) -> None:
        path = self.dialogs.scan_to_open(self, self.preferences.folder)
        if path:
            self.open_path(path)

    def ask_for_folder(self) -> None:
        path = self.dialogs.folder_to_open(self, self.preferences.folder)
        if path:
            self.open_path(path)

    def ask_where_to_save(self) -> None:
        run, opened = self.session.runs.front, self.session.scan
        if run is None or run.volume is None or opened is None:
            return
        shown = self.session.shown()
        spread = shown is not None and shown.run is run and shown.view == SPREAD
        name = file_name(opened.name, run.name, spread=spread)
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
        """The run in front if it waits, else the one that is going on; what can still be seen is shown then."""
        runs = self.session.runs
        run = runs.front if runs.front is not None and runs.front.phase is Phase.WAITING else runs.current
        if run is not None:
            self.bridge.queue.discard(run)

    def set_theme(self, name: str) -> None:
        self.preferences.theme = name
        theme.apply(name)
        self.actions_.draw_icons()
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
        if not self._leave_without_asking and not self._may_lose_work("Leave DDS Viewer?", "Leave"):
            event.ignore()
            return
        self.preferences.geometry = self.saveGeometry()
        self.preferences.flush()
        self.simulating.close()
        self.hide()
        self.viewer.planes.volume.release()
        self.bridge.shut_down()
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = local_file(event.mimeData().urls())
        if path:
            event.acceptProposedAction()
            self.open_path(path)
        else:
            self.session.tell(
                Notice("Several files were dropped.", "One scan can be open.", "Drop one, or its folder.")
            )

    def _may_lose_work(self, what: str, yes: str) -> bool:
        reasons = self.session.runs.would_be_lost()
        return not reasons or self.dialogs.go_on(self, what, " ".join(reasons), yes)

    def _opened(self) -> None:
        opened = self.session.scan
        if opened is not None and self._remember:
            self.preferences.remember(opened.source.path)
        if opened is not None and self.preferences.planes is None:
            self.session.display.set_layout(PLANES if opened.is_thick else SLICE)
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
        name = self.session.reading
        self._reading.setText(f"Reading {name} …" if name else "")
        self.empty.show_reading(name)

    def _ask_axes(self, question: AxesQuestion) -> None:
        self.axes_dialog = AxesDialog(question, self)
        self.axes_dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.axes_dialog.named.connect(self.bridge.open)
        self.axes_dialog.open()

    def _follow_desktop(self) -> None:
        if self.preferences.theme == "system":
            self.set_theme("system")


def _without_argument(does: object) -> object:
    """Drop the `checked` that QAction.triggered passes."""
    return lambda *_: does()  # type: ignore[operator]
