"""Where sweeps, batches and samples of seeds are computed: a button that says it, and the dialog behind it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.bridge.crew import Crew
from app.preferences import Preferences
from app.state.notice import Notice
from app.state.tune.place import MOST_WORKERS, Kind, Place, WorkerSeen
from app.views.tune_history import button
from app.words import later, tr

KINDS = {
    Kind.HERE: later("This window"),
    Kind.WORKERS: later("Workers of this machine:"),
    Kind.SCHEDULER: later("A scheduler at:"),
}
FILES = {
    "ca": later("Authority"),
    "cert": later("Certificate"),
    "key": later("Key"),
}
ABOUT = later(
    "Sweeps, batches and samples of seeds go there; single runs stay here. Workers read scans and priors by their"
    " paths, so other machines must have the same files at the same places."
)
CONSENT = later(
    "Dask sends code. Whoever listens at the address, or on the way to it, could have this machine run theirs: beyond"
    " this machine it is spoken to by TLS only."
)


def place_words(place: Place) -> str:
    """Such as "2 workers of this machine"."""
    if place.kind is Kind.WORKERS:
        if place.workers == 1:
            return tr("1 worker of this machine")
        if place.workers:
            return tr("{count} workers of this machine", count=place.workers)
        return tr("workers of this machine")
    return tr("scheduler at {address}", address=place.address) if place.kind is Kind.SCHEDULER else tr("this window")


def seen_words(found: list[WorkerSeen]) -> str:
    """Who answered, one line for all that are alike."""
    alike: dict[tuple[int, str, str, str], int] = {}
    for each in found:
        kind = (each.threads, each.gpu, each.version, each.torch)
        alike[kind] = alike.get(kind, 0) + 1
    lines = []
    for (threads, gpu, version, torch), count in alike.items():
        what = gpu or (tr("{count} threads each", count=threads) if threads > 1 else tr("1 thread each"))
        if count == 1 and not gpu:
            what = tr("{count} threads", count=threads) if threads > 1 else tr("1 thread")
        workers = tr("{count} workers", count=count) if count > 1 else tr("1 worker")
        lines.append(f"{workers}, {what}, DDS Viewer {version}, torch {torch}")
    return tr("There: {who}.", who="; ".join(lines)) if lines else tr("Nobody is there.")


class PlaceButton(QPushButton):
    """Says where it is computed, and lets the user choose. What is chosen is remembered in the preferences."""

    def __init__(self, crew: Crew, preferences: Preferences | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.crew, self._preferences = crew, preferences
        self.dialog: PlaceDialog | None = None
        self.setAutoDefault(False)
        self.setFlat(True)
        self.setToolTip(tr("Where sweeps, batches and samples of seeds are computed"))
        if preferences is not None:
            crew.choice.choose(Place.from_dict(preferences.place))
        crew.choice.changed.connect(self._changed)
        self.clicked.connect(self.ask)
        self._say()

    def ask(self) -> None:
        """Open the dialog."""
        if self.dialog is None:
            self.dialog = PlaceDialog(self.crew, self.window())
            self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self.dialog.finished.connect(self._forget)
            self.dialog.open()

    def release(self) -> None:
        """The window closes."""
        self.crew.choice.changed.disconnect(self._changed)

    def _forget(self) -> None:
        self.dialog = None

    def _changed(self) -> None:
        if self._preferences is not None:
            self._preferences.place = self.crew.place.to_dict()
        self._say()

    def _say(self) -> None:
        self.setText(tr("Computed by: {who}…", who=place_words(self.crew.place)))


class PlaceDialog(QDialog):
    """Chooses a place, and tries it before."""

    def __init__(self, crew: Crew, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._crew = crew
        self.setWindowTitle(tr("Where to compute"))
        self.radios = {kind: QRadioButton(tr(words)) for kind, words in KINDS.items()}
        self._group = QButtonGroup(self)
        for radio in self.radios.values():
            self._group.addButton(radio)
        self.workers = QSpinBox()
        self.workers.setRange(0, MOST_WORKERS)
        self.workers.setSpecialValueText(tr("as many as suit it"))
        self.workers.setAccessibleName(tr("Number of workers"))
        self.address = QLineEdit()
        self.address.setPlaceholderText("127.0.0.1:8786")
        self.address.setAccessibleName(tr("Address of the scheduler"))
        self.files = {name: QLineEdit() for name in FILES}
        self.tries = button(tr("Try"), tr("Find out who is there, without using it yet"), self._try)
        self.told = _words("")
        self.told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.told.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        self.told.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.told.setAccessibleName(tr("What was found there"))
        ok, cancel = QDialogButtonBox.StandardButton.Ok, QDialogButtonBox.StandardButton.Cancel
        self.buttons = QDialogButtonBox(ok | cancel)
        self.buttons.button(ok).setText(tr("Use it"))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._lay_out()
        self._show(crew.place)
        self._group.buttonToggled.connect(lambda *_: self._changed())
        for line in (self.address, *self.files.values()):
            line.textChanged.connect(lambda _: self._changed())
        self.workers.valueChanged.connect(lambda _: self._changed())

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        here = _words(tr("One after the other; runs come in between."))
        for row, (kind, beside) in enumerate(zip(Kind, (here, self.workers, self.address), strict=True)):
            grid.addWidget(self.radios[kind], row, 0)
            grid.addWidget(beside, row, 1)
        self.rows = QWidget()
        below = QGridLayout(self.rows)
        below.setContentsMargins(24, 0, 0, 0)
        self._browses = []
        for row, (name, words) in enumerate(FILES.items()):
            label, line = QLabel(tr("TLS: {file}", file=tr(words))), self.files[name]
            label.setBuddy(line)
            line.setAccessibleName(label.text())
            line.setPlaceholderText(tr("PEM file; needed beyond this machine"))
            choose = button("…", tr("Choose the file"), lambda line=line: self._browse(line))
            choose.setAccessibleName(f"{label.text()}…")
            choose.setFixedWidth(32)
            for column, widget in enumerate((label, line, choose)):
                below.addWidget(widget, row, column)
        about = [_words(tr(ABOUT)), _words(tr(CONSENT))]
        for each in about:
            theme.mute(each)
        tries = QHBoxLayout()
        tries.addWidget(self.tries, 0, Qt.AlignmentFlag.AlignTop)
        tries.addWidget(self.told, 1)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(about[0])
        column.addLayout(grid)
        column.addWidget(self.rows)
        column.addWidget(about[1])
        column.addLayout(tries)
        column.addWidget(self.buttons)
        self.setMinimumWidth(560)

    @property
    def place(self) -> Place:
        """What stands here."""
        kind = next(kind for kind, radio in self.radios.items() if radio.isChecked())
        files = {name: line.text().strip() for name, line in self.files.items()}
        return replace(Place(kind, self.workers.value(), self.address.text().strip()), **files)

    def done(self, result: int) -> None:
        """However it is closed."""
        self._crew.give_up_asking()
        if result == QDialog.DialogCode.Accepted:
            self._crew.choice.choose(self.place)
        super().done(result)

    def _show(self, place: Place) -> None:
        self.radios[place.kind].setChecked(True)
        self.workers.setValue(place.workers)
        self.address.setText(place.address)
        for name, line in self.files.items():
            line.setText(getattr(place, name))
        self._enable()

    def _changed(self) -> None:
        """What was found was of another place."""
        self._crew.give_up_asking()
        self.told.clear()
        self._enable()

    def _enable(self) -> None:
        place = self.place
        self.workers.setEnabled(place.kind is Kind.WORKERS)
        for widget in (self.address, self.rows):
            widget.setEnabled(place.kind is Kind.SCHEDULER)
        complete = place.kind is not Kind.SCHEDULER or bool(place.address)
        self.tries.setEnabled(place.elsewhere and complete)
        self.tries.setText(tr("Give up") if self._crew.trying else tr("Try"))
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(complete)

    def _try(self) -> None:
        if self._crew.trying:
            self._crew.give_up_asking()
            self.told.clear()
        else:
            self._crew.ask(self.place, self._answered)
            starts = self.place.kind is Kind.WORKERS
            self.told.setText(tr("Starting workers …") if starts else tr("Asking who is there …"))
        self._enable()

    def _answered(self, found: list[WorkerSeen], trouble: Notice | None) -> None:
        self.told.setText(seen_words(found) if trouble is None else f"{trouble.what} {trouble.rest}")
        self._enable()

    def _browse(self, line: QLineEdit) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, tr("Choose the file"), line.text(), "PEM (*.pem *.crt *.key);;* (*)"
        )
        if path:
            line.setText(path)


def _words(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
