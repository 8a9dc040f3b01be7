"""The table of all runs of the session."""

from __future__ import annotations

import weakref

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent, QPixmap, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from app.state.picture import Levels, Picture
from app.state.runs import Run
from app.state.session import Session
from app.state.tune.cells import levels_of
from app.state.tune.figures import OF_REFERENCE
from app.state.tune.history import COLUMNS, EDITABLE, HEADINGS, THUMBNAIL, Row, rename, rows_of, thumbnail_of
from app.state.tune.notes import Notes
from app.views.tune_pixels import grey_image
from app.words import tr

PICTURE = 0
_NUMBERS = ("nfe", "seconds", "residual", *OF_REFERENCE)
_WIDTHS = {
    "name": 21,
    "when": 13,
    "method": 10,
    "prior": 11,
    "nfe": 5,
    "psnr": 9,
    "ssim": 7,
    "nrmse": 8,
    "hfen": 7,
    "note": 12,
}
_USUAL_WIDTH = 9
"""Characters."""

Drawn = tuple[Picture, Levels, QIcon]


class HistoryTable(QTableWidget):
    """One line a run. Headings sort; F2 changes a name or a note in place.

    opened: a run was double clicked, or Return was pressed on it. refused: why a name cannot be.
    """

    opened = Signal(object)
    chosen = Signal()
    refused = Signal(str)

    def __init__(self, session: Session, notes: Notes, parent: QWidget | None = None) -> None:
        super().__init__(0, 1 + len(COLUMNS), parent)
        self._session, self._notes = session, notes
        self.rows: list[Row] = []
        self.wanted = ""
        self.sort, self.descending = "when", False
        self._pictures: weakref.WeakKeyDictionary[Run, Drawn] = weakref.WeakKeyDictionary()
        self.setAccessibleName(tr("History of runs"))
        self.setHorizontalHeaderLabels([tr("Picture"), *(tr(HEADINGS[name]) for name in COLUMNS)])
        self.verticalHeader().hide()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setIconSize(QSize(THUMBNAIL, THUMBNAIL))
        self.verticalHeader().setDefaultSectionSize(THUMBNAIL + 4)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._set_up_header()
        self.itemChanged.connect(self._take_edit)
        self.itemSelectionChanged.connect(self.chosen)
        self.itemDoubleClicked.connect(lambda item: self._open(item.row()))

    def _set_up_header(self) -> None:
        header = self.horizontalHeader()
        header.setSectionsClickable(True)
        header.setHighlightSections(False)
        header.setSortIndicatorShown(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.sectionClicked.connect(self._sort_by)
        letter = self.fontMetrics().averageCharWidth()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setColumnWidth(PICTURE, THUMBNAIL + 20)
        for column, name in enumerate(COLUMNS, 1):
            self.setColumnWidth(column, (_WIDTHS.get(name, _USUAL_WIDTH) + 2) * letter)
            if name in _NUMBERS:
                head = self.horizontalHeaderItem(column)
                assert head is not None
                head.setTextAlignment(Qt.AlignmentFlag.AlignRight)
        header.setSortIndicator(1 + COLUMNS.index(self.sort), Qt.SortOrder.AscendingOrder)

    @property
    def chosen_runs(self) -> list[Run]:
        """The selected runs, from above."""
        places = sorted({index.row() for index in self.selectionModel().selectedRows()})
        return [self.rows[place].run for place in places if place < len(self.rows)]

    def refresh(self) -> None:
        """Show what there is, unless nobody sees it or a word is being typed; the selection stays with its runs."""
        self._notes.see(self._session.runs)
        if not self.isVisible() or self.state() is QAbstractItemView.State.EditingState:
            return
        chosen = self.chosen_runs
        before = [row.run for row in self.rows]
        self.rows = rows_of(self._session.runs, self._notes, self.sort, self.descending, self.wanted)
        with QSignalBlocker(self):
            self.setRowCount(len(self.rows))
            for place, row in enumerate(self.rows):
                self._fill(place, row)
        if before != [row.run for row in self.rows]:
            self.select(chosen)

    def select(self, runs: list[Run]) -> None:
        """Select the lines of these runs, and no others."""
        with QSignalBlocker(self):
            self.clearSelection()
            mode = self.selectionMode()
            self.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
            for place, row in enumerate(self.rows):
                if row.run in runs:
                    self.selectRow(place)
            self.setSelectionMode(mode)
        self.chosen.emit()

    def edit_column(self, name: str) -> None:
        """Let the name or the note of the selected run be typed."""
        chosen = self.chosen_runs
        place = next((i for i, row in enumerate(self.rows) if row.run in chosen), None)
        if place is not None:
            item = self.item(place, 1 + COLUMNS.index(name))
            assert item is not None
            self.scrollToItem(item)
            self.editItem(item)

    def _fill(self, place: int, row: Row) -> None:
        self._cell(place, PICTURE, "").setIcon(self._icon(row.run))
        data_range = row.run.metrics.get("data_range")
        for column, name in enumerate(COLUMNS, 1):
            cell = self._cell(place, column, row.words[name])
            tip = row.words[name]
            if name in OF_REFERENCE and tip and data_range is not None:
                tip = tr("{value}, data range {range}", value=tip, range=f"{data_range:.4g}")
            cell.setToolTip(tip)
            font = cell.font()
            if font.bold() is not (row.run is self._session.runs.front):
                font.setBold(row.run is self._session.runs.front)
                cell.setFont(font)

    def _cell(self, place: int, column: int, words: str) -> QTableWidgetItem:
        cell = self.item(place, column)
        if cell is None:
            cell = QTableWidgetItem()
            name = COLUMNS[column - 1] if column else ""
            if name not in EDITABLE:
                cell.setFlags(cell.flags() & ~Qt.ItemFlag.ItemIsEditable)
            if name in _NUMBERS:
                cell.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.setItem(place, column, cell)
        if cell.text() != words:
            cell.setText(words)
        return cell

    def _icon(self, run: Run) -> QIcon:
        """Its middle slice, drawn again only when the picture or the grey scale is another."""
        levels, known, shown = levels_of(self._session.display), self._pictures.get(run), run.shown()
        if shown is None:
            return QIcon()
        if known is not None and known[0] is shown.picture and known[1] == levels:
            return known[2]
        pixmap = QPixmap.fromImage(grey_image(thumbnail_of(shown.picture), levels))
        icon = QIcon(pixmap)
        icon.addPixmap(pixmap, QIcon.Mode.Selected)  # else it is tinted, and no longer the picture
        self._pictures[run] = (shown.picture, levels, icon)
        return icon

    def _sort_by(self, section: int) -> None:
        if section == PICTURE:
            return
        name = COLUMNS[section - 1]
        self.descending = not self.descending if name == self.sort else name in _NUMBERS
        self.sort = name
        order = Qt.SortOrder.DescendingOrder if self.descending else Qt.SortOrder.AscendingOrder
        self.horizontalHeader().setSortIndicator(section, order)
        self.refresh()

    def _take_edit(self, item: QTableWidgetItem) -> None:
        if item.column() == PICTURE or item.row() >= len(self.rows):
            return
        run, name = self.rows[item.row()].run, COLUMNS[item.column() - 1]
        if name == "note":
            self._notes.write(run, item.text())
        elif name == "name":
            refused = rename(self._session.runs, run, item.text())
            if refused:
                with QSignalBlocker(self):
                    item.setText(run.name)
                self.refused.emit(refused)

    def _open(self, place: int) -> None:
        if 0 <= place < len(self.rows):
            self.opened.emit(self.rows[place].run)

    def closeEditor(self, editor: QWidget, hint: object) -> None:
        super().closeEditor(editor, hint)  # type: ignore[arg-type]
        self.refresh()

    def event(self, event: QEvent) -> bool:
        """F2 is the table's, whatever action of the window has it too."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_F2
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F2:
            column = self.currentColumn() - 1
            self.edit_column(COLUMNS[column] if column >= 0 and COLUMNS[column] in EDITABLE else "name")
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self.currentRow())
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
