"""A sweep whose cells wait for the test, and hands for the sweep tab."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox, QPushButton
from pytestqt.qtbot import QtBot

from app.state.tune.cells import Fate
from app.state.tune.place import Place
from app.views.main_window import MainWindow
from app.views.tune_page import TunePage
from core.engine.stop import Stop
from core.engine.sweep import SweepDone
from core.engine.sweep_plan import SweepPlan
from core.engine.tasks import Store, Task, TaskDone, TaskFailed, TaskStarted, TaskStep
from core.errors import JobError
from core.scan import Volume
from tests.app.fakes import SPACING, FakeDialogs, image

LEFT = Qt.MouseButton.LeftButton


class FakeSweep:
    """Cells whose image is as bright as their number. They wait for `let`; those in `failing` fail."""

    def __init__(self) -> None:
        self.plans: list[SweepPlan] = []
        self.failing: set[int] = set()
        self.lost_at = 0
        self.workplaces: list[FakeWorkers | None] = []
        self.compared = True
        self.threads: set[str] = set()
        self._permits = threading.Semaphore(0)

    def let(self, cells: int) -> None:
        for _ in range(cells):
            self._permits.release()

    def __call__(
        self, plan: SweepPlan, stop: Stop, store: Store, workplace: FakeWorkers | None = None
    ) -> Iterator[Any]:
        self.plans.append(plan)
        self.workplaces.append(workplace)
        done = 0
        for task in plan.cells:
            record = store.read(task)
            if record is not None:
                done += 1
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
            if task.number in self.failing:
                yield TaskFailed(task, JobError("This cell is broken.", "Too hot."))
                continue
            if task.number == self.lost_at:
                raise JobError("The scheduler is gone.", "The connection to it has ended.", "Start it again.")
            record, volume = self._made(task)
            store.write(task, record, volume)
            done += 1
            yield TaskDone(task, record)
        yield SweepDone(done, 0, 0, len(plan.cells) - done)

    def _made(self, task: Task) -> tuple[dict[str, Any], Volume]:
        k = task.number
        card = {"job": task.job.to_dict(), "outcome": {"seconds": 2.0 * k, "residual": 0.1 / k, "device": "cpu"}}
        volume = Volume(image(0.1 * k, 1), "a.u.", spacing_mm=SPACING, card=card)
        metrics = {"psnr": 20.0 + k, "ssim": 0.5, "nrmse": 0.3, "data_range": 1.0} if self.compared else {}
        record = {
            "format": 1,
            "digest": task.digest,
            "name": task.name,
            "values": task.values,
            "seconds": 2.0 * k,
            "residual": 0.1 / k,
            "metrics": metrics,
            "reference": "the scan before its undersampling" if metrics else "",
            "unit": "a.u.",
            "thumbnail": "",
            "card": card,
        }
        return record, volume


class FakeWorkers:
    """Two workers that do nothing; a call opens them, as app.bridge.crew.Open. held: opening waits for `go`."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.opened_in: list[str] = []
        self.closed = 0
        self.held = False
        self.go = threading.Event()
        self.trouble: Exception | None = None

    @contextmanager
    def __call__(self, place: Place, stop: Stop) -> Iterator[FakeWorkers]:
        self.places.append(place)
        self.opened_in.append(threading.current_thread().name)
        try:
            while self.held and not stop.ending and not self.go.wait(0.005):
                pass
            if self.trouble is not None:
                raise self.trouble
            yield self
        finally:
            self.closed += 1

    def workers(self) -> dict[str, dict[str, Any]]:
        about = {"threads": 3, "gpu": "", "dds-viewer": "1.2", "torch": "2.13"}
        return {"tcp://a": about, "tcp://b": about}


def sweep_tab(opened: MainWindow, sweep: FakeSweep, dialogs: FakeDialogs, qtbot: QtBot) -> TunePage:
    """The sweep tab in front of an open scan, its second slice on view."""
    desk = opened.bridge.sweep_desk(sweep, lambda plan: 77.0)
    made = TunePage(opened.session, opened.bridge, dialogs, desk=desk)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.resize(1280, 640)
    made.show()
    opened.session.display.go_to(1)
    qtbot.mouseClick(made.tabs.tabBar(), LEFT, pos=made.tabs.tabBar().tabRect(1).center())
    assert made.tabs.currentWidget() is made.sweep
    return made


def leave(page: TunePage, opened: MainWindow) -> None:
    """As when the window closes."""
    page.release()
    opened.bridge._computer.leave()
    opened.bridge._computer.ended()


def click(qtbot: QtBot, button: QPushButton) -> None:
    assert button.isEnabled(), button.text()
    qtbot.mouseClick(button, LEFT)


def choose(qtbot: QtBot, box: QComboBox, name: str) -> None:
    """With the keyboard."""
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Home)
    while box.currentData() != name:
        before = box.currentIndex()
        qtbot.keyClick(box, Qt.Key.Key_Down)
        assert box.currentIndex() != before, f"no {name}"


def write(qtbot: QtBot, page: TunePage, line: int, name: str, values: str) -> None:
    row = page.sweep.form.rows[line]
    choose(qtbot, row.setting, name)
    row.values.setFocus()
    row.values.selectAll()
    qtbot.keyClicks(row.values, values)


def pick(qtbot: QtBot, page: TunePage, number: int) -> None:
    centre = page.sweep.grid.area_of(number).center()
    qtbot.mouseClick(page.sweep.grid, LEFT, pos=QPoint(round(centre.x()), round(centre.y())))


def done(page: TunePage, count: int) -> bool:
    return page.desk.bench.count(Fate.DONE) == count


def ended(page: TunePage) -> bool:
    """A sweep has been, and nothing of it goes on."""
    return bool(page.desk.bench.cells) and not page.desk.busy
