"""The header of a pane: which item and which plane it shows, and what it is compared with."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from app.state.room.pane import Comparison, Face
from app.state.room.room import Room
from app.views.chooser import chooser
from app.views.room_captions import SLABS
from app.views.room_colours import COLOURS
from app.words import tr

SLAB_MM = (0.0, 5.0, 10.0, 20.0, 50.0)
LEAST_WIDTH = 260
"""A narrower pane shows its header without the comparison."""


class RoomHeader(QWidget):
    """Carries out in the room what is chosen."""

    def __init__(self, room: Room, index: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.room, self.index = room, index
        self.item = chooser(tr("Image in pane {number}", number=index + 1), tr("Which volume or run this pane shows"))
        self.item.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.item.setMinimumContentsLength(8)
        self.item.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.item.activated.connect(self._show)
        self.face = chooser(tr("Plane of pane {number}", number=index + 1), tr("Which plane this pane shows"))
        for face in Face:
            self.face.addItem(tr(face.value), face)
        self.face.activated.connect(lambda i: room.set_pane(index, face=self.face.itemData(i)))
        self.compare = _button(
            tr("Compare in pane {number}", number=index + 1), tr("Compare"), tr("Lay another image over this one")
        )
        self.more = _button(tr("More of pane {number}", number=index + 1), "⋮", tr("Slab, colours, invert"))
        for button, fill in ((self.compare, self._fill_compare), (self.more, self._fill_more)):
            menu = QMenu(button)
            menu.aboutToShow.connect(partial(fill, menu))
            button.setMenu(menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 2, 4, 2)
        row.setSpacing(4)
        row.addWidget(self.item, 1)
        for widget in (self.face, self.compare, self.more):
            row.addWidget(widget)

    def refresh(self) -> None:
        pane, keys = self.room.panes[self.index], [item.key for item in self.room]
        names = [item.name for item in self.room]
        with QSignalBlocker(self.item), QSignalBlocker(self.face):
            shown = [self.item.itemData(i) for i in range(self.item.count())]
            if shown != keys or [self.item.itemText(i) for i in range(self.item.count())] != names:
                self.item.clear()
                for item in self.room:
                    self.item.addItem(item.name, item.key)
                    self.item.setItemData(self.item.count() - 1, item.title, Qt.ItemDataRole.ToolTipRole)
            self.item.setCurrentIndex(keys.index(pane.item) if pane.item in keys else -1)
            self.face.setCurrentIndex(list(Face).index(pane.face))
        self.compare.setText(tr(pane.comparison.value if self.room.over_in(self.index) else "Compare"))
        self.setEnabled(len(self.room) > 0)

    def fit(self, width: int) -> None:
        """Into a pane of a width."""
        self.compare.setVisible(width >= LEAST_WIDTH)

    def _show(self, row: int) -> None:
        self.room.activate(self.index)
        self.room.show(self.index, self.item.itemData(row))

    def _set(self, **values: Any) -> None:
        self.room.activate(self.index)
        self.room.set_pane(self.index, **values)

    def _fill_compare(self, menu: QMenu) -> None:
        menu.clear()
        pane = self.room.panes[self.index]
        _choices(menu, [(tr(m.value), m, m is pane.comparison) for m in Comparison], self._compare)
        menu.addSection(tr("with"))
        others = [item for item in self.room if item.key != pane.item]
        _choices(menu, [(item.name, item.key, item.key == pane.over) for item in others], self._compare_with)
        if not others:
            menu.addAction(tr("There is no other image")).setEnabled(False)

    def _compare(self, comparison: Comparison) -> None:
        """With the item that was chosen last, else the first other one."""
        pane = self.room.panes[self.index]
        others = [item.key for item in self.room if item.key != pane.item]
        over = pane.over if pane.over in others else next(iter(others), "")
        self._set(comparison=comparison if over else Comparison.NONE, over=over)

    def _compare_with(self, key: str) -> None:
        now = self.room.panes[self.index].comparison
        self._set(over=key, comparison=Comparison.SWIPE if now is Comparison.NONE else now)

    def _fill_more(self, menu: QMenu) -> None:
        menu.clear()
        pane, item = self.room.panes[self.index], self.room.item_in(self.index)
        thick = menu.addMenu(tr("Slab"))
        _choices(
            thick,
            [(tr("{thick} mm", thick=f"{mm:g}") if mm else tr("One slice"), mm, mm == pane.slab_mm) for mm in SLAB_MM],
            lambda mm: self._set(slab_mm=mm),
        )
        thick.addSeparator()
        _choices(thick, [(tr(n), s, s is pane.slab) for s, n in SLABS.items()], lambda slab: self._set(slab=slab))
        _choices(
            menu.addMenu(tr("Colours")),
            [(tr(words), name, name == pane.colours) for name, words in COLOURS.items()],
            lambda name: self._set(colours=name),
        )
        _switch(menu, tr("Invert"), pane.invert, lambda on: self._set(invert=on))
        along = _switch(menu, tr("Along the patient's axes"), pane.patient_axes, lambda on: self._set(patient_axes=on))
        along.setEnabled(item is not None and item.placed)


def _choices(menu: QMenu, choices: list[tuple[str, Any, bool]], chosen: Any) -> None:
    group = QActionGroup(menu)
    for words, value, on in choices:
        action = menu.addAction(words)
        action.setCheckable(True)
        action.setChecked(on)
        action.triggered.connect(partial(_call, chosen, value))
        group.addAction(action)


def _call(chosen: Any, value: Any, *_: object) -> None:
    chosen(value)


def _switch(menu: QMenu, words: str, on: bool, switched: Any) -> QAction:
    action = menu.addAction(words)
    action.setCheckable(True)
    action.setChecked(on)
    action.triggered.connect(switched)
    return action


def _button(name: str, words: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(words)
    button.setAccessibleName(name)
    button.setToolTip(tip)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setAutoRaise(True)
    button.setIconSize(QSize(16, 16))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
