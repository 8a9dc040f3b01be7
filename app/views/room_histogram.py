"""The panel with the histogram of the active pane's volume, by which its grey scale and colours are set."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.state.picture import Levels
from app.state.room.item import Item
from app.state.windows import NamedWindow
from app.views.number_edit import NumberEdit
from app.views.room_colours import COLOURS, table
from app.views.room_histogram_counts import AT_ONCE, RANGES, Counting, Counts
from app.views.room_histogram_plot import LevelsPlot
from app.views.room_page import RoomPage
from app.words import tr

_COLUMNS = 2


class HistogramPanel(QWidget):
    """Puts itself beside the panes of a page. Nothing but the user moves a window with it.

    Whoever closes the page calls `release` first. at_once: voxels that are counted without a thread.
    """

    def __init__(self, page: RoomPage, at_once: int = AT_ONCE) -> None:
        super().__init__()
        self.page, self.room = page, page.room
        self.plot = LevelsPlot()
        self.counting = Counting(self._later, self, at_once)
        self._shown: Counts | None = None
        self._key = ""
        self._windows: tuple[NamedWindow, ...] = ()
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self.refresh)
        self._make()
        self._lay_out()
        self._connect()
        page.add_panel(self, tr("Histogram"))
        self.refresh()

    def _make(self) -> None:
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.low, self.high = NumberEdit(tr("Value drawn darkest")), NumberEdit(tr("Value drawn brightest"))
        self.log = QCheckBox(tr("Log scale"))
        self.log.setToolTip(tr("Heights as logarithms, so that rare values are seen"))
        self.log.setChecked(self.plot.log)
        self.ranges = [
            _button(tr("{low:g}–{high:g} %", low=low, high=high), tr("Window between these percentiles"))
            for low, high in RANGES
        ]
        self.windows: list[QPushButton] = []
        self.reset = _button(tr("Reset"), tr("Window and level as they were on opening"))
        self.colours = QComboBox()
        self.colours.setAccessibleName(tr("Colours"))
        for name, words in COLOURS.items():
            self.colours.addItem(tr(words), name)
        self.invert = QCheckBox(tr("Invert"))

    def _lay_out(self) -> None:
        ends = QHBoxLayout()
        ends.addWidget(self.low)
        ends.addWidget(self.log, 1, Qt.AlignmentFlag.AlignCenter)
        ends.addWidget(self.high)
        presets = QHBoxLayout()
        for button in (*self.ranges, self.reset):
            presets.addWidget(button)
        self._grid = QGridLayout()
        self._grid.setSpacing(4)
        colours = QFormLayout()
        colours.addRow(tr("Colours"), self.colours)
        colours.addRow("", self.invert)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        column.addWidget(self.words)
        column.addWidget(self.plot, 1)
        for row in (ends, presets, self._grid, colours):
            column.addLayout(row)

    def _connect(self) -> None:
        self.plot.dragged.connect(self._set)
        self.low.entered.connect(lambda low: self._set(low, max(low, self._levels.high)))
        self.high.entered.connect(lambda high: self._set(min(high, self._levels.low), high))
        self.log.clicked.connect(self.plot.set_log)
        for i, button in enumerate(self.ranges):
            button.clicked.connect(partial(self._set_range, i))
        self.reset.clicked.connect(self._reset)
        self.colours.activated.connect(lambda row: self._set_pane(colours=self.colours.itemData(row)))
        self.invert.clicked.connect(lambda on: self._set_pane(invert=on))
        self.room.changed.connect(self._later)
        self.room.items_changed.connect(self._later)

    def refresh(self) -> None:
        """Show the active pane's item and how it is drawn."""
        self._due.stop()
        room, item = self.room, self.room.item_in(self.room.active)
        pane, levels = room.panes[room.active], self._levels
        controls = (self.plot, self.low, self.high, self.log, *self.ranges, self.reset, self.colours, self.invert)
        for widget in controls:
            widget.setEnabled(item is not None)
        self._offer(item)
        self._show_item(item)
        for edit, value in ((self.low, levels.low), (self.high, levels.high)):
            edit.show_value(value)
        with QSignalBlocker(self.colours):
            self.colours.setCurrentIndex(self.colours.findData(pane.colours))
        self.invert.setChecked(pane.invert)
        self.plot.show_levels(levels)
        self.plot.show_colours(table(self.page.active.colours_of(item) if item else pane.colours, pane.invert))

    def release(self) -> None:
        """Let go of the room, the timer and the thread."""
        self._due.stop()
        self.room.changed.disconnect(self._later)
        self.room.items_changed.disconnect(self._later)
        self.counting.release()

    def _show_item(self, item: Item | None) -> None:
        """An estimate of a run keeps the counts of the one before it on view until its own are there."""
        counts = self.counting(item) if item is not None else None
        key = item.key if item is not None else ""
        if counts is not None and counts is not self._shown:
            other = key != self._key
            self._shown, self._key = counts, key
            self.plot.show_counts(counts.counts, counts.edges, counts.middle if other else None)
        waiting = item is not None and key != self._key
        said = tr("Counting …") if waiting else item.name if item is not None else tr("Nothing is shown.")
        self.words.setText(said)
        for i, button in enumerate(self.ranges):
            known = counts is not None and math.isfinite(counts.ranges[i][0])
            button.setEnabled(known)

    def _offer(self, item: Item | None) -> None:
        """A button for each named window of the item."""
        windows = item.windows if item is not None else ()
        if windows == self._windows:
            return
        self._windows = windows
        for old in self.windows:
            self._grid.removeWidget(old)
            old.deleteLater()
        self.windows = [
            _button(w.name, tr("Window {window:g}, level {level:g}", window=w.window, level=w.level)) for w in windows
        ]
        for i, (button, window) in enumerate(zip(self.windows, windows, strict=True)):
            button.clicked.connect(partial(self._take, window))
            self._grid.addWidget(button, i // _COLUMNS, i % _COLUMNS)

    def _take(self, window: NamedWindow, *_: object) -> None:
        self.room.set_levels(self.room.active, window.window, window.level)

    @property
    def _levels(self) -> Levels:
        return self.room.levels_of(self.room.active)

    def _set(self, low: float, high: float) -> None:
        self.room.set_levels(self.room.active, high - low, (low + high) / 2)

    def _set_range(self, which: int, *_: object) -> None:
        item = self.room.item_in(self.room.active)
        counts = self.counting(item) if item is not None else None
        if counts is not None:
            self._set(*counts.ranges[which])

    def _reset(self) -> None:
        item = self.room.item_in(self.room.active)
        if item is not None:
            self.room.set_levels(self.room.active, item.offered.window, item.offered.level)

    def _set_pane(self, **values: Any) -> None:
        self.room.set_pane(self.room.active, **values)

    def _later(self, *_: object) -> None:
        """Out of sight nothing is counted."""
        if self.isVisible():
            self._due.start(0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        self._due.stop()
        super().hideEvent(event)


def _button(words: str, tip: str) -> QPushButton:
    button = QPushButton(words)
    button.setToolTip(tip)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setMinimumWidth(40)
    return button
