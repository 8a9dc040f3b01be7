"""One cell of a sweep beside the grid: its picture, its settings and its figures."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.bridge.sweep_desk import SweepDesk
from app.state.naming import undersampling_words
from app.state.session import Session
from app.state.tune.cells import Cell, Fate
from app.state.tune.figures import lines_of
from app.state.tune.history import use_settings
from app.state.tune.opening import open_as_run
from app.views.heading import ElidedLabel
from app.views.tune_compare import note
from app.views.tune_history import button
from app.views.tune_pixels import SlicePicture
from app.words import tr
from core.engine.settings import help_of
from core.engine.settings_text import SOURCE_TYPES
from core.engine.sweep_plan import worded
from core.errors import UserError


class CellView(QWidget):
    """Shows what `show_cell` was given. opened: its image has been put among the runs."""

    opened = Signal(object)

    def __init__(self, session: Session, desk: SweepDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._desk = session, desk
        self.cell: Cell | None = None
        self.name = ElidedLabel()
        self.picture = SlicePicture(tr("Picture of the cell"))
        self.figures = QLabel()
        self.figures.setTextFormat(Qt.TextFormat.PlainText)
        self.figures.setWordWrap(True)
        self.figures.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.open = button(tr("Open as run"), tr("Put it among the runs, as if it had been made there"), self._open)
        self.use = button(tr("Use these settings"), tr("Choose them for the next run"), self._use)
        self.note = note()
        row = QHBoxLayout()
        row.addWidget(self.open)
        row.addWidget(self.use)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 0, 4, 0)
        column.addWidget(self.name)
        column.addWidget(self.picture, 1)
        column.addWidget(self.figures)
        column.addLayout(row)
        column.addWidget(self.note)
        self.show_cell(None)

    def show_cell(self, cell: Cell | None) -> None:
        """A cell of the bench, or none."""
        if cell is not self.cell:
            self.note.clear()
        self.cell = cell
        done = cell is not None and cell.fate is Fate.DONE
        bench = self._desk.bench
        plane = self._desk.middle_of(cell) if cell is not None and done else None
        self.picture.show_plane(plane, bench.levels, bench.spacing, self._marks(cell))
        self.open.setEnabled(done)
        self.use.setEnabled(cell is not None)
        self.name.setText(tr("Select a cell") if cell is None else _named(cell))
        self.figures.setText(_said(cell) if cell is not None else "")

    def _marks(self, cell: Cell | None) -> tuple[str, ...]:
        """What must stand in the picture."""
        opened, left_out = self._session.scan, cell.task.job.source.undersample if cell is not None else ""
        marks = opened.marks if opened is not None else ()
        return (*marks, tr("Undersampled on purpose: {how}", how=undersampling_words(left_out))) if left_out else marks

    def _open(self) -> None:
        cell = self.cell
        if cell is None or cell.record is None:
            return
        try:
            run = open_as_run(self._session, cell.task.job, self._desk.volume_of(cell), cell.record)
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.note.setText(tr("Its image cannot be read: {why}", why=error))
        else:
            self.note.setText(tr("It is among the runs: {name}.", name=run.name))
            self.opened.emit(run)

    def _use(self) -> None:
        if self.cell is not None:
            try:
                use_settings(self._session, self.cell.task.job)
            except UserError as error:
                self.note.setText(str(error))
            else:
                self.note.setText(tr("The next run will have these settings."))


def _named(cell: Cell) -> str:
    return ", ".join(f"{_label(name)} {worded(value)}" for name, value in cell.task.values.items())


def _label(name: str) -> str:
    return name.capitalize() if name in SOURCE_TYPES else help_of(name).label


def _said(cell: Cell) -> str:
    if cell.trouble:
        return cell.trouble
    if cell.record is None:
        return tr(cell.fate.value).capitalize()
    lines = [f"{tr(label)}: {value}" for label, value in lines_of(cell.record)]
    return "\n".join([*lines, *([tr("Kept from an earlier sweep")] if cell.again else [])])
