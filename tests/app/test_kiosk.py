"""The stand plays by itself, leaves visitors in peace, forgets them, and goes on after faults."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.state.kiosk import ACTS, DWELL_S, MAP_PATIENCE_S, PATIENCE_S, Show, Stage, edge_at
from app.state.room.item import Kind
from app.state.room.pane import Comparison
from app.state.trust.study import Study
from app.views.files import demo_path
from app.views.kiosk import Kiosk
from tests.app.fakes import FakeEngine
from tests.app.kiosk_bench import Clock, click, compared, drag, later, move_mouse, play_act, ready
from tests.app.trust_bench import FakeExaminer

# The show


def test_nobody_there_it_plays_both_scans_and_begins_again(
    stand: Kiosk, clock: Clock, qtbot: QtBot, fake: FakeEngine
) -> None:
    for _ in range(2):
        assert stand.play.stage is Stage.WELCOME
        later(stand, clock, DWELL_S[Stage.WELCOME])
        for act in ACTS:
            assert stand.play.act is act
            play_act(stand, clock, qtbot)
            later(stand, clock, DWELL_S[Stage.UNSEEN])
    assert [path for path, _, _ in fake.opened] == [demo_path("mri"), demo_path("ct")] * 2
    assert [job.settings.method for job in fake.script.jobs] == ["cg-sense", "dds", "fbp", "dds"] * 2
    assert not stand.play.visited


def test_a_stage_waits_its_time_and_no_longer(show: Show, clock: Clock) -> None:
    clock.now = DWELL_S[Stage.WELCOME] - 0.1
    show.tick()
    assert show.stage is Stage.WELCOME
    clock.now += 0.1
    show.tick()
    assert show.stage is Stage.MEASURED
    clock.now += DWELL_S[Stage.MEASURED] + 1
    show.tick()
    assert show.stage is Stage.MEASURED, "its image is not there yet"
    show.arrive()
    show.tick()
    assert show.stage is Stage.MEASURED, "and must be seen for a while"
    clock.now += DWELL_S[Stage.MEASURED]
    show.tick()
    assert show.stage is Stage.FORMING


def test_an_engine_that_never_answers_costs_the_act(show: Show, clock: Clock) -> None:
    show.go_on()
    clock.now = PATIENCE_S + 1
    show.tick()
    assert show.stage is Stage.TROUBLE
    clock.now += DWELL_S[Stage.TROUBLE]
    show.tick()
    assert (show.stage, show.act) == (Stage.WELCOME, ACTS[1])


def test_a_map_that_never_comes_is_passed_over(show: Show, clock: Clock) -> None:
    for _ in range(4):
        show.go_on()
    assert show.stage is Stage.UNSEEN
    clock.now = MAP_PATIENCE_S + 1
    show.tick()
    assert (show.stage, show.act) == (Stage.MEASURED, ACTS[1])


def test_the_edge_stays_well_inside() -> None:
    places = [edge_at(t / 10) for t in range(100)]
    assert min(places) == pytest.approx(0.15, abs=0.01)
    assert max(places) == pytest.approx(0.85, abs=0.01)


def test_images_stand_as_the_captions_say(stand: Kiosk, clock: Clock, qtbot: QtBot) -> None:
    compared(stand, qtbot)
    pane, room = stand.room.panes[0], stand.room
    assert pane.comparison is Comparison.SWIPE
    assert room.item_in(0).kind is Kind.CLASSICAL  # type: ignore[union-attr]  # left of the line
    assert room.over_in(0).kind is Kind.RESULT  # type: ignore[union-attr]
    click(stand.stage.next)
    ready(stand, qtbot, Stage.UNSEEN)
    assert room.item_in(0).kind is Kind.RESULT  # type: ignore[union-attr]
    assert room.over_in(0).kind is Kind.SUPPORT  # type: ignore[union-attr]
    assert "cannot see" in stand.stage.caption.text()


def test_without_a_map_it_goes_to_the_next_scan(
    stand: Kiosk, clock: Clock, qtbot: QtBot, examiner: FakeExaminer
) -> None:
    examiner.trouble = ValueError("no map today")
    compared(stand, qtbot)
    qtbot.waitUntil(lambda: stand.desk.ongoing is None or stand.desk.ongoing.study is not Study.SUPPORT)
    click(stand.stage.next)
    qtbot.waitUntil(lambda: stand.play.act is ACTS[1])
    ready(stand, qtbot, Stage.MEASURED)


# Visitors


def test_a_visitor_is_left_in_peace_and_forgotten_after_a_while(stand: Kiosk, clock: Clock, qtbot: QtBot) -> None:
    compared(stand, qtbot)
    idle = stand.play.policy.idle_s
    later(stand, clock, idle - 1)
    assert stand.play.stage is Stage.COMPARE, "it waits for the visitor, longer than alone"
    QTest.keyClick(stand.stage.pane.canvas, Qt.Key.Key_Down)
    later(stand, clock, idle - 1)
    assert stand.play.stage is Stage.COMPARE, "a key counts as being there"
    later(stand, clock, 1)
    assert stand.play.stage is Stage.WELCOME
    assert not stand.play.visited
    assert stand.welcome.isVisible()


def test_a_mouse_that_moves_is_a_visitor_and_one_that_lies_still_is_not(stand: Kiosk, clock: Clock) -> None:
    move_mouse(stand, QPoint(300, 300))
    assert stand.play.visited
    later(stand, clock, stand.play.policy.idle_s)
    assert not stand.play.visited
    move_mouse(stand, QPoint(300, 300))
    assert not stand.play.visited


def test_what_a_visitor_has_changed_is_gone_for_the_next_one(stand: Kiosk, clock: Clock, qtbot: QtBot) -> None:
    compared(stand, qtbot)
    page, room = stand.stage, stand.room
    before = room.levels_of(0)
    drag(page.pane.canvas, QPoint(60, 200), QPoint(200, 240))
    page.pane.zoom_by(2.0)
    for slider in page.sliders.values():
        slider.setFocus()
        QTest.keyClick(slider, Qt.Key.Key_Home)
    assert room.levels_of(0) != before
    assert stand.session.choice.settings.nfe == page.sliders["nfe"].minimum()
    later(stand, clock, stand.play.policy.idle_s)
    click(stand.welcome.start)
    ready(stand, qtbot, Stage.MEASURED)
    assert room.levels_of(0) == before
    assert room.panes[0].look.zoom is None
    settings = stand.session.choice.settings
    assert (settings.nfe, settings.cg_steps) == (20, 5)
    assert (page.sliders["nfe"].value(), page.sliders["cg_steps"].value()) == (20, 5)


def test_a_visitor_scrolls_swipes_and_forms_it_again(stand: Kiosk, qtbot: QtBot, fake: FakeEngine) -> None:
    compared(stand, qtbot)
    page, room = stand.stage, stand.room
    place = room.place_of(0)
    page.slices.setFocus()
    QTest.keyClick(page.slices, Qt.Key.Key_Home)
    assert place is not None
    assert place[0] > 0
    assert room.place_of(0) == (0, 3)
    page.edge.setFocus()
    QTest.keyClick(page.edge, Qt.Key.Key_End)
    assert room.panes[0].share == 1.0
    page.sliders["nfe"].setFocus()
    QTest.keyClick(page.sliders["nfe"], Qt.Key.Key_End)
    click(page.repeat)
    qtbot.waitUntil(lambda: stand.play.stage is Stage.FORMING and stand.play.ready)
    stand.tick()
    ready(stand, qtbot, Stage.COMPARE)
    assert fake.script.jobs[-1].settings.nfe == page.sliders["nfe"].maximum()
    assert len([run for run in stand.session.runs if run.is_dds]) == 1, "runs do not pile up"
    assert room.over_in(0) is not None


def test_over_means_over_while_it_forms(stand: Kiosk, qtbot: QtBot, fake: FakeEngine) -> None:
    fake.script.free = False
    click(stand.welcome.start)
    ready(stand, qtbot, Stage.MEASURED)
    click(stand.stage.next)
    qtbot.waitUntil(lambda: stand.session.runs.current is not None)
    assert not stand.stage.next.isEnabled()
    click(stand.stage.back)
    assert stand.play.stage is Stage.WELCOME
    qtbot.waitUntil(lambda: stand.session.runs.current is None)
    stand.tick()
    assert stand.play.stage is Stage.WELCOME, "the run that was given up is no trouble"


# Faults


@pytest.mark.parametrize("failing", [0, 2])
def test_a_run_that_fails_is_told_kindly_and_the_loop_goes_on(
    stand: Kiosk, clock: Clock, qtbot: QtBot, fake: FakeEngine, failing: int, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.script.failing = failing
    later(stand, clock, DWELL_S[Stage.WELCOME])
    ready(stand, qtbot, Stage.MEASURED)
    later(stand, clock, DWELL_S[Stage.MEASURED])
    qtbot.waitUntil(lambda: stand.play.stage is Stage.TROUBLE)
    assert stand.welcome.isVisible()
    assert "starts again" in stand.welcome.caption.text()
    assert "broke" not in stand.welcome.caption.text(), "visitors are spared the reason"
    qtbot.waitUntil(lambda: stand.session.notice is not None)
    assert "broke" in capsys.readouterr().err, "those who look after the stand are not"
    fake.script.failing = None
    later(stand, clock, DWELL_S[Stage.TROUBLE])
    later(stand, clock, DWELL_S[Stage.WELCOME])
    assert stand.play.act is ACTS[1]
    play_act(stand, clock, qtbot)


def test_a_demo_that_cannot_be_read_does_not_stop_the_other(
    stand: Kiosk, clock: Clock, qtbot: QtBot, fake: FakeEngine
) -> None:
    del fake.files["mri_head.h5"]
    later(stand, clock, DWELL_S[Stage.WELCOME])
    qtbot.waitUntil(lambda: stand.play.stage is Stage.TROUBLE)
    later(stand, clock, DWELL_S[Stage.TROUBLE])
    later(stand, clock, DWELL_S[Stage.WELCOME])
    ready(stand, qtbot, Stage.MEASURED)
    assert stand.session.scan is not None
    assert stand.session.scan.source.path == demo_path("ct")


def test_an_error_of_its_own_costs_the_act_only(
    stand: Kiosk, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(path: str) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(stand.bridge, "open", broken)
    later(stand, clock, DWELL_S[Stage.WELCOME])
    assert stand.play.stage is Stage.TROUBLE
    assert "the disk is gone" in capsys.readouterr().err
