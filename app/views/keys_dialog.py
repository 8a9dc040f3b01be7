"""The keys of all actions, to be changed: a field for each, and words where two want the same."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.actions import DEEDS, TAKEN, Actions
from app.commands import NO_MATCH, score
from app.preferences import Preferences
from app.words import tr

_PORTABLE = QKeySequence.SequenceFormat.PortableText
_NATIVE = QKeySequence.SequenceFormat.NativeText


class KeyEdit(QKeySequenceEdit):
    """A field for one key with its modifiers. Esc and Tab are not taken: they leave it. Del and Backspace empty it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setMaximumSequenceLength(1)
        self.setClearButtonEnabled(True)
        self.setAccessibleName(name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.modifiers() == Qt.KeyboardModifier.NoModifier:
            if event.key() == Qt.Key.Key_Escape:
                event.ignore()
                return
            if event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
                self.clear()
                return
        super().keyPressEvent(event)


class KeyRow:
    """An action with its field and the button that gives it back its own key."""

    def __init__(self, name: str, words: str, about: str) -> None:
        self.name, self.words = name, words
        self.label = QLabel(words)
        self.label.setToolTip(about)
        self.edit = KeyEdit(tr("Key of {action}", action=words))
        self.reset = QToolButton()
        self.reset.setAutoRaise(True)
        self.reset.setIconSize(QSize(14, 14))
        self.reset.setIcon(theme.icon("reset"))
        self.reset.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.reset.setAccessibleName(tr("Reset the key of {action}", action=words))
        self.reset.setToolTip(self.reset.accessibleName())

    @property
    def widgets(self) -> tuple[QWidget, ...]:
        return self.label, self.edit, self.reset


class KeysDialog(QDialog):
    """A key that is free is taken at once and stored. One that is not stays with its owner, and words say so.

    Emits `changed` after each change.
    """

    changed = Signal()

    def __init__(self, actions: Actions, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Change keys"))
        self._actions, self._preferences = actions, preferences
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search for an action or a key"))
        self.search.setAccessibleName(tr("Search for an action or a key"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.rows = {
            name: KeyRow(name, actions.name_of(name), deed.about)
            for name, deed in DEEDS.items()
            if actions[name].isVisible() or name not in _languages()
        }
        self.trouble = QLabel()
        self.trouble.setWordWrap(True)
        self.trouble.setMinimumHeight(2 * self.trouble.fontMetrics().lineSpacing())
        self.trouble.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.take = QPushButton(tr("Use it here"))
        self.take.clicked.connect(self._take_over)
        self.take.hide()
        self._wanted: tuple[str, str, str] | None = None
        self._lay_out()
        self._show_keys()
        self.resize(560, 560)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def _lay_out(self) -> None:
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setColumnStretch(0, 1)
        grid.setColumnMinimumWidth(1, 190)
        grid.setVerticalSpacing(3)
        for line, row in enumerate(self.rows.values()):
            for column, widget in enumerate(row.widgets):
                grid.addWidget(widget, line, column)
            row.edit.keySequenceChanged.connect(partial(self._typed, row.name))
            row.reset.clicked.connect(partial(self._reset, row.name))
        grid.setRowStretch(len(self.rows), 1)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.StyledPanel)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(inside)
        told = QHBoxLayout()
        told.addWidget(self.trouble, 1)
        told.addWidget(self.take, 0, Qt.AlignmentFlag.AlignTop)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.rejected.connect(self.reject)
        self.reset_all = buttons.addButton(tr("&Reset all keys"), QDialogButtonBox.ButtonRole.ResetRole)
        self.reset_all.clicked.connect(self._reset_all)
        for button in buttons.buttons():
            if isinstance(button, QPushButton):
                button.setAutoDefault(False)
        self.take.setAutoDefault(False)
        whole = QVBoxLayout(self)
        whole.addWidget(self.search)
        whole.addWidget(self.area, 1)
        whole.addLayout(told)
        whole.addWidget(buttons)

    def owner_of(self, key: str) -> str:
        """The name of the action that has a key, or ""."""
        return next((name for name in self._actions if key and self._actions.key_of(name) == key), "")

    def _typed(self, name: str, sequence: QKeySequence) -> None:
        key = sequence.toString(_PORTABLE)
        if key == self._actions.key_of(name):
            self._tell("")
            return
        shown, owner = sequence.toString(_NATIVE), self.owner_of(key)
        if key in TAKEN:
            self._tell(tr("{key} moves through images and fields. It cannot be the key of an action.", key=shown))
        elif owner:
            self._tell(
                tr("{key} is the key of “{action}” and stays with it.", key=shown, action=self._actions.name_of(owner)),
                (name, key, owner),
            )
        else:
            self._set({name: key})

    def _tell(self, words: str, wanted: tuple[str, str, str] | None = None) -> None:
        """Words, and what can be done about them: (action, key, owner)."""
        self._wanted = wanted
        self.trouble.setText(words)
        made = self.trouble.palette()
        made.setColor(self.trouble.foregroundRole(), theme.current().warning)
        self.trouble.setPalette(made)
        self.take.setVisible(wanted is not None)

    def _take_over(self) -> None:
        if self._wanted is not None:
            name, key, owner = self._wanted
            self._set({owner: "", name: key})

    def _set(self, keys: dict[str, str]) -> None:
        """Give keys to actions; those that are not their own are stored."""
        for name, key in keys.items():
            self._actions.set_key(name, key)
        own = {name: QKeySequence(deed.key).toString(_PORTABLE) for name, deed in DEEDS.items()}
        now = {name: self._actions.key_of(name) for name in own}
        self._preferences.keys = {name: key for name, key in now.items() if key != own[name]}
        self._tell("")
        self._show_keys()
        self.changed.emit()

    def _reset(self, name: str) -> None:
        """Its own key again; who has that now loses it, and words say so."""
        key = QKeySequence(DEEDS[name].key).toString(_PORTABLE)
        owner = self.owner_of(key)
        if owner in ("", name):
            self._set({name: key})
            return
        self._set({owner: "", name: key})
        self._tell(tr("“{action}” had this key and has none now.", action=self._actions.name_of(owner)))

    def _reset_all(self) -> None:
        self._set({name: deed.key for name, deed in DEEDS.items()})

    def _show_keys(self) -> None:
        for name, row in self.rows.items():
            row.edit.blockSignals(True)
            row.edit.setKeySequence(self._actions[name].shortcut())
            row.edit.blockSignals(False)
            own = QKeySequence(DEEDS[name].key)
            row.reset.setEnabled(self._actions[name].shortcut() != own)

    def _filter(self, query: str) -> None:
        for name, row in self.rows.items():
            key = self._actions[name].shortcut().toString(_NATIVE)
            fits = score(query, row.words) != NO_MATCH or query.casefold() in key.casefold()
            for widget in row.widgets:
                widget.setVisible(fits)


def _languages() -> tuple[str, ...]:
    """Actions that are hidden for good where there is no catalogue."""
    return tuple(name for name in DEEDS if name.startswith("language_"))
