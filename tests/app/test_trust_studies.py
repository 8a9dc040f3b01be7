"""Studies of a run: progress, Stop, what fails, what comes too late."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QPushButton

from app.state.room.item import Item, Kind
from app.state.room.pane import Layout
from app.state.trust.found import Calibrated
from app.state.trust.study import Part, Study
from core.errors import JobError
from tests.app.fakes import FakeEngine, scan
from tests.app.trust_bench import FakeExaminer, Studio, click


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
