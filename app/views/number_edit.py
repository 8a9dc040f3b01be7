"""A field for a number of any size, such as a window or a level."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QLocale, Qt, Signal
from PySide6.QtGui import QDoubleValidator, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

STEP = 0.02


class NumberEdit(QLineEdit):
    """Shows four digits. Emits `entered` when the user has typed another number, or stepped with the arrow keys."""

    entered = Signal(float)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        check = QDoubleValidator(self)
        check.setLocale(QLocale.c())
        self.setValidator(check)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._fit()
        self._value = 0.0
        self.editingFinished.connect(self._finish)

    def _fit(self) -> None:
        """As wide as the longest number."""
        self.setMaximumWidth(self.fontMetrics().horizontalAdvance("-0.0000e+00 ") + 12)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._fit()
        super().changeEvent(event)

    @property
    def value(self) -> float:
        return self._value

    def show_value(self, value: float) -> None:
        """Show a number, unless the user is typing one."""
        self._value = value
        if not (self.hasFocus() and self.isModified()):
            self.setText(format_number(value))

    def _finish(self) -> None:
        if self.isModified():
            self.setModified(False)
            self._enter(float(self.text()))

    def _enter(self, value: float) -> None:
        if math.isfinite(value):
            self.entered.emit(value)
        self.setText(format_number(self._value))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: STEP, Qt.Key.Key_Down: -STEP}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.setModified(False)
            self._enter(self._value + step * (abs(self._value) or 1.0))


def format_number(value: float) -> str:
    """Four digits, such as "0.1235", "1.235e-07"."""
    return f"{value:.4g}"
