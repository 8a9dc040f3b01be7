"""The residual of a run over its steps, on a logarithmic scale."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app import theme
from app.words import tr


class ResidualCurve(QWidget):
    """||Ax - y|| / ||y|| against the step; the axis spans all steps of the run from the start.

    cursor: the step that is marked, or None. chosen: a step was clicked, dragged to, or reached with the arrow keys;
    nothing is until `let_choose`.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.residuals: list[float] = []
        self.steps = 0
        self.hint = ""
        self.cursor_at: int | None = None
        self._choosing = False
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

    def let_choose(self, on: bool) -> None:
        """Whether there is something to see of the steps."""
        if on is self._choosing:
            return
        self._choosing = on
        self.setCursor(Qt.CursorShape.PointingHandCursor if on else Qt.CursorShape.ArrowCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if on else Qt.FocusPolicy.NoFocus)
        self.setToolTip(tr("Click a step to see it, and to branch from it") if on else "")

    def show_cursor(self, step: int | None) -> None:
        """Mark a step, counted from 1."""
        if step != self.cursor_at:
            self.cursor_at = step
            self.update()

    @property
    def _last(self) -> int:
        return max(self.steps, len(self.residuals), 2)

    def _area(self) -> QRectF:
        """What the curve is drawn in."""
        metrics = self.fontMetrics()
        left = metrics.horizontalAdvance("1e-00 ") + 2
        return QRectF(self.rect()).adjusted(left, 8, -8, -metrics.height() - 6)

    def _x_of(self, step: int) -> float:
        area = self._area()
        return area.left() + area.width() * (step - 1) / (self._last - 1)

    def _choose_at(self, x: float) -> None:
        area = self._area()
        step = round(1 + (x - area.left()) / max(area.width(), 1.0) * (self._last - 1))
        self._choose(step)

    def _choose(self, step: int) -> None:
        if self._choosing and self.residuals:
            self.chosen.emit(min(max(step, 1), len(self.residuals)))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._choose_at(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose_at(event.position().x())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        here = self.cursor_at or len(self.residuals)
        to = {
            Qt.Key.Key_Left: here - 1,
            Qt.Key.Key_Right: here + 1,
            Qt.Key.Key_Home: 1,
            Qt.Key.Key_End: len(self.residuals),
        }.get(Qt.Key(event.key()))
        if to is None:
            super().keyPressEvent(event)
        else:
            self._choose(to)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        now = theme.current()
        area = self._area()
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
        self._draw_cursor(painter, area, now)

    def _draw_cursor(self, painter: QPainter, area: QRectF, now: theme.Colours) -> None:
        if self.cursor_at is None:
            return
        x = self._x_of(min(self.cursor_at, self._last))
        painter.setPen(QPen(QColor(now.text), 1))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        words, metrics = str(self.cursor_at), self.fontMetrics()
        width = metrics.horizontalAdvance(words)
        left = x + 4 if x + 4 + width < area.right() else x - 4 - width
        painter.drawText(QPointF(left, area.top() + metrics.ascent() + 1), words)

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
        points = QPolygonF()
        for i, value in enumerate(self.residuals):
            if value > 0 and math.isfinite(value):
                points.append(
                    QPointF(self._x_of(i + 1), area.bottom() - area.height() * (math.log10(value) - low) / (high - low))
                )
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
