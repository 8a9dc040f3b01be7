"""The PSNR of a run's estimates over its steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app import theme
from app.words import tr

_LEAST_SPAN = 1.0
"""dB."""


class QualityCurve(QWidget):
    """dB against the step, at the steps that were compared; the axis spans all steps of the run from the start."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.points: list[tuple[int, float]] = []
        self.steps = 0
        self.cursor_at: int | None = None
        self.setMinimumHeight(110)
        self.setAccessibleName(tr("PSNR curve"))

    def sizeHint(self) -> QSize:
        return QSize(120, 140)

    def show_run(self, points: Sequence[tuple[int, float]], steps: int) -> None:
        """points: (step from 1, dB)."""
        self.points = [(step, value) for step, value in points if math.isfinite(value)]
        self.steps = steps
        if self.points:
            step, value = self.points[-1]
            self.setAccessibleDescription(
                tr("PSNR {value:.2f} dB after step {step} of {steps}", value=value, step=step, steps=steps)
            )
        self.update()

    def show_cursor(self, step: int | None) -> None:
        """Mark a step, counted from 1."""
        if step != self.cursor_at:
            self.cursor_at = step
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        now, metrics = theme.current(), self.fontMetrics()
        left = metrics.horizontalAdvance("00.0 ") + 2
        area = QRectF(self.rect()).adjusted(left, 8, -8, -metrics.height() - 6)
        painter.fillRect(area, QColor(now.base))
        painter.setPen(QPen(QColor(now.border), 1))
        painter.drawRect(area)
        if not self.points:
            return
        low, high = limits([value for _, value in self.points])
        for tick in ticks(low, high):
            y = area.bottom() - area.height() * (tick - low) / (high - low)
            painter.setPen(QPen(QColor(now.border), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(now.muted))
            words = f"{tick:g}"
            place = QPointF(area.left() - metrics.horizontalAdvance(words) - 5, y + metrics.ascent() / 2 - 1)
            painter.drawText(place, words)
        last = max(self.steps, self.points[-1][0], 2)
        painter.setPen(QColor(now.muted))
        base = area.bottom() + metrics.ascent() + 3
        painter.drawText(QPointF(area.left(), base), "1")
        painter.drawText(QPointF(area.right() - metrics.horizontalAdvance(str(last)), base), str(last))
        curve = QPolygonF()
        for step, value in self.points:
            x = area.left() + area.width() * (step - 1) / (last - 1)
            curve.append(QPointF(x, area.bottom() - area.height() * (value - low) / (high - low)))
        painter.setPen(QPen(QColor(now.accent), 2))
        painter.drawPolyline(curve)
        painter.setBrush(QColor(now.accent))
        painter.drawEllipse(curve.last(), 3, 3)
        if self.cursor_at is not None:
            x = area.left() + area.width() * (min(self.cursor_at, last) - 1) / (last - 1)
            painter.setPen(QPen(QColor(now.text), 1))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))


def limits(values: Sequence[float]) -> tuple[float, float]:
    """Of the axis, dB: a little wider than the values."""
    low, high = min(values), max(values)
    room = max(_LEAST_SPAN - (high - low), 0.0) / 2 + 0.1 * (high - low)
    return low - room, high + room


def ticks(low: float, high: float) -> list[float]:
    """Two to four round numbers within the limits."""
    for step in (50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2):
        first = math.ceil(low / step)
        found = [k * step for k in range(first, math.floor(high / step) + 1)]
        if len(found) > 1:
            return found
    return []
