"""The controls over the pictures: which one, component or named window, window and level, and what is often done."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from app.actions import Actions
from app.state.display import OWN_SCALE, SPREAD
from app.state.naming import picture_name
from app.state.picture import COMPONENTS
from app.state.runs import Shown
from app.state.session import Session
from app.state.windows import NamedWindow, windows_for
from app.views.chooser import chooser
from app.views.number_edit import NumberEdit
from app.words import later, tr

_OWN = later("Own window")


class ViewerBar(QWidget):
    """Says what the user wants to the session's display, and shows what it has."""

    def __init__(self, session: Session, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.picture = chooser(tr("Picture"), tr("Which picture is shown; C changes to the classical image and back"))
        self.component = chooser(tr("Component"), tr("What is drawn of the complex image"))
        self.component.addItems([c.capitalize() for c in COMPONENTS])
        self.windows = chooser(tr("Named window"), tr("Named windows"))
        self.window_edit = NumberEdit(tr("Window"))
        self.window_edit.setToolTip(
            tr("Window: the width of the grey scale. Drag across in the image; Shift is finer.")
        )
        self.level_edit = NumberEdit(tr("Level"))
        self.level_edit.setToolTip(tr("Level: the middle of the grey scale. Drag down in the image; Shift is finer."))
        self._lay_out(actions)
        display = session.display
        self.picture.activated.connect(lambda i: display.look_at(self.picture.itemData(i)))
        self.component.activated.connect(lambda i: display.set_component(COMPONENTS[i]))
        self.windows.activated.connect(self._take_window)
        self.window_edit.entered.connect(lambda w: display.set_levels(w, display.levels.level))
        self.level_edit.entered.connect(lambda lv: display.set_levels(display.levels.window, lv))

    def _lay_out(self, actions: Actions) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(6)
        for box in (self.picture, self.component, self.windows):
            row.addWidget(box)
        for words, field in ((tr("Window"), self.window_edit), (tr("Level"), self.level_edit)):
            label = QLabel(words)
            label.setBuddy(field)
            row.addWidget(label)
            row.addWidget(field)
        for name in ("reset_levels", "fit"):
            row.addWidget(_tool_button(actions, name))
        row.addStretch(1)
        for name in ("planes", "classical", "blink"):
            row.addWidget(_tool_button(actions, name))

    def refresh(self, shown: Shown | None) -> None:
        display = self._session.display
        self._show_pictures(shown)
        complex_ = display.components == COMPONENTS
        self.component.setVisible(complex_)
        if complex_:
            self.component.setCurrentIndex(COMPONENTS.index(display.component))
        self.component.setEnabled(shown is not None and display.drawn not in OWN_SCALE)
        self._show_windows(windows_of(shown))
        self.window_edit.show_value(display.levels.window)
        self.level_edit.show_value(display.levels.level)
        for control in (self.window_edit, self.level_edit):
            control.setEnabled(shown is not None)

    def _show_pictures(self, shown: Shown | None) -> None:
        """The pictures of the run and of the scan that can be chosen."""
        runs, scan = self._session.runs, self._session.scan
        run = shown.run if shown and shown.run else runs.front
        views = {view: picture_name(run.job.settings, view) for view in run.views} if run else {}
        views |= {view: measured.caption for view, measured in (scan.measured if scan else {}).items()}
        with QSignalBlocker(self.picture):
            if {self.picture.itemData(i): self.picture.itemText(i) for i in range(self.picture.count())} != views:
                self.picture.clear()
                for view, words in views.items():
                    self.picture.addItem(words, view)
            self.picture.setCurrentIndex(self.picture.findData(shown.view) if shown else -1)
        self.picture.setEnabled(len(views) > 1)

    def _show_windows(self, windows: tuple[NamedWindow, ...]) -> None:
        """The windows for the unit of the picture, and which one its levels agree with."""
        names = ["", *(w.name for w in windows)]
        levels = self._session.display.levels
        agreed = next((w.name for w in windows if (w.window, w.level) == (levels.window, levels.level)), "")
        self.windows.setVisible(bool(windows))
        with QSignalBlocker(self.windows):
            if [self.windows.itemData(i) for i in range(self.windows.count())] != names:
                self.windows.clear()
                self.windows.addItem(tr(_OWN), "")
                for window in windows:
                    self.windows.addItem(window.name, window.name)
                    words = tr(
                        "W {window:g} L {level:g}, key {key}", window=window.window, level=window.level, key=window.key
                    )
                    self.windows.setItemData(self.windows.count() - 1, words, Qt.ItemDataRole.ToolTipRole)
            self.windows.setCurrentIndex(self.windows.findData(agreed))

    def _take_window(self, index: int) -> None:
        chosen = windows_of(self._session.shown())
        if index > 0:
            self._session.display.set_levels(chosen[index - 1].window, chosen[index - 1].level)
        else:
            self.refresh(self._session.shown())


def windows_of(shown: Shown | None) -> tuple[NamedWindow, ...]:
    """The named windows for a picture; none for a spread, whose numbers are differences."""
    return windows_for(shown.picture.unit) if shown and shown.view != SPREAD else ()


def _tool_button(actions: Actions, name: str) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(actions[name])
    button.setAutoRaise(True)
    button.setIconSize(QSize(18, 18))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
