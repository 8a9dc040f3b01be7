"""One row of the settings form: label, field, reset; made from the help that the setting carries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QWidget,
)

from app import theme
from app.state.naming import FILTERS, METHODS
from app.words import later, tr
from core.engine.methods import label_of
from core.engine.settings import Help, choices_of, help_of, type_of

_RESET_WIDTH = 24


def range_words(about: Help) -> str:
    """Such as "2 to 1000 evaluations"."""
    if about.low is None or about.high is None:
        return ""
    return tr("{low:g} to {high:g} {unit}", low=about.low, high=about.high, unit=tr(about.unit)).rstrip()


def tip(about: Help) -> str:
    """Help and range of a setting."""
    words = range_words(about)
    return f"{tr(about.text)} {tr('Range: {range}.', range=words)}" if words else tr(about.text)


def set_columns(grid: QGridLayout) -> None:
    """Label, field, reset: the same widths in every part of the form."""
    grid.setColumnMinimumWidth(0, QFontMetrics(QApplication.font()).horizontalAdvance(tr("Start timestep")) + 8)
    grid.setColumnStretch(1, 1)
    grid.setColumnMinimumWidth(2, _RESET_WIDTH)
    grid.setHorizontalSpacing(6)


class QuietWheel(QObject):
    """Lets the wheel scroll the form instead of changing a field that has no focus."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False


class SettingRow(QObject):
    """A setting in a grid: emits `edited` when the user changes it and `reset` when its button is pressed."""

    edited = Signal(str, object)
    reset = Signal(str)
    focused = Signal(str)

    def __init__(self, name: str, grid: QGridLayout, line: int, parent: QWidget, beside: QWidget | None = None) -> None:
        """beside: a button at the right end of the field."""
        super().__init__(parent)
        self.name = name
        self._place = QWidget() if beside is not None else None
        self.about = help_of(name)
        self.field, self._show = _field(name, self._edit)
        self.label = QLabel(tr(self.about.label))
        self.label.setBuddy(self.field)
        self.reset_button = QToolButton()
        self.reset_button.setAutoRaise(True)
        self.reset_button.setIconSize(QSize(14, 14))
        self.reset_button.setFixedWidth(_RESET_WIDTH)
        self.reset_button.setIcon(theme.icon("reset"))
        self.reset_button.clicked.connect(lambda: self.reset.emit(name))
        self.describe(self.about)
        self.field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._wheel = QuietWheel(self)
        self.field.installEventFilter(self._wheel)
        self.field.installEventFilter(self)
        grid.addWidget(self.label, line, 0)
        grid.addWidget(self.reset_button, line, 2)
        grid.addWidget(self._place or self.field, line, 1)
        if self._place is not None:
            both = QHBoxLayout(self._place)
            both.setContentsMargins(0, 0, 0, 0)
            both.setSpacing(2)
            both.addWidget(self.field, 1)
            both.addWidget(beside)

    def describe(self, about: Help) -> None:
        """Use this label and help, which for some settings depend on another one."""
        self.about = about
        self.label.setText(tr(about.label))
        for widget in (self.label, self.field):
            widget.setToolTip(tip(about))
        self.field.setAccessibleName(tr(about.label))
        self.field.setAccessibleDescription(tip(about))
        self.reset_button.setToolTip(tr("Reset {label}", label=tr(about.label)))
        self.reset_button.setAccessibleName(tr("Reset {label}", label=tr(about.label)))

    def show_value(self, value: Any, default: Any) -> None:
        """Show a value without emitting `edited`; the reset button is there if it is not the default."""
        with QSignalBlocker(self.field):
            self._show(value)
        self.reset_button.setEnabled(value != default)

    def offer(self, values: tuple[str, ...]) -> None:
        """Of the words that the setting can be, offer these."""
        assert isinstance(self.field, QComboBox)
        if [self.field.itemData(i) for i in range(self.field.count())] != list(values):
            with QSignalBlocker(self.field):
                _fill(self.field, values)

    def set_visible(self, visible: bool) -> None:
        for widget in (self.label, self.field, self.reset_button, self._place):
            if widget is not None:
                widget.setVisible(visible)

    def set_enabled(self, enabled: bool) -> None:
        self.field.setEnabled(enabled)
        self.label.setEnabled(enabled)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self.focused.emit(self.name)
        return False

    def _edit(self, value: Any) -> None:
        self.edited.emit(self.name, value)


Shower = Callable[[Any], None]


def _field(name: str, edited: Callable[[Any], None]) -> tuple[QWidget, Shower]:
    """The field for a setting's type, and how to show a value in it."""
    kind, choices = type_of(name), choices_of(name)
    if name == "prior":
        return _words_or_file(edited)
    if choices:
        return _choice(choices, edited)
    if kind is bool:
        box = QCheckBox()
        box.toggled.connect(edited)
        return box, box.setChecked
    spin: QSpinBox | QDoubleSpinBox = QSpinBox() if kind is int else Decimal()
    about = help_of(name)
    assert about.low is not None
    assert about.high is not None
    spin.setRange(kind(about.low), kind(about.high))
    if about.unit:
        spin.setSuffix(f" {tr(about.unit)}")
    spin.setKeyboardTracking(False)
    spin.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    spin.valueChanged.connect(edited)
    return spin, spin.setValue


def _choice(choices: tuple[str, ...], edited: Callable[[Any], None]) -> tuple[QWidget, Shower]:
    box = QComboBox()
    _fill(box, choices)
    box.activated.connect(lambda i: edited(box.itemData(i)))
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return box, lambda value: box.setCurrentIndex(box.findData(value))


def _fill(box: QComboBox, values: tuple[str, ...]) -> None:
    box.clear()
    for value in values:
        box.addItem(tr(DISPLAYED.get(value) or label_of(value)), value)


DISPLAYED = {
    **METHODS,
    "constant": later("Constant"),
    "noise": later("By the noise"),
    "uniform": later("Uniform"),
    "quadratic": later("Quadratic"),
    "trailing": later("Trailing"),
    "auto": later("Automatic"),
    "cpu": "CPU",
    "cuda": "CUDA",
    "slice": later("Within a slice"),
    "z": later("From slice to slice"),
    "volume": later("All three directions"),
    "none": later("None"),
    "photons": later("Photons"),
    **{name: words.capitalize() if words.islower() else words for name, words in FILTERS.items()},
}


def _words_or_file(edited: Callable[[Any], None]) -> tuple[QWidget, Shower]:
    """A name from a list, or a path typed in."""
    box = QComboBox()
    box.setEditable(True)
    box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    line = box.lineEdit()
    assert line is not None
    line.editingFinished.connect(lambda: edited(box.currentText().strip()))
    box.activated.connect(lambda i: edited(box.itemText(i)))
    return box, box.setCurrentText


class Decimal(QDoubleSpinBox):
    """Shows as many digits as a number needs, and steps by a part of it."""

    def __init__(self) -> None:
        super().__init__()
        self.setDecimals(7)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)

    def textFromValue(self, value: float) -> str:
        return f"{value:.10g}"
