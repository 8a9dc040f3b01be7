"""All priors: what each was trained on and what it can do; adding one, removing one, choosing one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QFontMetrics, QIcon
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.bridge.prior_desk import PriorDesk
from app.state.session import Session
from app.views.banner import WarningStrip
from app.views.dialogs import Dialogs
from app.views.heading import ElidedLabel
from app.views.prior_card import about_line
from app.views.prior_details import PriorDetails
from app.words import later, tr
from core.priors.catalogue import Entry, has_card

_NONE_CHOSEN = later("Choose a prior on the left.")


class PriorsDialog(QDialog):
    """A list of priors, and the one that is looked at. What takes time is done by the desk."""

    def __init__(self, session: Session, desk: PriorDesk, dialogs: Dialogs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Priors"))
        self._session = session
        self._shelf = session.shelf
        self._desk = desk
        self._dialogs = dialogs
        self._wanted = ""
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Priors"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setSpacing(2)
        self.add = QPushButton(tr("&Add a prior…"))
        self.add.setToolTip(tr("Take a checkpoint (.pt, .pth, .safetensors) among your priors"))
        self.remove = QPushButton(tr("&Remove…"))
        self.remove.setToolTip(tr("Delete this prior; bundled ones stay"))
        self.use = QPushButton(tr("&Use this prior"))
        self.use.setToolTip(tr("Choose it for the next run"))
        self.name = ElidedLabel()
        self.details = PriorDetails()
        self.working = ElidedLabel()
        self.trouble = WarningStrip(tr("What went wrong"))
        self._lay_out()
        self._connect()
        self._desk.list()
        self.refresh()

    def _lay_out(self) -> None:
        font = self.name.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.25)
        self.name.setFont(font)
        head = QHBoxLayout()
        head.addWidget(self.name, 1)
        head.addWidget(self.use)
        right = QVBoxLayout()
        right.setSpacing(6)
        right.addLayout(head)
        right.addWidget(self.details, 1)
        left = QVBoxLayout()
        left.setSpacing(6)
        left.addWidget(self.list, 1)
        buttons = QHBoxLayout()
        for button in (self.add, self.remove):
            buttons.addWidget(button)
        left.addLayout(buttons)
        both = QHBoxLayout()
        both.setSpacing(14)
        self.list.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        both.addLayout(left, 2)
        both.addLayout(right, 5)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        foot = QHBoxLayout()
        foot.addWidget(self.working, 1)
        foot.addWidget(self.buttons)
        whole = QVBoxLayout(self)
        whole.setSpacing(10)
        whole.addWidget(self.trouble)
        whole.addLayout(both, 1)
        whole.addLayout(foot)
        for button in (self.add, self.remove, self.use):
            button.setAutoDefault(False)
        self.setMinimumSize(QSize(720, 460))
        self.resize(QSize(980, 620))

    def _connect(self) -> None:
        self.buttons.rejected.connect(self.reject)
        self.list.currentRowChanged.connect(self._choose)
        self.list.itemActivated.connect(self._use)
        self.add.clicked.connect(self._add)
        self.remove.clicked.connect(self._remove)
        self.use.clicked.connect(self._use)
        self._links = [
            (self._shelf.changed, self.refresh),
            (self._shelf.pictured, self._pictured),
            (self._shelf.working_changed, self._show_work),
            (self._session.choice.changed, self._show_buttons),
        ]
        for signal, does in self._links:
            signal.connect(does)

    def done(self, result: int) -> None:
        """Closed: the session outlives this dialog, which must not hear from it any more."""
        for signal, does in self._links:
            signal.disconnect(does, missing_ok=True)
        self._shelf.forget_trouble()
        super().done(result)

    @property
    def entry(self) -> Entry | None:
        """The prior that is looked at."""
        item = self.list.currentItem()
        return self._shelf.find(item.data(Qt.ItemDataRole.UserRole)) if item else None

    def look_at(self, name: str) -> None:
        """Show the prior of a name, now or as soon as it is on the list."""
        self._wanted = name
        self.refresh()

    def refresh(self) -> None:
        """The list as it is now; what was looked at stays, or gives way to what was just added."""
        wanted = self._wanted or (self.entry.path.stem if self.entry else self._session.choice.settings.prior)
        with QSignalBlocker(self.list):
            self.list.clear()
            for entry in self._shelf.entries:
                self.list.addItem(_item(entry))
            names = [entry.path.stem for entry in self._shelf.entries]
            self.list.setCurrentRow(names.index(wanted) if wanted in names else 0 if names else -1)
            self._wanted = "" if wanted in names else self._wanted
        self._show()
        self._show_work()

    def _choose(self, row: int) -> None:
        self._show()
        self._show_buttons()

    def _show(self) -> None:
        entry = self.entry
        empty = tr("Looking for priors …") if not self._shelf.known else tr("There are no priors. Add one on the left.")
        self.name.setText(entry.path.stem if entry else empty if not self._shelf.entries else tr(_NONE_CHOSEN))
        self.details.setVisible(entry is not None)
        if entry is None:
            return
        sheets = self._shelf.sheets.get(entry.path.stem)
        self.details.show_entry(entry, sheets)
        if sheets is None:
            self._desk.look(entry)

    def _pictured(self, name: str) -> None:
        entry = self.entry
        if entry is not None and entry.path.stem == name:
            self.details.show_sheets(self._shelf.sheets[name])

    def _show_work(self) -> None:
        """What is being done, and why it failed."""
        stranger = self._wanted and self._shelf.known and not self._shelf.find(self._wanted)
        elsewhere = tr("{name} is not among the priors. Add it to see its card.", name=self._wanted) if stranger else ""
        self.working.setText(self._shelf.working or elsewhere)
        trouble = self._shelf.trouble
        self.trouble.show_messages([f"{trouble.what} {trouble.rest}".strip()] if trouble else [], error=True)
        if self._shelf.latest and self._shelf.find(self._shelf.latest) and not self._shelf.working:
            latest, self._shelf.latest = self._shelf.latest, ""
            self.look_at(latest)
        self._show_buttons()

    def _show_buttons(self) -> None:
        entry, idle = self.entry, not self._shelf.working
        self.add.setEnabled(idle)
        self.remove.setEnabled(idle and entry is not None and not entry.bundled)
        chosen = entry is not None and entry.path.stem == self._session.choice.settings.prior
        self.use.setEnabled(entry is not None and not chosen)
        self.use.setText(tr("In use") if chosen else tr("&Use this prior"))

    def _add(self) -> None:
        path = self._dialogs.prior_to_add(self, str(Path.home()))
        if path and not self._may_add(Path(path)):
            return
        name = self._dialogs.name_of_prior(self, self._shelf.free_name(Path(path).stem)) if path else ""
        if name:
            self._desk.add(path, name)

    def _may_add(self, path: Path) -> bool:
        """Nothing is known of a checkpoint without a card: the user is asked."""
        if has_card(path):
            return True
        why = tr(
            "It has no card: nothing tells what it was trained on, or whether it is whole. It is examined without "
            "running code of it, and its results may be wrong in ways that nobody can see."
        )
        return self._dialogs.go_on(self, tr("Add {name}, which is not known?", name=path.name), why, tr("Add it"))

    def _remove(self) -> None:
        entry = self.entry
        if entry is None or entry.bundled:
            return
        why = tr("{name} and its card are deleted from {folder}.", name=entry.path.name, folder=entry.path.parent)
        if self._dialogs.go_on(self, tr("Remove {name}?", name=entry.path.stem), why, tr("Remove")):
            self._desk.remove(entry)

    def _use(self, *_: object) -> None:
        if self.entry is not None and self.use.isEnabled():
            self._session.choice.set(method="dds", prior=self.entry.path.stem)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "working"):
            theme.mute(self.working)
        super().changeEvent(event)


def _item(entry: Entry) -> QListWidgetItem:
    """Name, and one line about it."""
    origin = "bundled" if entry.bundled else "added"
    about = about_line(entry.card)
    item = QListWidgetItem(f"{entry.path.stem}  ({origin})\n{about}")
    item.setSizeHint(QSize(0, 2 * QFontMetrics(QApplication.font()).lineSpacing() + 8))
    item.setData(Qt.ItemDataRole.UserRole, entry.path.stem)
    item.setToolTip(f"{entry.path.stem}\n{about}\n{entry.path}")
    return item
