"""The picture of the rendering with its words and its cube; tells what mouse and keys want."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.views.gestures import ZOOM_STEP
from app.views.overlay import Overlay, draw_overlay
from app.views.room_solid_cube import draw_cube

TURN = 0.5
"""Degrees a pixel of a drag."""
KEY_TURN, KEY_ZOOM = 5.0, 1.15
"""Degrees, and times, a key."""
DRAG_ZOOM = 1.01
CUBE = 64
_ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
_ZOOM_KEYS = {Qt.Key.Key_Plus: KEY_ZOOM, Qt.Key.Key_Equal: KEY_ZOOM, Qt.Key.Key_Minus: 1 / KEY_ZOOM}
_INK, _ACTIVE = QColor("#e8edf2"), QColor("#4aa8ff")

Directions = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


class SolidView(QWidget):
    """Left drag or arrow keys turn, right drag, wheel or + and - zoom, middle drag pans, a double click asks for this
    pane alone.

    directions: the LPS directions to the right and downwards on the screen, None where the cube has nothing to say.
    """

    turned = Signal(float, float)
    """Degrees to the right and downwards."""
    zoomed = Signal(float)
    panned = Signal(float, float)
    """Shares of the height."""
    pressed = Signal()
    doubled = Signal()
    resized = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(QSize(100, 80))
        self.image = QImage()
        self.overlay = Overlay()
        self.directions: Directions | None = None
        self.words = ""
        self.active = False
        self._drag_from: QPointF | None = None

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), QColor("black"))
        area = QRectF(self.rect())
        if not self.image.isNull() and not self.words:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(area, self.image)
        if self.words:
            painter.setPen(_INK)
            middle = area.adjusted(16, 40, -16, -24)
            painter.drawText(middle, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self.words)
        self.draw_words(painter, area, self.overlay)
        if self.active:
            painter.setPen(QPen(_ACTIVE, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def draw_words(self, painter: QPainter, area: QRectF, overlay: Overlay) -> None:
        """Words at the edges, and the cube."""
        draw_overlay(painter, area, overlay, 1.0, self.font())
        if self.directions is not None and not self.words:
            size = min(CUBE, area.height() / 4, area.width() / 4)
            corner = QRectF(area.right() - size - 12, area.top() + 10, size, size)
            draw_cube(painter, corner, *self.directions, self.font())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.resized.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag_from = event.position()
        self.pressed.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag_from is None:
            return
        moved, self._drag_from = event.position() - self._drag_from, event.position()
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.turned.emit(TURN * moved.x(), TURN * moved.y())
        elif event.buttons() & Qt.MouseButton.RightButton:
            self.zoomed.emit(DRAG_ZOOM ** -moved.y())
        elif event.buttons() & Qt.MouseButton.MiddleButton:
            self.panned.emit(moved.x() / self.height(), moved.y() / self.height())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag_from = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.doubled.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoomed.emit(ZOOM_STEP ** event.angleDelta().y())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _ARROWS:
            across, down = _ARROWS[key]
            self.turned.emit(KEY_TURN * across, KEY_TURN * down)
        elif key in _ZOOM_KEYS:
            self.zoomed.emit(_ZOOM_KEYS[key])
        else:
            super().keyPressEvent(event)
