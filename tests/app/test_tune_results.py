"""What a sweep shows: its grid, one cell, the curves and the table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.state.runs import Phase
from app.state.tune.cells import State
from app.views.main_window import MainWindow
from app.views.tune_page import TunePage
from tests.app.fakes import SPACING, FakeDialogs, image
from tests.app.fakes_tune import LEFT, FakeSweep, choose, click, done, ended, leave, pick, sweep_tab, write


@pytest.fixture
def sweep() -> FakeSweep:
    return FakeSweep()


@pytest.fixture
def page(opened: MainWindow, sweep: FakeSweep, dialogs: FakeDialogs, qtbot: QtBot) -> Iterator[TunePage]:
    made = sweep_tab(opened, sweep, dialogs, qtbot)
    yield made
    leave(made, opened)


def test_all_cells_have_one_grey_scale(page: TunePage, opened: MainWindow, sweep: FakeSweep, qtbot: QtBot) -> None:
    opened.session.display.set_levels(0.4, 0.2)
    write(qtbot, page, 0, "nfe", "5, 10, 20")
    click(qtbot, page.sweep.start)
    sweep.let(3)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    page.sweep.grid.grab()
    white = [page.sweep.grid._images[k][1].pixelColor(31, 5).red() for k in range(3)]
    assert white == pytest.approx([255 * level / 0.4 for level in (0.1, 0.2, 0.3)], abs=2)


def test_a_click_shows_the_cell_large_with_its_figures(page: TunePage, sweep: FakeSweep, qtbot: QtBot) -> None:
    write(qtbot, page, 0, "nfe", "5, 10, 20")
    click(qtbot, page.sweep.start)
    sweep.let(3)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    pick(qtbot, page, 1)
    assert "NFE 10" in page.sweep.cell.name.text()
    said = page.sweep.cell.figures.text()
    assert "PSNR (dB): 22.00" in said
    assert "Data range: 1 a.u." in said
    assert page.sweep.cell.picture.image is not None
    qtbot.keyClick(page.sweep.grid, Qt.Key.Key_Right)
    assert "NFE 20" in page.sweep.cell.name.text()
    qtbot.keyClick(page.sweep.grid, Qt.Key.Key_Right)
    assert "NFE 20" in page.sweep.cell.name.text(), "there is none beyond the last"


def test_a_failed_cell_says_why_and_the_others_go_on(page: TunePage, sweep: FakeSweep, qtbot: QtBot) -> None:
    sweep.failing = {2}
    write(qtbot, page, 0, "nfe", "5, 10, 20")
    click(qtbot, page.sweep.start)
    sweep.let(3)
    qtbot.waitUntil(lambda: ended(page))
    assert "2 of 3 cells done, 1 failed" in page.sweep.words.text()
    pick(qtbot, page, 1)
    assert "This cell is broken." in page.sweep.cell.figures.text()
    assert not page.sweep.cell.open.isEnabled()


def test_use_these_settings(page: TunePage, opened: MainWindow, sweep: FakeSweep, qtbot: QtBot) -> None:
    opened.session.choice.set(eta=0.4)
    write(qtbot, page, 0, "nfe", "5, 10")
    click(qtbot, page.sweep.start)
    sweep.let(2)
    qtbot.waitUntil(lambda: ended(page))
    opened.session.choice.set(eta=0.9)
    pick(qtbot, page, 1)
    click(qtbot, page.sweep.cell.use)
    assert (opened.session.choice.settings.nfe, opened.session.choice.settings.eta) == (10, 0.4)


def test_open_as_run(page: TunePage, opened: MainWindow, sweep: FakeSweep, qtbot: QtBot) -> None:
    write(qtbot, page, 0, "nfe", "5, 10")
    click(qtbot, page.sweep.start)
    sweep.let(2)
    qtbot.waitUntil(lambda: ended(page))
    pick(qtbot, page, 1)
    with qtbot.waitSignal(page.opened):
        click(qtbot, page.sweep.cell.open)
    run = opened.session.runs.front
    assert run is not None
    assert run.volume is not None
    assert run.phase is Phase.FINISHED
    assert run.unsaved
    np.testing.assert_array_equal(run.volume.array, image(0.2, 1))
    assert run.volume.spacing_mm == SPACING
    assert run.metrics["psnr"] == 22.0
    shown = opened.session.shown()
    assert shown is not None
    assert shown.run is run
    assert opened.session.shown_slice == 1


def test_curves_and_front(page: TunePage, sweep: FakeSweep, qtbot: QtBot) -> None:
    write(qtbot, page, 0, "cg_steps", "1,2")
    write(qtbot, page, 1, "nfe", "5, 10, 20")
    click(qtbot, page.sweep.start)
    sweep.let(6)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    curves = page.sweep.figures.curves.series
    assert [one.name for one in curves] == ["CG steps 1", "CG steps 2"]
    assert curves[1].places == (5, 10, 20)
    assert curves[1].values == (24, 25, 26)
    assert sorted(number for *_, number in page.sweep.figures.front.points) == list(range(6))
    assert page.sweep.grid.best == frozenset(range(6)), "each is better and slower than the one before"
    choose(qtbot, page.sweep.figures.figure, "residual")
    assert page.sweep.figures.curves.series[0].values == pytest.approx((0.1, 0.05, 0.1 / 3))
    choose(qtbot, page.sweep.figures.figure, "ssim")
    assert page.sweep.grid.best == frozenset({0}), "all are alike, and the first is the quickest"


def test_without_a_reference_the_residual_is_drawn(page: TunePage, sweep: FakeSweep, qtbot: QtBot) -> None:
    sweep.compared = False
    write(qtbot, page, 0, "nfe", "5, 10")
    click(qtbot, page.sweep.start)
    sweep.let(2)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    assert page.sweep.figures.figure.currentData() == "residual"
    assert page.sweep.figures.curves.series[0].values == pytest.approx((0.1, 0.05))
    pick(qtbot, page, 0)
    assert "PSNR" not in page.sweep.cell.figures.text()


def test_a_point_of_a_curve_picks_its_cell(page: TunePage, sweep: FakeSweep, qtbot: QtBot) -> None:
    write(qtbot, page, 0, "nfe", "5, 10, 20")
    click(qtbot, page.sweep.start)
    sweep.let(3)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    pick(qtbot, page, 0)
    plot = page.sweep.figures.front
    QApplication.processEvents()
    seconds, value, number = plot.points[2]
    box = plot.plot.getPlotItem().vb
    place = plot.plot.mapFromScene(box.mapViewToScene(QPointF(seconds, value)))
    qtbot.mouseMove(plot.plot.viewport(), place)
    qtbot.mouseClick(plot.plot.viewport(), LEFT, pos=place)
    assert page.sweep.grid.selected == number


def test_the_table_is_saved(
    page: TunePage, sweep: FakeSweep, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "found.csv"
    monkeypatch.setattr(page.sweep, "_ask", lambda parent, proposal: str(path))
    write(qtbot, page, 0, "nfe", "5, 10")
    click(qtbot, page.sweep.start)
    sweep.let(2)
    qtbot.waitUntil(lambda: page.desk.bench.state is State.DONE)
    click(qtbot, page.sweep.csv)
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["nfe"], row["psnr"]) for row in rows] == [("5", "21.0"), ("10", "22.0")]
    assert "found.csv" in page.sweep.words.text()


def test_a_look_at_a_cell_leaves_what_is_being_written(
    page: TunePage, sweep: FakeSweep, tmp_path: Path, qtbot: QtBot
) -> None:
    write(qtbot, page, 0, "nfe", "5, 10")
    click(qtbot, page.sweep.start)
    sweep.let(1)
    qtbot.waitUntil(lambda: done(page, 1))
    (cells,) = (tmp_path / "state" / "sweeps").glob("*/cells")
    half = cells / ".half.json"
    half.write_text("{")
    pick(qtbot, page, 0)
    click(qtbot, page.sweep.cell.open)
    assert half.exists()
