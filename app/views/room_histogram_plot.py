"""The plot of a volume's values with two handles: what is drawn black, and what white."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app import theme
from app.state.picture import Levels
from app.views.plots import colour_axes, plot_widget
from app.words import tr

_HEIGHT, _BAR = 170, 14
_MARGIN = 0.06
_STEPS = 32


class LevelsPlot(QWidget):
    """Bars in the colours in which their values are drawn, and a region between the handles. Only the mouse emits
    `dragged`; the wheel zooms about the cursor, and the ground is dragged to and fro."""

    dragged = Signal(float, float)
    """The values that shall be drawn black and white."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.levels = Levels(0.0, 1.0)
        self.log = True
        self._counts: npt.NDArray[np.int64] = np.zeros(1, np.int64)
        self._edges: npt.NDArray[np.float64] = np.array([0.0, 1.0])
        self._table: list[int] = []
        self.plot = plot_widget()
        self.plot.setMouseEnabled(x=True, y=False)
        self.plot.hideButtons()
        self.plot.hideAxis("left")
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self._bars = self.plot.plot([0.0, 1.0], [0.0], stepMode="center", fillLevel=0)
        self.region = pg.LinearRegionItem((0.0, 1.0), swapMode="block")
        self.region.setZValue(10)
        self.plot.addItem(self.region, ignoreBounds=True)
        self.region.sigRegionChanged.connect(self._dragged)
        self.region.sigRegionChangeFinished.connect(self._dragged)
        self.bar = ColourBar()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.plot, 1)
        column.addWidget(self.bar)
        self.setMinimumSize(QSize(200, _HEIGHT))
        self.setAccessibleName(tr("Histogram of the volume"))
        self.plot.getViewBox().disableAutoRange()
        self.colour()

    def show_counts(
        self, counts: npt.NDArray[np.int64], edges: npt.NDArray[np.float64], middle: tuple[float, float] | None
    ) -> None:
        """(n,) voxels and (n + 1,) edges of the bins. middle: between which nearly all values lie, to look at; None to
        look at the same values as before."""
        self._counts, self._edges = counts, edges
        self._draw()
        if middle is None:
            return
        low, high = middle if middle[1] > middle[0] else (float(edges[0]), float(edges[-1]))
        self.plot.setXRange(min(low, self.levels.low), max(high, self.levels.high), padding=_MARGIN)

    def show_levels(self, levels: Levels) -> None:
        """Put the handles there; the view grows if one would lie outside it."""
        self.levels = levels
        blocked = self.region.blockSignals(True)
        self.region.setRegion((levels.low, levels.high))
        self.region.blockSignals(blocked)
        self._make_place()
        self._shade()
        self.setAccessibleDescription(tr("From {low:g} to {high:g}", low=levels.low, high=levels.high))

    def show_colours(self, table: list[int]) -> None:
        """256 colours (QRgb) from black to white."""
        if table is not self._table:
            self._table = table
            self.bar.show_colours(table)
            self._shade()

    def set_log(self, on: bool) -> None:
        """Heights as logarithms, so that rare values are seen beside the air."""
        self.log = on
        self._draw()

    @property
    def heights(self) -> npt.NDArray[np.float64]:
        """(n,) as they are drawn."""
        return np.log10(self._counts + 1.0) if self.log else self._counts.astype(np.float64)

    def handle(self, high: bool) -> QPointF:
        """Where a handle lies in the plot, for the mouse."""
        box = self.plot.getViewBox()
        y = sum(box.viewRange()[1]) / 2
        at = box.mapViewToScene(QPointF(self.levels.high if high else self.levels.low, y))
        return QPointF(self.plot.mapFromScene(at))

    def _draw(self) -> None:
        self._bars.setData(self._edges, self.heights)
        self.plot.setYRange(0.0, float(self.heights.max()) or 1.0, padding=0.02)

    @property
    def _held(self) -> bool:
        """The mouse has hold of a handle or the region; a view that grew then would run away from it."""
        return self.region.moving or any(line.moving for line in self.region.lines)

    def _make_place(self) -> None:
        if self._held:
            return
        low, high = self.plot.getViewBox().viewRange()[0]
        if self.levels.low < low or self.levels.high > high:
            self.plot.setXRange(min(low, self.levels.low), max(high, self.levels.high), padding=_MARGIN)

    def _dragged(self) -> None:
        low, high = self.region.getRegion()
        self.dragged.emit(float(low), float(high))

    def _shade(self) -> None:
        if not self._table:
            return
        blend = QLinearGradient(QPointF(self.levels.low, 0), QPointF(self.levels.high, 0))
        for step in range(_STEPS + 1):
            blend.setColorAt(step / _STEPS, QColor(self._table[1 + round(254 * step / _STEPS)]))
        self._bars.setFillBrush(QBrush(blend))

    def colour(self) -> None:
        """As the theme has it."""
        now = theme.current()
        colour_axes(self.plot, {"bottom": None})
        self._bars.setPen(pg.mkPen(now.muted, width=1))
        within = pg.mkColor(now.accent)
        within.setAlpha(25)
        self.region.setBrush(within)
        over = pg.mkColor(now.accent)
        over.setAlpha(45)
        self.region.setHoverBrush(over)
        for line in self.region.lines:
            line.setPen(pg.mkPen(now.accent, width=3))
            line.setHoverPen(pg.mkPen(now.focus, width=4))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "bar"):
            self.colour()
        super().changeEvent(event)


class ColourBar(QWidget):
    """The colours from black to white."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table: list[int] = []
        self.setFixedHeight(_BAR)
        self.setAccessibleName(tr("Colours from the lowest to the highest value"))

    def show_colours(self, table: list[int]) -> None:
        self._table = table
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        shown = self._table[1:]
        blend = QLinearGradient(0, 0, self.width(), 0)
        for place in range(0, len(shown), 6):
            blend.setColorAt(place / (len(shown) - 1), QColor(shown[place]))
        painter.fillRect(self.rect(), blend if shown else QColor("black"))
        painter.setPen(QColor(theme.current().border))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
