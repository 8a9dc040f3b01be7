"""Undersampling on purpose, offered for a scan that was fully sampled."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QGridLayout, QLabel, QSizePolicy, QSpinBox, QWidget

from app.views.setting_rows import QuietWheel, set_columns
from app.words import later, tr
from core.operators.masks import MASKS

_NONE = later("No, use all of it")


class UndersamplingForm(QWidget):
    """Emits `edited` with "KIND:R:ACS:SEED", or "" for none."""

    edited = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = QComboBox()
        self.kind.addItem(tr(_NONE), "")
        for kind in MASKS:
            self.kind.addItem(kind, kind)
        self.acceleration = _number(tr("Acceleration R"), 1.0, 64.0, 4.0, 1)
        self.acs = _number(tr("ACS, share of the lines"), 0.01, 0.5, 0.08, 2)
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setAccessibleName(tr("Seed of the pattern"))
        self.kind.setAccessibleName(tr("Undersample on purpose"))
        self.kind.setToolTip(tr("Leave out measured places, to compare with the full scan. The image is marked."))
        self._numbers: list[QWidget] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(3)
        set_columns(grid)
        self._add(grid, tr("Undersample"), self.kind)
        self._add(grid, "R", self.acceleration)
        self._add(grid, tr("ACS"), self.acs)
        self._add(grid, tr("Pattern seed"), self.seed)
        self._wheel = QuietWheel(self)
        for field in (self.kind, self.acceleration, self.acs, self.seed):
            field.installEventFilter(self._wheel)
            field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.kind.activated.connect(self._edit)
        for spin in (self.acceleration, self.acs, self.seed):
            spin.valueChanged.connect(self._edit)
        self._show_numbers()

    def text(self) -> str:
        kind = self.kind.currentData()
        if not kind:
            return ""
        return f"{kind}:{self.acceleration.value():g}:{self.acs.value():g}:{self.seed.value()}"

    def show_text(self, text: str) -> None:
        """Show none, or keep the fields as they are if they say the same."""
        if text != self.text() and not text:
            with QSignalBlocker(self.kind):
                self.kind.setCurrentIndex(0)
            self._show_numbers()

    def _add(self, grid: QGridLayout, words: str, field: QWidget) -> None:
        label = QLabel(words)
        label.setBuddy(field)
        label.setToolTip(field.toolTip())
        line = grid.rowCount()
        grid.addWidget(label, line, 0)
        grid.addWidget(field, line, 1)
        grid.addWidget(QLabel(), line, 2)
        if field is not self.kind:
            self._numbers += [label, field]

    def _edit(self, *_: object) -> None:
        self._show_numbers()
        self.edited.emit(self.text())

    def _show_numbers(self) -> None:
        for widget in self._numbers:
            widget.setVisible(bool(self.kind.currentData()))


def _number(name: str, low: float, high: float, value: float, decimals: int) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setRange(low, high)
    spin.setDecimals(decimals)
    spin.setSingleStep(0.5 if decimals == 1 else 0.01)
    spin.setValue(value)
    spin.setAccessibleName(name)
    spin.setToolTip(tr("{name}, {low:g} to {high:g}", name=name, low=low, high=high))
    spin.setKeyboardTracking(False)
    return spin
