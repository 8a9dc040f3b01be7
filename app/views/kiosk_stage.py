"""What a visitor of the stand sees: a welcome with one button, and an image with a sentence, sliders and buttons."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QSlider, QVBoxLayout, QWidget

from app import theme
from app.state.kiosk import STEPS, Act, Stage
from app.state.room.pane import Comparison
from app.state.room.room import Room
from app.views.room_pane import RoomPane
from app.words import later, tr

SIDE = 380
LARGE, MIDDLE = 2.6, 1.5
"""Of the usual text: titles and sentences that are read from two metres away."""
FINE = 1000
"""Places of the slider between two images."""
RESEARCH = later("Research use only. Not for diagnosis.")
SLIDERS = {"nfe": (later("Steps of the network"), 4, 40), "cg_steps": (later("Pull to the measurement"), 1, 15)}
"""Settings that a visitor may turn: words, least, most."""
SAYS = {
    Stage.WELCOME: later("Start"),
    Stage.MEASURED: later("Make the image"),
    Stage.FORMING: later("Wait …"),
    Stage.COMPARE: later("What was measured?"),
    Stage.UNSEEN: later("Next scan"),
    Stage.TROUBLE: later("Start over"),
}


def enlarged(label: QWidget, by: float, *, bold: bool = False) -> None:
    """Larger text than elsewhere."""
    font = label.font()
    font.setPointSizeF(font.pointSizeF() * by)
    font.setBold(bold)
    label.setFont(font)


def research_line() -> QLabel:
    """Stands on every page of the stand."""
    line = QLabel(tr(RESEARCH))
    enlarged(line, 1.2, bold=True)
    colours = theme.current()
    theme.tint(line, colours.warning_ground, colours.warning)
    line.setContentsMargins(12, 6, 12, 6)
    line.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return line


class Welcome(QWidget):
    """A title, a sentence and a big button. Trouble is told here too."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        sign = QLabel()
        sign.setPixmap(theme.icon("app").pixmap(QSize(64, 64)))
        title = QLabel("DDS Viewer")
        enlarged(title, LARGE * 1.3, bold=True)
        self.caption = QLabel()
        self.caption.setWordWrap(True)
        self.caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.caption.setContentsMargins(80, 0, 80, 0)
        enlarged(self.caption, MIDDLE * 1.25)
        self.start = QPushButton()
        enlarged(self.start, LARGE, bold=True)
        self.start.setMinimumSize(QSize(380, 110))
        whole = QVBoxLayout(self)
        whole.setSpacing(26)
        whole.addStretch(2)
        whole.addWidget(sign, 0, Qt.AlignmentFlag.AlignHCenter)
        whole.addWidget(title, 0, Qt.AlignmentFlag.AlignHCenter)
        whole.addWidget(self.caption)
        whole.addWidget(self.start, 0, Qt.AlignmentFlag.AlignHCenter)
        whole.addStretch(3)

    def show_stage(self, act: Act, stage: Stage) -> None:
        self.caption.setText(tr(act.caption(stage)))
        self.start.setText(tr(SAYS[stage]))


class StagePage(QWidget):
    """The image at the left, what happens at its right. It carries out in the room what is slid; the rest it tells.

    wanted: the big button. again: form the image with the settings of the sliders. over: back to the start.
    """

    wanted = Signal()
    again = Signal()
    over = Signal()
    turned = Signal(str, int)
    """A setting, and what a visitor wants it to be."""

    def __init__(self, room: Room, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.room = room
        self.pane = RoomPane(room, 0)
        self.pane.header.hide()
        self.empty = QLabel(tr("Reading …"))
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        enlarged(self.empty, MIDDLE)
        self.slices, self.edge = _slider(), _slider()
        self.edge.setRange(0, FINE)
        self.slices.valueChanged.connect(partial(room.go_to_slice, 0))
        self.edge.valueChanged.connect(lambda at: room.set_pane(0, share=at / FINE))
        self._words()
        whole = QHBoxLayout(self)
        whole.setContentsMargins(12, 8, 12, 8)
        whole.setSpacing(16)
        whole.addLayout(self._left(), 1)
        whole.addWidget(self._right())
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self.draw)
        room.changed.connect(self._later)
        room.items_changed.connect(self._later)

    def _words(self) -> None:
        self.steps = {stage: QLabel(tr(stage.value)) for stage in STEPS}
        self.act = QLabel()
        enlarged(self.act, MIDDLE * 1.2, bold=True)
        self.caption = QLabel()
        self.caption.setWordWrap(True)
        self.caption.setAlignment(Qt.AlignmentFlag.AlignTop)
        enlarged(self.caption, MIDDLE)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(tr("How far it is"))
        self.next = QPushButton()
        enlarged(self.next, MIDDLE * 1.1, bold=True)
        self.next.setMinimumHeight(64)
        self.next.clicked.connect(self.wanted)
        self.repeat = QPushButton(tr("Again with these settings"))
        self.repeat.clicked.connect(self.again)
        self.back = QPushButton(tr("Start over"))
        self.back.clicked.connect(self.over)
        for button in (self.repeat, self.back):
            button.setMinimumHeight(44)
            enlarged(button, 1.15)

    def _left(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addWidget(self.pane, 1)
        column.addWidget(self.empty, 1)
        self.under = QWidget()
        row = QGridLayout(self.under)
        row.setContentsMargins(0, 0, 0, 0)
        row.setColumnStretch(1, 1)
        self._ends = (QLabel(tr("Classical")), QLabel("DDS"))
        row.addWidget(self._ends[0], 0, 0)
        row.addWidget(self.edge, 0, 1)
        row.addWidget(self._ends[1], 0, 2)
        self._slice_words = (QLabel(tr("Slice")), QLabel())
        row.addWidget(self._slice_words[0], 1, 0)
        row.addWidget(self.slices, 1, 1)
        row.addWidget(self._slice_words[1], 1, 2)
        column.addWidget(self.under)
        return column

    def _right(self) -> QWidget:
        side = QWidget()
        side.setFixedWidth(SIDE)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.act)
        for label in self.steps.values():
            enlarged(label, 1.15)
            column.addWidget(label)
        column.addWidget(self.caption, 1)
        column.addWidget(self.progress)
        self.sliders = {name: _slider() for name in SLIDERS}
        self.values = {name: QLabel() for name in SLIDERS}
        grid = QGridLayout()
        for line, (name, (words, least, most)) in enumerate(SLIDERS.items()):
            slider = self.sliders[name]
            slider.setRange(least, most)
            slider.setAccessibleName(tr(words))
            slider.valueChanged.connect(partial(self._turn, name))
            grid.addWidget(QLabel(tr(words)), 2 * line, 0)
            grid.addWidget(self.values[name], 2 * line, 1, Qt.AlignmentFlag.AlignRight)
            grid.addWidget(slider, 2 * line + 1, 0, 1, 2)
        column.addLayout(grid)
        for button in (self.repeat, self.next, self.back):
            column.addWidget(button)
        return side

    def _turn(self, name: str, value: int) -> None:
        self.values[name].setText(str(value))
        self.turned.emit(name, value)

    def show_settings(self, values: dict[str, int]) -> None:
        """The settings that hold now."""
        for name, value in values.items():
            with QSignalBlocker(self.sliders[name]):
                self.sliders[name].setValue(value)
            self.values[name].setText(str(value))

    def show_stage(self, act: Act, stage: Stage, *, ready: bool) -> None:
        """What the sentence and the buttons say, and which of them can be pressed."""
        self.act.setText(tr(act.name))
        self.caption.setText(tr(act.caption(stage)))
        for each, label in self.steps.items():
            font = label.font()
            font.setBold(each is stage)
            label.setFont(font)
            label.setEnabled(each is stage)
        self.next.setText(tr(SAYS[stage]))
        self.next.setEnabled(ready and stage is not Stage.FORMING)
        self.repeat.setEnabled(stage in (Stage.COMPARE, Stage.UNSEEN))
        self.progress.setVisible(not ready)
        self.progress.setRange(0, 0)
        self._later()

    def show_progress(self, done: int, of: int) -> None:
        """Of the run; of 0 for not known."""
        self.progress.setRange(0, of)
        self.progress.setValue(done)

    def _later(self, *_: object) -> None:
        if self.isVisible():
            self._due.start(0)

    def draw(self) -> None:
        """The image as the room says, and the sliders where it is."""
        self._due.stop()
        there = self.room.item_in(0) is not None
        self.pane.setVisible(there)
        self.empty.setVisible(not there)
        swiped = self.room.panes[0].comparison is Comparison.SWIPE
        for widget in (*self._ends, self.edge):
            widget.setVisible(there and swiped)
        place = self.room.place_of(0)
        for widget in (*self._slice_words, self.slices):
            widget.setVisible(place is not None and place[1] > 1)
        with QSignalBlocker(self.slices), QSignalBlocker(self.edge):
            self.edge.setValue(round(FINE * self.room.panes[0].share))
            if place is not None:
                self.slices.setRange(0, place[1] - 1)
                self.slices.setValue(place[0])
                self._slice_words[1].setText(f"{place[0] + 1} / {place[1]}")
        if there:
            self.pane.refresh()

    def release(self) -> None:
        self._due.stop()
        self.pane.release()


def _slider() -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setMinimumHeight(30)
    return slider
