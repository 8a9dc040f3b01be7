"""Copies the DICOM images of a folder without identity: from where, to where, how, and how far it is."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.bridge.deidentify_desk import DeidentifyDesk
from app.preferences import Preferences
from app.state.notice import Notice
from app.views.banner import WarningStrip
from app.views.dialogs import Dialogs
from app.words import tr
from core.export.deidentify import Options, Outcome

_TARGET = "deidentified"
_MOST_LINES = 200


class DeidentifyDialog(QDialog):
    """The work goes on in the desk; closing the dialog stops it, and nothing is left behind then."""

    def __init__(
        self, desk: DeidentifyDesk, preferences: Preferences, dialogs: Dialogs, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("De-identify DICOM images"))
        self._desk, self._preferences, self._dialogs = desk, preferences, dialogs
        self.source, self.target, self.salt = QLineEdit(), QLineEdit(), QLineEdit()
        self.shift = QCheckBox(tr("Keep the distances of &dates: move them all by a secret number of days"))
        self.burned_in = QCheckBox(tr("Copy &pictures too that may show a name in their pixels"))
        self.bar, self.trouble = QProgressBar(), WarningStrip(tr("What went wrong"))
        self.said, self.left_out = QLabel(), QPlainTextEdit()
        self._lay_out()
        desk.told.connect(self._show_share)
        desk.ended.connect(self._end)
        self._enable()

    def _lay_out(self) -> None:
        about = QLabel(
            tr(
                "Copies are made without name, ids, dates and private attributes, by the Basic Profile of DICOM "
                "PS3.15. Pixels and geometry stay: a face can be made out in a scan of a head."
            )
        )
        about.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        for part in (about, self._form(), self.shift, self.burned_in, self.trouble):
            column.addLayout(part) if isinstance(part, QGridLayout) else column.addWidget(part)
        self.said.setWordWrap(True)
        self.left_out.setReadOnly(True)
        self.left_out.setTabChangesFocus(True)
        self.left_out.setAccessibleName(tr("Files that were left out"))
        self.left_out.hide()
        column.addWidget(self.said)
        column.addWidget(self.left_out, 1)
        column.addStretch()
        column.addLayout(self._foot())
        self.resize(660, 360)

    def _form(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        self.salt.setPlaceholderText(tr("A new secret each time"))
        self.salt.setToolTip(tr("The same words give a patient the same new ids every time. Keep them to yourself."))
        rows = ((tr("&Images in"), self.source), (tr("Copies &to"), self.target), (tr("&Secret words"), self.salt))
        self.browse: list[QPushButton] = []
        for row, (words, field) in enumerate(rows):
            label = QLabel(words)
            label.setBuddy(field)
            field.textChanged.connect(self._enable)
            grid.addWidget(label, row, 0)
            grid.addWidget(field, row, 1)
            if field is not self.salt:
                button = QPushButton(tr("Choose…"))
                button.setAutoDefault(False)
                button.clicked.connect(self._choose_source if field is self.source else self._choose_target)
                grid.addWidget(button, row, 2)
                self.browse.append(button)
        return grid

    def _foot(self) -> QHBoxLayout:
        buttons, role = QDialogButtonBox(), QDialogButtonBox.ButtonRole
        self.go = buttons.addButton(tr("&Make copies"), role.ActionRole)
        self.stop = buttons.addButton(tr("S&top"), role.ActionRole)
        self.close_button = buttons.addButton(tr("Close"), role.RejectRole)
        self.go.setDefault(True)
        self.go.clicked.connect(self._begin)
        self.stop.clicked.connect(self._desk.stop)
        buttons.rejected.connect(self.reject)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress"))
        self.bar.hide()
        foot = QHBoxLayout()
        foot.addWidget(self.bar, 1)
        foot.addStretch(1)
        foot.addWidget(buttons)
        return foot

    def done(self, result: int) -> None:
        """Closed: the desk outlives this dialog."""
        self._desk.told.disconnect(self._show_share)
        self._desk.ended.disconnect(self._end)
        self._desk.stop()
        super().done(result)

    def _choose_source(self) -> None:
        path = self._dialogs.folder_to_open(self, self.source.text() or self._preferences.folder)
        if path:
            self.source.setText(path)
            if not self.target.text():
                # The name of the source may be a patient's.
                self.target.setText(str(_free(Path(path).parent / _TARGET)))

    def _choose_target(self) -> None:
        path = self._dialogs.folder_to_open(self, self.target.text() or self._preferences.folder)
        if path:
            chosen = Path(path)
            empty = chosen.is_dir() and not any(chosen.iterdir())
            self.target.setText(str(chosen if empty else _free(chosen / _TARGET)))

    def _begin(self) -> None:
        if not self.go.isEnabled():
            return
        options = Options(
            salt=self.salt.text(), shift_dates=self.shift.isChecked(), allow_burned_in=self.burned_in.isChecked()
        )
        self.trouble.show_messages([])
        self.said.clear()
        self.left_out.hide()
        self.bar.setRange(0, 0)
        self._desk.begin(self.source.text().strip(), self.target.text().strip(), options)
        self._enable()

    def _show_share(self, done: int, of: int) -> None:
        self.bar.setRange(0, of)
        self.bar.setValue(done)

    def _end(self, result: Outcome | Notice | None) -> None:
        if isinstance(result, Notice):
            self.trouble.show_messages([f"{result.what} {result.rest}".strip()], error=True)
        elif result is None:
            self.said.setText(tr("Stopped. Nothing was written."))
        else:
            self._show(result)
        self._enable()

    def _show(self, outcome: Outcome) -> None:
        said = [tr("{images} images of {series} series were copied.", images=outcome.images, series=outcome.series)]
        if outcome.burned_in:
            said.append(
                tr("Look at {count} of them before you pass them on: they may show a name.", count=outcome.burned_in)
            )
        self.said.setText(" ".join(said))
        faults = outcome.faults
        if faults:
            self.trouble.show_messages([tr("{count} files were left out.", count=len(faults))])
            lines = [f"{one.path.name}: {one.why}" for one in faults[:_MOST_LINES]]
            self.left_out.setPlainText("\n".join(lines))
            self.left_out.show()
            self.resize(self.width(), max(self.height(), 500))

    def _enable(self) -> None:
        busy = self._desk.busy
        self.go.setEnabled(not busy and bool(self.source.text().strip()) and bool(self.target.text().strip()))
        self.stop.setVisible(busy)
        self.bar.setVisible(busy)
        for part in (self.source, self.target, self.salt, self.shift, self.burned_in, *self.browse):
            part.setEnabled(not busy)
        if busy:
            self.stop.setFocus(Qt.FocusReason.OtherFocusReason)


def _free(path: Path) -> Path:
    """A path where nothing is: with a number behind it if need be."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found
