"""The settings of one run, or of two side by side with what differs marked."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.state.runs import Run
from app.state.tune.history import Compared, compared, settings_lines
from app.views.heading import ElidedLabel
from app.words import tr

DIFFERS = "≠ "
"""Before a setting that differs: the mark does not lie in the colour alone."""


class SettingsCompare(QWidget):
    """Shows what `show_runs` was given; more than two, or none, leave it empty."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = ElidedLabel()
        self.table = QTableWidget(0, 3)
        self.table.setAccessibleName(tr("Settings of the selected runs"))
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.words)
        column.addWidget(self.table, 1)
        self.lines: list[Compared] = []
        self.show_runs([])

    def show_runs(self, runs: list[Run]) -> None:
        """One or two runs."""
        two = len(runs) == 2
        if two:
            self.lines = compared(runs[0], runs[1])
            count = sum(line.differs for line in self.lines)
            self.words.setText(tr("{count} settings differ", count=count) if count else tr("No setting differs"))
        elif len(runs) == 1:
            self.lines = [Compared(label, value, value) for label, value in settings_lines(runs[0]).items()]
            self.words.setText(tr("Ctrl+click another run to compare"))
        else:
            self.lines = []
            self.words.setText(tr("Select one run, or two to compare"))
        self.table.setColumnHidden(2, not two)
        heads = [run.name for run in runs] if two else [tr("Value")]
        self.table.setHorizontalHeaderLabels([tr("Setting"), *heads, ""][:3])
        self.table.setRowCount(len(self.lines))
        for place, line in enumerate(self.lines):
            marked = two and line.differs
            for column, words in enumerate((line.label, line.one, line.other)):
                self._cell(place, column, f"{DIFFERS}{words}" if marked and not column else words, marked)
        self.colour()

    def _cell(self, place: int, column: int, words: str, marked: bool) -> None:
        cell = QTableWidgetItem(words)
        cell.setToolTip(words)
        if marked:
            font = cell.font()
            font.setBold(True)
            cell.setFont(font)
        self.table.setItem(place, column, cell)

    def colour(self) -> None:
        """As the theme has it."""
        two = not self.table.isColumnHidden(2)
        for place, line in enumerate(self.lines):
            for column in range(self.table.columnCount()):
                cell = self.table.item(place, column)
                if two and line.differs and cell is not None:
                    cell.setForeground(QColor(theme.current().warning))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "lines"):
            self.colour()
        super().changeEvent(event)


def note(words: str = "") -> QLabel:
    """A line of words that says what has just happened."""
    label = QLabel(words)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
