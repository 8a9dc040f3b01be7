"""Undo and redo in the window: the actions say what they would take back, and gestures are told apart."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QWidget

from app.actions import DEEDS, Actions
from app.state.recorder import Recorder
from app.state.session import Session
from app.words import tr

_UNDO = QKeySequence.StandardKey.Undo
_REDO = QKeySequence.StandardKey.Redo


class Undoing(QObject):
    """images: where a drag with the mouse is one step. A field in which something was typed keeps its own Ctrl+Z."""

    def __init__(self, parent: QObject, session: Session, actions: Actions, images: list[QWidget]) -> None:
        super().__init__(parent)
        self._history = session.history
        self._actions = actions
        self.recorder = Recorder(session)
        for image in images:
            image.installEventFilter(self)
        for name in actions:
            actions[name].triggered.connect(self._seal)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._focus_moved)
        self._history.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """What can be taken back and done again, in the words of the actions."""
        done, undone = self._history.undo_label, self._history.redo_label
        for name, label, words in (
            ("undo", done, tr("&Undo {what}", what=done)),
            ("redo", undone, tr("&Redo {what}", what=undone)),
        ):
            self._actions[name].setEnabled(bool(label))
            self._actions[name].setText(words if label else DEEDS[name].words)

    def _seal(self, *_: object) -> None:
        self._history.seal()

    def _focus_moved(self, old: QWidget | None, now: QWidget | None) -> None:
        self._history.seal()
        if old is not None:
            old.removeEventFilter(self)
        if _line_of(now) is not None and now is not None:
            now.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        field = _line_of(watched)
        if field is not None:
            return self._is_for_the_window(field, event)
        if event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
            self._history.seal()
            self.recorder.dragging = event.type() == QEvent.Type.MouseButtonPress
        return False

    def _is_for_the_window(self, field: QLineEdit, event: QEvent) -> bool:
        """Ctrl+Z in a field that has nothing to take back. The event is left open, so that the action gets the key."""
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        undo = event.matches(_UNDO) and not field.isUndoAvailable()
        redo = event.matches(_REDO) and not field.isRedoAvailable()
        if undo or redo:
            event.ignore()
        return undo or redo


def _line_of(widget: QObject | None) -> QLineEdit | None:
    """The field for text of a control."""
    if isinstance(widget, QLineEdit):
        return widget
    if isinstance(widget, QAbstractSpinBox | QComboBox):
        return widget.lineEdit()
    return None
