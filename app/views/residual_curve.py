"""The residual of a run over its steps, on a logarithmic scale."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app import theme
from app.words import tr


class ResidualCurve(QWidget):
    """||Ax - y|| / ||y|| against the step; the axis spans all steps of the run from the start."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.residuals: list[float] = []
        self.steps = 0
        self.hint = ""
        self.setMinimumHeight(110)
        self.setAccessibleName(tr("Residual curve"))

    def sizeHint(self) -> QSize:
        return QSize(240, 140)

    def show_run(self, residuals: list[float], steps: int) -> None:
        self.residuals, self.steps = list(residuals), steps
        if residuals:
            self.setAccessibleDescription(
                tr(
                    "Residual {residual:.3g} after step {step} of {steps}",
                    residual=residuals[-1],
                    step=len(residuals),
                    steps=steps,
                )
            )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        now = theme.current()
        metrics = self.fontMetrics()
        left = metrics.horizontalAdvance("1e-00 ") + 2
        area = QRectF(self.rect()).adjusted(left, 8, -8, -metrics.height() - 6)
        painter.fillRect(area, QColor(now.base))
        painter.setPen(QPen(QColor(now.border), 1))
        painter.drawRect(area)
        good = [r for r in self.residuals if r > 0 and math.isfinite(r)]
        if not good:
            painter.setPen(QColor(now.muted))
            painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self.hint)
            return
        low, high = _decades(min(good), max(good))
        self._draw_grid(painter, area, low, high, now)
        self._draw_curve(painter, area, low, high, now)

    def _draw_grid(self, painter: QPainter, area: QRectF, low: float, high: float, now: theme.Colours) -> None:
        metrics = self.fontMetrics()
        for tick in _ticks(low, high):
            y = area.bottom() - area.height() * (math.log10(tick) - low) / (high - low)
            painter.setPen(QPen(QColor(now.border), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(now.muted))
            words = f"{tick:g}"
            painter.drawText(
                QPointF(area.left() - metrics.horizontalAdvance(words) - 5, y + metrics.ascent() / 2 - 1), words
            )
        painter.setPen(QColor(now.muted))
        base = area.bottom() + metrics.ascent() + 3
        last = str(max(self.steps, len(self.residuals)))
        painter.drawText(QPointF(area.left(), base), tr("step 1"))
        painter.drawText(QPointF(area.right() - metrics.horizontalAdvance(last), base), last)

    def _draw_curve(self, painter: QPainter, area: QRectF, low: float, high: float, now: theme.Colours) -> None:
        last = max(self.steps, len(self.residuals), 2)
        points = QPolygonF()
        for i, value in enumerate(self.residuals):
            if value > 0 and math.isfinite(value):
                x = area.left() + area.width() * i / (last - 1)
                points.append(QPointF(x, area.bottom() - area.height() * (math.log10(value) - low) / (high - low)))
        painter.setPen(QPen(QColor(now.accent), 2))
        painter.drawPolyline(points)
        painter.setBrush(QColor(now.accent))
        painter.drawEllipse(points.last(), 3, 3)


def _decades(least: float, most: float) -> tuple[float, float]:
    """Limits of the axis as powers of ten, a little wider than the values and never narrower than a third decade."""
    low, high = math.log10(least) - 0.05, math.log10(most) + 0.05
    missing = max(0.35 - (high - low), 0.0) / 2
    return low - missing, high + missing


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers within the limits: decades where there are many, else 1, 2, 5 of each, else all digits."""
    found: list[float] = []
    for steps in ((1,), (1, 2, 5), range(1, 10)):
        every = [s * 10.0**p for p in range(math.floor(low), math.ceil(high) + 1) for s in steps]
        found = [t for t in every if low <= math.log10(t) <= high]
        if len(found) > 1:
            break
    return found
