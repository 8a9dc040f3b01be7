"""The history of runs and Quick look, driven by mouse and keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.state.runs import Phase, Run
from app.state.tune.history import COLUMNS, compared
from app.views.main_window import MainWindow
from app.views.tune_compare import DIFFERS
from app.views.tune_page import TunePage
from tests.app.conftest import finished
from tests.app.fakes import FakeDialogs, FakeEngine

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(opened: MainWindow, dialogs: FakeDialogs, fake: FakeEngine, qtbot: QtBot) -> Iterator[TunePage]:
    """The history with three runs: CG-SENSE, DDS with 20 and with 50 evaluations."""
    fake.script.free = True
    for nfe, eta in ((20, 0.15), (50, 0.5)):
        opened.session.choice.set(nfe=nfe, eta=eta)
        opened.bridge.reconstruct()
    qtbot.waitUntil(lambda: finished(opened, 3))
    made = TunePage(opened.session, opened.bridge, dialogs)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.resize(1280, 640)
    made.show()
    with qtbot.waitActive(made):
        made.activateWindow()
    yield made
    made.release()


def names(page: TunePage) -> list[str]:
    return [page.history.table.item(row, 1).text() for row in range(page.history.table.rowCount())]  # type: ignore[union-attr]


def cell_centre(page: TunePage, row: int, column: str) -> QPoint:
    item = page.history.table.item(row, 1 + COLUMNS.index(column))
    assert item is not None
    return page.history.table.visualItemRect(item).center()


def press(qtbot: QtBot, page: TunePage, row: int, more: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.mouseClick(page.history.table.viewport(), LEFT, more, cell_centre(page, row, "name"))


def click(qtbot: QtBot, button: QPushButton) -> None:
    assert button.isEnabled(), button.text()
    qtbot.mouseClick(button, LEFT)


def type_into_cell(qtbot: QtBot, words: str) -> None:
    field = QApplication.focusWidget()
    assert isinstance(field, QLineEdit)
    qtbot.keyClicks(field, words)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    QApplication.processEvents()  # the table takes it up a moment later


def test_rows_sort_and_filter(page: TunePage, opened: MainWindow, qtbot: QtBot) -> None:
    table = page.history.table
    assert [name.split(",")[0] for name in names(page)] == ["CG-SENSE", "DDS 20", "DDS 50"]
    assert not table.item(0, 0).icon().isNull()  # type: ignore[union-attr]
    header = table.horizontalHeader()

    def sort(column: str) -> None:
        section = 1 + COLUMNS.index(column)
        place = QPoint(header.sectionViewportPosition(section) + 10, header.height() // 2)
        qtbot.mouseClick(header.viewport(), LEFT, pos=place)

    sort("nfe")
    assert [name.split(",")[0] for name in names(page)] == ["DDS 50", "DDS 20", "CG-SENSE"]
    sort("nfe")
    assert [name.split(",")[0] for name in names(page)] == ["DDS 20", "DDS 50", "CG-SENSE"], "unknown stays last"
    qtbot.keyClicks(page.history.filter, "dds eta 0.5")
    assert [name.split(",")[0] for name in names(page)] == ["DDS 50"]
    assert page.history.count.text() == "1 of 3 runs"
    run = opened.session.runs.first
    assert run is not None
    run.metrics = {"psnr": 31.5, "ssim": 0.9, "nrmse": 0.1, "data_range": 2.0}
    page.history.filter.clear()
    cell = table.item(2, 1 + COLUMNS.index("psnr"))
    assert cell is not None
    assert (cell.text(), "data range 2" in cell.toolTip()) == ("31.50", True)


def test_rename_and_note(page: TunePage, opened: MainWindow, qtbot: QtBot) -> None:
    _, second, third = opened.session.runs
    press(qtbot, page, 1)
    qtbot.keyClick(page.history.table, Qt.Key.Key_F2)
    type_into_cell(qtbot, "Sharp one")
    assert second.name == "Sharp one"
    assert names(page)[1] == "Sharp one"
    press(qtbot, page, 2)
    click(qtbot, page.history.rename)
    type_into_cell(qtbot, "Sharp one")
    assert third.name.startswith("DDS 50"), "no two runs have one name"
    assert names(page)[2] == third.name
    assert "Another run" in page.history.note.text()
    press(qtbot, page, 1)
    click(qtbot, page.history.write)
    type_into_cell(qtbot, "the best so far")
    assert page.notes.of(second).words == "the best so far"
    qtbot.keyClicks(page.history.filter, "best so")
    assert names(page) == ["Sharp one"]


def test_notes_go_into_a_project_and_back(page: TunePage, opened: MainWindow) -> None:
    _, second, third = opened.session.runs
    page.notes.write(third, "keep")
    part = page.parts["run notes"]
    said = json.loads(json.dumps(part.get()))
    assert said[third.name]["note"] == "keep"
    page.notes.write(third, "")
    part.put(said)
    assert page.notes.of(third).words == "keep"
    assert page.notes.of(second).words == ""
    for wrong in ("x", {"a": 1}, {"a": {"note": 3, "when": ""}}):
        with pytest.raises((TypeError, ValueError, KeyError)):
            part.put(wrong)
    assert page.notes.of(third).words == "keep"


def test_two_runs_are_compared(page: TunePage, opened: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, page, 1)
    assert "Ctrl+click" in page.history.compare.words.text()
    press(qtbot, page, 2, Qt.KeyboardModifier.ControlModifier)
    table = page.history.compare.table
    marked = {
        table.item(row, 0).text().removeprefix(DIFFERS): (table.item(row, 1).text(), table.item(row, 2).text())  # type: ignore[union-attr]
        for row in range(table.rowCount())
        if table.item(row, 0).text().startswith(DIFFERS)  # type: ignore[union-attr]
    }
    assert marked == {"NFE": ("20", "50"), "Eta": ("0.15", "0.5")}
    assert page.history.compare.words.text() == "2 settings differ"
    _, second, third = opened.session.runs
    assert sum(line.differs for line in compared(second, third)) == 2
    assert not page.history.use.isEnabled(), "which one?"


def test_use_rerun_and_copy(page: TunePage, opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    press(qtbot, page, 1)
    click(qtbot, page.history.use)
    assert (opened.session.choice.settings.nfe, opened.session.choice.settings.eta) == (20, 0.15)
    click(qtbot, page.history.again)
    qtbot.waitUntil(lambda: finished(opened, 4))
    assert fake.script.jobs[-1] == fake.script.jobs[1]
    press(qtbot, page, 2)
    for kind, said in (("command", "--nfe 50"), ("python", "nfe=50"), ("yaml", "nfe: 50")):
        action = next(a for a in page.history.copy.menu().actions() if a.objectName() == kind)
        action.trigger()
        assert said in QApplication.clipboard().text()


def test_the_run_card_is_saved(page: TunePage, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(parent: object, proposal: str) -> str:
        asked.append(proposal)
        return str(tmp_path / "mine.card.json")

    monkeypatch.setattr(page.history, "_ask", ask)
    press(qtbot, page, 2)
    click(qtbot, page.history.card)
    card = json.loads((tmp_path / "mine.card.json").read_text("utf-8"))
    assert card["job"]["settings"]["nfe"] == 50
    assert asked[0].startswith("head-DDS-50")
    assert asked[0].endswith(".card.json")


def test_double_click_and_return_put_a_run_in_front(page: TunePage, opened: MainWindow, qtbot: QtBot) -> None:
    first, second, _ = opened.session.runs
    with qtbot.waitSignal(page.opened):
        press(qtbot, page, 1)
        qtbot.mouseDClick(page.history.table.viewport(), LEFT, pos=cell_centre(page, 1, "name"))
    assert opened.session.runs.front is second
    press(qtbot, page, 0)
    with qtbot.waitSignal(page.opened):
        qtbot.keyClick(page.history.table, Qt.Key.Key_Return)
    assert opened.session.runs.front is first


def test_a_run_on_its_way_is_listed_and_keeps_the_selection(
    page: TunePage, opened: MainWindow, fake: FakeEngine, qtbot: QtBot
) -> None:
    press(qtbot, page, 1)
    fake.script.free = False
    run = opened.bridge.reconstruct()
    assert run is not None
    qtbot.waitUntil(lambda: run.phase is Phase.RUNNING)
    qtbot.waitUntil(lambda: page.history.table.item(3, 1 + COLUMNS.index("when")).text() == "running")  # type: ignore[union-attr]
    assert page.history.table.chosen_runs == [list(opened.session.runs)[1]]
    opened.bridge.queue.discard(run)
    qtbot.waitUntil(lambda: len(names(page)) == 3)


def test_quick_look_reconstructs_the_slice_on_view(
    page: TunePage, opened: MainWindow, fake: FakeEngine, qtbot: QtBot
) -> None:
    opened.session.display.go_to(2)
    before = len(fake.script.jobs)
    opened.session.choice.set(nfe=7)
    assert len(fake.script.jobs) == before, "it never starts by itself"
    run = page.quick_look()
    assert run is not None
    assert opened.session.runs.front is run
    qtbot.waitUntil(lambda: run.phase is Phase.FINISHED)
    assert (run.job.source.slices, run.job.settings.nfe) == ((2, 3), 7)
    assert opened.session.notice is None
    assert opened.session.shown_slice == 2


@pytest.fixture
def other(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> Run:
    """A run that is going on."""
    fake.script.free = False
    run = opened.bridge.reconstruct()
    assert run is not None
    qtbot.waitUntil(lambda: run.phase is Phase.RUNNING)
    return run


def test_quick_look_goes_first(page: TunePage, opened: MainWindow, other: Run, fake: FakeEngine, qtbot: QtBot) -> None:
    waiting = opened.bridge.reconstruct()
    assert waiting is not None
    run = page.quick_look()
    assert run is not None
    assert other.phase is Phase.PAUSED
    notice = opened.session.notice
    assert notice is not None
    assert (notice.error, other.name in notice.why) == (False, True)
    fake.script.free = True
    qtbot.waitUntil(lambda: run.phase is Phase.FINISHED)
    assert opened.session.runs.front is run
    qtbot.waitUntil(lambda: other.phase is Phase.FINISHED)
    qtbot.waitUntil(lambda: waiting.phase is Phase.FINISHED)
    runs = list(opened.session.runs)
    assert runs.index(run) > runs.index(waiting), "it was asked for last"


def test_a_second_quick_look_takes_the_place_of_the_first(
    page: TunePage, opened: MainWindow, other: Run, fake: FakeEngine, qtbot: QtBot
) -> None:
    first = page.quick_look()
    second = page.quick_look()
    assert first is not None
    assert second is not None
    fake.script.free = True
    qtbot.waitUntil(lambda: second.phase is Phase.FINISHED)
    assert first not in list(opened.session.runs)
    qtbot.waitUntil(lambda: other.phase is Phase.FINISHED)


def test_a_quick_look_is_steered_while_it_is_in_front(
    page: TunePage, opened: MainWindow, other: Run, qtbot: QtBot
) -> None:
    run = page.quick_look()
    assert run is not None
    opened.actions_["pause"].trigger()
    assert (run.stop.paused, other.stop.paused) == (True, True)
    opened.actions_["discard"].trigger()
    qtbot.waitUntil(lambda: run not in list(opened.session.runs))
    qtbot.waitUntil(lambda: other.phase is Phase.RUNNING)


def test_a_run_that_was_paused_by_hand_stays_so(
    page: TunePage, opened: MainWindow, other: Run, fake: FakeEngine, qtbot: QtBot
) -> None:
    opened.actions_["pause"].trigger()
    run = page.quick_look()
    assert run is not None
    fake.script.free = True
    qtbot.waitUntil(lambda: run.phase is Phase.FINISHED)
    assert other.stop.paused


def test_closing_ends_a_quick_look(page: TunePage, opened: MainWindow, other: Run, dialogs: FakeDialogs) -> None:
    assert page.quick_look() is not None
    dialogs.answer = True
    assert opened.close()
    assert not any(worker.isRunning() for worker in opened.bridge._workers)


def test_quick_look_where_no_slice_stands_alone(
    page: TunePage, opened: MainWindow, fake: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert opened.session.scan is not None
    object.__setattr__(opened.session.scan, "slices", 0)
    before = len(fake.script.jobs)
    assert page.quick_look() is None
    assert opened.session.notice is not None
    assert len(fake.script.jobs) == before
