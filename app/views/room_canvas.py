"""The canvas of a pane: draws a plane of numbers where it lies in the patient, and tells what mouse and keys want."""

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
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.state.room.pane import Look
from app.views.gestures import Wheel, levels_of_drag, steps_of_key, zoom_of
from app.views.overlay import Overlay, draw_overlay
from app.views.room_layer import Layer, PaneTool
from core.viewing.sheet import Sheet

GROUND = QColor("#000000")
CLICK = 3
"""Pixels that a click may move."""
MARGIN = 0.98
MOST_ZOOM, LEAST_ZOOM = 400.0, 0.05
CROSS = QColor(90, 200, 255, 170)
ACTIVE = QColor("#4aa8ff")
_GAP = 8.0


class RoomCanvas(QWidget):
    """Wheel and keys scroll, left drag is the tool (window and level at first), middle drag pans, Ctrl+wheel zooms
    about the cursor, a click or right drag moves the crosshair, a double click asks for this pane alone.

    Points are LPS mm, on the sheet that is shown. layers: images from below to above. tool: takes left presses before
    they become window and level, and draws over the image; None for none.
    """

    scrolled = Signal(int)
    levels_dragged = Signal(float, float)
    looked = Signal(object)
    """A Look that the user wants."""
    pointed = Signal(object)
    """The point under the cursor, or None."""
    picked = Signal(object)
    """A point that was clicked, or over which the right button is held."""
    pressed = Signal()
    doubled = Signal()
    swiped = Signal(float)
    """Where the edge between two images was dragged to, 0 to 1 of the pane's width."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(QSize(120, 100))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.sheet: Sheet | None = None
        self.layers: tuple[Layer, ...] = ()
        self.look = Look()
        self.overlay = Overlay()
        self.tool: PaneTool | None = None
        self.cross: npt.NDArray[np.float64] | None = None
        self.swipe: float | None = None
        self.words = ""
        self.active = False
        self.smooth = True
        self.frames_painted = 0
        self._drag_from: QPointF | None = None
        self._pressed_at: QPointF | None = None
        self._with_tool = self._with_swipe = False
        self._wheel = Wheel()

    def show_layers(self, sheet: Sheet | None, layers: tuple[Layer, ...], look: Look) -> None:
        """Draw these images on a sheet; the first one fills it, the others lie over it."""
        self.sheet, self.layers, self.look = sheet, layers, look
        self.update()

    def set_overlay(self, overlay: Overlay, words: str = "") -> None:
        """Words at the edges, and words in the middle where there is no image."""
        self.overlay, self.words = overlay, words
        self.update()

    # Geometry

    def zoom(self) -> float:
        """Screen pixels a mm."""
        if self.look.zoom is not None:
            return self.look.zoom
        if self.sheet is None:
            return 1.0
        height, width = self.sheet.shape
        across, down = self.sheet.spacing
        return MARGIN * min(self.width() / (width * across), self.height() / (height * down))

    def _middle(self) -> tuple[float, float]:
        """The pixel of the sheet that lies in the middle of the pane."""
        assert self.sheet is not None
        if self.look.centre is None:
            height, width = self.sheet.shape
            return (width - 1) / 2, (height - 1) / 2
        return self.sheet.pixel_of(self.look.centre)

    def transform(self) -> QTransform:
        """From pixels of the sheet, whose middles are whole numbers, to the widget."""
        assert self.sheet is not None
        zoom, (x, y) = self.zoom(), self._middle()
        across, down = (spacing * zoom for spacing in self.sheet.spacing)
        return QTransform(across, 0, 0, down, self.width() / 2 - x * across, self.height() / 2 - y * down)

    def position_of(self, point: npt.ArrayLike) -> QPointF:
        """Where a point of the patient is drawn."""
        assert self.sheet is not None
        return self.transform().map(QPointF(*self.sheet.pixel_of(point)))

    def point_at(self, position: QPointF) -> npt.NDArray[np.float64]:
        """The point of the patient under a position of the widget."""
        assert self.sheet is not None
        back, _ = self.transform().inverted()
        pixel = back.map(position)
        return self.sheet.point_at(pixel.x(), pixel.y())

    def _point_within(self, position: QPointF) -> npt.NDArray[np.float64] | None:
        if self.sheet is None:
            return None
        point = self.point_at(position)
        x, y = self.sheet.pixel_of(point)
        height, width = self.sheet.shape
        return point if -0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5 else None

    def zoom_by(self, factor: float, about: QPointF | None = None) -> None:
        """Zoom in (factor above 1) about a position, or the middle."""
        if self.sheet is None:
            return
        at = about if about is not None else QPointF(self.width() / 2, self.height() / 2)
        kept, before = self.point_at(at), self.point_at(QPointF(self.width() / 2, self.height() / 2))
        zoom = min(max(self.zoom() * factor, LEAST_ZOOM), MOST_ZOOM)
        factor = zoom / self.zoom()
        self.looked.emit(Look(zoom, kept + (before - kept) / factor))

    def _pan(self, moved: QPointF) -> None:
        middle = QPointF(self.width() / 2, self.height() / 2)
        self.looked.emit(Look(self.zoom(), self.point_at(middle - moved)))

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), GROUND)
        if self.sheet is not None and self.layers:
            self._draw_layers(painter)
            self._draw_cross(painter)
            if self.tool is not None:
                painter.save()
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                self.tool.draw(painter, self)
                painter.restore()
        if self.words:
            painter.setPen(QColor("#e8edf2"))
            room = self.rect().adjusted(16, 40, -16, -24)
            painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self.words)
        draw_overlay(painter, QRectF(self.rect()), self.overlay, self.zoom(), self.font())
        if self.active or self.hasFocus():
            painter.setPen(QPen(ACTIVE, 2 if self.hasFocus() else 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        self.frames_painted += 1

    def _draw_layers(self, painter: QPainter) -> None:
        for layer in self.layers:
            painter.save()
            if layer.left_edge is not None:
                painter.setClipRect(QRectF(layer.left_edge * self.width(), 0, self.width(), self.height()))
            painter.setOpacity(layer.opacity)
            painter.setTransform(self.transform(), True)
            # Fast where a pixel is smaller than one of the screen's, so that large slices scroll smoothly.
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.smooth)
            height, width = layer.image.height(), layer.image.width()
            painter.drawImage(QRectF(-0.5, -0.5, width, height), layer.image)
            painter.restore()
        if self.swipe is not None:
            x = self.swipe * self.width()
            painter.setPen(QPen(CROSS, 2))
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))

    def _draw_cross(self, painter: QPainter) -> None:
        """Open about the point, so that it can be seen."""
        if self.cross is None:
            return
        at = self.position_of(self.cross)
        painter.setPen(CROSS)
        for start, end in (((0, at.y()), (at.x() - _GAP, at.y())), ((at.x() + _GAP, at.y()), (self.width(), at.y()))):
            painter.drawLine(QPointF(*start), QPointF(*end))
        for start, end in (((at.x(), 0), (at.x(), at.y() - _GAP)), ((at.x(), at.y() + _GAP), (at.x(), self.height()))):
            painter.drawLine(QPointF(*start), QPointF(*end))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.update()

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag_from = self._pressed_at = event.position()
        self._with_tool = self._with_swipe = False
        self.pressed.emit()
        if self.sheet is None:
            return
        left = event.button() == Qt.MouseButton.LeftButton
        if left and self.tool is not None and self.tool.press(self, event):
            self._with_tool = True
        elif left and self.swipe is not None and abs(event.position().x() - self.swipe * self.width()) < 2 * CLICK:
            self._with_swipe = True
        elif event.button() == Qt.MouseButton.RightButton:
            self._pick(event)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        here = event.position()
        if self.sheet is None:
            return
        if self._drag_from is not None and event.buttons():
            moved, self._drag_from = here - self._drag_from, here
            self._drag(moved, event)
        elif self.tool is not None:
            self.tool.hover(self, event)
        self.pointed.emit(self._point_within(here))
        event.accept()

    def _drag(self, moved: QPointF, event: QMouseEvent) -> None:
        if self._with_tool and self.tool is not None:
            self.tool.move(self, event)
        elif self._with_swipe:
            self.swiped.emit(min(max(event.position().x() / self.width(), 0.0), 1.0))
        elif event.buttons() & Qt.MouseButton.LeftButton:
            self.levels_dragged.emit(*levels_of_drag(moved, event))
        elif event.buttons() & Qt.MouseButton.MiddleButton:
            self._pan(moved)
        elif event.buttons() & Qt.MouseButton.RightButton:
            self._pick(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A left button that goes up where it went down is a click."""
        start, left = self._pressed_at, event.button() == Qt.MouseButton.LeftButton
        if self._with_tool and self.tool is not None:
            self.tool.release(self, event)
        elif left and not self._with_swipe and start is not None and _still(event.position() - start):
            self._pick(event)
        self._drag_from = self._pressed_at = None
        self._with_tool = self._with_swipe = False
        event.accept()

    def _pick(self, event: QMouseEvent) -> None:
        point = self._point_within(event.position())
        if point is not None:
            self.picked.emit(point)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.tool is None or not self.tool.double(self, event):
            self.doubled.emit()
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
        if self.tool is not None and self.tool.key(self, event):
            event.accept()
            return
        steps = steps_of_key(event)
        if steps is None:
            event.ignore()
            return
        self.scrolled.emit(steps)
        event.accept()


def _still(moved: QPointF) -> bool:
    return moved.manhattanLength() <= CLICK


def image_of(pixels: npt.NDArray[np.uint8], table: list[int]) -> QImage:
    """An image of indices (height, width) into a table of 256 colours; it keeps the pixels alive."""
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape
    image = QImage(pixels.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(table)
    image.pixels = pixels  # type: ignore[attr-defined]  # QImage only borrows them
    return image
