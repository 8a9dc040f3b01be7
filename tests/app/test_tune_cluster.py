"""Where sweeps are computed: chosen, tried and remembered; what goes wrong there; and once with a real cluster."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from app.bridge.bridge import Bridge
from app.bridge.crew import Crew
from app.bridge.engine import Engine
from app.preferences import Preferences
from app.state.runs import Phase
from app.state.session import Session
from app.state.tune.cells import Fate, State
from app.state.tune.place import Kind, Place
from app.views.files import demo_path
from app.views.main_window import MainWindow
from app.views.tune_page import TunePage
from app.views.tune_place import PlaceDialog, place_words
from core.engine.settings import ReconSettings
from core.errors import JobError
from tests.app.fakes import FakeDialogs, FakeEngine
from tests.app.fakes_tune import LEFT, FakeSweep, FakeWorkers, click, done, leave, sweep_tab, write

ELSEWHERE = Place(Kind.WORKERS, 2)
MINUTE = 60_000


@pytest.fixture
def sweep() -> FakeSweep:
    return FakeSweep()


@pytest.fixture
def workers(opened: MainWindow) -> FakeWorkers:
    made = FakeWorkers()
    opened.bridge.crew._opened = made
    return made


@pytest.fixture
def page(
    opened: MainWindow, sweep: FakeSweep, workers: FakeWorkers, dialogs: FakeDialogs, qtbot: QtBot
) -> Iterator[TunePage]:
    made = sweep_tab(opened, sweep, dialogs, qtbot)
    yield made
    leave(made, opened)


def dialog_of(page: TunePage, qtbot: QtBot) -> PlaceDialog:
    qtbot.mouseClick(page.place, LEFT)
    assert page.place.dialog is not None
    qtbot.waitUntil(page.place.dialog.isVisible)
    return page.place.dialog


def press_ok(dialog: PlaceDialog, qtbot: QtBot) -> None:
    click(qtbot, dialog.buttons.button(QDialogButtonBox.StandardButton.Ok))  # type: ignore[arg-type]


def choose(dialog: PlaceDialog, kind: Kind, qtbot: QtBot) -> None:
    """With the keyboard: a click on the words would do it too."""
    dialog.radios[kind].setFocus()
    qtbot.keyClick(dialog.radios[kind], Qt.Key.Key_Space)
    assert dialog.radios[kind].isChecked()


def start_elsewhere(page: TunePage, values: str, qtbot: QtBot) -> None:
    page.desk.crew.choice.choose(ELSEWHERE)  # type: ignore[union-attr]
    write(qtbot, page, 0, "nfe", values)
    click(qtbot, page.sweep.start)


def test_it_is_this_window_until_another_place_is_chosen(
    page: TunePage, sweep: FakeSweep, workers: FakeWorkers, qtbot: QtBot
) -> None:
    assert "this window" in page.place.text()
    write(qtbot, page, 0, "nfe", "5")
    click(qtbot, page.sweep.start)
    sweep.let(1)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    assert sweep.workplaces == [None]
    assert not workers.places


def test_a_place_is_chosen_and_remembered(opened: MainWindow, workers: FakeWorkers, qtbot: QtBot) -> None:
    page = opened.tune
    opened.actions_["workspace_tune"].trigger()
    dialog = dialog_of(page, qtbot)
    ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
    choose(dialog, Kind.SCHEDULER, qtbot)
    assert not ok.isEnabled(), "an address is missing"
    qtbot.keyClicks(dialog.address, "gpu.example:8786")
    qtbot.keyClicks(dialog.files["ca"], "/keys/ca.pem")
    press_ok(dialog, qtbot)
    chosen = Place(Kind.SCHEDULER, 0, "gpu.example:8786", "/keys/ca.pem")
    assert opened.bridge.crew.place == chosen
    assert "scheduler at gpu.example:8786" in page.place.text()
    assert Place.from_dict(Preferences().place) == chosen
    again = dialog_of(page, qtbot)
    choose(again, Kind.HERE, qtbot)
    qtbot.keyClick(again, Qt.Key.Key_Escape)
    assert opened.bridge.crew.place == chosen, "thought better of it"
    assert not workers.places, "nothing was connected"


def test_what_is_remembered_may_be_anything() -> None:
    for said in ({}, {"kind": "moon"}, {"kind": "workers", "workers": "many"}, {"kind": None, "workers": []}):
        assert Place.from_dict(said) == Place()
    assert Place.from_dict({"kind": "workers", "workers": 10**6}).workers == 64
    assert place_words(Place.from_dict(ELSEWHERE.to_dict())) == "2 workers of this machine"


def test_try_says_who_is_there_without_choosing_it(page: TunePage, workers: FakeWorkers, qtbot: QtBot) -> None:
    dialog = dialog_of(page, qtbot)
    assert not dialog.tries.isEnabled(), "this window need not be tried"
    choose(dialog, Kind.WORKERS, qtbot)
    click(qtbot, dialog.tries)
    qtbot.waitUntil(lambda: "2 workers, 3 threads each" in dialog.told.text())
    assert "DDS Viewer 1.2, torch 2.13" in dialog.told.text()
    assert workers.opened_in[0] != threading.main_thread().name
    assert workers.closed == 1
    workers.trouble = JobError("There is no scheduler at tcp://127.0.0.1:1.", "Nobody listens there.", "Start one.")
    choose(dialog, Kind.SCHEDULER, qtbot)
    assert not dialog.told.text(), "that was of another place"
    qtbot.keyClicks(dialog.address, "127.0.0.1:1")
    click(qtbot, dialog.tries)
    qtbot.waitUntil(lambda: "no scheduler" in dialog.told.text())
    assert "Nobody listens there. Start one." in dialog.told.text()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert page.desk.place == Place()


def test_trying_can_be_given_up(page: TunePage, workers: FakeWorkers, qtbot: QtBot) -> None:
    workers.held = True
    dialog = dialog_of(page, qtbot)
    choose(dialog, Kind.WORKERS, qtbot)
    click(qtbot, dialog.tries)
    qtbot.waitUntil(lambda: len(workers.places) == 1)
    assert dialog.tries.text() == "Give up"
    click(qtbot, dialog.tries)
    qtbot.waitUntil(lambda: workers.closed == 1)
    assert dialog.tries.text() == "Try"
    click(qtbot, dialog.tries)
    qtbot.waitUntil(lambda: len(workers.places) == 2)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: workers.closed == 2)


def test_runs_go_on_while_workers_do_a_sweep(
    page: TunePage, opened: MainWindow, sweep: FakeSweep, workers: FakeWorkers, fake: FakeEngine, qtbot: QtBot
) -> None:
    start_elsewhere(page, "5, 10", qtbot)
    qtbot.waitUntil(lambda: page.desk.bench.count(Fate.RUNNING) == 1)
    qtbot.waitUntil(lambda: "by 2 workers of this machine" in page.sweep.words.text())
    assert sweep.workplaces == [workers]
    assert {cell.job.threads for cell in sweep.plans[0].cells} == {0}, "workers know their own threads"
    fake.script.free = True
    run = opened.bridge.reconstruct()
    assert run is not None
    qtbot.waitUntil(lambda: run.phase is Phase.FINISHED)
    assert page.desk.bench.count(Fate.DONE) == 0, "it did not wait for a cell"
    sweep.let(2)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    assert workers.closed == 1
    assert all(cell.plane is not None for cell in page.desk.bench.cells)


def test_time_left_counts_the_workers(page: TunePage, sweep: FakeSweep, qtbot: QtBot) -> None:
    """The first cell took 2 s for 10 evaluations; half of 20 and all of 30 are left, for two."""
    start_elsewhere(page, "10, 20, 30", qtbot)
    assert page.sweep.seconds is None, "what runs take here says nothing of them"
    sweep.let(1)
    qtbot.waitUntil(lambda: done(page, 1))
    qtbot.waitUntil(lambda: page.desk.bench.cells[1].share == 0.5)
    assert page.desk.bench.seconds_left == pytest.approx(4.0)
    click(qtbot, page.sweep.stop)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.STOPPED)


def test_a_scheduler_that_is_lost_leaves_what_is_done(
    page: TunePage, sweep: FakeSweep, workers: FakeWorkers, qtbot: QtBot
) -> None:
    sweep.lost_at = 2
    start_elsewhere(page, "5, 10, 20", qtbot)
    sweep.let(2)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.STOPPED)
    assert "The scheduler is gone." in page.sweep.words.text()
    assert done(page, 1)
    assert workers.closed == 1
    sweep.lost_at = 0
    assert page.sweep.start.text() == "Go on"
    click(qtbot, page.sweep.start)
    sweep.let(2)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    assert [cell.again for cell in page.desk.bench.cells] == [True, False, False]


def test_a_scheduler_that_is_not_there_is_told_in_words(
    page: TunePage, sweep: FakeSweep, workers: FakeWorkers, qtbot: QtBot
) -> None:
    workers.trouble = JobError("There is no scheduler at tcp://127.0.0.1:1.", "Nobody listens there.", "Start one.")
    start_elsewhere(page, "5, 10", qtbot)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.STOPPED)
    assert "There is no scheduler" in page.sweep.words.text()
    assert not sweep.plans
    assert page.desk.bench.count(Fate.WAITING) == 2


def test_stop_while_workers_start(page: TunePage, sweep: FakeSweep, workers: FakeWorkers, qtbot: QtBot) -> None:
    workers.held = True
    start_elsewhere(page, "5, 10", qtbot)
    qtbot.waitUntil(lambda: len(workers.places) == 1)
    click(qtbot, page.sweep.stop)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.STOPPED)
    assert workers.closed == 1
    assert page.desk.bench.count(Fate.WAITING) == 2


@pytest.mark.parametrize("starting", [True, False])
def test_the_window_closes_while_workers_are_at_it(
    page: TunePage, opened: MainWindow, sweep: FakeSweep, workers: FakeWorkers, qtbot: QtBot, starting: bool
) -> None:
    workers.held = starting
    start_elsewhere(page, "5, 10", qtbot)
    qtbot.waitUntil(lambda: len(workers.places) == 1)
    if not starting:
        qtbot.waitUntil(lambda: page.desk.bench.count(Fate.RUNNING) == 1)
    page.release()
    opened.leave()
    assert not any(thread.isRunning() for thread in opened.bridge.crew.workers)
    assert workers.closed == 1


def test_workers_of_a_window_that_has_closed_are_not_opened_for_long() -> None:
    opened = FakeWorkers()
    opened.held = True
    crew = Crew(opened=opened)
    crew.close()
    from core.engine.stop import Stop

    stop = Stop()
    with crew.at_work(ELSEWHERE, stop):
        assert stop.discarding


@pytest.fixture
def real(qtbot: QtBot, dialogs: FakeDialogs) -> Iterator[TunePage]:
    session = Session()
    bridge = Bridge(session, Engine())
    made = TunePage(session, bridge, dialogs)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.resize(1280, 640)
    made.show()
    try:
        bridge.open(demo_path("mri"))
        qtbot.waitUntil(lambda: bool(session.runs.first and session.runs.first.volume), timeout=MINUTE)
        session.choice.settings = ReconSettings(nfe=2, cg_steps=1, device="cpu", t_start=200)
        yield made
    finally:
        made.release()
        bridge.shut_down()
        bridge.wait_for_end()


@pytest.fixture
def no_thread_left() -> None:
    """Dask keeps threads of its own for the next cluster."""


@pytest.mark.slow
def test_a_real_worker_does_a_sweep_and_nothing_is_left(real: TunePage, qtbot: QtBot) -> None:
    bench = real.desk.bench
    real.desk.crew.choice.choose(Place(Kind.WORKERS, 1))  # type: ignore[union-attr]
    real.go_to_sweep()
    write(qtbot, real, 0, "method", "zero-filled, cg-sense")
    click(qtbot, real.sweep.start)
    qtbot.waitUntil(lambda: bench.state is State.DONE, timeout=MINUTE)
    assert [cell.fate for cell in bench.cells] == [Fate.DONE, Fate.DONE], [cell.trouble for cell in bench.cells]
    assert all(cell.plane is not None for cell in bench.cells)
    assert bench.workers == 1
    assert not multiprocessing.active_children()
    # Stopped in the middle: workers would need minutes for these.
    real._session.choice.set(nfe=500, t_start=999)
    write(qtbot, real, 0, "cg_steps", "1, 2")
    click(qtbot, real.sweep.start)
    qtbot.waitUntil(lambda: bench.cells[0].share > 0 if bench.cells else False, timeout=MINUTE)
    click(qtbot, real.sweep.stop)
    qtbot.waitUntil(lambda: bench.state is State.STOPPED, timeout=MINUTE)

    assert not multiprocessing.active_children()
