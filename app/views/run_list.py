"""The runs of the open scan; choosing one shows its images."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from app.state.naming import branch_words, settings_lines
from app.state.runs import Phase, Run
from app.state.session import Session
from app.words import tr

_PADDING = 4


class RunList(QListWidget):
    """One line a run: its name, and its phase unless it simply is finished."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._shown: list[Run] = []
        self.setAccessibleName(tr("Runs"))
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSpacing(1)
        session.runs.changed.connect(self.refresh)
        session.runs.fronted.connect(self.refresh)
        self.currentRowChanged.connect(self._choose)
        self.refresh()

    def refresh(self) -> None:
        runs = list(self._session.runs)
        with QSignalBlocker(self):
            if runs != self._shown:
                self.clear()
                for _ in runs:
                    self.addItem(QListWidgetItem())
                self._shown = runs
            for row, run in enumerate(runs):
                item = self.item(row)
                item.setText(_line(run))
                branch = branch_words(run.job)
                lines = (run.name, *((branch,) if branch else ()), *settings_lines(run.job.settings))
                item.setToolTip("\n".join(lines))
            front = self._session.runs.front
            self.setCurrentRow(runs.index(front) if front in runs else -1)
        self._fit_items()
        if self.currentItem() is not None:
            self.scrollToItem(self.currentItem())

    def _fit_items(self) -> None:
        """Room for all lines of a name; the view's own reckoning falls one line short."""
        width = self.viewport().width() - 2 * _PADDING
        for row in range(self.count()):
            item = self.item(row)
            wrap = int(Qt.TextFlag.TextWordWrap)
            words = self.fontMetrics().boundingRect(QRect(0, 0, width - 2 * _PADDING, 10**4), wrap, item.text())
            item.setSizeHint(QSize(width, words.height() + 2 * _PADDING))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_items()

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._shown):
            self._session.runs.put_in_front(self._shown[row])


def _line(run: Run) -> str:
    if run.phase is Phase.FINISHED:
        return f"{run.name}{', saved' if run.saved else ''}"
    return f"{run.name} ({run.phase.value}{', saved' if run.saved else ''})"
