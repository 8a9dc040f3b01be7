"""The scans of a batch as a table: state, time, result, and why one failed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from app.state.tune.batch import Batch, Entry
from app.state.tune.cells import Fate
from app.views.batch_words import fate_words, time_words
from app.words import later, tr

COLUMNS = (later("Scan"), later("Folder"), later("State"), later("Time"), later("Result, or what went wrong"))
NAME, FOLDER, STATE, TIME, RESULT = range(len(COLUMNS))
_WIDTHS = {NAME: 26, FOLDER: 24, STATE: 12, TIME: 11}
"""Characters."""


class BatchList(QTableWidget):
    """opened: the result of a scan is to be shown. removed: the selected scans shall go. chosen: others are selected.

    A click on a result opens it, as Return and a double click on its line do.
    """

    opened = Signal(object)
    removed = Signal()
    chosen = Signal()

    def __init__(self, batch: Batch, parent: QWidget | None = None) -> None:
        super().__init__(0, len(COLUMNS), parent)
        self._batch = batch
        self._shown: list[Entry] = []
        self.setAccessibleName(tr("Scans of the batch"))
        self.setHorizontalHeaderLabels([tr(name) for name in COLUMNS])
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 10)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setTabKeyNavigation(False)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, letters in _WIDTHS.items():
            self.setColumnWidth(column, letters * self.fontMetrics().averageCharWidth())
        self.cellClicked.connect(self._clicked)
        self.cellDoubleClicked.connect(lambda row, _: self._open(row))
        self.itemSelectionChanged.connect(self.chosen)

    @property
    def selected(self) -> list[Entry]:
        """In their order."""
        return [self._shown[row] for row in sorted({index.row() for index in self.selectedIndexes()})]

    def refresh(self) -> None:
        """Show the scans that there are."""
        if self._shown != self._batch.entries:
            self._shown = list(self._batch.entries)
            self.clearSelection()
            self.setRowCount(len(self._shown))
            for row, entry in enumerate(self._shown):
                for column in range(len(COLUMNS)):
                    self.setItem(row, column, QTableWidgetItem())
                folder = str(Path(entry.path).parent)
                for column, words, tip in ((NAME, entry.name, entry.path), (FOLDER, folder, folder)):
                    self.item(row, column).setText(words)
                    self.item(row, column).setToolTip(tip)
        for entry in self._shown:
            self.show_entry(entry)

    def show_entry(self, entry: Entry) -> None:
        """What has become of a scan."""
        row = next((row for row, shown in enumerate(self._shown) if shown is entry), -1)
        if row < 0:
            return
        done, failed = entry.fate is Fate.DONE, entry.fate is Fate.FAILED
        what = Path(entry.result).name if done else entry.trouble
        words = {STATE: fate_words(entry), TIME: time_words(entry), RESULT: what}
        for column, text in words.items():
            self.item(row, column).setText(text)
        last = self.item(row, RESULT)
        last.setToolTip(f"{entry.result}\n{tr('A click shows it in Review')}" if done else entry.trouble)
        font = self.font()
        font.setUnderline(done)
        last.setFont(font)
        palette = self.palette()
        last.setForeground(palette.link() if done else palette.text())
        self.item(row, STATE).setToolTip(entry.trouble if failed else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.rowCount():
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            words = tr("Drop raw scans here, or folders that hold them.")
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, words)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self.currentRow())
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        else:
            super().keyPressEvent(event)

    def _clicked(self, row: int, column: int) -> None:
        if column == RESULT:
            self._open(row)

    def _open(self, row: int) -> None:
        if 0 <= row < len(self._shown) and self._shown[row].result:
            self.opened.emit(self._shown[row])
