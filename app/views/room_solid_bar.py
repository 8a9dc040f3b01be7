"""The bar over a rendering: what is rendered, from which side, and whether its panel is open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QWidget

from app.state.room.solid import SolidModel
from app.words import later, tr

SIDES = {
    "A": later("the front"),
    "P": later("the back"),
    "L": later("the left"),
    "R": later("the right"),
    "H": later("the head"),
    "F": later("the feet"),
}


class SolidBar(QWidget):
    """Carries out in the model what is chosen."""

    looked = Signal(str)
    adjusted = Signal(bool)

    def __init__(self, model: SolidModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self.preset = QComboBox()
        self.preset.setAccessibleName(tr("Rendering preset"))
        self.preset.setToolTip(tr("What is rendered, and how"))
        self.preset.setMaximumWidth(240)
        self.preset.setMinimumContentsLength(8)
        self.preset.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.preset.activated.connect(self._take)
        self.buttons = {name: side_button(name, self.looked.emit) for name in SIDES}
        self.adjust = QToolButton()
        self.adjust.setText(tr("Adjust"))
        self.adjust.setCheckable(True)
        self.adjust.setToolTip(tr("Opacity, colours, surface, and what is cut off"))
        self.adjust.setAccessibleName(tr("Adjust the rendering"))
        self.adjust.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.adjust.toggled.connect(self.adjusted)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 2, 4, 2)
        row.setSpacing(1)
        row.addWidget(self.preset, 1)
        row.addStretch(1)
        for button in self.buttons.values():
            row.addWidget(button)
        row.addSpacing(3)
        row.addWidget(self.adjust)

    def refresh(self) -> None:
        """As the model is."""
        names = [preset.name for preset in self.model.presets]
        for button in self.buttons.values():
            button.setVisible(self.model.placed)
        with QSignalBlocker(self.preset):
            if [self.preset.itemData(i) for i in range(self.preset.count())][: len(names)] != names or not names:
                self.preset.clear()
                for name in names:
                    self.preset.addItem(tr(name), name)
                self.preset.insertSeparator(len(names))
                self.preset.addItem(tr("Surface at a threshold"), "")
            now = self.model.now
            self.preset.setCurrentIndex(self.preset.count() - 1 if now.surface else self.preset.findData(now.preset))

    def _take(self, row: int) -> None:
        name = self.preset.itemData(row)
        if name:
            self.model.change(tr("rendering preset"), preset=name, points=None, surface=False)
        else:
            self.model.change(tr("surface"), surface=True)


def side_button(name: str, look: Callable[[str], object], *, flat: bool = True) -> QToolButton:
    """Its letter, which asks to look from a side of the patient."""
    button = QToolButton()
    button.setText(name)
    button.setAutoRaise(flat)
    words = tr("Look from {side}", side=tr(SIDES[name]))
    button.setToolTip(words)
    button.setAccessibleName(words)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(partial(look, name))
    return button
