"""A viewing room with the trust panel over an examiner of the tests' own."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app import theme
from app.bridge.bridge import Bridge
from app.state.room.feed import Feed
from app.state.room.item import Item, Kind
from app.state.runs import Run
from app.state.session import Session
from app.state.trust.found import Asked, Calibrated, Doing, Found, Verdict
from app.state.trust.study import Part, Study
from app.views.room_page import RoomPage
from app.views.trust_room import Trusting
from core.engine.settings import ReconSettings
from core.engine.stop import Halt, Stop
from core.scan import Volume
from tests.app.fakes import HEIGHT, WIDTH, FakeEngine

GOOD = Verdict("The image is consistent with the measurement: it is off by 1.05 times the noise.", 1.05, True, 0.1)


@dataclass
class FakeExaminer:
    """Finds what it was told to, in two pieces of work. held: studies that wait for `go` between them."""

    verdict: Verdict = GOOD
    calibrated: Calibrated | None = None
    trouble: Exception | None = None
    held: set[Study] = field(default_factory=set)
    go: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[Study, int]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked, stop: Stop) -> Generator[Doing, None, Found | None]:
        self.asked.append((asked.study, asked.seeds))
        assert threading.current_thread() is not threading.main_thread()
        try:
            yield Doing("Samples", 1, 4, 65)
            while asked.study in self.held and not self.go.wait(0.005):
                stop.check()
            if self.trouble is not None:
                raise self.trouble
            self.ended.append(asked.study.value)
            return self._found(asked)
        except Halt:
            self.ended.append("halted")
            raise

    @property
    def last(self) -> Study | None:
        return self.asked[-1][0] if self.asked else None

    def _found(self, asked: Asked) -> Found:
        frames = np.abs(asked.volume.array).astype(np.float32)
        if asked.study is Study.SUPPORT:
            maps = {Part.SUPPORT: Volume(frames / frames.max(), ""), Part.UNSEEN: Volume(frames / 4, "a.u.")}
            return Found(maps, doubts=("Little is measured.",))
        if asked.study is Study.UNCERTAINTY:
            return Found({Part.UNCERTAINTY: Volume(frames / 8, "a.u.")}, calibrated=self.calibrated)
        if asked.study is Study.DIFFERENCE:
            return Found({Part.DIFFERENCE: Volume(frames - 1, "a.u.")})
        picture = np.full((1, 3, HEIGHT, WIDTH), -2, np.float32) if asked.study is Study.RESIDUAL else None
        doubts = () if self.verdict.good else (self.verdict.sentence,)
        return Found(picture=picture, verdict=self.verdict, doubts=doubts)


@dataclass
class Studio:
    """What a window would hold."""

    session: Session
    bridge: Bridge
    page: RoomPage
    trusting: Trusting
    examiner: FakeExaminer
    qtbot: QtBot

    def reconstruct(self) -> Run:
        run = self.bridge.reconstruct()
        assert run is not None
        self.qtbot.waitUntil(lambda: run.volume is not None and run.result is not None)
        return run

    def on_view(self, run: Run, kind: Kind = Kind.RESULT) -> Item:
        room = self.session.room
        found = next(item for item in room if item.origin is run and item.kind is kind)
        room.show(room.active, found.key)
        self.settle()
        return found

    def settle(self) -> None:
        self.qtbot.waitUntil(lambda: not self.trusting._due.isActive())

    def press(self, study: Study) -> None:
        self.settle()
        click(self.trusting.panel.blocks[study].button)

    def made(self, part: Part) -> Item | None:
        run = self.trusting.run
        return self.trusting.desk.items_of(run).get(part) if run is not None else None

    def judged(self, run: Run) -> bool:
        record = self.trusting.book.record(run)
        return record is not None and record.verdict is not None


@pytest.fixture
def examiner() -> FakeExaminer:
    return FakeExaminer()


@pytest.fixture
def studio(qtbot: QtBot, fake: FakeEngine, examiner: FakeExaminer) -> Iterator[Studio]:
    """A scan with a finished run of DDS on view, the trust panel beside it; nothing examined yet."""
    theme.apply("dark")
    fake.script.free = True
    session = Session()
    session.choice.defaults = session.choice.settings = ReconSettings()
    bridge = Bridge(session, fake.engine())
    feed = Feed(session, session.room)
    page = RoomPage(session.room)
    examiner.held.add(Study.VERDICT)
    trusting = Trusting(page, session, bridge, examiner)
    page.resize(1280, 720)
    with qtbot.waitExposed(page):
        page.show()
    made = Studio(session, bridge, page, trusting, examiner, qtbot)
    bridge.open("/scans/head.h5")
    qtbot.waitUntil(lambda: session.runs.first is not None and session.runs.first.volume is not None)
    made.on_view(made.reconstruct())
    yield made
    fake.reading.set()
    trusting.release()
    trusting.desk.wait_for_end()
    page.release()
    bridge.shut_down()
    bridge.wait_for_end()
    page.deleteLater()
    del feed


def click(button: QWidget) -> None:
    assert button.isVisible()
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(8, 8))
