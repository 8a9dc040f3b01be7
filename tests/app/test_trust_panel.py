"""The trust panel of the viewing room, as a user works it, over a fake engine."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app import theme
from app.bridge.bridge import Bridge
from app.state.room.feed import Feed
from app.state.room.item import Item, Kind
from app.state.room.pane import Comparison, Layout
from app.state.runs import Run
from app.state.session import Session
from app.state.trust.found import Asked, Calibrated, Doing, Found, Verdict
from app.state.trust.study import Part, Study
from app.views.room_page import RoomPage
from app.views.trust_room import Trusting
from core.engine.settings import ReconSettings
from core.engine.stop import Halt, Stop
from core.errors import JobError
from core.scan import Volume
from tests.app.fakes import HEIGHT, WIDTH, FakeEngine, scan

GOOD = Verdict("The image is consistent with the measurement: it is off by 1.05 times the noise.", 1.05, True, 0.1)
BAD = Verdict("The image agrees with the measurement worse than noise explains.", 3.2, False, 0.3, "simulation")


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
    page.release()
    bridge.shut_down()
    bridge.wait_for_end()
    page.deleteLater()
    del feed


def click(button: QWidget) -> None:
    assert button.isVisible()
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(8, 8))


def test_a_finished_run_is_judged_by_itself_when_nothing_else_goes_on(studio: Studio, examiner: FakeExaminer) -> None:
    run = studio.trusting.run
    panel = studio.trusting.panel
    assert run is not None
    assert "as soon as" in panel.verdict.text()
    studio.qtbot.waitUntil(lambda: examiner.asked == [(Study.VERDICT, 0)])
    assert not panel.foot.isVisible(), "nobody has asked for it"
    assert not studio.trusting.busy
    examiner.go.set()
    studio.qtbot.waitUntil(lambda: studio.judged(run))
    studio.settle()
    assert panel.name.text() == run.name
    assert panel.ratio.text() == "1.05 × noise"
    assert panel.verdict.text() == GOOD.sentence
    assert not panel.doubts.isVisible()
    assert studio.trusting.book.warnings_of(run) == ()
    assert len(examiner.asked) == 1, "the classical run is judged only when asked"


def test_doubts_are_listed_and_told_to_who_follows_the_book(studio: Studio, examiner: FakeExaminer) -> None:
    told: list[Run] = []
    studio.trusting.book.changed.connect(told.append)
    examiner.verdict = BAD
    examiner.go.set()
    run = studio.trusting.run
    assert run is not None
    studio.qtbot.waitUntil(lambda: studio.judged(run))
    studio.settle()
    panel = studio.trusting.panel
    assert told == [run]
    assert panel.doubts.isVisible()
    assert BAD.sentence in panel.doubts.words.text()
    assert "simulation" in panel.noise.text()
    assert studio.trusting.book.warnings_of(run) == (BAD.sentence,)
    studio.press(Study.SUPPORT)
    studio.qtbot.waitUntil(lambda: studio.made(Part.SUPPORT) is not None)
    studio.settle()
    assert "Little is measured." in panel.doubts.words.text()


def test_no_verdict_is_looked_for_while_a_run_goes_on(
    studio: Studio, fake: FakeEngine, examiner: FakeExaminer, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.qtbot.waitUntil(lambda: examiner.asked == [(Study.VERDICT, 0)])
    fake.script.free = False
    second = studio.bridge.reconstruct()
    assert second is not None
    examiner.go.set()
    first = studio.trusting.run
    assert first is not None
    studio.qtbot.waitUntil(lambda: studio.judged(first))
    third = studio.bridge.reconstruct()
    assert third is not None
    studio.settle()
    button = studio.trusting.panel.blocks[Study.SUPPORT].button
    assert not button.isEnabled()
    assert "Waits" in button.toolTip()
    looked: list[bool] = []
    monkeypatch.setattr(studio.trusting.desk, "_elsewhere", lambda: looked.append(True) or True)
    fake.script.let(4)
    studio.qtbot.waitUntil(lambda: second.volume is not None and second.result is not None)
    studio.qtbot.waitUntil(lambda: bool(looked))
    assert len(examiner.asked) == 1
    fake.script.let(4)
    studio.qtbot.waitUntil(lambda: third.volume is not None)
    monkeypatch.setattr(studio.trusting.desk, "_elsewhere", lambda: False)
    studio.qtbot.waitUntil(lambda: studio.judged(second) and studio.judged(third))


def test_a_map_comes_into_the_room_and_is_laid_over_the_image(studio: Studio, examiner: FakeExaminer) -> None:
    run, room = studio.trusting.run, studio.session.room
    shown = room.item_in(0)
    assert run is not None
    assert shown is not None
    block = studio.trusting.panel.blocks[Study.SUPPORT]
    assert "cannot see" in block.words.text()
    assert not any(answer.isVisible() for answer in block.answers.values())
    studio.press(Study.SUPPORT)
    studio.qtbot.waitUntil(lambda: studio.made(Part.UNSEEN) is not None)
    studio.settle()
    unseen = studio.made(Part.UNSEEN)
    assert unseen is not None
    assert unseen.name == f"{run.name}, unseen part"
    assert room.item_in(0) is shown, "what is on view stays"
    answer = block.answers[Part.UNSEEN]
    studio.trusting.panel.area.ensureWidgetVisible(answer)
    click(answer.lay_button)
    pane = room.panes[0]
    assert (pane.item, pane.over, pane.comparison, pane.share) == (shown.key, unseen.key, Comparison.BLEND, 0.5)
    studio.settle()
    assert answer.lay_button.isChecked()
    assert not block.answers[Part.SUPPORT].lay_button.isChecked()
    click(block.answers[Part.SUPPORT].lay_button)
    studio.settle()
    assert not answer.lay_button.isChecked(), "one at a time"
    click(block.answers[Part.SUPPORT].lay_button)
    assert room.panes[0].comparison is Comparison.NONE
    click(answer.show_button)
    assert room.item_in(0) is unseen
    studio.settle()
    assert studio.trusting.run is run
    click(answer.lay_button)
    pane = room.panes[0]
    assert (pane.item, pane.over) == (shown.key, unseen.key), "over the image, not over itself"


def test_the_keyboard_alone_does_it(studio: Studio) -> None:
    button = studio.trusting.panel.blocks[Study.DIFFERENCE].button
    studio.settle()
    button.setFocus()
    studio.qtbot.keyClick(button, Qt.Key.Key_Space)
    studio.qtbot.waitUntil(lambda: studio.made(Part.DIFFERENCE) is not None)
    studio.settle()
    lay = studio.trusting.panel.blocks[Study.DIFFERENCE].answers[Part.DIFFERENCE].lay_button
    lay.setFocus()
    studio.qtbot.keyClick(lay, Qt.Key.Key_Space)
    assert studio.session.room.panes[0].over == studio.made(Part.DIFFERENCE).key  # type: ignore[union-attr]


def test_seeds_progress_time_left_and_calibration(studio: Studio, examiner: FakeExaminer) -> None:
    examiner.held.add(Study.UNCERTAINTY)
    examiner.calibrated = Calibrated(5, 0.588, 0.9)
    panel = studio.trusting.panel
    block = panel.blocks[Study.UNCERTAINTY]
    block.seeds.selectAll()
    studio.qtbot.keyClicks(block.seeds, "5")
    assert block.seeds.value() == 5
    studio.press(Study.UNCERTAINTY)
    studio.qtbot.waitUntil(lambda: (Study.UNCERTAINTY, 5) in examiner.asked)
    studio.qtbot.waitUntil(lambda: "1 min 5 s left" in panel.status.text())
    assert studio.trusting.busy
    assert "Samples: 1 of 4" in panel.status.text()
    assert panel.bar.value() == 250
    for other in panel.blocks.values():
        assert not other.button.isEnabled(), "one at a time"
    examiner.go.set()
    studio.qtbot.waitUntil(lambda: studio.made(Part.UNCERTAINTY) is not None)
    studio.settle()
    assert "59 % of pixels (expected 90 %)" in block.told.text()
    assert not panel.foot.isVisible()
    item = studio.made(Part.UNCERTAINTY)
    assert item is not None
    assert item.name.endswith("uncertainty of 5 seeds")


def test_stop_gives_up_and_changes_nothing(studio: Studio, examiner: FakeExaminer) -> None:
    examiner.held.add(Study.UNCERTAINTY)
    before = len(studio.session.room)
    studio.press(Study.UNCERTAINTY)
    panel = studio.trusting.panel
    studio.qtbot.waitUntil(lambda: panel.foot.isVisible() and examiner.last is Study.UNCERTAINTY)
    click(panel.stop)
    studio.qtbot.waitUntil(lambda: not studio.trusting.busy)
    assert len(studio.session.room) == before
    assert studio.session.notice is None
    assert Study.UNCERTAINTY.value not in examiner.ended
    studio.settle()
    assert panel.blocks[Study.UNCERTAINTY].button.isEnabled()


def test_a_question_goes_before_a_verdict_which_comes_afterwards(studio: Studio, examiner: FakeExaminer) -> None:
    studio.qtbot.waitUntil(lambda: examiner.asked == [(Study.VERDICT, 0)])
    studio.press(Study.SUPPORT)
    studio.qtbot.waitUntil(lambda: studio.made(Part.SUPPORT) is not None)
    assert examiner.ended[:2] == ["halted", "support"]
    examiner.go.set()
    run = studio.trusting.run
    assert run is not None
    studio.qtbot.waitUntil(lambda: studio.judged(run))


def test_the_residual_is_a_picture_of_its_own(studio: Studio) -> None:
    studio.press(Study.RESIDUAL)
    studio.qtbot.waitUntil(lambda: studio.made(Part.RESIDUAL) is not None)
    studio.settle()
    run, room = studio.trusting.run, studio.session.room
    answer = studio.trusting.panel.blocks[Study.RESIDUAL].answers[Part.RESIDUAL]
    assert not answer.lay_button.isVisible()
    assert studio.judged(run)  # type: ignore[arg-type]
    studio.trusting.panel.area.ensureWidgetVisible(answer)
    click(answer.show_button)
    shown = room.item_in(0)
    assert shown is studio.made(Part.RESIDUAL)
    assert not shown.placed
    assert room.sheet_of(0) is not None, "the pane goes to where it is"
    assert studio.trusting.run is run, "the panel stays with the run"


def test_what_is_found_of_a_run_that_has_gone_is_dropped(studio: Studio, examiner: FakeExaminer) -> None:
    studio.press(Study.SUPPORT)
    studio.qtbot.waitUntil(lambda: studio.made(Part.SUPPORT) is not None)
    examiner.held.add(Study.DIFFERENCE)
    run = studio.trusting.run
    assert run is not None
    studio.press(Study.DIFFERENCE)
    studio.qtbot.waitUntil(lambda: examiner.last is Study.DIFFERENCE)
    studio.session.runs.remove(run)
    assert not any(item.origin is run for item in studio.session.room)
    examiner.go.set()
    studio.qtbot.waitUntil(lambda: studio.trusting.desk.ongoing is None)
    assert not any(item.origin is run for item in studio.session.room)
    assert studio.trusting.book.record(run) is None
    assert studio.session.notice is None


def test_another_scan_takes_the_place_of_all(studio: Studio, examiner: FakeExaminer, fake: FakeEngine) -> None:
    examiner.held.add(Study.DIFFERENCE)
    studio.press(Study.DIFFERENCE)
    studio.qtbot.waitUntil(lambda: examiner.last is Study.DIFFERENCE)
    fake.files["other.h5"] = scan("other.h5")
    studio.bridge.open("/scans/other.h5")
    studio.qtbot.waitUntil(lambda: studio.session.scan is not None and studio.session.scan.name == "other.h5")
    studio.qtbot.waitUntil(lambda: studio.trusting.desk.ongoing is None)
    assert examiner.ended[-1] == "halted"


def test_who_asks_is_told_why_it_failed(studio: Studio, examiner: FakeExaminer) -> None:
    run = studio.trusting.run
    assert run is not None
    examiner.go.set()
    studio.qtbot.waitUntil(lambda: studio.judged(run))
    examiner.trouble = JobError("The scan is not the one of this run.", "Its content has changed since.", "Find it.")
    studio.press(Study.SUPPORT)
    studio.qtbot.waitUntil(lambda: studio.session.notice is not None)
    assert "not the one" in studio.session.notice.what  # type: ignore[union-attr]
    assert not studio.trusting.busy


def test_a_verdict_that_fails_is_noted_once(studio: Studio, examiner: FakeExaminer) -> None:
    examiner.trouble = JobError("The scan is not the one of this run.", "Its content has changed since.", "Find it.")
    examiner.go.set()
    run, book = studio.trusting.run, studio.trusting.book
    assert run is not None
    studio.qtbot.waitUntil(lambda: book.record(run) is not None)
    studio.settle()
    assert "could not be judged" in studio.trusting.panel.verdict.text()
    assert studio.session.notice is None, "nobody has asked"
    assert studio.trusting.desk._unjudged is None


def test_a_classical_image_has_no_uncertainty(studio: Studio) -> None:
    first = studio.session.runs.first
    assert first is not None
    room = studio.session.room
    room.set_layout(Layout.SIDE)
    classical = next(item for item in room if item.kind is Kind.CLASSICAL and "CG" in item.name)
    room.show(room.active, classical.key)
    studio.settle()
    blocks = studio.trusting.panel.blocks
    assert studio.trusting.run is first, "not the later run, on whose way it was made as well"
    assert "press Residual" in studio.trusting.panel.verdict.text()
    assert not blocks[Study.UNCERTAINTY].button.isEnabled()
    assert not blocks[Study.DIFFERENCE].button.isEnabled()
    studio.press(Study.SUPPORT)
    studio.qtbot.waitUntil(lambda: studio.made(Part.SUPPORT) is not None)
    studio.settle()
    click(blocks[Study.SUPPORT].answers[Part.SUPPORT].lay_button)
    assert room.panes[room.active].item == classical.key
    zero_filled = next(item for item in room if item.kind is Kind.CLASSICAL and item is not classical)
    room.show(room.active, zero_filled.key)
    studio.settle()
    assert studio.trusting.run is None


def test_without_a_run_it_says_what_to_do(studio: Studio) -> None:
    room = studio.session.room
    values = np.zeros((1, 2, 4, 5), np.float32)
    from app.state.picture import Levels

    room.put(Item("file x", "x.nii", Kind.VOLUME, values, np.eye(4), True, "HU", Levels(0, 1)))
    room.show(0, "file x")
    studio.settle()
    panel = studio.trusting.panel
    assert studio.trusting.run is None
    assert "made here" in panel.verdict.text()
    assert not any(button.isVisible() for button in panel.area.findChildren(QPushButton))
