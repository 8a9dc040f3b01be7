"""The panel of measurements: the table, what two regions say together, and the plot of the selected one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.state.room.figure import Figure, Measurement
from app.state.room.item import Item
from app.state.room.measure_records import rows_of
from app.state.room.measurements import Measurements
from app.state.room.reading import curve_along
from app.views.measure_plots import HistogramPlot, NamedCurve, ProfilePlot
from app.views.measure_table import MeasureTable
from app.views.measure_tool import Reader
from app.views.measure_words import comparison_lines
from app.words import tr
from core.errors import UserError
from core.export.measurements import as_csv, write

Ask = Callable[[QWidget, str], str]
"""Asks for a path to save under, with a proposal; "" when the user thought better of it."""
PROPOSAL = "measurements.csv"
HINT = "Choose a tool above and draw on an image. Ctrl+click selects two regions, for SNR and contrast."


def ask_for_path(parent: QWidget, proposal: str) -> str:
    """A path that ends in .csv."""
    path, _ = QFileDialog.getSaveFileName(parent, tr("Save measurements as"), proposal, "CSV (*.csv)")
    return path if not path or path.lower().endswith(".csv") else f"{path}.csv"


class MeasurePanel(QWidget):
    """Shows the measurements, and carries out what is chosen here. ask: for the path of a file to save."""

    def __init__(
        self, measurements: Measurements, reader: Reader, ask: Ask = ask_for_path, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.measurements, self.reader, self._ask = measurements, reader, ask
        self.table = MeasureTable(measurements, reader)
        self.delete = _button(tr("Delete"), tr("Delete the selected measurements (Del)"), self._delete)
        self.duplicate = _button(tr("Duplicate"), tr("Copy the selected measurements"), self._duplicate)
        self.copy = _button(tr("Copy CSV"), tr("Copy all measurements as a table of text"), self._copy)
        self.save = _button(tr("Save CSV…"), tr("Save all measurements as a table of text"), self._save)
        self.together, self.note = _words(), _words()
        self.swap = _button(tr("Swap"), tr("Exchange signal and noise"), self._swap)
        self.histogram, self.profile = HistogramPlot(), ProfilePlot()
        self.plots = QStackedWidget()
        self.plots.setMinimumSize(QSize(0, 0))
        for plot in (self.histogram, self.profile):
            self.plots.addWidget(plot)
        self._lay_out()
        self.refresh()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        for button in (self.delete, self.duplicate, self.copy, self.save):
            row.addWidget(button)
        row.addStretch(1)
        both = QHBoxLayout()
        both.addWidget(self.together, 1)
        both.addWidget(self.swap, 0, Qt.AlignmentFlag.AlignTop)
        upper = QWidget()
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table, 1)
        column.addLayout(row)
        column.addLayout(both)
        column.addWidget(self.note)
        self.parts = QSplitter(Qt.Orientation.Vertical)
        self.parts.addWidget(upper)
        self.parts.addWidget(self.plots)
        self.parts.setChildrenCollapsible(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(6, 6, 6, 6)
        whole.addWidget(self.parts)

    def refresh(self) -> None:
        """Show what there is now."""
        self.table.refresh()
        chosen = [m for m in self.measurements if m.key in self.measurements.selected]
        for button in (self.delete, self.duplicate):
            button.setEnabled(bool(chosen))
        for button in (self.copy, self.save):
            button.setEnabled(len(self.measurements) > 0)
        if not len(self.measurements):
            self.tell(tr(HINT))
        elif self.note.text() == tr(HINT):
            self.tell("")
        self._compare()
        self._plot(self.measurements.get(self.measurements.selected[0]) if chosen else None)

    def tell(self, words: str) -> None:
        """A line under the buttons."""
        self.note.setText(words)
        self.note.setVisible(bool(words))

    def _compare(self) -> None:
        """SNR and contrast, where just two regions are selected; the first is the signal."""
        found = [self.measurements.get(key) for key in self.measurements.selected]
        regions = [m for m in found if m is not None and m.figure.is_region]
        read = [self.reader(m) for m in regions]
        stats = [r.statistics for r in read if r is not None and r.statistics is not None]
        there = len(found) == len(regions) == len(stats) == 2
        self.together.setVisible(there)
        self.swap.setVisible(there)
        if there:
            units = {r.unit for r in read if r is not None}
            a, b = (m.name for m in regions)
            self.together.setText("\n".join(comparison_lines(a, stats[0], b, stats[1], len(units) == 1)))

    def _plot(self, chosen: Measurement | None) -> None:
        found = self.reader(chosen) if chosen is not None and chosen.complete else None
        if chosen is not None and found is not None and found.statistics is not None and found.statistics.pixels:
            self.plots.setCurrentWidget(self.histogram)
            self.histogram.show_region(chosen.name, found.statistics, found.unit)
        elif chosen is not None and chosen.figure is Figure.PROFILE:
            self.plots.setCurrentWidget(self.profile)
            self.profile.show_curves(self._curves(chosen))
        else:
            self.plots.hide()
            return
        self.plots.show()

    def _curves(self, line: Measurement) -> tuple[NamedCurve, ...]:
        """Of its own image, then of all images in the panes on view that share its place."""
        room = self.measurements.room
        keys = [line.item, *(k for i in room.shown for k in (room.panes[i].item, room.panes[i].over) if k)]
        items = [item for key in dict.fromkeys(keys) if (item := room.item(key)) is not None]
        shared = [item for item in items if self.measurements.shares_place(line, item)]
        return tuple(NamedCurve(item.name, item.unit, curve_along(line, item, self._moment(item))) for item in shared)

    def _moment(self, item: Item) -> int:
        return min(self.measurements.room.moment, len(item.stacks) - 1)

    def _delete(self) -> None:
        self.measurements.remove(self.measurements.selected)

    def _duplicate(self) -> None:
        made = [self.measurements.copy(key) for key in self.measurements.selected]
        self.measurements.select(*(m.key for m in made if m is not None))

    def _swap(self) -> None:
        self.measurements.select(*reversed(self.measurements.selected))

    def _copy(self) -> None:
        QApplication.clipboard().setText(as_csv(rows_of(self.measurements)))
        self.tell(tr("Copied."))

    def _save(self) -> None:
        path = self._ask(self, PROPOSAL)
        if not path:
            return
        try:
            write(rows_of(self.measurements), Path(path))
        except UserError as error:
            self.tell(str(error))
        else:
            self.tell(tr("Saved as {name}.", name=Path(path).name))


def _button(words: str, tip: str, clicked: Callable[[], None]) -> QPushButton:
    button = QPushButton(words)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    button.clicked.connect(lambda *_: clicked())
    return button


def _words() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.hide()
    return label
