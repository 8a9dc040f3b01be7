"""The workspaces of the window, and the switch between them at the end of the menu bar."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from app.actions import Actions
from app.views.toggle import Toggle

RECONSTRUCT, REVIEW, TUNE = "workspace_reconstruct", "workspace_review", "workspace_tune"
"""The actions that lead there."""


class Workspaces(QStackedWidget):
    """Shows the empty state while there is nothing, else the workspace that was chosen."""

    changed = Signal()

    def __init__(self, actions: Actions, empty: QWidget, reconstruct: QWidget, review: QWidget, tune: QWidget) -> None:
        super().__init__()
        self._actions = actions
        self._empty = empty
        self._pages = {RECONSTRUCT: reconstruct, REVIEW: review, TUNE: tune}
        self.current = RECONSTRUCT
        for page in (empty, reconstruct, review, tune):
            self.addWidget(page)
        self.switch = _Switch(actions)

    @property
    def reviewing(self) -> bool:
        return self.current == REVIEW

    def go_to(self, name: str) -> None:
        """RECONSTRUCT, REVIEW or TUNE."""
        if name != self.current:
            self.current = name
            self.changed.emit()

    def refresh(self, *, scan: bool, volumes: bool) -> None:
        """What there is: a scan to reconstruct, volumes to review."""
        there = {RECONSTRUCT: scan, REVIEW: volumes or scan, TUNE: scan}
        self.setCurrentWidget(self._pages[self.current] if there[self.current] else self._empty)
        for name in self._pages:
            self._actions[name].setChecked(name == self.current)


class _Switch(QWidget):
    """A button for each, of which one is down."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 1, 6, 1)
        row.setSpacing(2)
        # Of actions, because a group of buttons would trigger the action of the button that goes up.
        group = QActionGroup(self)
        for name in (RECONSTRUCT, REVIEW, TUNE):
            button = Toggle()
            button.setDefaultAction(actions[name])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            group.addAction(actions[name])
            row.addWidget(button)
