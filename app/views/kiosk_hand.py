"""Whether somebody is there: any press, turn, key, touch, or a mouse that really moves."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

_INPUT = (
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseMove,
    QEvent.Type.Wheel,
    QEvent.Type.KeyPress,
    QEvent.Type.TouchBegin,
    QEvent.Type.TouchUpdate,
)


class Hand(QObject):
    """Looks at everything that the program is told, takes nothing of it, and calls `touched` for what a hand has done.

    Whoever closes the window calls `release`.
    """

    def __init__(self, touched: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._touched, self._cursor = touched, QPoint()
        QApplication.instance().installEventFilter(self)

    def release(self) -> None:
        QApplication.instance().removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _INPUT and self._by_hand(event):
            self._touched()
        return super().eventFilter(watched, event)

    def _by_hand(self, event: QEvent) -> bool:
        """A mouse that lies still is nobody, whatever moves under it."""
        if isinstance(event, QMouseEvent) and event.type() is QEvent.Type.MouseMove:
            here = event.globalPosition().toPoint()
            moved, self._cursor = here != self._cursor, here
            return moved
        return True
