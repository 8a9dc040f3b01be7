"""What is cut off a rendering: outside a box along the patient's axes, and before a plane across the view."""

from __future__ import annotations

import math
from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QSlider, QWidget

from app.state.rendering import Box, Range
from app.state.room.item import Item
from app.state.room.solid import SolidModel, whole_box
from app.words import tr

STEPS = 1000
"""Of a slider over the whole range."""
_ENDS = (("R", "L"), ("A", "P"), ("F", "H"))
"""The sides at which a range starts and ends."""
_PLAIN = ("x", "y", "z")


class SolidCut(QWidget):
    """Two sliders for each of the three directions, and one for the depth of the plane."""

    def __init__(self, model: SolidModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self._whole: Box = ((0.0, 1.0),) * 3
        self._placed = True
        self.sliders = [(self._slider(), self._slider()) for _ in range(3)]
        self.names = [QLabel() for _ in range(3)]
        self.values = [QLabel() for _ in range(3)]
        self.plane = QCheckBox(tr("Plane across the view"))
        self.plane.setToolTip(tr("Cuts off what is before it, from wherever the patient is looked at"))
        self.deep, self.deep_words = self._slider(), QLabel()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        for axis, (start, end) in enumerate(self.sliders):
            grid.addWidget(self.names[axis], 2 * axis, 0)
            grid.addWidget(self.values[axis], 2 * axis, 1, 1, 2, Qt.AlignmentFlag.AlignRight)
            grid.addWidget(start, 2 * axis + 1, 0, 1, 2)
            grid.addWidget(end, 2 * axis + 1, 2)
            start.moved.connect(partial(self._cut, axis, 0))
            end.moved.connect(partial(self._cut, axis, 1))
        grid.addWidget(self.plane, 6, 0, 1, 2)
        grid.addWidget(self.deep_words, 6, 2, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self.deep, 7, 0, 1, 3)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 2)
        self.plane.clicked.connect(self._switch_plane)
        self.deep.moved.connect(self._deepen)
        self.deep.setAccessibleName(tr("Depth of the plane across the view"))

    def show_item(self, item: Item) -> None:
        self._whole, self._placed = whole_box(item), item.placed
        for axis, name in enumerate(self.names):
            words = " – ".join(_ENDS[axis]) if item.placed else _PLAIN[axis]
            name.setText(words)
            for slider, which in zip(self.sliders[axis], (tr("from"), tr("to")), strict=True):
                slider.setAccessibleName(f"{words}, {which}")

    def refresh(self) -> None:
        now = self.model.now
        for axis, (whole, kept) in enumerate(zip(self._whole, now.box or self._whole, strict=True)):
            for slider, value in zip(self.sliders[axis], kept, strict=True):
                slider.show_share((value - whole[0]) / ((whole[1] - whole[0]) or 1.0))
            self.values[axis].setText(" – ".join(self._words(axis, value) for value in kept) + " mm")
        reach = self._reach
        with QSignalBlocker(self.plane):
            self.plane.setChecked(now.depth is not None)
        self.deep.setEnabled(now.depth is not None)
        self.deep.show_share(((now.depth or 0.0) + reach) / (2 * reach))
        self.deep_words.setText("" if now.depth is None else f"{now.depth:+.0f} mm")

    @property
    def _reach(self) -> float:
        """From the middle to the corners, mm."""
        return max(math.hypot(*((end - start) / 2 for start, end in self._whole)), 1e-3)

    def _words(self, axis: int, value: float) -> str:
        return f"{_ENDS[axis][int(value >= 0)]} {abs(value):.0f}" if self._placed else f"{value:.0f}"

    def _cut(self, axis: int, end: int, share: float) -> None:
        """The other end is pushed along."""
        low, high = self._whole[axis]
        value = low + share * (high - low)
        kept = list((self.model.now.box or self._whole)[axis])
        kept[end] = value
        kept[1 - end] = max(kept[1 - end], value) if end == 0 else min(kept[1 - end], value)
        box: list[Range] = list(self.model.now.box or self._whole)
        box[axis] = (kept[0], kept[1])
        made: Box = (box[0], box[1], box[2])
        self.model.change(tr("clipping box"), ("box", axis, end), box=None if made == self._whole else made)

    def _switch_plane(self, on: bool) -> None:
        self.model.change(tr("clipping plane"), depth=0.0 if on else None)

    def _deepen(self, share: float) -> None:
        self.model.change(tr("clipping plane"), "depth", depth=(2 * share - 1) * self._reach)

    def _slider(self) -> ShareSlider:
        slider = ShareSlider()
        slider.sliderReleased.connect(self.model.history.seal)
        return slider


class ShareSlider(QSlider):
    """A share, 0 to 1. moved: by the user only."""

    moved = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setRange(0, STEPS)
        self.setPageStep(STEPS // 20)
        self.setSingleStep(STEPS // 200)
        self.valueChanged.connect(lambda value: self.moved.emit(value / STEPS))

    def show_share(self, share: float) -> None:
        if not self.isSliderDown():
            with QSignalBlocker(self):
                self.setValue(round(share * STEPS))
