"""A line around the control that has the keyboard, which some controls of the style do not show, or hardly."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QRegion
from PySide6.QtWidgets import QApplication, QMenu, QMenuBar, QWidget

from app import theme

THICK = 2
_NONE_ON = (QMenu, QMenuBar)
"""They mark the entry that has the keyboard."""


class Ring(QWidget):
    """Lies over a control, and lets the mouse through. Only its rim is its own, so that images below are not drawn
    again for it."""

    def __init__(self, control: QWidget) -> None:
        super().__init__(control)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setObjectName("focus_ring")
        control.installEventFilter(self)
        self._fit(control)
        self.show()
        self.raise_()

    def _fit(self, control: QWidget) -> None:
        whole = control.rect()
        inner = QRect(whole).adjusted(THICK, THICK, -THICK, -THICK)
        self.setGeometry(whole)
        self.setMask(QRegion(whole).subtracted(QRegion(inner)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self._fit(watched)
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        pen = QPen(QColor(theme.current().focus), THICK)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        half = THICK // 2
        painter.drawRect(self.rect().adjusted(half, half, -half, -half))


class FocusRings(QObject):
    """Puts a ring around whatever has the keyboard, in all windows of the program."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._ring: Ring | None = None
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self.follow)

    @property
    def around(self) -> QWidget | None:
        """The control that has the ring."""
        ring = self._ring
        return ring.parentWidget() if ring is not None and shiboken6.isValid(ring) else None

    def follow(self, _old: QWidget | None, now: QWidget | None) -> None:
        if now is not None and now is self.around:
            return
        if self._ring is not None and shiboken6.isValid(self._ring):
            self._ring.hide()
            self._ring.deleteLater()
        self._ring = None
        if now is not None and not now.isWindow() and not isinstance(now, _NONE_ON):
            self._ring = Ring(now)
