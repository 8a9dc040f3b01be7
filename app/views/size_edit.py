"""A field for a number of pixels that may be left empty."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Signal
from PySide6.QtGui import QFocusEvent, QIntValidator
from PySide6.QtWidgets import QLineEdit, QWidget


class SizeEdit(QLineEdit):
    """Emits `entered` with the number that was typed, 0 for none. What is no size gives way to the last one."""

    entered = Signal(int)

    def __init__(self, low: int, high: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        check = QIntValidator(low, high, self)
        check.setLocale(QLocale.c())
        self.setValidator(check)
        self.setClearButtonEnabled(True)
        self._value = 0
        self.editingFinished.connect(self._finish)
        self.textChanged.connect(self._clear)

    def show_value(self, value: int) -> None:
        """Show a number, 0 as nothing, unless the user is typing one."""
        self._value = value
        if not (self.hasFocus() and self.isModified()):
            self.setText(str(value) if value else "")

    def _finish(self) -> None:
        if self.isModified() and self.hasAcceptableInput():
            self._enter(int(self.text()))

    def _clear(self, text: str) -> None:
        """An emptied field counts at once: Qt never calls it finished, because no number stands in it."""
        if not text and self._value:
            self._enter(0)

    def _enter(self, value: int) -> None:
        self.setModified(False)
        if value != self._value:
            self._value = value
            self.entered.emit(value)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.setModified(False)
        self.show_value(self._value)
