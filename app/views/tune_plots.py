"""The figures of a sweep: as curves over a setting, and against the time that they take."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app import theme
from app.state.tune.cells import Bench
from app.state.tune.figures import FIGURES, Series, figure_of, is_logarithmic, is_numeric, place_of, series_of
from app.views.measure_plots import COLOURS, LIGHT_COLOURS, MeasurePlot
from app.words import tr
from core.engine.sweep_plan import worded

_DARK = 128
_MOST_TICKS = 6
_SYMBOLS = ("o", "s", "t", "d", "+", "x", "star", "p")
"""Beside the colours, so that curves can be told apart without them."""


def colour_of(place: int) -> str:
    """Of the curve at a place, for the theme."""
    dark = pg.mkColor(theme.current().base).lightness() < _DARK
    return (COLOURS if dark else LIGHT_COLOURS)[place % len(COLOURS)]


class _FigurePlot(MeasurePlot):
    """picked: the number of the cell whose point was clicked."""

    picked = Signal(int)

    def __init__(self, bench: Bench, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.bench = bench
        self.figure = "psnr"
        self.words.hide()
        for side in ("left", "bottom"):
            self.plot.getAxis(side).enableAutoSIPrefix(False)

    def _take_click(self, _: object, points: list[pg.SpotItem], *__: object) -> None:
        if len(points):
            self.picked.emit(int(points[0].data()))

    @property
    def _numbered(self) -> list[tuple[int, dict]]:  # type: ignore[type-arg]
        return [(i, cell.record) for i, cell in enumerate(self.bench.cells) if cell.record is not None]


class CurvePlot(_FigurePlot):
    """A figure over the last setting, a curve for each value of the first where there are two."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, tr("Figures over the setting"), parent)
        self.series: tuple[Series, ...] = ()
        self._legend = self.plot.addLegend(offset=(-6, 4), labelTextSize="8pt")
        self._lines: list[pg.PlotDataItem] = []

    def refresh(self) -> None:
        """Draw what there is."""
        axes = self.bench.axes
        self.series = series_of(axes, self._numbered, self.figure) if axes else ()
        for line in self._lines:
            self.plot.removeItem(line)
        self._legend.clear()
        self._lines = []
        for place, one in enumerate(self.series):
            colour, symbol = colour_of(place), _SYMBOLS[place % len(_SYMBOLS)]
            line = pg.PlotDataItem(
                np.array(one.places),
                np.array(one.values),
                pen=pg.mkPen(colour, width=2),
                symbol=symbol,
                symbolSize=8,
                symbolBrush=colour,
                symbolPen=None,
                data=list(one.cells),
            )
            line.sigPointsClicked.connect(self._take_click)
            self.plot.addItem(line)
            self._lines.append(line)
            if one.name:
                self._legend.addItem(line, one.name)
        self._name_axes()

    def _name_axes(self) -> None:
        if not self.bench.axes:
            self.label(tr(FIGURES[self.figure]), "")
            return
        axis = self.bench.axes[-1]
        bottom = self.plot.getAxis("bottom")
        values = axis.values[:: -(-len(axis.values) // _MOST_TICKS)]
        own = not is_numeric(axis) or is_logarithmic(axis) or len(axis.values) <= _MOST_TICKS
        bottom.setTicks([[(place_of(axis, value), _ticked(value)) for value in values]] if own else None)
        self.label(tr(FIGURES[self.figure]), tr(axis.label))
        self.setAccessibleDescription(f"{tr(FIGURES[self.figure])}, {tr(axis.label)}")

    def colour(self) -> None:
        super().colour()
        if hasattr(self, "_lines"):
            for place, line in enumerate(self._lines):
                line.setPen(pg.mkPen(colour_of(place), width=2))
                line.setSymbolBrush(colour_of(place))
            ground = pg.mkColor(theme.current().base)
            ground.setAlpha(190)
            self._legend.setBrush(pg.mkBrush(ground))
            self._legend.setLabelTextColor(theme.current().text)
            for _, label in self._legend.items:
                label.setText(label.text, color=theme.current().text)  # else those that are there keep their colour


class ParetoPlot(_FigurePlot):
    """A figure against seconds; the cells that no other one beats in both are joined by a line."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, tr("Figures against seconds"), parent)
        self.points: list[tuple[float, float, int]] = []
        self._front = pg.PlotDataItem()
        self._dots = pg.ScatterPlotItem(hoverable=True, tip=None)
        self._dots.sigClicked.connect(self._take_click)
        self.plot.addItem(self._front)
        self.plot.addItem(self._dots)

    def show_front(self, best: list[int]) -> None:
        """best: the numbers of the cells on the front, quickest first."""
        found = [(r["seconds"], figure_of(r, self.figure), i) for i, r in self._numbered]
        self.points = [(float(seconds), value, i) for seconds, value, i in found if value is not None]
        at = {number: (seconds, value) for seconds, value, number in self.points}
        front = [at[number] for number in best if number in at]
        self._front.setData([x for x, _ in front], [y for _, y in front])
        self._best = frozenset(best)
        self._draw_dots()
        self.label(tr(FIGURES[self.figure]), tr("Seconds"))

    def _draw_dots(self) -> None:
        now = theme.current()
        self._front.setPen(pg.mkPen(now.accent, width=2, style=Qt.PenStyle.DashLine))
        self._dots.setData(
            [
                {
                    "pos": (seconds, value),
                    "data": number,
                    "symbol": "d" if number in self._best else "o",
                    "size": 13 if number in self._best else 8,
                    "brush": pg.mkBrush(now.accent if number in self._best else now.muted),
                    "pen": pg.mkPen(None),
                }
                for seconds, value, number in self.points
            ]
        )

    def colour(self) -> None:
        super().colour()
        if hasattr(self, "_best"):
            self._draw_dots()


def _ticked(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else worded(value)
