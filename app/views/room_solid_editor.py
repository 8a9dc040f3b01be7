"""The editor of opacity and colour: points over the histogram of the item."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QColorDialog, QWidget

from app.state.room.solid import SolidModel, coloured, moved, with_point, without_point
from app.views.number_edit import format_number
from app.words import tr

if TYPE_CHECKING:
    from app.state.rendering import Point

REACH = 8.0
"""Pixels within which a point is grasped."""
CLICK = 3
"""Pixels that a click may move."""
KEY_STEP = 0.01
"""Of the width and of the height, a key."""
_EDGE, _STRIP, _DOT = 8.0, 10.0, 5.0
_ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
_NEIGHBOURS = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}


class SolidEditor(QWidget):
    """Values to the right, opacity upwards. A point is dragged; a click on it asks for its colour; a double click
    beside the points adds one; right click or Delete removes one. Keys: PageUp and PageDown choose a point, arrows
    move it, Return asks for its colour.

    ask_colour: the question; None for a colour is no answer.
    """

    def __init__(self, model: SolidModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self.ask_colour: Callable[[QColor], QColor | None] = self._ask_colour
        self.chosen = 0
        self._heights = np.zeros(1)
        self._range = (0.0, 1.0)
        self._held: int | None = None
        self._pressed_at = QPointF()
        self._dragged = False
        self._drags = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumHeight(140)
        self.setAccessibleName(tr("Opacity and colour"))
        self.setToolTip(
            tr("Drag a point; click it for its colour; double-click to add one; right-click or Delete to remove it")
        )

    def sizeHint(self) -> QSize:
        return QSize(250, 170)

    def show_histogram(self, counts: npt.NDArray[np.int64], edges: npt.NDArray[np.float64]) -> None:
        """counts (n,), edges (n + 1,) in values of the item."""
        heights = np.log1p(counts.astype(np.float64))
        self._heights = heights / (heights.max() or 1.0)
        self._range = float(edges[0]), float(edges[-1])
        self.update()

    # Geometry

    @property
    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE - _STRIP - self.fontMetrics().height())

    def position_of(self, value: float, opacity: float) -> QPointF:
        area, (low, high) = self._area, self._range
        return QPointF(
            area.left() + (value - low) / (high - low) * area.width(), area.bottom() - opacity * area.height()
        )

    def values_at(self, position: QPointF) -> tuple[float, float]:
        """(value, opacity)."""
        area, (low, high) = self._area, self._range
        value = low + (position.x() - area.left()) / area.width() * (high - low)
        return value, (area.bottom() - position.y()) / area.height()

    def _point_at(self, position: QPointF) -> int | None:
        """The nearest point within reach; of several in one place the last."""
        away = [(position - self.position_of(p[0], p[4])).manhattanLength() for p in self.model.points]
        if not away or min(away) > REACH:
            return None
        return max(i for i, distance in enumerate(away) if distance == min(away))

    # What the user does

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = self._point_at(event.position())
        if event.button() is Qt.MouseButton.RightButton and at is not None:
            self._remove(at)
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        self._held, self._dragged, self._pressed_at = at, False, event.position()
        self._drags += 1
        if at is not None:
            self.chosen = at
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is None:
            over = self._point_at(event.position()) is not None
            self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.CrossCursor)
            return
        self._dragged |= (event.position() - self._pressed_at).manhattanLength() > CLICK
        if self._dragged:
            changed = moved(self.model.points, self._held, *self._within(event.position()))
            self._change(tr("opacity"), changed, ("drag", self._drags))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        held, self._held = self._held, None
        if held is not None and event.button() is Qt.MouseButton.LeftButton:
            if self._dragged:
                self.model.history.seal()
            else:
                self._recolour(held)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._point_at(event.position()) is None:
            value, opacity = self._within(event.position())
            changed = with_point(self.model.points, value, opacity)
            self._change(tr("point added"), changed)
            self.chosen = next((i for i, p in enumerate(changed) if p[0] == value), 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, points = Qt.Key(event.key()), self.model.points
        if not points or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
            return
        at = self.chosen = min(self.chosen, len(points) - 1)
        if key in _NEIGHBOURS:
            self.chosen = (at + _NEIGHBOURS[key]) % len(points)
            self.update()
        elif key in _ARROWS:
            (low, high), (across, up) = self._range, _ARROWS[key]
            value, opacity = points[at][0] + across * KEY_STEP * (high - low), points[at][4] + up * KEY_STEP
            self._change(tr("opacity"), moved(points, at, value, opacity), ("key", at))
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._remove(at)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._recolour(at)
        else:
            super().keyPressEvent(event)

    def _within(self, position: QPointF) -> tuple[float, float]:
        value, opacity = self.values_at(position)
        return float(np.clip(value, *self._range)), opacity

    def _remove(self, at: int) -> None:
        self._change(tr("point removed"), without_point(self.model.points, at))
        self.chosen = max(0, at - 1)

    def _recolour(self, at: int) -> None:
        now = QColor.fromRgbF(*self.model.points[at][1:4])
        answer = self.ask_colour(now)
        if answer is not None and at < len(self.model.points):
            rgb = (answer.redF(), answer.greenF(), answer.blueF())
            self._change(tr("colour"), coloured(self.model.points, at, rgb))

    def _ask_colour(self, now: QColor) -> QColor | None:
        answer = QColorDialog.getColor(now, self, tr("Colour of these values"))
        return answer if answer.isValid() else None

    def _change(self, label: str, points: tuple[Point, ...], merge_key: object = None) -> None:
        if points != self.model.points:
            self.model.change(label, merge_key, points=points, surface=False)
        self.update()

    # What is seen

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, palette = self._area, self.palette()
        painter.fillRect(area, palette.base())
        bars = QColor(palette.text().color())
        bars.setAlpha(70)
        self._draw_bars(painter, area, bars)
        painter.setPen(QPen(palette.mid(), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(area)
        points = self.model.points
        if points:
            self._draw_colours(painter, area, points)
            painter.save()
            painter.setClipRect(area.adjusted(-_DOT - 1, -_DOT - 1, _DOT + 1, _DOT + 1))
            self._draw_points(painter, points)
            painter.restore()
        self._draw_values(painter, area)

    def _draw_bars(self, painter: QPainter, area: QRectF, colour: QColor) -> None:
        across = area.width() / len(self._heights)
        for i, height in enumerate(self._heights):
            painter.fillRect(
                QRectF(
                    area.left() + i * across, area.bottom() - height * area.height(), across, height * area.height()
                ),
                colour,
            )

    def _draw_colours(self, painter: QPainter, area: QRectF, points: tuple[Point, ...]) -> None:
        """A strip under the histogram."""
        strip = QRectF(area.left(), area.bottom() + 2, area.width(), _STRIP - 2)
        blend, (low, high) = QLinearGradient(strip.topLeft(), strip.topRight()), self._range
        for place in np.linspace(0, 1, 33):
            value = low + place * (high - low)
            parts = (np.interp(value, [p[0] for p in points], [p[i] for p in points]) for i in (1, 2, 3))
            blend.setColorAt(float(place), QColor.fromRgbF(*(float(part) for part in parts)))
        painter.fillRect(strip, blend)

    def _draw_points(self, painter: QPainter, points: tuple[Point, ...]) -> None:
        places = [self.position_of(point[0], point[4]) for point in points]
        line = [QPointF(self._area.left(), places[0].y()), *places, QPointF(self._area.right(), places[-1].y())]
        painter.setPen(QPen(self.palette().highlight(), 1.5))
        painter.drawPolyline(QPolygonF(line))
        for i, (point, place) in enumerate(zip(points, places, strict=True)):
            chosen = i == self.chosen and self.hasFocus()
            painter.setPen(
                QPen(self.palette().highlight() if chosen else self.palette().text(), 2.5 if chosen else 1.2)
            )
            painter.setBrush(QColor.fromRgbF(*point[1:4]))
            painter.drawEllipse(place, _DOT, _DOT)

    def _draw_values(self, painter: QPainter, area: QRectF) -> None:
        """Of both ends, and of the point that is chosen."""
        painter.setPen(self.palette().text().color())
        below = QRectF(area.left(), area.bottom() + _STRIP, area.width(), self.fontMetrics().height())
        low, high = (format_number(end) for end in self._range)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, low)
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, high)
        if self.hasFocus() and self.chosen < len(self.model.points):
            point = self.model.points[self.chosen]
            words = tr("{value}: {opacity} %", value=format_number(point[0]), opacity=round(100 * point[4]))
            painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, words)
