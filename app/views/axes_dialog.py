"""Asks for the names of a plain array's axes; starts from a guess and says why it was made."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from app.state.session import AxesQuestion
from app.words import tr
from core.errors import ScanError
from core.formats.axes import AXIS_NAMES, DOMAINS, AxesGuess, parse_axes

_DOMAIN_WORDS = {"kspace": "k-space", "image": "Coil images"}
_KSPACE_ONLY = ("kz", "ky", "kx")
_IMAGE_ONLY = ("z", "y", "x")


class AxesDialog(QDialog):
    """One field an axis. Emits `named` with path, axes and domain; Open is there once the names fit."""

    named = Signal(str, str, str)

    def __init__(self, question: AxesQuestion, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Name the axes"))
        self._question = question
        self.array = QComboBox()
        for guess in question.guesses:
            self.array.addItem(f"{guess.variable or 'array'}   {' × '.join(map(str, guess.shape))}")
        self.domain = QComboBox()
        for domain in DOMAINS:
            self.domain.addItem(_DOMAIN_WORDS[domain], domain)
        self.fields: list[QComboBox] = []
        self.why = QLabel()
        self.why.setWordWrap(True)
        self.trouble = QLabel()
        self.trouble.setWordWrap(True)
        self._lay_out()
        self.array.activated.connect(self._show_guess)
        self.domain.activated.connect(self._translate)
        self._show_guess()

    def _lay_out(self) -> None:
        self._form = QFormLayout()
        self._form.addRow(tr("Array"), self.array)
        self._form.setRowVisible(self.array, len(self._question.guesses) > 1)
        self._form.addRow(tr("It holds"), self.domain)
        self._axes = QFormLayout()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        for button in self.buttons.buttons():
            button.setIcon(QIcon())
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        intro = QLabel(tr("No header names the axes of this array. Check the guess, in the order of the file:"))
        intro.setWordWrap(True)
        whole = QVBoxLayout(self)
        whole.setSpacing(10)
        whole.addWidget(intro)
        whole.addLayout(self._form)
        whole.addLayout(self._axes)
        whole.addWidget(self.why)
        whole.addWidget(self.trouble)
        whole.addStretch(1)
        whole.addWidget(self.buttons)
        self.setMinimumWidth(420)

    @property
    def guess(self) -> AxesGuess:
        """The array that is chosen and what it seems to be."""
        return self._question.guesses[max(self.array.currentIndex(), 0)]

    def axes(self) -> str:
        """The names as they are chosen now, for `open_scan`."""
        names = ",".join(field.currentText() for field in self.fields)
        several = len(self._question.guesses) > 1
        return f"{self.guess.variable}:{names}" if several and self.guess.variable else names

    def _show_guess(self, *_: object) -> None:
        guess = self.guess
        names = guess.axes.split(",") if guess.axes else [""] * len(guess.shape)
        while self._axes.rowCount():
            self._axes.removeRow(0)
        self.fields = []
        for number, (length, name) in enumerate(zip(guess.shape, names, strict=True), start=1):
            field = QComboBox()
            field.addItems(["", *AXIS_NAMES])
            field.setCurrentText(name)
            field.setAccessibleName(tr("Axis {number}, length {length}", number=number, length=length))
            field.currentTextChanged.connect(self._check)
            self._axes.addRow(f"Axis {number}, length {length}", field)
            self.fields.append(field)
        self.domain.setCurrentIndex(self.domain.findData(guess.domain))
        self.why.setText(tr("Guess: {why}", why=guess.why) if guess.axes else guess.why)
        self._check()

    def _translate(self, *_: object) -> None:
        """Keep the names when the domain changes: kx is x for images."""
        image = self.domain.currentData() == "image"
        source, target = (_KSPACE_ONLY, _IMAGE_ONLY) if image else (_IMAGE_ONLY, _KSPACE_ONLY)
        for field in self.fields:
            if field.currentText() in source:
                field.setCurrentText(target[source.index(field.currentText())])
        self._check()

    def _check(self, *_: object) -> None:
        """Say what is wrong with the names, if anything."""
        names = [field.currentText() for field in self.fields]
        self._form.setRowVisible(self.domain, "view" not in names)
        try:
            if "" in names:
                raise ScanError(tr("Name every axis."))
            parse_axes(",".join(names), self.guess.shape, self.domain.currentData())
            self.trouble.setText("")
        except ScanError as error:
            self.trouble.setText(f"{error.what} {error.why}".strip())
        self.trouble.setVisible(bool(self.trouble.text()))
        self.buttons.button(QDialogButtonBox.StandardButton.Open).setEnabled(not self.trouble.text())

    def _accept(self) -> None:
        projections = "view" in self.axes()
        self.named.emit(self._question.path, self.axes(), DOMAINS[0] if projections else self.domain.currentData())
        self.accept()
