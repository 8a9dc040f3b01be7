"""One line of the form for a scan to simulate: label, field, and a sentence on it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QSizePolicy, QSpinBox, QWidget

from app import theme
from app.state.simulation import Field
from app.views.setting_rows import Decimal, QuietWheel, range_words
from app.words import later, tr

_WIDTH = 190
_DISPLAYED = {
    "parallel": later("Parallel beam"),
    "fan": later("Fan beam"),
    "cone": later("Cone beam"),
    "none": later("No, all lines"),
}


class PlanRow(QObject):
    """Emits `edited` with the field's name and the value that the user has given it."""

    edited = Signal(str, object)

    def __init__(self, asked: Field, grid: QGridLayout, line: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.asked = asked
        self.field = self._choice() if asked.choices else self._number()
        self.field.setFixedWidth(_WIDTH)
        self.field.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._wheel = QuietWheel(self)
        self.field.installEventFilter(self._wheel)
        self.label = QLabel(asked.about.label)
        self.label.setBuddy(self.field)
        self.words = QLabel(asked.about.text)
        theme.mute(self.words)
        known = range_words(asked.about)
        tip = f"{asked.about.text} Range: {known}." if known else asked.about.text
        for widget in (self.label, self.field, self.words):
            widget.setToolTip(tip)
        self.field.setAccessibleName(asked.about.label)
        self.field.setAccessibleDescription(tip)
        for column, widget in enumerate((self.label, self.field, self.words)):
            grid.addWidget(widget, line, column)

    def show_value(self, value: Any, *, counts: bool) -> None:
        """Without emitting `edited`. counts: the field has a meaning now, else it is hidden."""
        with QSignalBlocker(self.field):
            if isinstance(self.field, QComboBox):
                self.field.setCurrentIndex(self.field.findData(value))
            else:
                field: Any = self.field
                field.setValue(field.minimum() if value is None else value)
        for widget in (self.label, self.field, self.words):
            widget.setVisible(counts)

    def _choice(self) -> QComboBox:
        box = QComboBox()
        for choice in self.asked.choices:
            box.addItem(tr(_DISPLAYED.get(choice, choice)), choice)
        box.activated.connect(lambda i: self.edited.emit(self.asked.name, box.itemData(i)))
        return box

    def _number(self) -> QWidget:
        about, whole = self.asked.about, self.asked.whole
        assert about.low is not None
        assert about.high is not None
        spin: Any = QSpinBox() if whole else Decimal()
        kind = int if whole else float
        spin.setRange(kind(0 if self.asked.none else about.low), kind(about.high))
        spin.setSpecialValueText(self.asked.none)
        if about.unit:
            spin.setSuffix(f" {about.unit}")
        spin.setKeyboardTracking(False)
        spin.valueChanged.connect(self._edit)
        return spin

    def _edit(self, value: float) -> None:
        """The least value of a field that may be empty stands for nothing; what lies between counts as the lowest."""
        assert self.asked.about.low is not None
        low = int(self.asked.about.low) if self.asked.whole else self.asked.about.low
        given = None if self.asked.none and value <= 0 else max(value, low)
        if given is not None and given != value:
            self.show_value(given, counts=True)
        self.edited.emit(self.asked.name, given)
