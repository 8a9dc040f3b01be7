"""What a run is compared with: chosen beside the settings, its figures told step by step and at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from app.state.project_runs import RunReader, run_record
from app.state.runs import Run
from app.views.main_window import MainWindow
from app.views.run_panel import facts_of_run
from core.engine.events import Event, Failed, Finished, Started, StepDone
from core.engine.job import JobSpec
from core.engine.reference_source import ReferenceSource
from core.engine.stop import Stop
from core.errors import ScanError
from tests.app.conftest import finished, open_file
from tests.app.fakes import FakeDialogs, FakeEngine, Script
from tests.app.fakes_tune import FakeSweep, click, leave, sweep_tab, write
from tests.app.test_run_flow import at_step, start

LEFT = Qt.MouseButton.LeftButton
UNDERSAMPLED = "gaussian1d:4:0.08:0"


def figures(psnr: float) -> dict[str, float]:
    return {"psnr": psnr, "ssim": 0.91, "nrmse": 0.05, "hfen": 0.25, "data_range": 2.5}


@dataclass
class Judged(Script):
    """Runs whose first and third steps are compared: 20 dB and one more a step, 30 at the end."""

    def run(self, job: JobSpec, stop: Stop) -> Iterator[Event]:
        source = job.reference
        if not source.use or (source.is_own_scan and not job.source.undersample):
            yield from super().run(job, stop)
            return
        if source.path.endswith("wrong.nii"):
            self.jobs.append(job)
            yield Failed(ScanError("The reference wrong.nii does not fit the image's grid.", "9 x 9 x 9.", "Resample."))
            return
        name = source.name or source.path.rsplit("/", 1)[-1] or "the scan before its undersampling"
        for event in super().run(job, stop):
            if isinstance(event, Started):
                event = replace(event, reference=name)
            elif isinstance(event, StepDone) and event.step % 2:
                event = replace(event, metrics=figures(20.0 + event.step))
            elif isinstance(event, Finished):
                event.card["outcome"]["reference"] = {"against": name, "unit": "a.u.", "mask": ""}
                event = replace(event, metrics=figures(30.0))
            yield event


@pytest.fixture
def fake() -> FakeEngine:
    return FakeEngine(Judged())


def choices(box: QComboBox) -> list[str]:
    return [box.itemText(place) for place in range(box.count())]


def pick(qtbot: QtBot, box: QComboBox, words: str) -> None:
    """With the mouse, from the list that opens."""
    assert box.isVisible()
    box.showPopup()
    view = box.view()
    place = view.model().index(choices(box).index(words), 0)
    view.scrollTo(place)
    qtbot.mouseClick(view.viewport(), LEFT, pos=view.visualRect(place).center())
    box.hidePopup()


def undersample(window: MainWindow, qtbot: QtBot) -> None:
    kind = window.parameters.undersampling.kind
    pick(qtbot, kind, "gaussian1d")
    assert window.session.choice.undersample


def run_through(window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> Run:
    count = sum(run.volume is not None for run in window.session.runs)
    start(window, qtbot)
    run = window.session.runs.front
    assert run is not None
    fake.script.let(4)
    qtbot.waitUntil(lambda: finished(window, count + 1))
    return run


def test_there_is_nothing_to_compare_with_at_first(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    form = opened.parameters.reference
    assert choices(form.box) == ["None", "CG-SENSE", "A file…"]
    assert form.box.currentText() == "None"
    assert not form.mask.isVisible()
    assert not form.resample.isVisible()
    run = run_through(opened, fake, qtbot)
    assert run.metrics == {}
    assert not opened.run_panel.quality.isVisible()
    assert "Against" not in opened.run_panel.facts


def test_an_undersampled_scan_is_compared_with_the_full_one_live(
    opened: MainWindow, fake: FakeEngine, qtbot: QtBot
) -> None:
    undersample(opened, qtbot)
    assert opened.parameters.reference.box.currentText() == "The full scan"
    panel = opened.run_panel
    start(opened, qtbot)
    run = opened.session.runs.front
    assert run is not None
    for step, shown in ((1, 21.0), (2, 21.0), (3, 23.0)):
        fake.script.let(1)
        qtbot.waitUntil(lambda step=step: at_step(opened, step))
        assert panel.facts["PSNR, SSIM"] == f"{shown:.2f} dB, 0.910"
    assert panel.facts["NRMSE, HFEN"] == "0.0500, 0.2500"
    assert panel.facts["Data range"].startswith("2.5")
    assert panel.facts["Against"] == "fully sampled scan"
    assert panel.quality.isVisible()
    assert panel.quality.points == [(1, 21.0), (3, 23.0)]
    assert panel.quality.steps == 4
    fake.script.let(1)
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert panel.facts["PSNR, SSIM"].startswith("30.00 dB")
    assert panel.facts["Data range"] == "2.5 a.u."
    assert run.job.reference == ReferenceSource()


def test_none_means_none(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    undersample(opened, qtbot)
    pick(qtbot, opened.parameters.reference.box, "None")
    assert not opened.parameters.reference.mask.isVisible()
    assert run_through(opened, fake, qtbot).job.reference == ReferenceSource(use=False)


def test_another_run_is_a_reference_as_long_as_it_is_there(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    first = opened.session.runs.first
    assert first is not None
    form = opened.parameters.reference
    pick(qtbot, form.box, "CG-SENSE")
    run = run_through(opened, fake, qtbot)
    assert run.job.reference.image is first.volume
    assert opened.run_panel.facts["Against"] == "CG-SENSE"
    pick(qtbot, form.box, run.name)
    assert opened.session.reference.run is run
    opened.session.runs.remove(run)
    assert form.box.currentText() == "None"
    assert opened.session.reference.run is None


def test_a_file_a_mask_and_the_grid(opened: MainWindow, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot) -> None:
    form = opened.parameters.reference
    dialogs.path = ""  # the user thinks better of it
    pick(qtbot, form.box, "A file…")
    assert form.box.currentText() == "None"
    dialogs.path = "/truth/head.nii"
    pick(qtbot, form.box, "A file…")
    assert form.box.currentText() == "head.nii"
    dialogs.path = "/truth/mask.nii"
    pick(qtbot, form.mask, "A file…")
    assert form.mask.currentText() == "mask.nii"
    form.resample.setFocus()
    qtbot.keyClick(form.resample, Qt.Key.Key_Space)
    run = run_through(opened, fake, qtbot)
    assert run.job.reference == ReferenceSource(path="/truth/head.nii", mask="/truth/mask.nii", resample=True)
    assert opened.run_panel.facts["Against"] == "head.nii, inside mask.nii"
    pick(qtbot, form.mask, "None")
    pick(qtbot, form.box, "CG-SENSE")
    assert "head.nii" in choices(form.box)  # to go back to
    assert run_through(opened, fake, qtbot).job.reference.mask == ""


def test_a_reference_that_does_not_fit_is_told_in_words(
    opened: MainWindow, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot
) -> None:
    dialogs.path = "/truth/wrong.nii"
    pick(qtbot, opened.parameters.reference.box, "A file…")
    start(opened, qtbot)
    qtbot.waitUntil(lambda: opened.session.notice is not None)
    notice = opened.session.notice
    assert notice is not None
    assert "does not fit the image's grid" in notice.what
    assert len(opened.session.runs) == 1


def test_another_scan_begins_without_the_reference_of_the_last(opened: MainWindow, dialogs, qtbot: QtBot) -> None:
    dialogs.path = "/truth/head.nii"
    form = opened.parameters.reference
    pick(qtbot, form.box, "A file…")
    pick(qtbot, form.mask, "A file…")
    open_file(opened, qtbot, "other.h5")
    assert choices(form.box) == ["None", "CG-SENSE", "A file…"]
    assert (opened.session.reference.path, opened.session.reference.mask) == ("", "")


def test_the_cells_of_a_sweep_are_compared_with_the_same(
    opened: MainWindow, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot
) -> None:
    sweep = FakeSweep()
    first = opened.session.runs.first
    assert first is not None
    pick(qtbot, opened.parameters.reference.box, "CG-SENSE")
    page = sweep_tab(opened, sweep, dialogs, qtbot)
    try:
        assert page.sweep.form.against.text() == "Compared with CG-SENSE"
        write(qtbot, page, 0, "nfe", "5, 10")
        click(qtbot, page.sweep.start)
        qtbot.waitUntil(lambda: len(sweep.plans) == 1)
        assert all(cell.job.reference.image is first.volume for cell in sweep.plans[0].cells)
        page.desk.stop()
        qtbot.waitUntil(lambda: not page.desk.busy)
    finally:
        leave(page, opened)


def test_figures_without_hfen_are_shown_as_they_were(opened: MainWindow) -> None:
    run = opened.session.runs.first
    assert run is not None
    run.metrics = {"psnr": 31.5, "ssim": 0.9, "nrmse": 0.1, "data_range": 2.0}
    assert facts_of_run(run)["NRMSE"] == "0.1000"
    del run.metrics["psnr"]  # as it is left out of records of equal images
    assert facts_of_run(run)["PSNR, SSIM"] == "nan dB, 0.900"


def test_a_project_keeps_the_figures_and_their_curve(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    undersample(opened, qtbot)
    run = run_through(opened, fake, qtbot)
    arrays: dict[str, object] = {}

    def refer(array: object) -> str:
        arrays[f"array{len(arrays)}"] = array
        return f"array{len(arrays) - 1}"

    record = json.loads(json.dumps(run_record(run, refer)))
    ((_, again),) = RunReader(arrays, {}, run.job.scan, None).runs_from([record])
    assert again.metrics == run.metrics
    assert again.quality == [(1, 21.0), (3, 23.0)]
    assert again.reference == "the scan before its undersampling"
    for name in ("quality", "reference"):
        del record[name]  # as it was written before there were any
    ((_, older),) = RunReader(arrays, {}, run.job.scan, None).runs_from([record])
    assert older.quality == []
