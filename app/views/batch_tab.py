"""The batch tab: which scans, with which settings, where the images go, and how far it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.bridge.batch_desk import BatchAsked, BatchDesk
from app.preferences import Preferences
from app.state.naming import run_name
from app.state.runs import Run
from app.state.session import Session
from app.state.tune.batch import FORMATS, Entry
from app.state.tune.cells import State
from app.views.batch_list import BatchList
from app.views.batch_words import missing_words, state_words
from app.views.tune_history import button
from app.views.tune_place import place_words
from app.words import tr
from core.engine.job import JobSpec


class BatchQuestions:
    """Which files and folders; tests put their own in place. Answers are paths, "" or none for "never mind"."""

    def scans(self, parent: QWidget, folder: str) -> list[str]:
        kinds = tr("Raw scans") + " (*.h5 *.mrd *.cfl *.dat *.nxs *.nx *.hdf5 *.npy *.npz *.mat *.mha *.mhd);;* (*)"
        return QFileDialog.getOpenFileNames(parent, tr("Add scans"), folder, kinds)[0]

    def folder(self, parent: QWidget, title: str, folder: str) -> str:
        return QFileDialog.getExistingDirectory(parent, title, folder)


class BatchTab(QWidget):
    """opened: the path of a result that is to be shown."""

    opened = Signal(str)

    def __init__(
        self,
        session: Session,
        desk: BatchDesk,
        preferences: Preferences | None = None,
        questions: BatchQuestions | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self.desk, self._preferences = session, desk, preferences
        self._questions = questions or BatchQuestions()
        self.list = BatchList(desk.bench)
        self.add = button(tr("Add files…"), tr("Add raw scans to the list"), self._add_files)
        self.add_folder = button(tr("Add folder…"), tr("Add all raw scans in a folder"), self._add_folder)
        self.remove = button(tr("Remove"), tr("Take the selected scans out of the list (Del)"), self._remove)
        self.settings = QComboBox()
        self.settings.setAccessibleName(tr("Settings for all scans"))
        self.settings.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.settings.setMinimumContentsLength(24)
        self.said = QLabel()
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setWordWrap(True)
        theme.mute(self.said)
        self.detail = QLabel()
        self.detail.setTextFormat(Qt.TextFormat.PlainText)
        self.detail.setWordWrap(True)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.detail.hide()
        self.folder = QLineEdit(preferences.batch_folder if preferences is not None else "")
        self.folder.setAccessibleName(tr("Folder for the results"))
        self.folder.setPlaceholderText(tr("Folder for the results; it is made"))
        self.browse = button("…", tr("Choose the folder for the results"), self._browse)
        self.browse.setAccessibleName(tr("Choose the folder for the results"))
        self.browse.setFixedWidth(32)
        self.format = QComboBox()
        self.format.setAccessibleName(tr("Format of the results"))
        for ending, words in FORMATS.items():
            self.format.addItem(words, ending)
        self.hounsfield = QCheckBox(tr("CT in HU"))
        self.hounsfield.setToolTip(tr("Write CT in Hounsfield units where they are known, not in 1/mm"))
        self.hounsfield.setChecked(True)
        self.words = QLabel()
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        self.words.setAccessibleName(tr("State of the batch"))
        self.progress = QProgressBar()
        self.progress.setAccessibleName(tr("Progress of the batch"))
        self.progress.setMaximumWidth(180)
        self.show_result = button(tr("Open result"), tr("Show the image of the selected scan in Review"), self._open)
        self.start = button(tr("Start"), tr("Reconstruct the scans whose images are not there yet"), self.begin)
        self.stop = button(tr("Stop"), tr("End the batch; the images that are written stay"), desk.stop)
        self.setAcceptDrops(True)
        self._lay_out()
        self._connect()
        self._offer_settings()
        self._tell()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        settings, folder = QLabel(tr("Settings")), QLabel(tr("Into"))
        settings.setBuddy(self.settings)
        folder.setBuddy(self.folder)
        grid.addWidget(settings, 0, 0)
        grid.addWidget(self.settings, 0, 1)
        grid.addWidget(self.said, 0, 2, 1, 4)
        for column, widget in enumerate((folder, self.folder, self.browse, self.format, self.hounsfield)):
            grid.addWidget(widget, 1, (0, 1, 3, 4, 5)[column], 1, 2 if widget is self.folder else 1)
        grid.setColumnStretch(2, 1)
        above, below = QHBoxLayout(), QHBoxLayout()
        for each in (self.add, self.add_folder, self.remove):
            above.addWidget(each)
        above.addStretch(1)
        notice = QLabel(tr("Research use only"))
        theme.mute(notice)
        above.addWidget(notice)
        below.addWidget(self.words, 1)
        below.addWidget(self.progress)
        for each in (self.show_result, self.start, self.stop):
            below.addWidget(each)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addLayout(above)
        column.addWidget(self.list, 1)
        column.addWidget(self.detail)
        column.addLayout(grid)
        column.addLayout(below)

    def _connect(self) -> None:
        bench, session = self.desk.bench, self._session
        bench.changed.connect(self._tell)
        bench.told.connect(self._show_news)
        session.runs.changed.connect(self._offer_settings)
        session.choice.changed.connect(self._tell)
        self.desk.crew.choice.changed.connect(self._tell)
        self.list.opened.connect(lambda entry: self.opened.emit(entry.result))
        self.list.removed.connect(self._remove)
        self.list.chosen.connect(self._enable)
        self.settings.currentIndexChanged.connect(lambda _: self._tell())
        self.folder.textChanged.connect(lambda _: self._tell())

    @property
    def asked(self) -> BatchAsked | None:
        """What would be done now; None for what cannot be."""
        job, folder = self._job, self.folder.text().strip()
        if job is None or missing_words(self.desk.bench, folder):
            return None
        made = self.desk.asked(
            job.settings,
            job.source.undersample,
            str(Path(folder).expanduser()),
            str(self.format.currentData()),
            hounsfield=self.hounsfield.isChecked(),
        )
        return replace(made, source=replace(made.source, size=job.source.size))

    @property
    def _job(self) -> JobSpec | None:
        """Whose settings are taken: those of a run, or those chosen now."""
        run, opened, choice = self.settings.currentData(), self._session.scan, self._session.choice
        if isinstance(run, Run):
            return run.job
        if opened is None:
            return None
        source = replace(opened.source, undersample=choice.undersample, slices=None, size=choice.size)
        return JobSpec(source, choice.settings, opened.scan)

    def begin(self) -> None:
        """Do what is missing in the folder."""
        asked = self.asked
        if asked is not None and not self.desk.busy:
            if self._preferences is not None:
                self._preferences.batch_folder = asked.folder
            self.desk.start(asked)

    def take(self, paths: list[str]) -> None:
        """Add files, and the scans in folders."""
        self.desk.bench.add(path for path in paths if not Path(path).is_dir())
        for path in paths:
            if Path(path).is_dir():
                self.desk.look_into(path)

    def release(self) -> None:
        """The window closes."""
        self.desk.crew.choice.changed.disconnect(self._tell)
        self.desk.close()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if not self.desk.busy and any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.take([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()])

    def _add_files(self) -> None:
        self.take(self._questions.scans(self, self._usual_folder))

    def _add_folder(self) -> None:
        path = self._questions.folder(self, tr("Add all raw scans in a folder"), self._usual_folder)
        if path:
            self.take([path])

    def _remove(self) -> None:
        self.desk.bench.remove(self.list.selected)

    def _browse(self) -> None:
        path = self._questions.folder(self, tr("Folder for the results"), self.folder.text() or self._usual_folder)
        if path:
            self.folder.setText(path)

    @property
    def _usual_folder(self) -> str:
        return self._preferences.folder if self._preferences is not None else ""

    def _open(self) -> None:
        done = [entry for entry in self.list.selected if entry.result]
        if done:
            self.opened.emit(done[0].result)

    def _offer_settings(self) -> None:
        """What was chosen stays if it is still there."""
        kept = self.settings.currentData()
        self.settings.blockSignals(True)
        self.settings.clear()
        self.settings.addItem(tr("Those chosen now"), None)
        for run in self._session.runs:
            self.settings.addItem(tr("Those of {run}", run=run.name), run)
            if run is kept:
                self.settings.setCurrentIndex(self.settings.count() - 1)
        self.settings.blockSignals(False)
        self._tell()

    def _show_news(self, entry: Entry) -> None:
        self.list.show_entry(entry)
        self._say()
        self._enable()

    def _tell(self) -> None:
        """What there is, and what can be done."""
        self.list.refresh()
        job = self._job
        self.said.setText(run_name(replace(job, source=replace(job.source, slices=None))) if job is not None else "")
        self._say()
        self._enable()

    def _say(self) -> None:
        bench, current = self.desk.bench, self._session.runs.current
        elsewhere = self.desk.at.elsewhere
        waits_for = current.name if current is not None and not elsewhere else ""
        where = place_words(self.desk.at) if bench.workers else ""
        self.words.setText(state_words(bench, self.folder.text().strip(), waits_for, where))
        self.progress.setVisible(bench.busy)
        self.progress.setValue(round(100 * bench.share))

    def _enable(self) -> None:
        bench, selected = self.desk.bench, self.list.selected
        trouble = selected[0].trouble if len(selected) == 1 else ""
        self.detail.setText(f"{selected[0].name}: {trouble}" if trouble else "")
        self.detail.setVisible(bool(trouble))
        for widget in (self.add, self.add_folder, self.settings, self.folder, self.browse, self.format):
            widget.setEnabled(not bench.busy)
        self.hounsfield.setEnabled(not bench.busy)
        self.remove.setEnabled(bool(selected) and not bench.busy)
        self.start.setEnabled(self.asked is not None and not bench.busy)
        self.stop.setEnabled(bench.state in (State.PLANNING, State.RUNNING))
        self.show_result.setEnabled(any(entry.result for entry in selected))
