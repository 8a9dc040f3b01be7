"""Draws measurements on a canvas: outlines that can be seen on black and on white, handles, labels inside the pane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from app.state.room.figure import Figure, Measurement
from app.views.room_canvas import RoomCanvas

LINE, CHOSEN, RIM = QColor("#ffd54a"), QColor("#5cd6ff"), QColor(0, 0, 0, 210)
GROUND = QColor(10, 12, 16, 190)
HANDLE = 4.0
"""Half the side of a handle, in pixels of the screen."""
_GAP = 8.0
_PADDING = 4.0
_CROSS = 6.0
_TRACED = 16

Positions = npt.NDArray[np.float64]
"""(n, 2) of the widget."""


def positions(canvas: RoomCanvas, points: npt.NDArray[np.float64]) -> Positions:
    """Where points (n, 3) of the patient are drawn."""
    sheet = canvas.sheet
    assert sheet is not None
    way, transform = points.reshape(-1, 3) - sheet.origin, canvas.transform()
    x = way @ sheet.across / sheet.spacing[0] * transform.m11() + transform.dx()
    return np.stack([x, way @ sheet.down / sheet.spacing[1] * transform.m22() + transform.dy()], axis=1)


def draw_figure(painter: QPainter, canvas: RoomCanvas, measurement: Measurement, *, own: bool, chosen: bool) -> None:
    """own: on its own image, with a full line; thinner elsewhere. chosen: in another colour, with handles."""
    outline = positions(canvas, measurement.outline)
    width = 1.8 if own else 0.9
    for colour, pen_width in ((RIM, width + 3.0), (CHOSEN if chosen else LINE, width)):
        pen = QPen(colour, pen_width)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        _draw_line(painter, measurement, outline)
    if chosen:
        painter.setPen(QPen(RIM, 1))
        painter.setBrush(CHOSEN)
        for x, y in positions(canvas, measurement.handles):
            painter.drawRect(QRectF(x - HANDLE, y - HANDLE, 2 * HANDLE, 2 * HANDLE))


def _draw_line(painter: QPainter, measurement: Measurement, outline: Positions) -> None:
    if measurement.figure is Figure.PROBE:
        for x, y in outline:
            painter.drawLine(QPointF(x - _CROSS, y), QPointF(x + _CROSS, y))
            painter.drawLine(QPointF(x, y - _CROSS), QPointF(x, y + _CROSS))
        return
    line = QPolygonF([QPointF(x, y) for x, y in outline])
    if measurement.figure.is_region and measurement.complete:
        painter.drawPolygon(line)
    else:
        painter.drawPolyline(line)
    if measurement.figure is Figure.DISTANCE and len(outline) == 2:
        _draw_ends(painter, outline)


def _draw_ends(painter: QPainter, outline: Positions) -> None:
    """Short strokes across the ends of a distance."""
    way = outline[1] - outline[0]
    length = float(np.hypot(*way))
    if length:
        across = np.array([-way[1], way[0]]) / length * _CROSS
        for end in outline:
            painter.drawLine(QPointF(*(end - across)), QPointF(*(end + across)))


def label_place(
    size: tuple[float, float], outline: Positions, area: QRectF, taken: Sequence[QRectF], lines: Positions
) -> QRectF:
    """Where a label of a size (width, height) lies: beside its figure, inside the area, off the other labels and off
    the lines that are drawn, (n, 2)."""
    width, height = size
    left, top = outline.min(axis=0)
    right, bottom = outline.max(axis=0)
    x, y = (left + right - width) / 2, (top + bottom - height) / 2
    places = [
        _inside(QRectF(*corner, width, height), area)
        for corner in (
            (right + _GAP, y),
            (left - _GAP - width, y),
            (x, bottom + _GAP),
            (x, top - _GAP - height),
            (right + _GAP, bottom + _GAP),
            (left - _GAP - width, top - _GAP - height),
        )
    ]
    return min(places, key=lambda p: (any(p.intersects(other) for other in taken), _covered(p, lines)))


def _covered(place: QRectF, lines: Positions) -> int:
    x, y = lines[:, 0], lines[:, 1]
    return int(((x > place.left()) & (x < place.right()) & (y > place.top()) & (y < place.bottom())).sum())


def traced(measurement: Measurement, outline: Positions) -> Positions:
    """Positions (n, 2) all along a line that is drawn."""
    closed = measurement.figure.is_region
    start, end = (outline, np.roll(outline, -1, axis=0)) if closed else (outline[:-1], outline[1:])
    if not len(start) or len(start) > _TRACED:
        return outline
    share = np.linspace(0.0, 1.0, _TRACED)[:, None, None]
    return (start + share * (end - start)).reshape(-1, 2)


def draw_label(painter: QPainter, lines: Sequence[str], place: QRectF, *, chosen: bool) -> None:
    """Words on a dark ground."""
    metrics = QFontMetricsF(painter.font())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(GROUND)
    painter.drawRoundedRect(place, 3, 3)
    painter.setPen(CHOSEN if chosen else LINE)
    for i, line in enumerate(lines):
        shown = metrics.elidedText(line, Qt.TextElideMode.ElideRight, place.width() - 2 * _PADDING + 1)
        y = place.top() + _PADDING / 2 + i * metrics.height() + metrics.ascent()
        painter.drawText(QPointF(place.left() + _PADDING, y), shown)


def label_size(font: QFont, lines: Sequence[str], area: QRectF) -> tuple[float, float]:
    """(width, height) of a label, no wider than the area."""
    metrics = QFontMetricsF(font)
    width = max((metrics.horizontalAdvance(line) for line in lines), default=0.0) + 2 * _PADDING
    return min(width, area.width()), len(lines) * metrics.height() + _PADDING


def _inside(place: QRectF, area: QRectF) -> QRectF:
    x = max(area.left(), min(place.x(), area.right() - place.width()))
    y = max(area.top(), min(place.y(), area.bottom() - place.height()))
    return QRectF(x, y, place.width(), place.height())
