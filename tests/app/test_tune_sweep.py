"""How a sweep is asked for, goes on and ends, driven by mouse and keys over cells that wait for the test."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.state.runs import Phase
from app.state.tune.cells import Fate, State
from app.views.main_window import MainWindow
from app.views.tune_page import TunePage
from tests.app.conftest import finished, open_file
from tests.app.fakes import FakeDialogs, FakeEngine
from tests.app.fakes_tune import FakeSweep, click, done, ended, leave, sweep_tab, write


@pytest.fixture
def sweep() -> FakeSweep:
    return FakeSweep()


@pytest.fixture
def page(opened: MainWindow, sweep: FakeSweep, dialogs: FakeDialogs, qtbot: QtBot) -> Iterator[TunePage]:
    made = sweep_tab(opened, sweep, dialogs, qtbot)
    yield made
    leave(made, opened)


def test_what_is_wanted_is_said_as_it_is_typed(page: TunePage, qtbot: QtBot) -> None:
    for name, values, said in (
        ("nfe", "5, 10, 20", "3 cells"),
        ("cg_steps", "1:9:2", "5 cells"),
        ("gamma", "1e-1:1e1:log5", "5 cells"),
        ("nfe", "5", "1 cell;"),
        ("nfe", "1, 5", "NFE cannot be 1"),
        ("nfe", "5, x", "must be a number"),
        ("eta", "2", "Eta cannot be 2"),
    ):
        write(qtbot, page, 0, name, values)
        assert said in page.sweep.words.text()
        assert page.sweep.start.isEnabled() is (" cell" in said)
    page.sweep.form.rows[0].values.clear()
    assert "Type the values" in page.sweep.words.text()
    assert page.desk.bench.state is State.IDLE


def test_two_settings_multiply_and_the_same_twice_is_refused(page: TunePage, qtbot: QtBot) -> None:
    write(qtbot, page, 0, "nfe", "5,10")
    write(qtbot, page, 1, "cg_steps", "1,2,3")
    assert "6 cells" in page.sweep.words.text()
    write(qtbot, page, 1, "nfe", "1,2,3")
    assert "same setting" in page.sweep.words.text()
    assert not page.sweep.start.isEnabled()


def test_the_time_is_said_before_it_starts(page: TunePage, qtbot: QtBot) -> None:
    write(qtbot, page, 0, "nfe", "5, 10")
    assert "time not known" in page.sweep.words.text()
    click(qtbot, page.sweep.estimate)
    qtbot.waitUntil(lambda: "1 min 17 s" in page.sweep.words.text())
    write(qtbot, page, 0, "nfe", "5, 11")
    assert "time not known" in page.sweep.words.text(), "the estimate was of another sweep"


def test_the_time_comes_from_earlier_runs(page: TunePage, opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    """Three seconds for 20 evaluations of 3 slices: 30 evaluations of 1 slice take one and a half."""
    fake.script.free = True
    opened.bridge.reconstruct()
    qtbot.waitUntil(lambda: finished(opened, 2))
    write(qtbot, page, 0, "nfe", "10, 20")
    assert page.sweep.seconds == pytest.approx(3.0 / 60 * 30)
    assert "2 cells, about 2 s" in page.sweep.words.text()


def test_cells_fill_in_one_by_one(page: TunePage, sweep: FakeSweep, qtbot: QtBot) -> None:
    write(qtbot, page, 0, "nfe", "5, 10, 20")
    click(qtbot, page.sweep.start)
    qtbot.waitUntil(lambda: page.desk.bench.count(Fate.RUNNING) == 1)
    qtbot.waitUntil(lambda: page.desk.bench.cells[0].share == 0.5)
    assert "0 of 3 cells, about 1 min 17 s left" in page.sweep.words.text(), "said before the first is done"
    assert not page.sweep.start.isEnabled()
    assert page.sweep.progress.isVisible()
    sweep.let(1)
    qtbot.waitUntil(lambda: done(page, 1))
    assert "1 of 3 cells, about" in page.sweep.words.text()
    assert page.desk.bench.cells[2].plane is None
    sweep.let(2)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    assert "3 of 3 cells done" in page.sweep.words.text()
    (plan,) = sweep.plans
    assert [cell.job.settings.nfe for cell in plan.cells] == [5, 10, 20]
    assert {cell.job.source.slices for cell in plan.cells} == {(1, 2)}, "only the slice on view"
    assert threading.main_thread().name not in sweep.threads


def test_time_left_follows_the_evaluations(page: TunePage, sweep: FakeSweep, qtbot: QtBot) -> None:
    """The first cell took 2 s for 10 evaluations; half of 20 and all of 30 are left."""
    write(qtbot, page, 0, "nfe", "10, 20, 30")
    click(qtbot, page.sweep.start)
    sweep.let(1)
    qtbot.waitUntil(lambda: done(page, 1))
    qtbot.waitUntil(lambda: page.desk.bench.cells[1].share == 0.5)
    assert page.desk.bench.seconds_left == pytest.approx(8.0)
    assert page.desk.bench.share == pytest.approx(20 / 60)


def test_stop_keeps_what_is_done_and_start_goes_on(page: TunePage, sweep: FakeSweep, qtbot: QtBot) -> None:
    write(qtbot, page, 0, "nfe", "5, 10, 20")
    click(qtbot, page.sweep.start)
    sweep.let(1)
    qtbot.waitUntil(lambda: done(page, 1))
    click(qtbot, page.sweep.stop)
    qtbot.waitUntil(lambda: ended(page))
    assert page.desk.bench.state is State.STOPPED
    assert page.desk.bench.count(Fate.WAITING) == 2
    assert page.sweep.start.text() == "Go on"
    click(qtbot, page.sweep.start)
    sweep.let(2)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    assert [cell.again for cell in page.desk.bench.cells] == [True, False, False]
    assert page.desk.bench.cells[0].plane is not None, "its picture was kept"


def test_more_than_200_cells_are_asked_for(
    page: TunePage, sweep: FakeSweep, dialogs: FakeDialogs, qtbot: QtBot
) -> None:
    dialogs.answer = False
    write(qtbot, page, 0, "seed", "0:200:1")
    click(qtbot, page.sweep.start)
    qtbot.waitUntil(lambda: bool(dialogs.asked))
    assert "201 cells" in dialogs.asked[-1]
    assert "1 min 17 s" in dialogs.asked[-1]
    assert page.desk.bench.state is State.IDLE
    write(qtbot, page, 0, "seed", "1:200:1")
    click(qtbot, page.sweep.start)
    assert len(dialogs.asked) == 1
    qtbot.waitUntil(lambda: len(page.desk.bench.cells) == 200)


def test_a_run_comes_in_between_two_cells(
    page: TunePage, opened: MainWindow, sweep: FakeSweep, fake: FakeEngine, qtbot: QtBot
) -> None:
    write(qtbot, page, 0, "nfe", "5, 10, 20")
    click(qtbot, page.sweep.start)
    qtbot.waitUntil(lambda: page.desk.bench.count(Fate.RUNNING) == 1)
    fake.script.free = True
    run = page.quick_look()
    assert run is not None
    notice = opened.session.notice
    assert notice is not None
    assert "The sweep is paused" in notice.why
    qtbot.waitUntil(lambda: run.phase is Phase.FINISHED)
    assert done(page, 0), "the cells wait for the run"
    sweep.let(3)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)


def test_a_sweep_waits_for_the_run_that_is_going_on(
    page: TunePage, opened: MainWindow, sweep: FakeSweep, fake: FakeEngine, qtbot: QtBot
) -> None:
    run = opened.bridge.reconstruct()
    assert run is not None
    qtbot.waitUntil(lambda: run.phase is Phase.RUNNING)
    write(qtbot, page, 0, "nfe", "5")
    click(qtbot, page.sweep.start)
    assert f"Waits for {run.name}" in page.sweep.words.text()
    assert not sweep.plans
    fake.script.let(4)
    sweep.let(1)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)


def test_undersampling_and_method_can_be_varied(page: TunePage, sweep: FakeSweep, qtbot: QtBot) -> None:
    write(qtbot, page, 0, "undersample", "gaussian1d:4; gaussian1d:8")
    write(qtbot, page, 1, "method", "dds, cg-sense")
    click(qtbot, page.sweep.start)
    sweep.let(4)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    cells = sweep.plans[0].cells
    assert [(c.job.source.undersample, c.job.settings.method) for c in cells] == [
        ("gaussian1d:4", "dds"),
        ("gaussian1d:4", "cg-sense"),
        ("gaussian1d:8", "dds"),
        ("gaussian1d:8", "cg-sense"),
    ]


def test_a_setting_without_meaning_is_refused_in_words(page: TunePage, sweep: FakeSweep, qtbot: QtBot) -> None:
    write(qtbot, page, 0, "lam", "1e-3, 1e-2")
    click(qtbot, page.sweep.start)
    qtbot.waitUntil(lambda: "rho is above 0" in page.sweep.words.text())
    assert "rho is above 0" in page.sweep.words.text()
    assert not sweep.plans


def test_another_scan_ends_the_sweep(page: TunePage, opened: MainWindow, sweep: FakeSweep, qtbot: QtBot) -> None:
    write(qtbot, page, 0, "nfe", "5, 10, 20")
    click(qtbot, page.sweep.start)
    sweep.let(1)
    qtbot.waitUntil(lambda: done(page, 1))
    open_file(opened, qtbot, "other.h5")
    assert page.desk.bench.state is State.IDLE
    assert not page.desk.bench.cells
    assert page.sweep.cell.cell is None


def test_the_draft_goes_into_a_project_and_back(page: TunePage, qtbot: QtBot) -> None:
    write(qtbot, page, 0, "gamma", "1:5:1")
    write(qtbot, page, 1, "nfe", "5,10")
    part = page.parts["sweep"]
    said = part.get()
    write(qtbot, page, 0, "nfe", "7")
    part.put(said)
    assert page.parts["sweep"].get() == said
    assert "10 cells" in page.sweep.words.text()
    with pytest.raises((ValueError, TypeError, KeyError)):
        part.put({"lines": "x"})


def test_a_sweep_of_a_ct_scan(page: TunePage, opened: MainWindow, sweep: FakeSweep, qtbot: QtBot) -> None:
    open_file(opened, qtbot, "chest.h5")
    opened.session.choice.set(method="fbp")
    box = page.sweep.form.rows[0].setting
    offered = [box.itemData(place) for place in range(box.count())]
    assert "filter" in offered
    assert "size" in offered
    assert "nfe" not in offered, "FBP has no network"
    write(qtbot, page, 0, "filter", "hann, ramp")
    click(qtbot, page.sweep.start)
    sweep.let(2)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    assert [cell.job.settings.filter for cell in sweep.plans[0].cells] == ["hann", "ramp"]
    assert page.sweep.figures.curves.series[0].places == (0, 1), "words stand in their order"


def test_cells_are_deleted_when_that_is_meant(
    page: TunePage, opened: MainWindow, sweep: FakeSweep, dialogs: FakeDialogs, qtbot: QtBot
) -> None:
    write(qtbot, page, 0, "nfe", "5, 10")
    click(qtbot, page.sweep.start)
    assert not page.sweep.forget.isEnabled()
    sweep.let(2)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    folder = page.desk._folder_of(opened.session.scan)
    assert len(list(folder.rglob("*.json"))) >= 2
    dialogs.answer = False
    click(qtbot, page.sweep.forget)
    assert "computes them again" in dialogs.asked[-1]
    assert page.desk.bench.cells
    dialogs.answer = True
    click(qtbot, page.sweep.forget)
    qtbot.waitUntil(lambda: not folder.exists())
    assert not page.desk.bench.cells
    sweep.let(2)
    click(qtbot, page.sweep.start)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    assert not any(cell.again for cell in page.desk.bench.cells)
