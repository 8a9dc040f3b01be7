"""A window's worth of a project, and what it is compared with."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shiboken6
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from app.bridge.bridge import Bridge
from app.bridge.prints import Prints
from app.bridge.recovery import Place
from app.preferences import Preferences
from app.state.project import ArrayNames, Part, project_of
from app.state.room import measure_records
from app.state.room.feed import Feed
from app.state.room.figure import Figure, Measurement, plane_of_sheet
from app.state.room.measurements import Measurements
from app.state.room.pane import Comparison, Face, Layout, Look
from app.state.runs import Run
from app.state.session import Session
from app.views.project_dialogs import Wish
from app.views.projects import Projects
from core.engine.settings import ReconSettings
from core.export import project_file as writer
from core.formats import project_file
from core.formats.folder import Entry
from core.formats.volume_parts import Opened
from core.scan import Volume
from core.viewing.cut import Slab
from tests.app.fakes import FakeDialogs, FakeEngine

VOLUME_SHAPE = 4, 6, 8


class FakeAsks:
    """Answers set beforehand; `asked` holds the questions."""

    def __init__(self) -> None:
        self.path = ""
        self.moved_to: str | None = ""
        self.wish = Wish.LATER
        self.asked: list[str] = []

    def project_to_open(self, parent: object, folder: str) -> str:
        return self.path

    def project_to_save(self, parent: object, proposal: str) -> str:
        self.asked.append(proposal)
        return self.path

    def moved(self, parent: object, path: str, folder: str, *, is_scan: bool) -> str | None:
        self.asked.append(path)
        return self.moved_to

    def left_behind(self, parent: object, when: str) -> Wish:
        self.asked.append(when)
        return self.wish


@dataclass
class Desk:
    """A window with nothing but what projects need."""

    session: Session
    bridge: Bridge
    projects: Projects
    measurements: Measurements
    asks: FakeAsks
    dialogs: FakeDialogs
    window: QMainWindow
    feed: Feed
    left: bool = False


@pytest.fixture
def build(qtbot: QtBot, fake: FakeEngine, tmp_path: Path) -> Iterator[Callable[[], Desk]]:
    """build(): another window over the same engine; all are closed in the end."""
    made: list[Desk] = []

    def build() -> Desk:
        session = Session()
        session.choice.defaults = session.choice.settings = ReconSettings()
        window, dialogs, asks = QMainWindow(), FakeDialogs(), FakeAsks()
        bridge = Bridge(session, fake.engine(), window)
        feed = Feed(session, session.room)
        folder = tmp_path / "state"
        args = (window, session, bridge, Preferences(), dialogs, asks, folder)
        projects = Projects(*args)  # type: ignore[arg-type]
        measurements = Measurements(session.room)
        part = Part(
            lambda: measure_records.to_dict(measurements), lambda data: measure_records.from_dict(measurements, data)
        )
        projects.add_part("measurements", part)
        made.append(Desk(session, bridge, projects, measurements, asks, dialogs, window, feed))
        return made[-1]

    yield build
    for desk in made:
        leave(desk)
        # Here and now: the collector might do it in a thread in which windows must not be touched.
        shiboken6.delete(desk.window)


@pytest.fixture
def desk(build: Callable[[], Desk]) -> Desk:
    return build()


def leave(desk: Desk) -> None:
    if not desk.left:
        desk.left = True
        desk.projects.release()
        desk.bridge.shut_down()
        desk.projects.wait_for_end()
        desk.bridge.wait_for_end()


def on_disk(folder: Path, name: str = "head.h5", held: bytes = b"as it was") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(held)
    return str(folder / name)


def volume(path: str, level: float = 1.0) -> Opened:
    values = level * np.arange(np.prod(VOLUME_SHAPE), dtype=np.float32).reshape(VOLUME_SHAPE)
    return Opened(Volume(values, "a.u.", np.diag([2.0, 2.0, 3.0, 1.0]), (2.0, 2.0, 3.0), VOLUME_SHAPE[0]), path, "Fake")


def fill(desk: Desk, fake: FakeEngine, qtbot: QtBot, folder: Path) -> None:
    """A scan with three runs, one of several samples and one kept early; a volume; a changed room; a measurement."""
    session = desk.session
    desk.bridge.open(on_disk(folder))
    qtbot.waitUntil(lambda: ended(session) == 1)
    fake.script.warnings, fake.script.notes = ("It is warm.",), ("It is Monday.",)
    fake.script.free = True
    session.choice.set(samples=3, gamma=7.5)
    desk.bridge.reconstruct()
    qtbot.waitUntil(lambda: ended(session) == 2)
    fake.script.free = False
    session.choice.set(samples=1)
    session.choice.set_only_this_slice(True)
    desk.bridge.reconstruct()
    fake.script.let(2)
    qtbot.waitUntil(lambda: bool(session.runs.current) and session.runs.current.step == 2)
    desk.bridge.queue.keep()
    qtbot.waitUntil(lambda: ended(session) == 3)
    path = on_disk(folder, "brain.nii", b"voxels")
    fake.volumes["brain.nii"] = volume(path)
    desk.bridge.open_entries([Entry("volume", "brain", path, (path,), 4)])
    qtbot.waitUntil(lambda: session.room.item(f"file {path}") is not None)
    arrange(desk, f"file {path}")


def arrange(desk: Desk, key: str) -> None:
    session, room = desk.session, desk.session.room
    result = next(item.key for item in room if item.key.endswith("/result"))
    room.set_layout(Layout.SIDE)
    room.set_pane(0, item=key, face=Face.CORONAL, slab_mm=6.0, slab=Slab.MIP, invert=True, colours="viridis")
    room.set_pane(1, item=result, over=key, comparison=Comparison.SWIPE, share=0.25, patient_axes=True)
    room.set_pane(1, look=Look(3.5, np.array([1.0, 2.0, 3.0])))
    room.activate(1)
    room.move_to(1, np.array([4.0, 5.0, 6.1]))
    room.set_levels(1, 0.5, 0.25)
    room.link(zoom=False)
    sheet = room.sheet_of(0)
    assert sheet is not None
    for item in (key, result):
        points = np.stack([sheet.origin, sheet.origin + 3 * sheet.across])
        desk.measurements.add(Measurement(Figure.DISTANCE, item, plane_of_sheet(sheet), points))
    session.display.set_levels(0.7, 0.3)
    session.display.set_component("phase")
    session.display.look_at("cg-sense")
    session.runs.put_in_front(list(session.runs)[1])
    session.display.set_drawn("cg-sense", "result", 3)
    session.display.go_to(2)
    session.choice.set(nfe=33, eta=0.5)
    session.choice.set_undersample("gaussian1d:4:0.08:0")


def ended(session: Session) -> int:
    return sum(run.volume is not None for run in session.runs)


def save(desk: Desk, path: Path, qtbot: QtBot) -> Path:
    desk.asks.path = str(path)
    desk.projects.save_as()
    qtbot.waitUntil(lambda: not desk.projects.busy)
    return path


def load(desk: Desk, path: Path, qtbot: QtBot) -> Desk:
    """As if the window that has it open had been closed before."""
    path.with_name(f".{path.name}.lock").unlink(missing_ok=True)
    with qtbot.waitSignal(desk.projects.opened):
        desk.projects.open(str(path))
    qtbot.waitUntil(lambda: not desk.projects.busy)
    return desk


def keep(desk: Desk, qtbot: QtBot) -> None:
    desk.projects.keep()
    qtbot.waitUntil(lambda: not desk.projects.desk.keeping)


def same_picture(one: Any, other: Any) -> None:
    assert (one is None) is (other is None)
    if one is not None:
        assert one.unit == other.unit
        assert one.image.dtype == other.image.dtype
        assert one.image.shape == other.image.shape
        assert one.image.tobytes() == other.image.tobytes()


def same_run(one: Run, other: Run) -> None:
    for name in (
        *("name", "phase", "device", "frame_names", "step", "steps", "timestep", "residuals", "network_seconds"),
        *("solver_seconds", "warnings", "notes", "result_step", "kept_at", "metrics"),
    ):
        assert getattr(one, name) == getattr(other, name), name
    assert one.job == other.job
    same_picture(one.result, other.result)
    same_picture(one.spread, other.spread)
    assert one.classical.keys() == other.classical.keys()
    for method, picture in one.classical.items():
        same_picture(picture, other.classical[method])
    assert one.volume is not None
    assert other.volume is not None
    assert one.volume.array.tobytes() == other.volume.array.tobytes()
    assert json.loads(json.dumps(one.volume.card)) == other.volume.card
    for name in ("unit", "spacing_mm", "slices", "frame_names", "mu_water"):
        assert getattr(one.volume, name) == getattr(other.volume, name), name
    np.testing.assert_array_equal(one.volume.affine, other.volume.affine)
    np.testing.assert_array_equal(one.volume.spread, other.volume.spread)


def project_bytes(desk: Desk, tmp_path: Path) -> bytes:
    """A project with runs, written without a window."""
    path = tmp_path / "made.ddsproj"
    project = project_of(desk.session, ArrayNames(), {}, desk.projects.parts)
    writer.write(path, Prints().complete(project.record, None), project.arrays)
    return path.read_bytes()


@pytest.fixture
def whole(desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path) -> bytes:
    fill(desk, fake, qtbot, tmp_path / "scans")
    return project_bytes(desk, tmp_path)


def changed_record(whole: bytes, tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    path = tmp_path / "changed.ddsproj"
    path.write_bytes(whole)
    file = project_file.read(path)
    record = json.loads(json.dumps(file.record))
    change(record)
    writer.write(path, record, file.arrays)
    return path


def state_files(tmp_path: Path) -> list[str]:
    folder = tmp_path / "state"
    return sorted(file.suffix for file in folder.iterdir()) if folder.exists() else []


def crash(desk: Desk, tmp_path: Path) -> Place:
    """The window's process is gone: its files stay, and its lock names a process that has been killed.

    Returns the place, which gives up its lock when it is forgotten.
    """
    place = desk.projects.desk._place
    assert place is not None
    desk.projects.desk._place = None  # so that closing the window deletes nothing
    desk.projects.desk.hold(None)
    (lock,) = (tmp_path / "state").glob("*.lock")
    lock.unlink()
    code = (
        "import sys, os, signal; from PySide6.QtCore import QLockFile; lock = QLockFile(sys.argv[1]);"
        " lock.setStaleLockTime(0); assert lock.tryLock(0); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(lock)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert lock.exists()
    return place
