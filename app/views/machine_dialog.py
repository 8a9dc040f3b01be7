"""Help: what of this machine the program can use, and what to do about the rest."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.bridge.machine import Finding, Level
from app.bridge.machine_desk import MachineDesk
from app.words import later, tr

_LEVELS = {Level.OK: later("good"), Level.NOTE: later("note"), Level.FAULT: later("fault")}


class MachineDialog(QDialog):
    """One row for each finding as it comes in, and what to do below it."""

    def __init__(self, desk: MachineDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Check this machine"))
        self.findings: list[Finding] = []
        self._desk = desk
        self.summary = QLabel(tr("Looking …"))
        self.summary.setWordWrap(True)
        inside = QWidget()
        self._grid = QGridLayout(inside)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(2, 1)
        self._grid.setAlignment(Qt.AlignmentFlag.AlignTop)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        buttons = QDialogButtonBox()
        self.copy_button = buttons.addButton(tr("&Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        close = buttons.addButton(tr("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        self.copy_button.setAutoDefault(False)
        self.copy_button.clicked.connect(self._copy)
        buttons.rejected.connect(self.reject)
        close.setDefault(True)
        close.setFocus()
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addWidget(self.summary)
        column.addWidget(area, 1)
        column.addWidget(buttons)
        self.resize(720, 500)
        desk.found.connect(self._add)
        desk.ended.connect(self._end)
        desk.check()

    def done(self, result: int) -> None:
        """Closed: the desk outlives this dialog."""
        self._desk.found.disconnect(self._add)
        self._desk.ended.disconnect(self._end)
        self._desk.stop()
        super().done(result)

    @property
    def lines(self) -> list[str]:
        """As they are copied."""
        return [f"{f.level.value:<4} {f.name}: {f.found}{' ' if f.advice else ''}{f.advice}" for f in self.findings]

    def _add(self, finding: Finding) -> None:
        row = 2 * len(self.findings)
        self.findings.append(finding)
        level, name, found = QLabel(tr(_LEVELS[finding.level])), QLabel(finding.name), _words(finding.found)
        now = theme.current()
        colour = {Level.OK: now.muted, Level.NOTE: now.warning, Level.FAULT: now.error}[finding.level]
        _ink(level, colour)
        for column, label in enumerate((level, name, found)):
            label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            self._grid.addWidget(label, row, column)
        if finding.advice:
            advice = _words(finding.advice)
            _ink(advice, colour)
            self._grid.addWidget(advice, row + 1, 2)

    def _end(self) -> None:
        faults = [finding for finding in self.findings if finding.level is Level.FAULT]
        notes = [finding for finding in self.findings if finding.level is Level.NOTE]
        if faults:
            said = tr("{count} faults hinder the program; what to do is below each.", count=len(faults))
        elif notes:
            said = tr("The program works on this machine. Some things are worth knowing.")
        else:
            said = tr("The program works on this machine.")
        self.summary.setText(said)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(self.lines) + "\n")


def _words(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _ink(label: QLabel, colour: str) -> None:
    made = label.palette()
    made.setColor(label.foregroundRole(), QColor(colour))
    label.setPalette(made)
