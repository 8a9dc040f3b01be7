"""Closing the window whatever it is doing: it asks only when something would be lost, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.bridge.worker import Worker
from app.state.runs import Phase
from app.views.main_window import MainWindow
from tests.app.conftest import finished
from tests.app.fakes import FakeDialogs, FakeEngine

ROOT = Path(__file__).parents[2]


@dataclass
class Seat:
    """What a state is made with."""

    window: MainWindow
    fake: FakeEngine
    dialogs: FakeDialogs
    qtbot: QtBot
    folder: Path

    def open(self) -> None:
        self.window.open_path("/scans/head.h5")
        self.qtbot.waitUntil(lambda: finished(self.window, 1))

    def run(self, steps: int = 1) -> None:
        self.open()
        self.window.bridge.reconstruct()
        self.fake.script.let(steps)
        self.qtbot.waitUntil(lambda: self.window.session.runs.current.step == steps)

    def trigger(self, name: str) -> None:
        self.window.actions_[name].trigger()


def idle(seat: Seat) -> None:
    pass


def reading(seat: Seat) -> None:
    seat.fake.hold_reading = True
    seat.window.open_path("/scans/head.h5")
    seat.qtbot.waitUntil(lambda: bool(seat.fake.opened))
    threading.Timer(0.1, seat.fake.reading.set).start()


def asking_for_axes(seat: Seat) -> None:
    seat.window.open_path("/scans/a.npy")
    seat.qtbot.waitUntil(lambda: seat.window.axes_dialog is not None and seat.window.axes_dialog.isVisible())


def classical(seat: Seat) -> None:
    """The image that every scan gets when it is opened is made again at the next start."""
    seat.open()


def iterating(seat: Seat) -> None:
    seat.open()
    seat.window.session.choice.set(method="tv")
    seat.window.bridge.reconstruct()
    seat.qtbot.waitUntil(lambda: seat.window.session.runs.current is not None)
    seat.qtbot.waitUntil(lambda: seat.window.session.runs.current.progress is not None)


def running(seat: Seat) -> None:
    seat.run()


def paused(seat: Seat) -> None:
    seat.run()
    seat.qtbot.keyClick(seat.window, Qt.Key.Key_P)
    seat.qtbot.waitUntil(lambda: seat.window.session.runs.current.phase is Phase.PAUSED)


def waiting(seat: Seat) -> None:
    seat.run()
    seat.window.bridge.reconstruct()
    assert len(seat.window.session.runs.waiting) == 1


def looking_quickly(seat: Seat) -> None:
    """While a run is paused; the look is thrown away unasked, the run is not."""
    paused(seat)
    seat.trigger("quick_look")
    seat.qtbot.waitUntil(lambda: seat.window.bridge.looks.current is not None)


def failed(seat: Seat) -> None:
    seat.fake.script.failing = 2
    seat.fake.script.free = True
    seat.open()
    seat.window.bridge.reconstruct()
    seat.qtbot.waitUntil(lambda: seat.window.session.notice is not None)


def finished_unsaved(seat: Seat) -> None:
    seat.fake.script.free = True
    seat.open()
    seat.window.bridge.reconstruct()
    seat.qtbot.waitUntil(lambda: finished(seat.window, 2))


def keeping(seat: Seat) -> None:
    """The session is being kept against a crash; a classical image is no loss."""
    seat.open()
    seat.window.projects.keep()


def saving_a_project(seat: Seat) -> None:
    seat.open()
    seat.window.projects._write(seat.folder / "a.ddsproj")


def saving_a_result(seat: Seat) -> None:
    seat.open()
    seat.window.bridge.save(seat.window.session.runs.front, "/results/a.npy")


def adding_a_prior(seat: Seat) -> None:
    seat.trigger("priors")
    seat.window.bridge.priors.add("/priors/new.pt", "new")
    seat.qtbot.waitUntil(lambda: bool(seat.window.session.shelf.working))
    threading.Timer(0.1, seat.fake.adding.set).start()


def touring(seat: Seat) -> None:
    seat.window.tour.start()


def choosing_a_command(seat: Seat) -> None:
    seat.trigger("commands")


def de_identifying(seat: Seat) -> None:
    seat.trigger("deidentify")
    assert seat.window.aside.deidentify_dialog is not None


def reviewing(seat: Seat) -> None:
    seat.open()
    seat.trigger("workspace_review")


def tuning(seat: Seat) -> None:
    seat.open()
    seat.trigger("workspace_tune")


STATES: dict[Callable[[Seat], None], str] = {
    **dict.fromkeys((idle, reading, asking_for_axes, classical, failed, keeping, saving_a_project), ""),
    **dict.fromkeys((saving_a_result, adding_a_prior, touring, choosing_a_command, de_identifying), ""),
    **dict.fromkeys((reviewing, tuning), ""),
    **dict.fromkeys((running, paused, waiting, looking_quickly, iterating), "is still running and would be discarded"),
    finished_unsaved: "Not saved",
}


@pytest.fixture
def seat(window: MainWindow, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot, tmp_path: Path) -> Seat:
    return Seat(window, fake, dialogs, qtbot, tmp_path)


def left_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_state(seat: Seat, monkeypatch: pytest.MonkeyPatch, state: Callable[[Seat], None]) -> None:
    scratch = seat.folder / "tmp"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    children = {child.pid for child in psutil.Process().children(recursive=True)}
    state(seat)
    lost = STATES[state]
    if lost:
        seat.dialogs.answer = False
        assert not seat.window.close()
        assert lost in seat.dialogs.asked[-1]
        assert seat.window.isVisible()
        assert Worker.left(), "it goes on"
        seat.dialogs.answer = True
    asked = len(seat.dialogs.asked)
    assert seat.window.close()
    assert len(seat.dialogs.asked) == asked + bool(lost)
    assert seat.window.bridge.finish()
    seat.window.projects.wait_for_end()
    assert not Worker.left()
    assert {child.pid for child in psutil.Process().children(recursive=True)} == children
    assert left_in(scratch) == []
    assert left_in(seat.folder / "state") == []
    assert [name for name in left_in(seat.folder) if not name.startswith("preferences/")] == (
        ["a.ddsproj"] if state is saving_a_project else []
    )


def test_a_rendering_and_copies_under_way_are_asked_about(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    seat.open()
    monkeypatch.setattr(type(seat.window.aside), "copying", property(lambda self: True))
    seat.dialogs.answer = False
    assert not seat.window.close()
    assert "de-identified" in seat.dialogs.asked[-1]
    monkeypatch.undo()
    pane = seat.window.reviewing.page.panes[0]
    exporting = type("Rendering", (), {"export": type("Export", (), {"busy": True})})
    monkeypatch.setattr(pane, "rendering", exporting)
    assert not seat.window.close()
    assert "rendering is still being saved" in seat.dialogs.asked[-1]
    monkeypatch.undo()


CODE = """
import os, sys, tempfile, threading
from pathlib import Path
from PySide6.QtCore import QTimer
sys.path[:0] = [os.environ["ROOT"]]
from app import window as program
from app.views.main_window import MainWindow
from tests.app.fakes import FakeEngine

fake, held = FakeEngine(), threading.Event()
engine = fake.engine()

def stuck(job, stop):
    for event in fake.script.run(job, stop):
        yield event
        if job.settings.method == "dds":
            print("stuck", flush=True)
            held.wait()  # as a step of a network that takes an hour

def reading(path, axes, domain):
    print("reading", flush=True)
    held.wait()

def slowly(volume, path, scan):
    tell.wait(20)
    Path(path).write_bytes(b"whole")

tell = threading.Event()
object.__setattr__(engine, "run", stuck)
if "reading" in sys.argv:
    object.__setattr__(engine, "open_scan", reading)
object.__setattr__(engine, "save", slowly)
shown = MainWindow.show

def show(window):
    shown(window)
    window.session.runs.changed.connect(lambda: QTimer.singleShot(0, lambda: begin(window)))
    window.session.reading_changed.connect(lambda: QTimer.singleShot(300, lambda: look(window)))

begun = []
def look(window):
    if "reading" in sys.argv and not begun:
        begun.append(1)
        window.leave()

def begin(window):
    runs = window.session.runs
    if not begun and len(runs) == 1 and runs.first.volume is not None:
        begun.append(1)
        window.bridge.reconstruct()
        if "saving" in sys.argv:
            window.bridge.save(runs.first, sys.argv[-1])
        QTimer.singleShot(300, lambda: end(window))

def end(window):
    if "kill" in sys.argv:
        print("ready", flush=True)
        return
    tell.set()
    window.leave()

MainWindow.show = show
program.Preferences.tour_seen = property(lambda self: True)
sys.exit(program.launch("/scans/head.h5", engine=engine))
"""


def process(folder: Path, *words: str) -> subprocess.Popen[str]:
    """The program with a home and a folder for temporary files of its own."""
    for name in ("home", "tmp", "state"):
        (folder / name).mkdir(exist_ok=True)
    own = {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "DDS_VIEWER_STATE": str(folder / "state"),
        "XDG_CONFIG_HOME": str(folder / "home"),
        "ROOT": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-c", CODE, *words]
    return subprocess.Popen(
        command, cwd=ROOT, env=os.environ | own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("what", ["running", "reading", "saving"])
def test_a_step_that_never_ends_holds_nothing_up(tmp_path: Path, what: str) -> None:
    target = tmp_path / "out.npy"
    with process(tmp_path, what, str(target)) as ended:
        told, errors = ended.communicate(timeout=60)
    assert ended.returncode == 0, errors
    assert ("reading" if what == "reading" else "stuck") in told
    assert left_in(tmp_path / "tmp") == []
    assert [name for name in left_in(tmp_path / "state") if not name.startswith("crashes")] == []
    assert target.exists() is (what == "saving")
    if what == "saving":
        assert target.read_bytes() == b"whole", "what is being written is finished first"


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM")
def test_asked_by_the_system_to_end_it_does(tmp_path: Path) -> None:
    with process(tmp_path, "kill") as running:
        assert running.stdout is not None
        for line in running.stdout:
            if line.strip() == "ready":
                break
        mine = [running.pid, *(child.pid for child in psutil.Process(running.pid).children(recursive=True))]
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=60) == -signal.SIGTERM
        _, alive = psutil.wait_procs([psutil.Process(pid) for pid in mine[1:] if psutil.pid_exists(pid)], timeout=30)
        assert not alive
    assert left_in(tmp_path / "tmp") == []
