"""Six steps through the window, each in a callout beside what it explains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app import theme
from app.views.files import demo_path
from app.words import later, tr

if TYPE_CHECKING:
    from app.views.main_window import MainWindow

_GAP = 12
_EDGE = 8
_WIDTH = 330


@dataclass(frozen=True)
class Step:
    """What the callout says."""

    title: str
    text: str


STEPS = (
    Step(
        later("Open a scan"),
        later("Raw scans are opened here, or dropped on the window. Two demos are bundled: Next opens the MRI one."),
    ),
    Step(
        later("Choose settings"),
        later("Method, prior and steps of the next run. They stay free while a run goes on, and Ctrl+Z takes back."),
    ),
    Step(
        later("Reconstruct"),
        later("This button (Ctrl+R) starts a run. The image forms while you watch; P pauses, Ctrl+K keeps what is."),
    ),
    Step(
        later("Look at the image"),
        later("Wheel: slices. Left drag: window across, level down. Ctrl+wheel: zoom. R and Ctrl+0 set back."),
    ),
    Step(
        later("Compare"),
        later("C puts the classical image in place of the DDS result, with the same window. B: the run before."),
    ),
    Step(
        later("Save"),
        later("The image in front becomes .npy, .nii.gz or .png. Research use only: not for diagnosis."),
    ),
)


def part_of(window: MainWindow, step: int) -> QWidget:
    """The part of the window that a step of the tour stands beside."""
    nothing_open = window.session.scan is None
    return (
        window.empty.demo if nothing_open else window.scan_card,
        window.parameters.area,
        window.parameters.reconstruct,
        window.viewer.slice_view,
        window.viewer.picture,
        window.run_panel.save,
    )[step]


class Tour(QFrame):
    """The callout. Enter or → goes on, ← goes back, Esc ends it; it is remembered that it was shown."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.at = 0
        self._waits = False
        self.title, self.text, self.count = QLabel(), QLabel(), QLabel()
        self.skip, self.back = QPushButton(tr("&Skip")), QPushButton(tr("&Back"))
        self.next = QPushButton(tr("&Next"))
        self._outline = _Outline(window)
        self.setFrameShape(QFrame.Shape.Box)
        self.setAutoFillBackground(True)
        self._lay_out()
        for button in (self.skip, self.back, self.next):
            button.installEventFilter(self)
        self.skip.clicked.connect(self.end)
        self.back.clicked.connect(lambda: self.go(self.at - 1))
        self.next.clicked.connect(self._go_on)
        window.session.opened.connect(self._opened)
        window.session.notice_changed.connect(self._stop_waiting)
        window.installEventFilter(self)
        self.hide()

    def _lay_out(self) -> None:
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.text.setWordWrap(True)
        buttons = QHBoxLayout()
        buttons.addWidget(self.skip)
        buttons.addStretch(1)
        buttons.addWidget(self.back)
        buttons.addWidget(self.next)
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.count)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(10)
        column.addLayout(top)
        column.addWidget(self.text)
        column.addLayout(buttons)

    def start(self) -> None:
        """From the first step."""
        self._window.preferences.tour_seen = True
        self.go(0)

    def go(self, step: int) -> None:
        """Show a step; past the last one the tour ends."""
        if step >= len(STEPS):
            self.end()
            return
        self._waits = False
        self.at = max(step, 0)
        now = STEPS[self.at]
        self.title.setText(tr(now.title))
        self.text.setText(tr(now.text))
        self.count.setText(tr("{step} of {steps}", step=self.at + 1, steps=len(STEPS)))
        self.back.setEnabled(self.at > 0)
        self.next.setText(tr("&Done") if self.at == len(STEPS) - 1 else tr("&Next"))
        self.setAccessibleName(f"{self.title.text()}. {self.text.text()}")
        self.show()
        self.place()
        self._take_keyboard()

    def end(self) -> None:
        """Close the callout, and give the keyboard to the image."""
        self._waits = False
        self.hide()
        self._outline.hide()
        if self._window.session.scan is not None:
            self._window.viewer.slice_view.setFocus()

    def place(self) -> None:
        """Beside the part that is explained, where there is room; inside the window in any case."""
        room = self._window.rect().adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
        wide = min(max(_WIDTH, 45 * self.fontMetrics().averageCharWidth()), room.width())
        self.setFixedWidth(wide)
        self.resize(wide, min(max(self.heightForWidth(wide), self.sizeHint().height()), room.height()))
        part = part_of(self._window, self.at)
        if not part.isVisible():
            self._outline.hide()
            self.move(room.center() - self.rect().center())
        else:
            target = QRect(part.mapTo(self._window, QPoint(0, 0)), part.size())
            self._outline.show_around(target)
            self.move(_beside(target, self.size(), room))
        self.raise_()

    def _go_on(self) -> None:
        """The next step; the first one opens the demo if nothing is open."""
        if self.at == 0 and self._window.session.scan is None:
            self._waits = True
            self.next.setText(tr("Opening…"))
            self._window.open_path(demo_path("mri"), remember=False)
        else:
            self.go(self.at + 1)

    def _opened(self) -> None:
        if self._waits:
            self.go(1)
        elif self.isVisible():
            self.place()

    def _stop_waiting(self) -> None:
        """The demo could not be opened; the banner says why."""
        if self._waits and self._window.session.notice is not None:
            self.go(0)

    def _take_keyboard(self) -> None:
        self.next.setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent) -> bool:
        # Keys of actions of the window must not be triggered by those that steer the tour.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._means(event):
            event.accept()
            return True
        return super().event(event)

    def _means(self, event: QKeyEvent) -> Callable[[], None] | None:
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        return {
            Qt.Key.Key_Escape: self.end,
            Qt.Key.Key_Right: self._go_on,
            Qt.Key.Key_Return: self._press,
            Qt.Key.Key_Enter: self._press,
            Qt.Key.Key_Left: lambda: self.go(self.at - 1),
        }.get(Qt.Key(event.key()))

    def _press(self) -> None:
        """The button that has the keyboard."""
        for button in (self.skip, self.back):
            if button.hasFocus():
                button.click()
                return
        self._go_on()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is not self._window:
            # Before the buttons, which go to one another with the arrow keys.
            does = self._means(event) if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) else None
            if does is not None:
                does()
            return does is not None
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest) and self.isVisible():
            self.place()
        return False


def _beside(target: QRect, size: QSize, room: QRect) -> QPoint:
    """The first place at the right, the left, below or above that lies in the room; else in the middle of the target
    and pushed into the room."""
    wide, high = size.width(), size.height()
    level_y = min(max(target.center().y() - high // 2, room.top()), room.bottom() - high + 1)
    level_x = min(max(target.center().x() - wide // 2, room.left()), room.right() - wide + 1)
    for place in (
        QPoint(target.right() + _GAP, level_y),
        QPoint(target.left() - _GAP - wide, level_y),
        QPoint(level_x, target.bottom() + _GAP),
        QPoint(level_x, target.top() - _GAP - high),
    ):
        if room.contains(QRect(place, size)):
            return place
    return QPoint(level_x, level_y)


class _Outline(QWidget):
    """A line around the part that is explained; the mouse goes through it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._around = window
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_around(self, target: QRect) -> None:
        self.setGeometry(target.adjusted(-4, -4, 4, 4).intersected(self._around.rect()))
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        painter.setPen(QPen(QColor(theme.current().warning), 3))
        painter.drawRect(self.rect().adjusted(1, 1, -2, -2))
