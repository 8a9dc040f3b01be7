"""A batch in the window: which scans, how far it is, what went wrong, what is missing; driven by mouse and keys."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.preferences import Preferences
from app.state.runs import Phase
from app.state.tune.cells import Fate, State
from app.state.tune.place import Kind, Place
from app.views.batch_list import RESULT, STATE
from app.views.batch_tab import BatchTab
from app.views.main_window import MainWindow
from app.views.tune_page import TunePage
from core.engine.batch import BatchDone, BatchPlan
from core.engine.job import JobSpec
from core.engine.settings import ReconSettings
from core.engine.stop import Stop
from core.engine.tasks import Task, TaskDone, TaskFailed, TaskStarted, TaskStep
from core.errors import ScanError
from core.export.batch_folder import BatchFolder
from core.formats.folder import Entry as FolderEntry
from core.scan import Volume
from tests.app.conftest import finished
from tests.app.fakes import FakeDialogs, FakeEngine, image
from tests.app.fakes_tune import LEFT, FakeWorkers, click, leave


class FakeBatch:
    """Scans that wait for `let`; those named "broken" cannot be read. Its store is a real one."""

    def __init__(self) -> None:
        self.plans: list[BatchPlan] = []
        self.workplaces: list[Any] = []
        self.threads: set[str] = set()
        self._permits = threading.Semaphore(0)

    def let(self, scans: int) -> None:
        for _ in range(scans):
            self._permits.release()

    def __call__(self, plan: BatchPlan, stop: Stop, store: BatchFolder, workplace: Any = None) -> Iterator[Any]:
        self.plans.append(plan)
        self.workplaces.append(workplace)
        for number, path in enumerate(plan.paths, 1):
            job = JobSpec(plan.source, ReconSettings.from_dict(dict(plan.given)))
            task = Task(number, Path(path).stem, job, f"{hash((path, str(plan.given))) % 10**12:012d}", keep_image=True)
            record = store.read(task)
            if record is not None:
                yield TaskDone(task, record, again=True)
                continue
            if stop.ending:
                continue
            yield TaskStarted(task)
            yield TaskStep(task, 1, 2, 0.5, 1.0)
            while not stop.ending and not self._permits.acquire(timeout=0.01):
                pass
            self.threads.add(threading.current_thread().name)
            if stop.ending:
                continue
            if "broken" in path:
                yield TaskFailed(task, ScanError("It holds no numbers.", "All of it is NaN.", "Measure it again."))
                continue
            card = {"outcome": {"seconds": 2.0, "residual": 0.1, "metrics": {}}}
            record = {"digest": task.digest, "name": task.name, "seconds": 2.0, "card": card}
            store.write(task, record, Volume(image(1.0, 1), "a.u.", card=card))
            yield TaskDone(task, record)
        yield BatchDone(0, 0, 0, 0)


class Questions:
    """Answers set beforehand."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.path = ""

    def scans(self, parent: object, folder: str) -> list[str]:
        return self.paths

    def folder(self, parent: object, title: str, folder: str) -> str:
        return self.path


@pytest.fixture
def batch() -> FakeBatch:
    return FakeBatch()


@pytest.fixture
def questions() -> Questions:
    return Questions()


@pytest.fixture
def page(
    opened: MainWindow, batch: FakeBatch, questions: Questions, dialogs: FakeDialogs, qtbot: QtBot
) -> Iterator[TunePage]:
    made = TunePage(
        opened.session,
        opened.bridge,
        dialogs,  # type: ignore[arg-type]
        preferences=Preferences(),
        batch_desk=opened.bridge.batch_desk(batch),
        questions=questions,  # type: ignore[arg-type]
    )
    qtbot.addWidget(made)
    made.resize(1280, 640)
    made.show()
    qtbot.mouseClick(made.tabs.tabBar(), LEFT, pos=made.tabs.tabBar().tabRect(2).center())
    assert made.tabs.currentWidget() is made.batch
    yield made
    leave(made, opened)


@pytest.fixture
def tab(page: TunePage) -> BatchTab:
    return page.batch


def fill(tab: BatchTab, questions: Questions, names: tuple[str, ...], tmp_path: Path, qtbot: QtBot) -> None:
    questions.paths = [str(tmp_path / name) for name in names]
    click(qtbot, tab.add)
    tab.folder.setFocus()
    tab.folder.selectAll()
    qtbot.keyClicks(tab.folder, str(tmp_path / "out"))


def words(tab: BatchTab, row: int, column: int) -> str:
    return tab.list.item(row, column).text()


def test_it_says_what_is_missing_before_it_can_start(
    tab: BatchTab, questions: Questions, tmp_path: Path, qtbot: QtBot
) -> None:
    assert "Add scans" in tab.words.text()
    assert not tab.start.isEnabled()
    questions.paths = [str(tmp_path / "a.h5"), str(tmp_path / "b.h5")]
    click(qtbot, tab.add)
    click(qtbot, tab.add)
    assert tab.list.rowCount() == 2, "none twice"
    assert "Choose the folder" in tab.words.text()
    assert not tab.start.isEnabled()
    questions.path = str(tmp_path / "out")
    click(qtbot, tab.browse)
    assert tab.start.isEnabled()
    tab.list.selectRow(0)
    qtbot.keyClick(tab.list, Qt.Key.Key_Delete)
    assert [entry.name for entry in tab.desk.bench.entries] == ["b.h5"]
    assert tab.words.text() == "1 scan"


def test_scans_are_done_one_by_one_and_one_that_fails_says_why(
    tab: BatchTab, batch: FakeBatch, questions: Questions, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(tab, questions, ("a.h5", "broken.h5", "c.h5"), tmp_path, qtbot)
    click(qtbot, tab.start)
    qtbot.waitUntil(lambda: words(tab, 0, STATE) == "50 %")
    assert tab.progress.isVisible()
    assert not tab.add.isEnabled()
    assert not tab.list.selected
    batch.let(2)
    qtbot.waitUntil(lambda: tab.desk.bench.count(Fate.FAILED) == 1)
    assert "2 of 3 scans, about 1 s left" in tab.words.text()
    batch.let(1)
    qtbot.waitUntil(lambda: tab.desk.bench.state is State.DONE)
    assert [words(tab, row, STATE) for row in range(3)] == ["done", "failed", "done"]
    assert "All of it is NaN. Measure it again." in words(tab, 1, RESULT)
    assert "2 of 3 scans done, 1 failed." in tab.words.text()
    tab.list.selectRow(1)
    assert "broken.h5: It holds no numbers. All of it is NaN." in tab.detail.text()
    assert tab.detail.isVisible()
    assert len(list((tmp_path / "out").glob("*.nii.gz"))) == 2
    assert threading.main_thread().name not in batch.threads


def test_stop_keeps_what_is_done_and_start_does_what_is_missing(
    tab: BatchTab, batch: FakeBatch, questions: Questions, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(tab, questions, ("a.h5", "b.h5", "c.h5"), tmp_path, qtbot)
    click(qtbot, tab.start)
    batch.let(1)
    qtbot.waitUntil(lambda: tab.desk.bench.count(Fate.DONE) == 1)
    click(qtbot, tab.stop)
    qtbot.waitUntil(lambda: tab.desk.bench.state is State.STOPPED)
    assert "1 of 3 scans done. Start does what is missing." in tab.words.text()
    assert [words(tab, row, STATE) for row in range(3)] == ["done", "waiting", "waiting"]
    click(qtbot, tab.start)
    batch.let(2)
    qtbot.waitUntil(lambda: tab.desk.bench.state is State.DONE)
    assert "1 of them before" in tab.words.text()
    assert words(tab, 0, STATE) == "done before"
    assert len(list((tmp_path / "out").glob("*.nii.gz"))) == 3
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")], "nothing half written"


def test_a_click_on_a_result_opens_it_in_review(
    tab: BatchTab,
    batch: FakeBatch,
    questions: Questions,
    opened: MainWindow,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[FolderEntry] = []
    monkeypatch.setattr(opened.bridge, "open_entries", asked.extend)
    fill(tab, questions, ("a.h5",), tmp_path, qtbot)
    click(qtbot, tab.start)
    batch.let(1)
    qtbot.waitUntil(lambda: tab.desk.bench.state is State.DONE)
    place = tab.list.visualItemRect(tab.list.item(0, RESULT)).center()
    qtbot.mouseClick(tab.list.viewport(), LEFT, pos=place)
    assert [entry.kind for entry in asked] == ["volume"]
    assert Path(asked[0].path).is_file()
    assert tab.show_result.isEnabled()
    click(qtbot, tab.show_result)
    assert len(asked) == 2


def test_settings_are_those_chosen_now_or_those_of_a_run(
    tab: BatchTab,
    batch: FakeBatch,
    questions: Questions,
    opened: MainWindow,
    fake: FakeEngine,
    tmp_path: Path,
    qtbot: QtBot,
) -> None:
    fake.script.free = True
    opened.session.choice.set(nfe=7)
    opened.bridge.reconstruct()
    qtbot.waitUntil(lambda: finished(opened, 2))
    opened.session.choice.set(nfe=9)
    fill(tab, questions, ("a.h5",), tmp_path, qtbot)
    assert "DDS 9" in tab.said.text()
    tab.settings.setFocus()
    qtbot.keyClick(tab.settings, Qt.Key.Key_End)
    assert "DDS 7" in tab.said.text()
    click(qtbot, tab.start)
    batch.let(1)
    qtbot.waitUntil(lambda: tab.desk.bench.state is State.DONE)
    assert batch.plans[0].given["nfe"] == 7
    assert batch.plans[0].source.slices is None


def test_every_scan_has_its_own_prior_unless_another_was_chosen(
    tab: BatchTab, questions: Questions, opened: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(tab, questions, ("a.h5",), tmp_path, qtbot)
    opened.session.choice.set(prior=opened.session.choice.usual_prior)
    assert tab.asked is not None
    assert "prior" not in tab.asked.given
    opened.session.choice.set(prior="other-prior")
    assert tab.asked.given["prior"] == "other-prior"


def test_a_run_comes_in_between_two_scans(
    tab: BatchTab,
    batch: FakeBatch,
    questions: Questions,
    opened: MainWindow,
    fake: FakeEngine,
    tmp_path: Path,
    qtbot: QtBot,
) -> None:
    fill(tab, questions, ("a.h5", "b.h5"), tmp_path, qtbot)
    click(qtbot, tab.start)
    qtbot.waitUntil(lambda: tab.desk.bench.count(Fate.RUNNING) == 1)
    fake.script.free = True
    run = opened.bridge.reconstruct()
    assert run is not None
    batch.let(1)
    qtbot.waitUntil(lambda: run.phase is Phase.FINISHED)
    assert tab.desk.bench.count(Fate.DONE) == 1
    batch.let(1)
    qtbot.waitUntil(lambda: tab.desk.bench.state is State.DONE)


def test_workers_elsewhere_do_it(
    tab: BatchTab, batch: FakeBatch, questions: Questions, opened: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    workers = FakeWorkers()
    opened.bridge.crew._opened = workers
    opened.bridge.crew.choice.choose(Place(Kind.SCHEDULER, address="127.0.0.1:8786"))
    fill(tab, questions, ("a.h5", "b.h5"), tmp_path, qtbot)
    click(qtbot, tab.start)
    batch.let(2)
    qtbot.waitUntil(lambda: tab.desk.bench.state is State.DONE)
    assert batch.workplaces == [workers]
    assert batch.plans[0].threads == 0
    assert workers.closed == 1


def test_a_folder_that_cannot_be_made_is_told(
    tab: BatchTab, batch: FakeBatch, questions: Questions, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "out").write_text("a file")
    fill(tab, questions, ("a.h5",), tmp_path, qtbot)
    click(qtbot, tab.start)
    qtbot.waitUntil(lambda: tab.desk.bench.state is State.STOPPED)
    assert "The folder out cannot be made." in tab.words.text()
    assert not batch.plans


def test_folders_and_files_are_dropped(
    tab: BatchTab, opened: MainWindow, fake: FakeEngine, tmp_path: Path, qtbot: QtBot
) -> None:
    for name in ("many", "none"):
        (tmp_path / name).mkdir()
    inside = [str(tmp_path / "many" / name) for name in ("x.h5", "y.h5")]
    fake.folders["many"] = [
        *(FolderEntry("scan", Path(path).name, path, (path,), 0) for path in inside),
        FolderEntry("volume", "v.nii", str(tmp_path / "v.nii"), (), 1),
    ]
    drop(tab, [tmp_path / "a.h5", tmp_path / "many"])
    qtbot.waitUntil(lambda: tab.list.rowCount() == 3)
    assert [entry.name for entry in tab.desk.bench.entries] == ["a.h5", "x.h5", "y.h5"]
    drop(tab, [tmp_path / "none"])
    qtbot.waitUntil(lambda: tab.words.text() == "There is no raw scan in none.")
    assert opened.session.scan is not None
    assert opened.session.scan.name == "head.h5", "the window did not take it"


def drop(tab: BatchTab, paths: list[Path]) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = Qt.DropAction.CopyAction, LEFT, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(50, 50), copy, data, left, none)
    QApplication.sendEvent(tab, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(tab, QDropEvent(QPointF(50, 50), copy, data, left, none))


def test_a_real_batch_of_arrays_in_this_window(
    opened: MainWindow, dialogs: FakeDialogs, questions: Questions, tmp_path: Path, qtbot: QtBot
) -> None:
    """Two scans that can be read, one of NaN, and one that is not there."""
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        data = rng.standard_normal((2, 16, 16)) + 1j * rng.standard_normal((2, 16, 16))
        np.save(tmp_path / f"{name}.npy", data.astype(np.complex64))
    np.save(tmp_path / "nan.npy", np.full((2, 16, 16), np.nan, np.complex64))
    tab = BatchTab(opened.session, opened.bridge.batch_desk(), questions=questions)  # type: ignore[arg-type]
    qtbot.addWidget(tab)
    tab.resize(1280, 640)
    tab.show()
    assert opened.session.scan is not None
    object.__setattr__(opened.session.scan.source, "axes", "coil,ky,kx")
    opened.session.choice.set(method="zero-filled")
    fill(tab, questions, ("a.npy", "nan.npy", "b.npy", "gone.npy"), tmp_path, qtbot)
    click(qtbot, tab.start)
    qtbot.waitUntil(lambda: tab.desk.bench.state is State.DONE, timeout=60_000)
    fates = [entry.fate for entry in tab.desk.bench.entries]
    assert fates == [Fate.DONE, Fate.FAILED, Fate.DONE, Fate.FAILED], [e.trouble for e in tab.desk.bench.entries]
    assert all(entry.trouble for entry in tab.desk.bench.entries if entry.fate is Fate.FAILED)
    assert all(Path(entry.result).is_file() for entry in tab.desk.bench.entries if entry.fate is Fate.DONE)
    tab.release()
