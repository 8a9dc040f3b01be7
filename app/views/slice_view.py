"""The image area: draws one plane with its overlays and says what the mouse and the keys want."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.state.picture import Levels
from app.views.gestures import Wheel, levels_of_drag, steps_of_key, zoom_of
from app.views.image_item import GreyImage
from app.views.overlay import Overlay, draw_overlay
from app.words import tr

GROUND = "#000000"
CLICK = 2
"""Pixels that a click may move."""
CROSS = QColor(90, 200, 255, 150)
_GAP = 7.0


class SliceView(pg.GraphicsView):
    """Wheel and arrow keys scroll, left drag is window (across) and level (down), middle drag pans, Ctrl+wheel zooms
    about the cursor, a double click resets the zoom, a click or right drag picks a pixel. The ground is black in every
    theme."""

    scrolled = Signal(int)
    levels_dragged = Signal(float, float)
    pointed = Signal(object)
    """(x, y) index of the pixel under the cursor, or None."""
    picked = Signal(int, int)
    """(x, y) index of a pixel that was clicked, or over which the right button is held."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=GROUND)
        self.setViewportUpdateMode(self.ViewportUpdateMode.FullViewportUpdate)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(QSize(240, 200))
        self.setAccessibleName(tr("Image"))
        self._box = pg.ViewBox(lockAspect=True, invertY=True, enableMouse=False, enableMenu=False, defaultPadding=0)
        self.setCentralItem(self._box)
        self.image = GreyImage()
        self._box.addItem(self.image, ignoreBounds=True)
        self.overlay = Overlay()
        self._spacing = (1.0, 1.0)
        self._shape = (0, 0)
        self._fitted = True
        self._drag_from: QPoint | None = None
        self._pressed_at: QPoint | None = None
        self._wheel = Wheel()
        self.cross: tuple[float | None, float | None] = (None, None)

    def show_plane(
        self, plane: npt.NDArray[np.float32], levels: Levels, spacing: tuple[float, float], *, coloured: bool = False
    ) -> None:
        """Draw a plane (y, x) in grey or coloured; the zoom stays unless the field of view changed."""
        same = plane.shape == self._shape and spacing == self._spacing
        self._shape, self._spacing = plane.shape, spacing
        self.image.show_coloured(coloured)
        self.image.show_plane(plane, levels, spacing)
        self.image.show()
        if not same:
            self.fit()

    def clear(self) -> None:
        self.image.hide()
        self._shape = (0, 0)
        self.overlay = Overlay()
        self.viewport().update()

    def set_overlay(self, overlay: Overlay) -> None:
        self.overlay = overlay
        self.viewport().update()

    def set_cross(self, x: float | None = None, y: float | None = None) -> None:
        """Draw a line down through the middle of pixel column x and one across through row y; None for no line."""
        if self.cross != (x, y):
            self.cross = (x, y)
            self.viewport().update()

    def set_smooth(self, smooth: bool) -> None:
        self.image.smooth = smooth
        self.viewport().update()

    def fit(self) -> None:
        """The whole image, as large as it goes."""
        self._fitted = True
        if 0 not in self._shape:
            self._box.setRange(self._extent(), padding=0.02)
        self.viewport().update()

    def zoom(self) -> float:
        """Screen pixels per millimetre (per pixel where the spacing is not known)."""
        width, _ = self._box.viewPixelSize()
        return 1 / width if width else 1.0

    def zoom_by(self, factor: float, about: QPointF | None = None) -> None:
        """Zoom in (factor above 1) about a point of the viewport, or its middle."""
        if 0 in self._shape:
            return
        extent = self._extent()
        shown = self._box.viewRect()
        factor = min(max(factor, shown.width() / (20 * extent.width())), 400 * shown.width() / extent.width())
        at = about if about is not None else QPointF(self.viewport().rect().center())
        self._fitted = False
        self._box.scaleBy((1 / factor, 1 / factor), center=self._box.mapSceneToView(self.mapToScene(at.toPoint())))
        self.viewport().update()

    def pixel_at(self, position: QPointF) -> tuple[int, int] | None:
        """(x, y) index of the pixel at a point of the viewport, or None beside the image."""
        place = self._box.mapSceneToView(self.mapToScene(position.toPoint()))
        x, y = int(np.floor(place.x() / self._spacing[0])), int(np.floor(place.y() / self._spacing[1]))
        height, width = self._shape
        return (x, y) if 0 <= x < width and 0 <= y < height else None

    def position_of(self, x: int, y: int) -> QPoint:
        """The point of the viewport where the middle of a pixel is."""
        place = QPointF((x + 0.5) * self._spacing[0], (y + 0.5) * self._spacing[1])
        return self.mapFromScene(self._box.mapViewToScene(place))

    def _extent(self) -> QRectF:
        height, width = self._shape
        return QRectF(0, 0, width * self._spacing[0], height * self._spacing[1])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if getattr(self, "_fitted", False):
            self.fit()

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        painter.save()
        painter.resetTransform()
        self._draw_cross(painter)
        draw_overlay(painter, QRectF(self.viewport().rect()), self.overlay, self.zoom(), self.font())
        if self.hasFocus():
            painter.setPen(QColor(self.palette().highlight().color()))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))
        painter.restore()

    def _draw_cross(self, painter: QPainter) -> None:
        """Within the image; open about the point where two lines meet, so that it can be seen."""
        if 0 in self._shape or self.cross == (None, None):
            return
        height, width = self._shape
        corners = [QPointF(self.mapFromScene(self._box.mapViewToScene(p))) for p in (QPointF(0, 0), self._far())]
        left, top, right, bottom = corners[0].x(), corners[0].y(), corners[1].x(), corners[1].y()
        x, y = self.cross
        at_x = None if x is None else left + (right - left) * (x + 0.5) / width
        at_y = None if y is None else top + (bottom - top) * (y + 0.5) / height
        painter.setPen(CROSS)
        if at_x is not None:
            for low, high in _open(top, bottom, at_y):
                painter.drawLine(QPointF(at_x, low), QPointF(at_x, high))
        if at_y is not None:
            for low, high in _open(left, right, at_x):
                painter.drawLine(QPointF(low, at_y), QPointF(high, at_y))

    def _far(self) -> QPointF:
        return self._extent().bottomRight()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag_from = self._pressed_at = event.position().toPoint()
        if event.button() == Qt.MouseButton.RightButton:
            self._pick(event)
        event.accept()

    def _pick(self, event: QMouseEvent) -> None:
        pixel = self.pixel_at(event.position())
        if pixel is not None:
            self.picked.emit(*pixel)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        here = event.position().toPoint()
        if self._drag_from is not None and event.buttons():
            moved = here - self._drag_from
            self._drag_from = here
            self._drag(moved, event)
        self.pointed.emit(self.pixel_at(event.position()))
        event.accept()

    def _drag(self, moved: QPoint, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.levels_dragged.emit(*levels_of_drag(moved, event))
        elif event.buttons() & Qt.MouseButton.MiddleButton and 0 not in self._shape:
            self._fitted = False
            size = self._box.viewPixelSize()
            self._box.translateBy(x=-moved.x() * size[0], y=-moved.y() * size[1])
            self.viewport().update()
        elif event.buttons() & Qt.MouseButton.RightButton:
            self._pick(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A left button that goes up where it went down is a click."""
        here, start = event.position().toPoint(), self._pressed_at
        still = start is not None and (here - start).manhattanLength() <= CLICK
        if still and event.button() == Qt.MouseButton.LeftButton:
            self._pick(event)
        self._drag_from = self._pressed_at = None
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fit()
        event.accept()

    def leaveEvent(self, event: object) -> None:
        self.pointed.emit(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        zoom = zoom_of(event)
        if zoom is not None:
            self.zoom_by(zoom, event.position())
        elif steps := self._wheel.steps(event):
            self.scrolled.emit(steps)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = steps_of_key(event)
        if steps is None:
            event.ignore()
            return
        self.scrolled.emit(steps)
        event.accept()


def _open(start: float, end: float, about: float | None) -> list[tuple[float, float]]:
    """A line from start to end, with a gap about a point."""
    if about is None:
        return [(start, end)]
    parts = ((start, min(about - _GAP, end)), (max(about + _GAP, start), end))
    return [(low, high) for low, high in parts if high > low]
