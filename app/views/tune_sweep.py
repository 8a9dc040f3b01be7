"""The sweep tab: what to vary, the grid of its pictures, one of them large, and the curves."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.bridge.sweep_desk import Asked, SweepDesk
from app.state.notice import Notice
from app.state.session import Session
from app.state.tune.cells import Cell, Fate, State
from app.state.tune.draft import Wanted, read
from app.state.tune.spent import Spent, expected_seconds, spent_on
from app.views.dialogs import Dialogs
from app.views.tune_cell import CellView
from app.views.tune_figures import FiguresView
from app.views.tune_form import SweepForm
from app.views.tune_grid import SweepGrid
from app.views.tune_history import button
from app.views.tune_place import place_words
from app.views.tune_words import ended_words, how_long, progress_words, wanted_words
from app.words import tr
from core.errors import UserError
from core.export.sweep_table import write_csv

Ask = Callable[[QWidget, str], str]
MANY = 200
"""Cells that are not computed unless they are asked for twice."""


def ask_for_table(parent: QWidget, proposal: str) -> str:
    """A path that ends in .csv; "" when the user thought better of it."""
    path, _ = QFileDialog.getSaveFileName(parent, tr("Save the table as"), proposal, "CSV (*.csv)")
    return path if not path or path.lower().endswith(".csv") else f"{path}.csv"


class SweepTab(QWidget):
    """opened: a cell has been put among the runs. ask: for the path of the table."""

    opened = Signal(object)

    def __init__(
        self,
        session: Session,
        desk: SweepDesk,
        dialogs: Dialogs,
        ask: Ask = ask_for_table,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self.desk, self._dialogs, self._ask = session, desk, dialogs, ask
        self._known: tuple[Asked, float] | None = None
        self._expected: float | None = None
        self.form = SweepForm(session)
        self.words = QLabel()
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        self.words.setAccessibleName(tr("State of the sweep"))
        self.progress = QProgressBar()
        self.progress.setAccessibleName(tr("Progress of the sweep"))
        self.progress.setMaximumWidth(180)
        self.estimate = button(
            tr("How long?"), tr("Begin the first cell to find out how long all take"), self._estimate
        )
        self.start = button(tr("Start"), tr("Reconstruct every cell"), self.begin)
        self.stop = button(tr("Stop"), tr("End the sweep; the cells that are done stay"), desk.stop)
        self.csv = button(tr("Save CSV…"), tr("Save the figures of all cells as a table"), self._save_table)
        self.forget = button(
            tr("Delete cells…"), tr("Delete what sweeps of this scan have computed"), self._forget_cells
        )
        self.grid = SweepGrid(desk.bench)
        self.cell = CellView(session, desk)
        self.figures = FiguresView(desk)
        self._lay_out()
        self._connect()
        self._show_bench()

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self.words, 1)
        line.addWidget(self.progress)
        for each in (self.estimate, self.start, self.stop, self.csv, self.forget):
            line.addWidget(each)
        scroll = QScrollArea()
        scroll.setAccessibleName(tr("Cells of the sweep"))
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.grid)
        scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self.scale = QLabel()
        self.scale.setWordWrap(True)
        left = _column(scroll, self.scale)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        for widget in (left, self.cell, self.figures):
            self.splitter.addWidget(widget)
        self.splitter.setSizes([520, 320, 400])
        self.splitter.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.form)
        column.addLayout(line)
        column.addWidget(self.splitter, 1)

    def _connect(self) -> None:
        bench, runs = self.desk.bench, self._session.runs
        bench.changed.connect(self._show_bench)
        bench.told.connect(self._show_cell_news)
        runs.changed.connect(self._tell)
        if self.desk.crew is not None:
            self.desk.crew.choice.changed.connect(self._tell)
        self._session.display.changed.connect(self._display_changed)
        self.form.changed.connect(self._tell)
        self.form.entered.connect(self.begin)
        self.grid.picked.connect(lambda number: self.cell.show_cell(bench.cells[number]))
        self.figures.picked.connect(self.grid.select)
        self.figures.figure.currentIndexChanged.connect(lambda _: self._mark_best())
        self.cell.opened.connect(self.opened)

    def _display_changed(self) -> None:
        """Another slice is on view."""
        if self.isVisible():
            self._tell()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._tell()

    @property
    def wanted(self) -> Wanted:
        """What the form means."""
        return read(self.form.draft)

    @property
    def asked(self) -> Asked | None:
        """What would be swept now; None for what cannot be."""
        wanted = self.wanted
        return self.desk.asked(wanted.axes, self.form.draft.only_this_slice) if wanted.cells else None

    @property
    def seconds(self) -> float | None:
        """How long it would take, from an estimate that was asked for, or from earlier runs; None if not known."""
        asked, opened = self.asked, self._session.scan
        if asked is None or opened is None or self.desk.place.elsewhere:
            return None  # what a run takes here says nothing of workers elsewhere
        if self._known is not None and _alike(self._known[0], asked):
            return self._known[1]
        first, end = asked.source.slices or (0, opened.stack)
        try:
            return expected_seconds(self._spent, self._session.choice.settings, asked.axes, end - first, opened.stack)
        except UserError:
            return None

    @property
    def _spent(self) -> list[Spent]:
        """What cells and runs have taken; runs tell the later news."""
        cells = [(c.task.job, float(c.record["seconds"])) for c in self.desk.bench.cells if c.record is not None]
        return [*cells, *spent_on(self._session.runs)]

    def begin(self) -> None:
        """Start the sweep, or go on with it. How long it takes is found out first, where that takes but a moment."""
        asked = self.asked
        if asked is None or self.desk.busy:
            return
        here = not self.desk.place.elsewhere
        quick = here and asked.given.get("method") == "dds" and self._session.runs.current is None
        if quick and self.seconds is None:
            self.desk.estimate(asked, lambda seconds, trouble: self._begin_after(asked, seconds, trouble))
            self._tell()
        else:
            self._begin(asked)

    def _begin_after(self, asked: Asked, seconds: float | None, trouble: Notice | None) -> None:
        self._answered(asked, seconds, trouble)
        if trouble is None and asked.opened is self._session.scan:
            self._begin(asked)

    def _begin(self, asked: Asked) -> None:
        """Many cells only when that is really wanted."""
        count = prod(len(axis.values) for axis in asked.axes)
        if count > MANY and not self._dialogs.go_on(
            self, tr("This sweep has {count} cells.", count=count), how_long(self.seconds), tr("Start")
        ):
            return
        self._expected = self.seconds
        self.desk.start(asked)

    def release(self) -> None:
        """The window closes."""
        if self.desk.crew is not None:
            self.desk.crew.choice.changed.disconnect(self._tell)
        self.desk.close()

    def _estimate(self) -> None:
        asked = self.asked
        if asked is not None:
            self.desk.estimate(asked, lambda seconds, trouble: self._answered(asked, seconds, trouble))
            self._tell()

    def _answered(self, asked: Asked, seconds: float | None, trouble: Notice | None) -> None:
        self._known = (asked, seconds) if seconds is not None else None
        self._tell()
        if trouble is not None:
            self.words.setText(f"{trouble.what} {trouble.rest}")
        elif seconds is None:
            self.words.setText(tr("How long it takes could not be found out."))

    def _show_bench(self) -> None:
        """Another sweep, or another state of it."""
        bench = self.desk.bench
        if bench.state in (State.IDLE, State.PLANNING):
            self.cell.show_cell(None)
        if bench.state in (State.DONE, State.STOPPED) and bench.records:
            self._known = None  # what the cells have taken tells more
        if bench.state in (State.IDLE, State.PLANNING) or not bench.count(Fate.DONE):
            self.grid.begin_anew()
        shown = bench.levels
        words = tr(
            "Research use only. One grey scale for all: window {window:.4g}, level {level:.4g}."
            " ◆: no other is as quick and better.",
            window=shown.window,
            level=shown.level,
        )
        self.scale.setText(words if bench.cells else "")
        self._draw_plots()
        self._tell()

    def _show_cell_news(self, cell: Cell) -> None:
        self.grid.update()
        if cell.fate in (Fate.DONE, Fate.FAILED):
            self._draw_plots()
            if cell is self.cell.cell or (self.grid.selected < 0 and cell.fate is Fate.DONE):
                self.grid.select(cell.task.number - 1)
        self._tell()

    def _draw_plots(self) -> None:
        self.figures.refresh()
        self._mark_best()

    def _mark_best(self) -> None:
        self.grid.best = self.figures.best
        self.grid.update()

    def _tell(self) -> None:
        """What can be done, and how far it is."""
        bench, busy = self.desk.bench, self.desk.busy
        asked = self.asked
        self.start.setEnabled(asked is not None and not busy)
        self.start.setText(tr("Go on") if bench.state is State.STOPPED and self._same(asked) else tr("Start"))
        self.estimate.setEnabled(asked is not None and not busy and not self.desk.place.elsewhere)
        self.stop.setEnabled(bench.state in (State.PLANNING, State.RUNNING))
        self.csv.setEnabled(bool(bench.records))
        self.forget.setEnabled(self._session.scan is not None and not busy)
        self.form.setEnabled(self._session.scan is not None and not bench.busy)
        self.progress.setVisible(bench.busy)
        self.progress.setValue(round(100 * bench.share))
        self.words.setText(self._state_words())

    def _same(self, asked: Asked | None) -> bool:
        return asked is not None and asked.axes == self.desk.bench.axes

    def _state_words(self) -> str:
        bench, current = self.desk.bench, self._session.runs.current
        if self.desk.estimating:
            return tr("Finding out how long it takes …")
        if bench.busy:
            waits = current is not None and not self.desk.at.elsewhere
            said = progress_words(bench, current.name if waits else "", self._expected)
            return tr("{said}, by {who}", said=said, who=place_words(self.desk.at)) if bench.workers else said
        wanted = wanted_words(self.wanted, self.seconds, scan=self._session.scan is not None)
        ended = ended_words(bench)
        return wanted if not ended else f"{ended} " + tr("Next: {wanted}", wanted=wanted)

    def _forget_cells(self) -> None:
        why = tr("The images and figures of all sweeps of this scan are deleted. Another sweep computes them again.")
        if self._dialogs.go_on(self, tr("Delete the cells?"), why, tr("Delete")):
            self.desk.forget()

    def _save_table(self) -> None:
        bench = self.desk.bench
        path = self._ask(self, "sweep.csv")
        if not path:
            return
        try:
            names = [axis.name for axis in bench.axes]
            write_csv(names, bench.records, self.desk.pareto(self.figures.quality), Path(path))
        except UserError as error:
            self.words.setText(str(error))
        else:
            self.words.setText(tr("Saved as {name}.", name=Path(path).name))


def _alike(one: Asked, other: Asked) -> bool:
    return (one.axes, one.given, one.source) == (other.axes, other.given, other.source)


def _column(*widgets: QWidget) -> QWidget:
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        column.addWidget(widget, 0 if isinstance(widget, QLabel) else 1)
    return made
