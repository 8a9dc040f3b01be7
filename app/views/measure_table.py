"""The table of measurements: name, value, image."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from app.state.room.measure_places import go_to
from app.state.room.measurements import Measurements
from app.views.measure_tool import DELETE, Reader
from app.views.measure_words import label_lines, short
from app.words import tr

NAME, VALUE, IMAGE = range(3)


class MeasureTable(QTableWidget):
    """Names are changed in place. A row that is selected is shown in the panes; Delete deletes."""

    def __init__(self, measurements: Measurements, reader: Reader, parent: QWidget | None = None) -> None:
        super().__init__(0, 3, parent)
        self.measurements, self.reader = measurements, reader
        self.keys: tuple[str, ...] = ()
        self.setHorizontalHeaderLabels([tr("Name"), tr("Value"), tr("Image")])
        self.setAccessibleName(tr("Measurements"))
        self.verticalHeader().hide()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(IMAGE, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self.setColumnWidth(NAME, self.fontMetrics().horizontalAdvance("Free-hand 100"))
        self.setColumnWidth(VALUE, self.fontMetrics().horizontalAdvance("mean 1000, SD 100.0 HU") + 16)
        self.itemSelectionChanged.connect(self._take_selection)
        self.itemChanged.connect(self._take_name)

    def refresh(self) -> None:
        """Show what there is; a name that is being typed stays."""
        kept = tuple(self.measurements)
        with QSignalBlocker(self):
            if self.keys != tuple(m.key for m in kept):
                self.keys = tuple(m.key for m in kept)
                self.setRowCount(len(kept))
            for row, m in enumerate(kept):
                found = self.reader(m)
                image = self.measurements.item_name(m)
                image = image if self.measurements.is_open(m) else tr("{name} (closed)", name=image)
                for column, words in ((NAME, m.name), (VALUE, short(m, found)), (IMAGE, image)):
                    self._write(row, column, words, "\n".join(label_lines(m, found)) if column == VALUE else words)
        self._show_selection()

    def _write(self, row: int, column: int, words: str, tip: str) -> None:
        cell = self.item(row, column)
        if cell is None:
            cell = QTableWidgetItem()
            self.setItem(row, column, cell)
            if column != NAME:
                cell.setFlags(cell.flags() & ~Qt.ItemFlag.ItemIsEditable)
        if cell.text() != words:
            cell.setText(words)
        cell.setToolTip(tip)

    def _show_selection(self) -> None:
        chosen = {row for row, key in enumerate(self.keys) if key in self.measurements.selected}
        if chosen == self._rows():
            return
        cells = [cell for row in sorted(chosen) for c in range(3) if (cell := self.item(row, c)) is not None]
        with QSignalBlocker(self):
            self.clearSelection()
            for cell in cells:
                cell.setSelected(True)
        if len(chosen) == 1:
            self.scrollToItem(cells[NAME])
        self.viewport().update()

    def _rows(self) -> set[int]:
        return {index.row() for index in self.selectedIndexes()}

    def _take_selection(self) -> None:
        rows, before = self._rows(), self.measurements.selected
        chosen = [self.keys[row] for row in sorted(rows)]
        # In the order of choosing, since the first region is the signal.
        self.measurements.select(*(k for k in before if k in chosen), *(k for k in chosen if k not in before))
        new = [k for k in chosen if k not in before]
        found = self.measurements.get(new[-1]) if new else None
        if found is not None:
            go_to(self.measurements, found)

    def _take_name(self, cell: QTableWidgetItem) -> None:
        if cell.column() != NAME:
            return
        key = self.keys[cell.row()]
        self.measurements.rename(key, cell.text())
        found = self.measurements.get(key)
        if found is not None and found.name != cell.text():
            with QSignalBlocker(self):
                cell.setText(found.name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in DELETE and not event.modifiers():
            self.measurements.remove(self.measurements.selected)
            event.accept()
        else:
            super().keyPressEvent(event)
