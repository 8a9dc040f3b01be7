"""What is known of a run, in two columns that scroll where there is no room for all of it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QSizePolicy, QWidget

from app import theme
from app.views.heading import ElidedLabel

_LEAST_LINES = 6


class FactsTable(QScrollArea):
    """Labels and words, one line each, never lower than their text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.facts: dict[str, str] = {}
        self._titles: list[QLabel] = []
        self._values: list[ElidedLabel] = []
        table = QWidget()
        self._grid = QGridLayout(table)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(1, 1)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(table)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.maximumHeight())

    def show_facts(self, facts: dict[str, str]) -> None:
        if facts.keys() != self.facts.keys():
            self._make_lines(list(facts))
        self.facts = facts
        for value, words in zip(self._values, facts.values(), strict=True):
            value.setText(words)

    def _make_lines(self, labels: list[str]) -> None:
        for old in (*self._titles, *self._values):
            self._grid.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._titles, self._values = [], []
        for line, label in enumerate(labels):
            title, value = QLabel(label), ElidedLabel()
            theme.mute(title)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._titles.append(title)
            self._values.append(value)
            self._grid.addWidget(title, line, 0)
            self._grid.addWidget(value, line, 1)
        self._fit()

    def _fit(self) -> None:
        line = self.fontMetrics().height() + self._grid.verticalSpacing()
        whole = len(self._titles) * line
        self.setMinimumHeight(min(whole, _LEAST_LINES * line))
        self.setMaximumHeight(whole)
        self.updateGeometry()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            for title in self._titles:
                theme.mute(title)
        if event.type() == QEvent.Type.FontChange:
            self._fit()
        super().changeEvent(event)
