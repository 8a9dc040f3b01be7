"""The stand over a fake engine, with a clock that goes when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeySequence, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app import theme
from app.bridge.bridge import Bridge
from app.state.kiosk import DWELL_S, Show, Stage
from app.state.session import Session
from app.views.kiosk import Kiosk
from core.engine.settings import ReconSettings
from tests.app.fakes import FakeEngine, scan
from tests.app.fakes_ct import ct_scan
from tests.app.trust_bench import FakeExaminer


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def show(clock: Clock) -> Show:
    return Show(clock=clock)


@pytest.fixture
def stand(qtbot: QtBot, fake: FakeEngine, show: Show, examiner: FakeExaminer) -> Iterator[Kiosk]:
    """The stand over a fake engine. Its own timer is off: tests say when time passes."""
    theme.apply("dark")
    fake.files = {"mri_head.h5": scan("mri_head.h5", simulated=True), "ct_chest.h5": ct_scan("ct_chest.h5")}
    fake.script.free = True
    session = Session()
    session.choice.defaults = session.choice.settings = ReconSettings()
    made = Kiosk(session, Bridge(session, replace(fake.engine(), trust=examiner)), show)
    made._ticks.stop()
    made.show()
    with qtbot.waitActive(made):
        made.activateWindow()
    yield made
    fake.reading.set()
    examiner.go.set()
    made.leave()
    made.bridge.wait_for_end()
    made.deleteLater()


def later(stand: Kiosk, clock: Clock, seconds: float) -> None:
    clock.now += seconds + 1e-6  # so that sums of many parts do not fall short
    stand.tick()


def ready(stand: Kiosk, qtbot: QtBot, stage: Stage) -> None:
    qtbot.waitUntil(lambda: stand.play.stage is stage and stand.play.ready)


def play_act(stand: Kiosk, clock: Clock, qtbot: QtBot) -> None:
    """With nobody there, up to its last stage."""
    ready(stand, qtbot, Stage.MEASURED)
    later(stand, clock, DWELL_S[Stage.MEASURED])
    qtbot.waitUntil(lambda: stand.play.stage is Stage.FORMING and stand.play.ready)
    later(stand, clock, 0.1)
    ready(stand, qtbot, Stage.COMPARE)
    later(stand, clock, DWELL_S[Stage.COMPARE])
    ready(stand, qtbot, Stage.UNSEEN)


def compared(stand: Kiosk, qtbot: QtBot) -> None:
    """A visitor has come as far as the comparison."""
    click(stand.welcome.start)
    ready(stand, qtbot, Stage.MEASURED)
    click(stand.stage.next)
    qtbot.waitUntil(lambda: stand.play.ready)
    stand.tick()
    ready(stand, qtbot, Stage.COMPARE)
    QApplication.processEvents()


def click(button: QPushButton) -> None:
    assert button.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def drag(widget: QWidget, start: QPoint, end: QPoint) -> None:
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(widget, end)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=end)
    QApplication.processEvents()


def move_mouse(stand: Kiosk, to: QPoint) -> None:
    """As the desktop tells it, which may tell one place twice."""
    none, at = Qt.MouseButton.NoButton, QPointF(to)
    far = QPointF(stand.welcome.mapToGlobal(to))
    event = QMouseEvent(QEvent.Type.MouseMove, at, far, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(stand.welcome, event)


def press(stand: Kiosk, keys: str) -> None:
    """On the widget that has the keyboard, as the desktop would."""
    combination = QKeySequence(keys)[0]
    QTest.keyClick(QApplication.focusWidget() or stand, combination.key(), combination.keyboardModifiers())
    QApplication.processEvents()
