"""The bar that plays slices and moments in the viewing room."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QSpinBox, QToolButton, QWidget

from app import theme
from app.state.room.cine import FASTEST, SLOWEST, CineModel
from app.views.room_page import RoomPage
from app.words import tr

PLAY_KEY = Qt.Key.Key_Space
Clock = Callable[[], float]


class Cine(QWidget):
    """Puts itself below the panes of a page. Space in the page plays and stops.

    clock: seconds from anywhere. A frame that comes late is left out, so that the speed holds. Out of sight nothing
    plays. Whoever closes the page calls `release` first.
    """

    def __init__(self, page: RoomPage, clock: Clock = time.monotonic) -> None:
        super().__init__()
        self.page, self.model, self._clock = page, CineModel(page.room), clock
        self._last = 0.0
        self.timer = QTimer(self)
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self._tick)
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self.refresh)
        self._make()
        self._lay_out()
        page.add_below(self)
        page.installEventFilter(self)
        self.model.changed.connect(self._model_changed)
        page.room.changed.connect(self._later)
        page.room.items_changed.connect(self._later)
        self.draw_icons()
        self.refresh()

    def _make(self) -> None:
        model = self.model
        self.played = QComboBox()
        self.played.setAccessibleName(tr("What is played"))
        self.played.setToolTip(tr("What is played: slices, or repetitions, contrasts and steps of a run"))
        self.played.activated.connect(lambda row: model.choose(self.played.itemData(row)))
        self.first = _button("first", tr("First frame"))
        self.play = _button("play", tr("Play"))
        self.last = _button("last", tr("Last frame"))
        self.rocking = _button("rock", tr("Back and forth"))
        self.rocking.setCheckable(True)
        self.first.clicked.connect(lambda: model.go_to(0))
        self.play.clicked.connect(lambda: model.toggle())
        self.last.clicked.connect(lambda: model.go_to(10**9))
        self.rocking.clicked.connect(model.rock)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(tr("Position"))
        self.slider.setToolTip(tr("Position"))
        self.slider.sliderPressed.connect(model.stop)
        self.slider.valueChanged.connect(model.go_to)
        self.words = QLabel()
        self.words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.fps = QSpinBox()
        self.fps.setRange(SLOWEST, FASTEST)
        self.fps.setSuffix(" /s")
        self.fps.setAccessibleName(tr("Frames a second"))
        self.fps.setToolTip(tr("Frames a second"))
        self.fps.valueChanged.connect(model.set_fps)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 2, 6, 2)
        row.setSpacing(3)
        for widget in (self.played, self.first, self.play, self.last, self.rocking):
            row.addWidget(widget)
        row.addWidget(self.slider, 1)
        row.addWidget(self.words)
        row.addSpacing(6)
        row.addWidget(self.fps)

    def draw_icons(self) -> None:
        """In the colours of the theme."""
        for name, button in (("first", self.first), ("last", self.last), ("rock", self.rocking)):
            button.setIcon(theme.icon(name))
        self.play.setIcon(theme.icon("stop" if self.model.playing else "play"))

    def refresh(self) -> None:
        """Show what is played, and where."""
        self._due.stop()
        model, place = self.model, self.model.place
        with QSignalBlocker(self.played):
            offered = model.offered
            if [self.played.itemData(i) for i in range(self.played.count())] != list(offered):
                self.played.clear()
                for played in offered:
                    self.played.addItem(tr(played.value), played)
            self.played.setCurrentIndex(offered.index(model.played) if model.played is not None else -1)
        for widget in (self.played, self.first, self.play, self.last, self.rocking, self.slider, self.fps):
            widget.setEnabled(place is not None)
        at, count = place if place is not None else (0, 1)
        with QSignalBlocker(self.slider), QSignalBlocker(self.fps):
            self.slider.setRange(0, count - 1)
            self.slider.setPageStep(max(count // 10, 1))
            self.slider.setValue(at)
            self.fps.setValue(model.fps)
        self.rocking.setChecked(model.rocking)
        digits = "8" * len(str(count))
        self.words.setMinimumWidth(self.words.fontMetrics().horizontalAdvance(f"{digits} / {digits}"))
        self.words.setText(f"{at + 1} / {count}" if place is not None else "")
        self.slider.setAccessibleDescription(self.words.text())

    def toggle(self) -> None:
        """Play or stop."""
        self.model.toggle()

    def release(self) -> None:
        """Stop, and let go of the room."""
        self.model.stop()
        self._due.stop()
        self.model.release()
        self.page.room.changed.disconnect(self._later)
        self.page.room.items_changed.disconnect(self._later)

    def _model_changed(self) -> None:
        if not self.model.playing:
            self.timer.stop()
        else:
            interval = round(1000 / self.model.fps)
            if not self.timer.isActive():
                self._last = self._clock()
                self.timer.start(interval)
            elif self.timer.interval() != interval:
                self.timer.setInterval(interval)
        said = tr("Stop") if self.model.playing else tr("Play")
        if self.play.accessibleName() != said:
            self.play.setAccessibleName(said)
            self.play.setToolTip(tr("{what} (Space)", what=said))
            self.play.setIcon(theme.icon("stop" if self.model.playing else "play"))
        self.refresh()

    def _tick(self) -> None:
        now = self._clock()
        passed, self._last = now - self._last, now
        self.model.advance(passed)

    def _later(self) -> None:
        if self.isVisible():
            self._due.start(0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        self.model.stop()
        self._due.stop()
        super().hideEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "fps"):
            self.draw_icons()
        super().changeEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Space that nothing in the page has a use for."""
        key = event if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) else None
        if key is not None and key.key() == PLAY_KEY and not key.modifiers():
            if not key.isAutoRepeat():
                self.toggle()
            return True
        return super().eventFilter(watched, event)


def _button(icon: str, name: str) -> QToolButton:
    button = QToolButton()
    button.setAutoRaise(True)
    button.setAccessibleName(name)
    button.setToolTip(name)
    button.setIconSize(QSize(18, 18))
    button.setIcon(theme.icon(icon))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
