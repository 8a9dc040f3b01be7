"""The history of runs: the table, the settings of what is selected, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.bridge.run_queue import RunQueue
from app.state.display import RESULT
from app.state.naming import file_name
from app.state.runs import Run
from app.state.session import Session
from app.state.tune.history import use_settings
from app.state.tune.notes import Notes
from app.views.tune_compare import SettingsCompare, note
from app.views.tune_table import HistoryTable
from app.words import later, tr
from core.engine.as_text import as_command, as_python, as_yaml
from core.engine.job import JobSpec
from core.errors import UserError
from core.export import writing
from core.export.whole import write_json

Ask = Callable[[QWidget, str], str]
CARD = ".card.json"
COPIES: dict[str, tuple[str, Callable[[JobSpec], str]]] = {
    "command": (later("Command line"), as_command),
    "python": (later("Python"), as_python),
    "yaml": (later("YAML"), as_yaml),
}


def ask_for_card(parent: QWidget, proposal: str) -> str:
    """A path that ends in .card.json; "" when the user thought better of it."""
    path, _ = QFileDialog.getSaveFileName(parent, tr("Save the run card as"), proposal, f"Run cards (*{CARD})")
    return path if not path or path.lower().endswith(CARD) else f"{path}{CARD}"


class HistoryTab(QWidget):
    """opened: a run was put in front. ask: for the path of a run card to save."""

    opened = Signal(object)

    def __init__(
        self, session: Session, queue: RunQueue, notes: Notes, ask: Ask = ask_for_card, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._queue, self._notes, self._ask = session, queue, notes, ask
        self.table = HistoryTable(session, notes)
        self.compare = SettingsCompare()
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(tr("Filter: words of the name, method, prior or note"))
        self.filter.setAccessibleName(tr("Filter"))
        self.filter.setClearButtonEnabled(True)
        self.count = QLabel()
        self.note = note()
        self.use = button(tr("Use these settings"), tr("Choose them for the next run"), self._use)
        self.again = button(tr("Rerun"), tr("Make the same run once more"), self._rerun)
        self.rename = button(tr("Rename"), tr("Give the run another name (F2)"), lambda: self.table.edit_column("name"))
        self.write = button(tr("Note"), tr("Write something about the run"), lambda: self.table.edit_column("note"))
        self.card = button(tr("Save run card…"), tr("Save what makes the run again"), self._save_card)
        self.copy = self._copy_menu()
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        above = QHBoxLayout()
        above.addWidget(self.filter, 1)
        above.addWidget(self.count)
        below = QHBoxLayout()
        below.setSpacing(4)
        for each in (self.use, self.again, self.copy, self.card, self.rename, self.write):
            below.addWidget(each)
        below.addWidget(self.note, 1)
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.addWidget(self.table)
        parts.addWidget(self.compare)
        parts.setStretchFactor(0, 1)
        parts.setSizes([940, 310])
        parts.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addLayout(above)
        column.addWidget(parts, 1)
        column.addLayout(below)

    def _connect(self) -> None:
        runs = self._session.runs
        for signal in (runs.changed, runs.fronted, self._notes.changed, self._session.display.changed):
            signal.connect(self._refresh)
        runs.told.connect(self._told)
        self.filter.textChanged.connect(self._filter)
        self.table.chosen.connect(self._show_chosen)
        self.table.opened.connect(self._open)
        self.table.refused.connect(self.note.setText)

    def refresh(self) -> None:
        """Show what there is."""
        self.table.refresh()
        shown, every = len(self.table.rows), len(self._session.runs)
        self.count.setText(tr("{shown} of {every} runs", shown=shown, every=every))
        self._enable()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def _refresh(self) -> None:
        self.refresh()

    def _told(self, run: Run) -> None:
        self.refresh()

    def _copy_menu(self) -> QToolButton:
        made = QToolButton()
        made.setText(tr("Copy as"))
        made.setToolTip(tr("Copy the run as text that makes it again"))
        made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        menu = QMenu(made)
        for name, (words, _) in COPIES.items():
            action = menu.addAction(tr(words))
            action.setObjectName(name)
            action.triggered.connect(lambda *_, name=name: self._copy(name))
        made.setMenu(menu)
        return made

    def _filter(self, words: str) -> None:
        self.table.wanted = words
        self.refresh()

    def _show_chosen(self) -> None:
        self.note.clear()
        self.compare.show_runs(self.table.chosen_runs)
        self._enable()

    def _enable(self) -> None:
        chosen = self.table.chosen_runs
        one = chosen[0] if len(chosen) == 1 else None
        for each in (self.use, self.copy, self.rename, self.write):
            each.setEnabled(one is not None)
        self.again.setEnabled(one is not None and one.job.scan is not None)
        self.card.setEnabled(one is not None and one.volume is not None and bool(one.volume.card))

    @property
    def _chosen(self) -> Run | None:
        return next(iter(self.table.chosen_runs), None)

    def _open(self, run: Run) -> None:
        self._session.runs.put_in_front(run)
        self._session.display.look_at(RESULT)
        self.opened.emit(run)

    def _use(self) -> None:
        run = self._chosen
        if run is not None:
            try:
                use_settings(self._session, run.job)
            except UserError as error:
                self.note.setText(str(error))
            else:
                self.note.setText(tr("The next run will have these settings."))

    def _rerun(self) -> None:
        run = self._chosen
        if run is not None:
            made = self._queue.add(replace(run.job))
            self.note.setText(tr("{name} is in the queue.", name=made.name))

    def _copy(self, name: str) -> None:
        run = self._chosen
        if run is not None:
            words, make = COPIES[name]
            QApplication.clipboard().setText(make(run.job))
            self.note.setText(tr("Copied: {what}.", what=tr(words)))

    def _save_card(self) -> None:
        run, opened = self._chosen, self._session.scan
        if run is None or run.volume is None:
            return
        scan = opened.public_name if opened is not None else "run"
        path = self._ask(self, file_name(scan, run.name).removesuffix(".npy") + CARD)
        if not path:
            return
        try:
            with writing(Path(path)):
                write_json(run.volume.card, Path(path))
        except UserError as error:
            self.note.setText(str(error))
        else:
            self.note.setText(tr("Saved as {name}.", name=Path(path).name))


def button(words: str, tip: str, clicked: Callable[[], object]) -> QPushButton:
    """A button that does one thing."""
    made = QPushButton(words)
    made.setToolTip(tip)
    made.setAutoDefault(False)
    made.clicked.connect(lambda *_: clicked())
    return made
