"""The plots of the selected measurement: a region's histogram, a line's profile through all images on view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QSize, Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app import theme
from app.state.room.reading import Curve
from app.views.number_edit import format_number
from app.views.plots import colour_axes, still_plot
from app.words import tr
from core.viewing.regions import Statistics

COLOURS = ("#5cd6ff", "#ffb454", "#7ee081", "#f58cc4", "#c3a6ff", "#e8e36b", "#ff7b72", "#9fb3c8")
LIGHT_COLOURS = ("#0969b2", "#b35900", "#1a7f37", "#bf3989", "#6639ba", "#7d6a00", "#c2261d", "#4a5a6a")
_LEAST_HEIGHT = 150
_DARK = 128


@dataclass(frozen=True, eq=False)
class NamedCurve:
    """A curve, whose it is and in what unit."""

    name: str
    unit: str
    curve: Curve


class MeasurePlot(QWidget):
    """One plot with a line of words under it."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = still_plot()
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.plot, 1)
        column.addWidget(self.words)
        self.setMinimumSize(QSize(200, _LEAST_HEIGHT))
        self.setAccessibleName(name)
        self._labels = {"left": "", "bottom": ""}

    def label(self, left: str, bottom: str) -> None:
        """Name the axes."""
        self._labels = {"left": left, "bottom": bottom}
        self.colour()

    def colour(self) -> None:
        """As the theme has it."""
        colour_axes(self.plot, self._labels)
        theme.mute(self.words)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_labels"):
            self.colour()
        super().changeEvent(event)


class HistogramPlot(MeasurePlot):
    """How the values of a region are spread."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Histogram of the region"), parent)
        self._bars = self.plot.plot([0.0, 1.0], [0], stepMode="center", fillLevel=0)
        self.label(tr("Pixels"), tr("Value"))

    def show_region(self, name: str, found: Statistics, unit: str) -> None:
        self._bars.setData(found.edges, found.counts)
        self.label(tr("Pixels"), unit or tr("Value"))
        said = tr("{name}: {count} pixels", name=name, count=found.pixels)
        self.words.setText(said)
        self.setAccessibleDescription(said)

    def colour(self) -> None:
        super().colour()
        if hasattr(self, "_bars"):
            self._bars.setPen(pg.mkPen(theme.current().accent))
            self._bars.setBrush(pg.mkBrush(theme.current().accent))


class ProfilePlot(MeasurePlot):
    """Values along a line, a curve for each image; under the cursor the place in mm and what every image has there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Profile along the line"), parent)
        self.curves: tuple[NamedCurve, ...] = ()
        self.at_mm: float | None = None
        self._legend = self.plot.addLegend(offset=(-6, 4), labelTextSize="8pt")
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._cursor.hide()
        self.plot.addItem(self._cursor, ignoreBounds=True)
        self._lines: list[pg.PlotDataItem] = []
        self.plot.scene().sigMouseMoved.connect(self._point_at)
        self.label(tr("Value"), tr("mm along the line"))

    def show_curves(self, curves: tuple[NamedCurve, ...]) -> None:
        self.curves = curves
        while len(self._lines) < len(curves):
            self._lines.append(self.plot.plot([], [], connect="finite"))
        self._legend.clear()
        for i, line in enumerate(self._lines):
            line.setVisible(i < len(curves))
            line.setData(curves[i].curve.along_mm, curves[i].curve.values) if i < len(curves) else line.setData([], [])
            if i < len(curves):
                self._legend.addItem(line, curves[i].name)
        units = {each.unit for each in curves}
        self.label(units.pop() if len(units) == 1 else tr("Value"), tr("mm along the line"))
        self.setAccessibleDescription(", ".join(each.name for each in curves))
        self._tell()

    def colour(self) -> None:
        super().colour()
        now = theme.current()
        dark = pg.mkColor(now.base).lightness() < _DARK
        if hasattr(self, "_lines"):
            for i, line in enumerate(self._lines):
                line.setPen(pg.mkPen((COLOURS if dark else LIGHT_COLOURS)[i % len(COLOURS)], width=2))
            self._cursor.setPen(pg.mkPen(now.muted, style=Qt.PenStyle.DashLine))
            self._legend.setLabelTextColor(now.text)

    def point_at_mm(self, along_mm: float | None) -> None:
        """Put the cursor there; None takes it away."""
        self.at_mm = along_mm
        self._cursor.setVisible(along_mm is not None)
        if along_mm is not None:
            self._cursor.setPos(along_mm)
        self._tell()

    def _point_at(self, position: QPointF) -> None:
        box = self.plot.getPlotItem().vb
        inside = self.curves and box.sceneBoundingRect().contains(position)
        longest = max((float(each.curve.along_mm[-1]) for each in self.curves), default=0.0)
        self.point_at_mm(min(max(box.mapSceneToView(position).x(), 0.0), longest) if inside else None)

    def _tell(self) -> None:
        if self.at_mm is None:
            self.words.setText(tr("Point at the plot for values."))
            return
        said = [f"{self.at_mm:.1f} mm"]
        for each in self.curves:
            value = float(np.interp(self.at_mm, each.curve.along_mm, each.curve.values))
            shown = format_number(value) if np.isfinite(value) else tr("no number")
            said.append(f"{each.name}: {shown}")
        self.words.setText("   ".join(said))

    def leaveEvent(self, event: QEvent) -> None:
        self.point_at_mm(None)
        super().leaveEvent(event)
