"""The figures of a sweep beside its grid: which one, its curves, and what is both quick and good."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from app.bridge.sweep_desk import SweepDesk
from app.state.tune.figures import FIGURES, OF_REFERENCE
from app.views.tune_plots import CurvePlot, ParetoPlot
from app.words import tr


class FiguresView(QWidget):
    """picked: the number of the cell whose point was clicked. best: of the cells that no other one beats."""

    picked = Signal(int)

    def __init__(self, desk: SweepDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.best: frozenset[int] = frozenset()
        self.figure = QComboBox()
        self.figure.setAccessibleName(tr("Figure"))
        for name, label in FIGURES.items():
            self.figure.addItem(tr(label), name)
        self.curves, self.front = CurvePlot(desk.bench), ParetoPlot(desk.bench)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.figure)
        column.addWidget(self.curves, 1)
        column.addWidget(self.front, 1)
        self.figure.currentIndexChanged.connect(lambda _: self.refresh())
        self.curves.picked.connect(self.picked)
        self.front.picked.connect(self.picked)

    @property
    def quality(self) -> str:
        """What time is weighed against where nothing else is chosen."""
        return "psnr" if self._desk.bench.compared else "residual"

    def refresh(self) -> None:
        """Draw what there is. Figures that need a reference are offered only where there is one."""
        bench = self._desk.bench
        known = bench.compared or not bench.records
        for place, name in enumerate(FIGURES):
            item = self.figure.model().item(place)  # type: ignore[attr-defined]
            item.setEnabled(known or name not in OF_REFERENCE)
        figure = str(self.figure.currentData())
        if not known and figure in OF_REFERENCE:
            self.figure.setCurrentIndex(list(FIGURES).index("residual"))
            return
        quality = self.quality if figure == "seconds" else figure
        numbers = [i for i, cell in enumerate(bench.cells) if cell.record is not None]
        best = [numbers[place] for place in self._desk.pareto(quality)]
        self.best = frozenset(best)
        self.curves.figure, self.front.figure = figure, quality
        self.curves.refresh()
        self.front.show_front(best)
