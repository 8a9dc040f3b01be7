"""The workspace "Tune": the history of runs, sweeps over settings, batches of scans."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from app.bridge.batch_desk import BatchDesk
from app.bridge.bridge import Bridge
from app.bridge.sweep_desk import SweepDesk
from app.preferences import Preferences
from app.state.project import Part
from app.state.project_runs import is_kept
from app.state.runs import Run
from app.state.session import Session
from app.state.tune.draft import Draft
from app.state.tune.notes import Notes
from app.views.batch_tab import BatchQuestions, BatchTab
from app.views.dialogs import Dialogs
from app.views.tune_history import HistoryTab
from app.views.tune_place import PlaceButton
from app.views.tune_quick import quick_look
from app.views.tune_sweep import SweepTab
from app.words import tr
from core.formats.folder import Entry


class TunePage(QWidget):
    """opened: a run was put in front, for a look at it in Reconstruct.

    desk, batch_desk: that share the bridge's threads. questions: which scans to add.
    preferences: remember where it is computed, and where the images of batches go; None for nothing.
    """

    opened = Signal(object)

    def __init__(
        self,
        session: Session,
        bridge: Bridge,
        dialogs: Dialogs,
        parent: QWidget | None = None,
        desk: SweepDesk | None = None,
        preferences: Preferences | None = None,
        batch_desk: BatchDesk | None = None,
        questions: BatchQuestions | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._bridge = session, bridge
        self.notes = Notes()
        self.desk = desk or bridge.sweep_desk()
        self.history = HistoryTab(session, bridge.queue, self.notes)
        self.sweep = SweepTab(session, self.desk, dialogs)
        self.batch = BatchTab(session, batch_desk or bridge.batch_desk(), preferences, questions)
        self.place = PlaceButton(bridge.crew, preferences)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.history, tr("History"))
        self.tabs.addTab(self.sweep, tr("Sweep"))
        self.tabs.addTab(self.batch, tr("Batch"))
        self.tabs.setCornerWidget(self.place)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.tabs)
        self.history.opened.connect(self.opened)
        self.sweep.opened.connect(self.opened)
        self.batch.opened.connect(self._show_result)

    @property
    def parts(self) -> dict[str, Part]:
        """What projects hold of the bench: notes and times of runs, and what is to be swept."""
        return {"run notes": Part(self._notes_said, self._put_notes), "sweep": Part(self._draft_said, self._put_draft)}

    def go_to_history(self) -> None:
        """Show the runs."""
        self.tabs.setCurrentWidget(self.history)

    def go_to_sweep(self) -> None:
        """Show the sweep, ready to type."""
        self.tabs.setCurrentWidget(self.sweep)
        self.sweep.form.rows[0].values.setFocus()

    def go_to_batch(self) -> None:
        """Show the batch."""
        self.tabs.setCurrentWidget(self.batch)
        self.batch.add.setFocus()

    def quick_look(self) -> Run | None:
        """Reconstruct the slice on view with the settings chosen now, and show it."""
        return quick_look(self._session, self._bridge, self.desk)

    def release(self) -> None:
        """The window closes."""
        self.sweep.release()
        self.batch.release()
        self.place.release()

    def _show_result(self, path: str) -> None:
        """In Review, whatever its format: an image of a batch is no raw scan."""
        self._bridge.open_entries([Entry("volume", Path(path).name, path, (path,), 0)])

    def _notes_said(self) -> dict[str, Any]:
        self.notes.see(self._session.runs)
        return self.notes.to_dict(run for run in self._session.runs if is_kept(run))

    def _put_notes(self, said: Any) -> None:
        self.notes.from_dict(said, self._session.runs)

    def _draft_said(self) -> dict[str, Any]:
        return self.sweep.form.draft.to_dict()

    def _put_draft(self, said: Any) -> None:
        self.sweep.form.put(Draft.from_dict(said))
