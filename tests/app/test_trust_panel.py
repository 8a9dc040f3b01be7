"""The trust panel: verdicts, doubts, maps over the image."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from app.state.room.pane import Comparison
from app.state.runs import Run
from app.state.trust.found import Verdict
from app.state.trust.study import Part, Study
from tests.app.fakes import FakeEngine
from tests.app.trust_bench import GOOD, FakeExaminer, Studio, click

BAD = Verdict("The image agrees with the measurement worse than noise explains.", 3.2, False, 0.3, "simulation")


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
