"""The panel of a rendering: opacity and colours, surface, what is cut off, slices, and what can be saved."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.state.room.item import Item
from app.state.room.solid import SolidModel
from app.views.number_edit import NumberEdit
from app.views.room_solid_cut import ShareSlider, SolidCut
from app.views.room_solid_editor import SolidEditor
from app.words import tr

WIDTH = 270


class SolidPanel(QScrollArea):
    """Carries out in the model what is chosen; Ctrl+Z and Ctrl+Y in it undo and redo."""

    save_surface = Signal()
    save_picture = Signal()

    def __init__(self, model: SolidModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self._range = (0.0, 1.0)
        self.editor, self.cut = SolidEditor(model), SolidCut(model)
        self.undo = _tool(tr("Undo"), lambda: model.history.undo())
        self.redo = _tool(tr("Redo"), lambda: model.history.redo())
        self.reset = _tool(tr("Reset to preset"), self._reset)
        self.threshold, self.threshold_edit = ShareSlider(), NumberEdit(tr("Threshold"))
        self.threshold.setAccessibleName(tr("Threshold of the surface"))
        self.threshold.moved.connect(self._slide)
        self.threshold.sliderReleased.connect(lambda: model.history.seal())
        self.threshold_edit.entered.connect(lambda value: self._set_threshold(value))
        self.surface_words = QLabel()
        self.surface_words.setWordWrap(True)
        self.surface_words.setAccessibleName(tr("What the surface is made of"))
        self.slices = QCheckBox(tr("Slices through the crosshair"))
        self.slices.clicked.connect(lambda on: model.change(tr("slices in space"), slices=on))
        self.stl = _button(tr("Save surface as STL …"), self.save_surface.emit)
        self.picture = _button(tr("Save picture …"), self.save_picture.emit)
        self.picture.setToolTip(tr("A larger picture of every voxel"))
        self.picture_words = QLabel()
        self.picture_words.setWordWrap(True)
        self._lay_out()
        self.installEventFilter(self)
        for child in self.findChildren(QWidget):
            child.installEventFilter(self)

    def _lay_out(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(8, 6, 8, 8)
        column.setSpacing(4)
        column.addWidget(_heading(tr("Opacity and colour")))
        column.addWidget(self.editor)
        column.addLayout(_row(self.undo, self.redo, None, self.reset))
        column.addWidget(_heading(tr("Surface")))
        column.addLayout(_row(self.threshold, self.threshold_edit))
        column.addWidget(self.surface_words)
        column.addWidget(self.stl)
        column.addWidget(_heading(tr("Cut off")))
        column.addWidget(self.cut)
        column.addWidget(_heading(tr("Show")))
        column.addWidget(self.slices)
        column.addWidget(self.picture)
        column.addWidget(self.picture_words)
        column.addStretch(1)
        self.setWidget(inner)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(WIDTH)
        self.setAccessibleName(tr("Adjust the rendering"))

    def show_item(self, item: Item) -> None:
        self.cut.show_item(item)

    def show_histogram(self, counts: npt.NDArray[np.int64], edges: npt.NDArray[np.float64]) -> None:
        self._range = float(edges[0]), float(edges[-1])
        self.editor.show_histogram(counts, edges)
        self.refresh()

    def show_words(self, surface: str) -> None:
        """What the surface was made of, or why there is none."""
        self.surface_words.setText(surface)
        self.surface_words.setVisible(bool(surface))

    def refresh(self) -> None:
        """As the model is."""
        now, history = self.model.now, self.model.history
        self.editor.update()
        self.cut.refresh()
        low, high = self._range
        self.threshold.show_share((now.threshold - low) / (high - low))
        self.threshold_edit.show_value(now.threshold)
        with QSignalBlocker(self.slices):
            self.slices.setChecked(now.slices)
        self.reset.setEnabled(now.points is not None)
        self.stl.setEnabled(now.surface)
        for button, words, label in (
            (self.undo, tr("Undo"), history.undo_label),
            (self.redo, tr("Redo"), history.redo_label),
        ):
            button.setEnabled(bool(label))
            button.setToolTip(f"{words} {label}".strip())

    def _slide(self, share: float) -> None:
        low, high = self._range
        self._set_threshold(low + share * (high - low), "slide")

    def _set_threshold(self, value: float, merge_key: str | None = None) -> None:
        self.model.change(tr("threshold"), merge_key, threshold=value, surface=True)

    def _reset(self) -> None:
        self.model.change(tr("reset to preset"), points=None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ctrl+Z is meant for the panel while it has the keys."""
        if event.type() in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress) and isinstance(event, QKeyEvent):
            undo, redo = (event.matches(key) for key in (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo))
            if undo or redo:
                if event.type() is QEvent.Type.KeyPress:
                    self.model.history.undo() if undo else self.model.history.redo()
                event.accept()
                return True
        return super().eventFilter(watched, event)


def _heading(words: str) -> QLabel:
    label = QLabel(words)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    label.setContentsMargins(0, 6, 0, 0)
    return label


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """Side by side; None is a gap."""
    row = QHBoxLayout()
    row.setSpacing(3)
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    return row


def _tool(words: str, clicked: object) -> QToolButton:
    button = QToolButton()
    button.setText(words)
    button.setAccessibleName(words)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(clicked)
    return button


def _button(words: str, clicked: object) -> QPushButton:
    button = QPushButton(words)
    button.clicked.connect(clicked)
    return button
