"""Random clicks, drags, wheels and keys on whatever is on view; seeded, so that what is found can be found again."""

from __future__ import annotations

import random
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QAction, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QFileDialog, QWidget

from app import theme
from app.bridge.bridge import Bridge
from app.bridge.garbage import Collector
from app.preferences import Preferences
from app.state.session import Session
from app.views.main_window import MainWindow
from app.views.volume_pane import VolumePane
from tests.app.fakes import FakeDialogs, FakeEngine
from tests.soak.cycles import end

KEYS = [
    *(Qt.Key(code) for code in range(Qt.Key.Key_A, Qt.Key.Key_Z + 1)),
    *(Qt.Key(code) for code in range(Qt.Key.Key_0, Qt.Key.Key_9 + 1)),
    *(Qt.Key(code) for code in range(Qt.Key.Key_F1, Qt.Key.Key_F12 + 1)),
    *(Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown),
    *(Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Space, Qt.Key.Key_Return),
    *(Qt.Key.Key_Escape, Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Comma),
]
MODIFIERS = [Qt.KeyboardModifier.NoModifier] * 6 + [
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
]
BUTTONS = [Qt.MouseButton.LeftButton] * 8 + [Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton]
SCANS = ("head.h5", "other.h5", "chest.h5")

ENOUGH = 20
"""Exceptions, after which it ends."""


class Monkey:
    """Plays with a window over a fake engine. When the window has been closed another one is opened.

    found: what went wrong, as (number of the event, what it did, traceback).
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.number, self.doing, self.depth, self.between = 0, "", 0, False
        self.found: list[tuple[int, str, str]] = []
        self.did: Counter[str] = Counter()
        theme.apply("dark")
        self.window = self._open()

    def _open(self) -> MainWindow:
        self.fake, dialogs = FakeEngine(), FakeDialogs()
        self.fake.script.free = True
        for event in (self.fake.reading, self.fake.adding, self.fake.simulating):
            event.set()
        dialogs.path = dialogs.target = str(self.folder / "written")
        session = Session()
        window = MainWindow(session, Bridge(session, self.fake.engine()), Preferences(), dialogs)  # type: ignore[arg-type]
        for pane in window.findChildren(VolumePane):
            pane.trouble = "Not here."
        window.show()
        window.open_path(f"/scans/{self.random.choice(SCANS)}", remember=False)
        return window

    def turn(self) -> None:
        """One random event."""
        if self.between:
            return
        if not self.window.isVisible():
            if self.depth:
                answer_what_asks()
                return
            self.between = True
            self.close()
            self.window = self._open()
            self.between = False
        acts: list[Callable[[], None]] = [self._click] * 6 + [self._key] * 6 + [self._drag] * 2 + [self._wheel] * 3
        acts += [self._double_click, self._type, self._action, self._action, self._choose, self._resize]
        act = self.random.choice(acts)
        self.number += 1
        self.did[act.__name__.strip("_")] += 1
        self.depth += 1
        try:
            act()
        finally:
            self.depth -= 1

    def close(self) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        for widget in app.topLevelWidgets():
            if widget is not self.window and widget.isVisible():
                widget.close()
        self.window.leave()
        end(app, self.window)

    def take(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """An exception that nobody caught."""
        words = "".join(traceback.format_exception(kind, error, trace))
        self.found.append((self.number, self.doing, words))
        print(f"--- event {self.number}: {self.doing}\n{words}", flush=True)

    def _target(self) -> QWidget:
        """A widget that the mouse would reach: on view, enabled, in the popup or dialog that is in front."""
        app = QApplication
        top = app.activePopupWidget() or app.activeModalWidget() or app.activeWindow() or self.window
        seen = [one for one in top.findChildren(QWidget) if one.isVisible() and one.isEnabled() and one.width() > 2]
        buttons = [one for one in seen if isinstance(one, (QAbstractButton, QComboBox))]
        pool = buttons if buttons and self.random.random() < 0.3 else seen
        return self.random.choice(pool) if pool else top

    def _point(self, widget: QWidget) -> QPoint:
        return QPoint(self.random.randrange(max(widget.width(), 1)), self.random.randrange(max(widget.height(), 1)))

    def _say(self, what: str, widget: QWidget) -> None:
        self.doing = f"{what} on {type(widget).__name__} {widget.accessibleName() or widget.objectName()}"

    def _click(self) -> None:
        widget, button, held = self._target(), self.random.choice(BUTTONS), self.random.choice(MODIFIERS)
        self._say(f"click {button.name}", widget)
        QTest.mouseClick(widget, button, held, self._point(widget))

    def _double_click(self) -> None:
        widget = self._target()
        self._say("double click", widget)
        QTest.mouseDClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, self._point(widget))

    def _drag(self) -> None:
        widget, button = self._target(), self.random.choice(BUTTONS)
        self._say(f"drag {button.name}", widget)
        QTest.mousePress(widget, button, self.random.choice(MODIFIERS), self._point(widget))
        for _ in range(self.random.randrange(1, 5)):
            QTest.mouseMove(widget, self._point(widget))
        QTest.mouseRelease(widget, button, Qt.KeyboardModifier.NoModifier, self._point(widget))

    def _wheel(self) -> None:
        widget, held = self._target(), self.random.choice(MODIFIERS)
        self._say("wheel", widget)
        at, turned = self._point(widget), QPoint(0, self.random.choice([-240, -120, 120, 240]))
        event = QWheelEvent(
            QPointF(at),
            QPointF(widget.mapToGlobal(at)),
            QPoint(),
            turned,
            Qt.MouseButton.NoButton,
            held,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)

    def _key(self) -> None:
        widget = QApplication.focusWidget() or self._target()
        key, held = self.random.choice(KEYS), self.random.choice(MODIFIERS)
        self._say(f"key {key.name} {held}", widget)
        QTest.keyClick(widget, key, held)

    def _type(self) -> None:
        widget = QApplication.focusWidget() or self._target()
        self._say("type", widget)
        QTest.keyClicks(widget, "".join(self.random.choices("0123456789.,-:e x", k=self.random.randrange(1, 8))))

    def _action(self) -> None:
        """One of the menus, palette or tool bars."""
        if QApplication.activeModalWidget() is not None:
            return
        actions: list[QAction] = [self.window.actions_[name] for name in self.window.actions_]
        action = self.random.choice([one for one in actions if one.isEnabled() and one.isVisible()])
        self.doing = f"action {action.text()}"
        action.trigger()

    def _choose(self) -> None:
        boxes = [box for box in self.window.findChildren(QComboBox) if box.isVisible() and box.isEnabled()]
        if boxes and QApplication.activeModalWidget() is None:
            box = self.random.choice(boxes)
            self._say("choose", box)
            box.setCurrentIndex(self.random.randrange(max(box.count(), 1)))
            box.activated.emit(box.currentIndex())

    def _resize(self) -> None:
        self.doing = "resize"
        self.window.resize(self.random.randrange(600, 1900), self.random.randrange(400, 1060))


def let_loose(folder: Path, events: int, seed: int) -> int:
    """Play so many events and print what was found; 1 if anything was."""
    app = QApplication.instance() or QApplication(["dds-viewer"])
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)
    collector = Collector()
    monkey = Monkey(folder, seed)
    before, sys.excepthook = sys.excepthook, monkey.take
    try:
        with NoFileDialogs(folder, monkey.random):
            played(monkey, events)
        monkey.close()
    finally:
        sys.excepthook = before
        collector.stop()
    print(f"seed {seed}: {monkey.number} events, {len(monkey.found)} exceptions; {dict(monkey.did)}")
    return int(bool(monkey.found))


def answer_what_asks() -> bool:
    """Close a menu or a dialog that waits for an answer; whether there was one."""
    asks = QApplication.activePopupWidget() or QApplication.activeModalWidget()
    if asks is not None:
        asks.close()
    return asks is not None


class NoFileDialogs:
    """The dialogs of the desktop would lead out of the folder: they answer with files in it, or with nothing."""

    NAMES = ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory")

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self._folder, self._chance = folder, chance
        self._before = {name: getattr(QFileDialog, name) for name in self.NAMES}

    def __enter__(self) -> None:
        for name in self.NAMES:
            setattr(QFileDialog, name, partial(self._answer, name))

    def __exit__(self, *_: object) -> None:
        for name, before in self._before.items():
            setattr(QFileDialog, name, before)

    def _answer(self, name: str, *_: object, **__: object) -> object:
        path = str(self._folder / f"written {self._chance.randrange(5)}") if self._chance.random() < 0.7 else ""
        if name == "getExistingDirectory":
            return str(self._folder) if path else ""
        return ([path] if path else [], "") if name == "getOpenFileNames" else (path, "")


def played(monkey: Monkey, events: int) -> None:
    """Each event calls for the next before it happens, so that menus and dialogs that wait for an answer get one."""
    loop = QEventLoop()

    def turn() -> None:
        if monkey.number < events and len(monkey.found) < ENOUGH:
            QTimer.singleShot(0, turn)
            monkey.turn()
        elif answer_what_asks():
            QTimer.singleShot(0, turn)
        else:
            loop.quit()

    QTimer.singleShot(0, turn)
    loop.exec()
