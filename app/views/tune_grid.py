"""The pictures of a sweep, a cell each, that fill in as they are made."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import theme
from app.state.tune.cells import Bench, Cell, Fate
from app.state.tune.figures import figure_of, said
from app.views.tune_pixels import bytes_image, fitted, grey_image
from app.words import tr
from core.engine.sweep_plan import worded

LEAST, MOST = 84, 190
"""Pixels a side of a cell's picture."""
_GAP = 6
_GROUND = QColor(0, 0, 0)


class SweepGrid(QWidget):
    """With two settings a table of them, with one its values in their order. One cell is selected: `picked`."""

    picked = Signal(int)

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bench = bench
        self.selected = -1
        self.best: frozenset[int] = frozenset()
        self._images: dict[int, tuple[object, QImage]] = {}
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName(tr("Cells of the sweep"))

    @property
    def _two(self) -> bool:
        return len(self.bench.axes) > 1

    @property
    def _left(self) -> int:
        """Room for the values of the first of two settings."""
        return self._widest + 8 if self._two else 0

    @property
    def _widest(self) -> int:
        values = [worded(value) for value in self.bench.axes[0].values]
        return min(max((self.fontMetrics().horizontalAdvance(v) for v in values), default=0), 120)

    @property
    def _top(self) -> int:
        return 2 * self.fontMetrics().height() + 6 if self._two else 0

    @property
    def _caption(self) -> int:
        return self.fontMetrics().height() * (1 if self._two else 2) + 2

    @property
    def columns(self) -> int:
        """Cells in a row."""
        if self._two:
            return len(self.bench.axes[-1].values)
        room = max((self.width() + _GAP) // (LEAST + 40 + _GAP), 1)
        return min(room, max(len(self.bench.cells), 1))

    @property
    def side(self) -> int:
        """Pixels of a picture."""
        columns = self.columns
        return int(min(max((self.width() - self._left - (columns - 1) * _GAP) // columns, LEAST), MOST))

    def area_of(self, number: int) -> QRectF:
        """Where the picture of a cell is, counted from 0."""
        row, column = divmod(number, self.columns)
        side = self.side
        return QRectF(self._left + column * (side + _GAP), self._top + row * (side + _GAP + self._caption), side, side)

    def sizeHint(self) -> QSize:
        if not self.bench.cells:
            return QSize(300, 100)
        last = self.area_of(len(self.bench.cells) - 1)
        across = self._left + self.columns * (LEAST + _GAP) if self._two else LEAST
        return QSize(across, round(last.bottom()) + self._caption + 4)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def begin_anew(self) -> None:
        """Another sweep."""
        self.selected = -1
        self._images.clear()
        self.refresh()

    def refresh(self) -> None:
        self.setMinimumSize(self.sizeHint())
        self.update()

    def select(self, number: int) -> None:
        """Select a cell, from 0."""
        if 0 <= number < len(self.bench.cells):
            self.selected = number
            cell = self.bench.cells[number]
            self.setAccessibleDescription(f"{cell.task.name}: {cell.fate.value}")
            self.update()
            self.picked.emit(number)

    def cell_at(self, place: QPointF) -> int:
        """The number of the cell there, with its words, or -1."""
        for number in range(len(self.bench.cells)):
            if self.area_of(number).adjusted(0, 0, 0, self._caption).contains(place):
                return number
        return -1

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self._paint(painter, event)

    def _paint(self, painter: QPainter, event: QPaintEvent) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        now = theme.current()
        if not self.bench.cells:
            painter.setPen(QColor(now.muted))
            words = tr("Choose what to vary, and press Start. The pictures come here as they are made.")
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()), int(flags), words)
            return
        if self._two:
            self._draw_heads(painter, now)
        seen = QRectF(event.rect())
        for number, cell in enumerate(self.bench.cells):
            area = self.area_of(number)
            if area.adjusted(-3, -3, 3, self._caption + 3).intersects(seen):
                self._draw_cell(painter, number, cell, area, now)

    def _draw_heads(self, painter: QPainter, now: theme.Colours) -> None:
        down, across = self.bench.axes[0], self.bench.axes[-1]
        line, side = self.fontMetrics().height(), self.side
        painter.setPen(QColor(now.muted))
        title = tr("{down} down, {across} across", down=down.label, across=across.label)
        painter.drawText(QRectF(0, 0, self.width(), line), Qt.AlignmentFlag.AlignLeft, title)
        painter.setPen(QColor(now.text))
        for place, value in enumerate(across.values):
            x = self.area_of(place).left()
            self._write(painter, QRectF(x, line + 2, side, line), worded(value), Qt.AlignmentFlag.AlignHCenter)
        for place, value in enumerate(down.values):
            area = self.area_of(place * self.columns)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            self._write(painter, QRectF(0, area.top(), self._left - 8, side), worded(value), right)

    def _draw_cell(self, painter: QPainter, number: int, cell: Cell, area: QRectF, now: theme.Colours) -> None:
        image = self._image(number, cell)
        painter.fillRect(area, _GROUND if image is not None else QColor(now.base))
        if image is not None:
            painter.drawImage(fitted(area, image, self.bench.spacing), image)
        else:
            painter.setPen(QColor(now.error if cell.fate is Fate.FAILED else now.muted))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, tr(cell.fate.value))
        if cell.fate is Fate.RUNNING:
            bar = QRectF(area.left(), area.bottom() - 5, area.width() * cell.share, 5)
            painter.fillRect(bar, QColor(now.accent))
        chosen = number == self.selected
        painter.setPen(QPen(QColor(now.accent if chosen else now.border), 3 if chosen else 1))
        painter.drawRect(area.adjusted(-1, -1, 1, 1) if chosen else area)
        lines = self._lines(number, cell)
        for place, words in enumerate(lines):
            top = area.bottom() + 2 + place * self.fontMetrics().height()
            painter.setPen(QColor(now.text if place == 0 and not self._two else now.muted))
            box = QRectF(area.left(), top, area.width(), self.fontMetrics().height())
            self._write(painter, box, words, Qt.AlignmentFlag.AlignHCenter)

    def _write(self, painter: QPainter, box: QRectF, words: str, where: Qt.AlignmentFlag) -> None:
        shown = self.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(box.width()))
        painter.drawText(box, where, shown)

    def _lines(self, number: int, cell: Cell) -> list[str]:
        figure = tr(cell.fate.value) if cell.fate is not Fate.DONE else ""
        if cell.record is not None:
            psnr = figure_of(cell.record, "psnr")
            mark = "◆ " if number in self.best else ""
            shown = f"{said('psnr', psnr)} dB" if psnr is not None else said("residual", cell.record["residual"])
            figure = f"{mark}{shown}, {said('seconds', cell.record['seconds'])} s"
        values = ", ".join(worded(value) for value in cell.task.values.values())
        return [figure] if self._two else [values, figure]

    def _image(self, number: int, cell: Cell) -> QImage | None:
        """Made once for each picture that a cell has."""
        preview = cell.preview if cell.fate is Fate.RUNNING else None
        source = cell.plane if cell.plane is not None else preview
        known = self._images.get(number)
        if source is None or (known is not None and known[0] is source):
            return None if source is None or known is None else known[1]
        if cell.plane is not None:
            made = grey_image(cell.plane, self.bench.levels)
        else:
            assert preview is not None
            made = bytes_image(preview)
        self._images[number] = (source, made)
        return made

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.select(self.cell_at(event.position()))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            number = self.cell_at(QPointF(self.mapFromGlobal(event.globalPos())))  # type: ignore[attr-defined]
            cell = self.bench.cells[number] if number >= 0 else None
            self.setToolTip("" if cell is None else "\n".join(filter(None, (cell.task.name, cell.trouble))))
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self.columns,
            Qt.Key.Key_Down: self.columns,
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.select(0 if self.selected < 0 else self.selected + step)

    def resizeEvent(self, event: object) -> None:
        self.refresh()
