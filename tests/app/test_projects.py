"""Projects in the window: there and back bit for bit, moved scans, damaged files, full disks, crashes."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shiboken6
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication, QMainWindow
from pytestqt.qtbot import QtBot

from app.bridge.bridge import Bridge
from app.bridge.engine import Engine
from app.bridge.prints import Prints
from app.bridge.project_reader import Reader, sources_of
from app.bridge.recovery import Place, claim, left_behind
from app.preferences import Preferences
from app.state.project import ArrayNames, Part, project_of
from app.state.project_restore import restore
from app.state.room import measure_records
from app.state.room.feed import Feed
from app.state.room.figure import Figure, Measurement, plane_of_sheet
from app.state.room.measurements import Measurements
from app.state.room.pane import Comparison, Face, Layout, Look
from app.state.runs import Phase, Run
from app.state.session import FolderQuestion, Session
from app.views.main_window import MainWindow
from app.views.project_dialogs import ProjectDialogs, Wish
from app.views.projects import Projects
from core.engine.settings import ReconSettings
from core.errors import ScanError
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


def items_of(desk: Desk) -> list[tuple[str, str, str]]:
    return sorted((item.title, item.kind.value, str(item.shape)) for item in desk.session.room)


def test_everything_comes_back_in_another_window(
    build: Callable[[], Desk], fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    one = build()
    fill(one, fake, qtbot, tmp_path / "scans")
    path = save(one, tmp_path / "a.ddsproj", qtbot)
    assert one.projects.path == path
    assert not one.projects.modified
    assert not one.session.runs.unsaved
    assert one.session.notice is None or not one.session.notice.error
    two = load(build(), path, qtbot)
    assert two.session.notice is None
    assert not two.projects.modified
    assert [run.phase for run in two.session.runs] == [Phase.FINISHED, Phase.FINISHED, Phase.KEPT]
    for a, b in zip(one.session.runs, two.session.runs, strict=True):
        same_run(a, b)
        assert b.job.scan is two.session.scan.scan
    assert list(two.session.runs).index(two.session.runs.front) == 1
    assert two.session.scan.source == one.session.scan.source
    assert two.session.scan.facts == one.session.scan.facts
    for name in ("settings", "undersample", "center", "size", "only_this_slice", "defaults"):
        assert getattr(two.session.choice, name) == getattr(one.session.choice, name), name
    for name in ("view", "drawn", "component", "layout", "frame", "frames", "point", "offered", "levels"):
        assert getattr(two.session.display, name) == getattr(one.session.display, name), name
    assert items_of(two) == items_of(one)
    assert not two.session.history.labels


def test_the_room_and_the_measurements_come_back(
    build: Callable[[], Desk], fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    one = build()
    fill(one, fake, qtbot, tmp_path / "scans")
    two = load(build(), save(one, tmp_path / "a.ddsproj", qtbot), qtbot)
    a, b = one.session.room, two.session.room
    for name in ("layout", "active", "maximised", "moment", "tool", "linked_scroll", "linked_zoom", "linked_window"):
        assert getattr(a, name) == getattr(b, name), name
    np.testing.assert_array_equal(a.cross, b.cross)
    for layout in Layout:
        a.set_layout(layout)
        b.set_layout(layout)
        for index, (x, y) in enumerate(zip(a.panes, b.panes, strict=True)):
            for name in ("face", "comparison", "share", "slab_mm", "slab", "invert", "colours", "patient_axes"):
                assert getattr(x, name) == getattr(y, name), name
            assert x.look.zoom == y.look.zoom
            np.testing.assert_array_equal(x.look.centre, y.look.centre)
            assert a.levels_of(index) == b.levels_of(index)
            for of in ("item_in", "over_in"):
                mine, theirs = getattr(a, of)(index), getattr(b, of)(index)
                assert (mine and mine.title) == (theirs and theirs.title)
    for x, y in zip(one.measurements, two.measurements, strict=True):
        assert x.name == y.name
        assert x.points.tobytes() == y.points.tobytes()
        assert one.measurements.is_open(x)
        assert two.measurements.is_open(y)
        assert one.measurements.item_name(x) == two.measurements.item_name(y)


def test_a_restored_run_can_be_saved_and_made_again(desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")
    load(desk, save(desk, tmp_path / "a.ddsproj", qtbot), qtbot)
    run = list(desk.session.runs)[1]
    desk.bridge.save(run, "/results/a.npy")
    qtbot.waitUntil(lambda: bool(fake.saved))
    assert fake.saved[0][0] is run.volume
    fake.script.free = True
    again = desk.bridge.queue.add(run.job)
    qtbot.waitUntil(lambda: again.volume is not None)
    assert again.volume.array.tobytes() == run.volume.array.tobytes()
    assert desk.projects.modified


def test_images_that_runs_share_are_written_once_and_shared_again(
    desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")
    path = save(desk, tmp_path / "a.ddsproj", qtbot)
    distinct = {
        id(picture.image)
        for run in desk.session.runs
        for picture in (run.result, run.spread, *run.classical.values())
        if picture is not None
    } | {id(run.volume.array) for run in desk.session.runs}
    with zipfile.ZipFile(path) as archive:
        assert sum(name.endswith(".npy") for name in archive.namelist()) == len(distinct)
    load(desk, path, qtbot)
    for run in desk.session.runs:
        if run.result is not None:
            assert run.result.image is run.volume.array


def test_new_closes_everything_after_asking(desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")
    desk.dialogs.answer = False
    desk.projects.new()
    assert "Not saved" in desk.dialogs.asked[0]
    assert len(desk.session.runs) == 3
    desk.dialogs.answer = True
    desk.projects.new()
    assert desk.session.scan is None
    assert not len(desk.session.runs)
    assert not len(desk.session.room)
    assert not desk.projects.modified
    assert desk.session.room.layout is Layout.ONE


def test_opening_asks_before_work_is_lost(desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")
    path = save(desk, tmp_path / "a.ddsproj", qtbot)
    fake.script.free = True
    desk.bridge.reconstruct()
    qtbot.waitUntil(lambda: ended(desk.session) == 4)
    desk.dialogs.answer = False
    desk.asks.path = str(path)
    desk.projects.ask_for_file()
    assert "Not saved" in desk.dialogs.asked[-1]
    assert not desk.projects.busy
    assert len(desk.session.runs) == 4


def test_save_writes_into_the_same_file_and_the_proposal_tells_no_name(
    desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    fake.files["Doe_Jane.h5"] = fake.files["head.h5"]
    desk.bridge.open(on_disk(tmp_path, "Doe_Jane.h5"))
    qtbot.waitUntil(lambda: ended(desk.session) == 1)
    save(desk, tmp_path / "a.ddsproj", qtbot)
    assert "Doe" not in Path(desk.asks.asked[0]).name
    desk.session.choice.set(nfe=44)
    assert desk.projects.modified
    desk.projects.save()
    qtbot.waitUntil(lambda: not desk.projects.busy)
    assert len(desk.asks.asked) == 1
    assert project_file.read(tmp_path / "a.ddsproj").record["choice"]["settings"]["nfe"] == 44


def test_another_scan_is_not_saved_over_the_project(desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")
    save(desk, tmp_path / "a.ddsproj", qtbot)
    desk.bridge.open(on_disk(tmp_path, "other.h5"))
    qtbot.waitUntil(lambda: desk.session.scan.name == "other.h5")
    assert desk.projects.path is None


def test_disk_full_is_told_and_the_older_file_is_untouched(
    desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")
    path = save(desk, tmp_path / "a.ddsproj", qtbot)
    before = path.read_bytes()
    desk.session.choice.set(nfe=77)
    list(desk.session.runs)[1].saved = False

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    desk.projects.save()
    qtbot.waitUntil(lambda: not desk.projects.busy)
    assert desk.session.notice.what == "a.ddsproj could not be written."
    assert "No space left" in desk.session.notice.why
    assert path.read_bytes() == before
    assert desk.projects.modified
    assert desk.session.runs.unsaved
    assert ended(desk.session) == 3


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to(desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")
    (tmp_path / "locked").mkdir(mode=0o500)
    save(desk, tmp_path / "locked" / "a.ddsproj", qtbot)
    assert "could not be written" in desk.session.notice.what


def test_a_project_that_is_being_written_is_finished_when_the_window_closes(
    desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")
    desk.asks.path = str(tmp_path / "a.ddsproj")
    desk.projects.keep()
    desk.projects.save_as()
    leave(desk)
    assert len(project_file.read(tmp_path / "a.ddsproj").arrays) > 3
    assert not state_files(tmp_path)


def test_the_window_closes_while_a_project_is_read(
    desk: Desk, build: Callable[[], Desk], fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")
    path = save(desk, tmp_path / "a.ddsproj", qtbot)
    two = build()
    fake.hold_reading = True
    before = len(fake.opened)
    two.projects.open(str(path))
    qtbot.waitUntil(lambda: len(fake.opened) > before)
    fake.reading.set()
    leave(two)
    assert two.session.scan is None


def test_another_file_is_opened_while_a_project_is_read(
    desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")
    path = save(desk, tmp_path / "a.ddsproj", qtbot)
    fake.hold_reading = True
    before = len(fake.opened)
    desk.projects.open(str(path))
    qtbot.waitUntil(lambda: len(fake.opened) > before)
    desk.bridge.open(on_disk(tmp_path, "other.h5"))
    fake.reading.set()
    qtbot.waitUntil(lambda: not desk.projects.busy and not desk.bridge.busy and not desk.session.reading)
    assert desk.session.scan is not None
    assert desk.session.scan.name == "other.h5" or desk.projects.path == path


# Scans that have moved or changed


def test_a_scan_that_moved_with_the_project_is_found(
    build: Callable[[], Desk], fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    one = build()
    fill(one, fake, qtbot, tmp_path / "here" / "scans")
    save(one, tmp_path / "here" / "a.ddsproj", qtbot)
    (tmp_path / "here").rename(tmp_path / "there")
    two = load(build(), tmp_path / "there" / "a.ddsproj", qtbot)
    assert not two.asks.asked
    now = str((tmp_path / "there" / "scans" / "head.h5").resolve())
    assert two.session.scan.source.path == now
    assert all(run.job.source.path == now for run in two.session.runs)
    assert two.session.notice is None


def test_a_scan_that_moved_is_asked_for(
    build: Callable[[], Desk], fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    one = build()
    fill(one, fake, qtbot, tmp_path / "scans")
    path = save(one, tmp_path / "a.ddsproj", qtbot)
    (tmp_path / "elsewhere").mkdir()
    moved = tmp_path / "elsewhere" / "head.h5"
    (tmp_path / "scans" / "head.h5").rename(moved)
    two = build()
    two.asks.moved_to = str(moved)
    load(two, path, qtbot)
    assert two.asks.asked == [str(tmp_path / "scans" / "head.h5")]
    assert two.session.scan.source.path == str(moved)
    assert len(two.session.runs) == 3
    assert two.session.notice is None
    assert two.projects.path == path


def test_without_its_scan_the_images_are_shown_and_the_file_is_safe(
    build: Callable[[], Desk], fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    one = build()
    fill(one, fake, qtbot, tmp_path / "scans")
    path = save(one, tmp_path / "a.ddsproj", qtbot)
    (tmp_path / "scans" / "head.h5").unlink()
    two = load(build(), path, qtbot)
    assert two.session.scan is None
    names = {item.name for item in two.session.room}
    assert {run.name for run in one.session.runs} <= names
    assert "head.h5 was not found" in two.session.notice.why
    assert two.projects.path is None
    three = build()
    three.asks.moved_to = None
    three.projects.open(str(path))
    qtbot.waitUntil(lambda: bool(three.asks.asked))
    qtbot.waitUntil(lambda: not three.projects.busy)
    assert not len(three.session.room)
    assert not three.session.reading


def test_a_scan_that_changed_is_opened_with_a_warning(
    build: Callable[[], Desk], fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    one = build()
    fill(one, fake, qtbot, tmp_path / "scans")
    path = save(one, tmp_path / "a.ddsproj", qtbot)
    on_disk(tmp_path / "scans", held=b"something else")
    two = load(build(), path, qtbot)
    assert len(two.session.runs) == 3
    assert "head.h5 is not the same as when the project was saved" in two.session.notice.why
    assert not two.session.notice.error
    assert two.projects.path == path


def test_a_scan_that_cannot_be_read_any_more(
    build: Callable[[], Desk], fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    one = build()
    fill(one, fake, qtbot, tmp_path / "scans")
    path = save(one, tmp_path / "a.ddsproj", qtbot)
    del fake.files["head.h5"]
    two = load(build(), path, qtbot)
    assert "head.h5 could not be opened: This is no scan." in two.session.notice.why
    assert two.session.scan is None


def test_a_series_of_a_mixed_folder_is_opened_as_that_series(
    build: Callable[[], Desk], fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    files = tuple(on_disk(tmp_path / "study", name, name.encode()) for name in ("1.dcm", "2.dcm"))
    fake.volumes["1.dcm"] = volume(files[0])
    entry = Entry("series", "T1", files[0], files, 2, key="('1.2.3', 0)")
    one = build()
    one.session.folder_asked.emit(FolderQuestion(str(tmp_path / "study"), (entry,)))
    one.bridge.open_entries([entry])
    qtbot.waitUntil(lambda: len(one.session.room) == 1)
    path = save(one, tmp_path / "a.ddsproj", qtbot)
    opened: list[Entry] = []
    two = build()
    two.projects.desk._engine = replace(
        two.bridge.engine, open_entry=lambda e, tell: opened.append(e) or fake.volumes["1.dcm"]
    )
    load(two, path, qtbot)
    assert [(e.key, e.files, e.kind) for e in opened] == [(entry.key, files, "series")]
    assert two.session.notice is None
    on_disk(tmp_path / "study", "2.dcm", b"changed")
    three = load(build(), path, qtbot)
    assert "have changed" in three.session.notice.why


def test_real_series_of_one_folder_come_back_from_another_place(
    real_data: Path, build: Callable[[], Desk], qtbot: QtBot, tmp_path: Path
) -> None:
    """Two patients' series side by side in one folder, which is moved with the project. The engine is the real one."""
    here = tmp_path / "here" / "study"
    for number, file in enumerate(sorted((real_data / "volumes" / "ct_body_dicom").rglob("*.dcm"))[:4]):
        here.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, here / f"{number}.dcm")
    engine = Engine()
    series = [entry for entry in engine.contents(str(here), lambda *_: None) if entry.kind == "series"]
    assert len(series) > 1
    one, two = build(), build()
    for desk in (one, two):
        desk.projects.desk._engine = desk.bridge._desk._engine = engine
    one.session.folder_asked.emit(FolderQuestion(str(here), tuple(series)))
    one.bridge.open_entries(series[:2])
    qtbot.waitUntil(lambda: len(one.session.room) == 2)
    save(one, tmp_path / "here" / "a.ddsproj", qtbot)
    (tmp_path / "here").rename(tmp_path / "there")
    load(two, tmp_path / "there" / "a.ddsproj", qtbot)
    assert two.session.notice is None
    for before, after in zip(one.session.room, two.session.room, strict=True):
        np.testing.assert_array_equal(before.stacks, after.stacks)
        np.testing.assert_array_equal(before.affine, after.affine)
        assert str(tmp_path / "there") in after.origin.path


# Damage


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


def opened_by_hand(desk: Desk, path: Path) -> Any:
    """What the desk and the window do with a file, in one thread."""
    file = project_file.read(path)
    prints = Prints()
    found = {source.name: source.locate(None, prints) for source in sources_of(file.record)}
    there = {name: place for name, place in found.items() if not hasattr(place, "name")}
    restored = Reader(desk.bridge.engine, prints, lambda *_: None).restored(file, there, {}, of_crash=True)
    restore(desk.session, restored, desk.projects.parts)
    for index in range(4):
        desk.session.room.sheet_of(index)
        desk.session.room.levels_of(index)
    desk.session.shown()
    return restored


def changed_record(whole: bytes, tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    path = tmp_path / "changed.ddsproj"
    path.write_bytes(whole)
    file = project_file.read(path)
    record = json.loads(json.dumps(file.record))
    change(record)
    writer.write(path, record, file.arrays)
    return path


def test_a_cut_off_project_opens_as_far_as_it_goes(
    whole: bytes, build: Callable[[], Desk], qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "cut.ddsproj"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    two = load(build(), path, qtbot)
    assert two.session.scan is not None
    assert len(two.session.runs) > 0
    assert "cut.ddsproj is damaged or cut off." in two.session.notice.why
    assert two.projects.path is None


def test_a_letter_is_no_project(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    path = on_disk(tmp_path, "letter.ddsproj", b"Dear all")
    desk.projects.open(path)
    qtbot.waitUntil(lambda: desk.session.notice is not None)
    assert "no project, or damaged" in desk.session.notice.what
    assert not desk.session.reading


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda r: r.update(runs="none"), "The list of runs"),
        (lambda r: r.update(volumes=None), "The list of volumes"),
        (lambda r: r.update(scan=[]), "Which scan"),
        (lambda r: r["scan"].update(path="a\0b"), "Which scan"),
        (lambda r: r.pop("room"), "How the review room was arranged"),
        (lambda r: r["room"].update(active=17), "How the review room was arranged"),
        (lambda r: r["room"].update(cross=[1e300, 0, 0]), "How the review room was arranged"),
        (lambda r: r["room"]["panes"]["ONE"].pop(), "How the review room was arranged"),
        (lambda r: r["room"]["panes"]["ONE"][0].update(zoom=0), "How the review room was arranged"),
        (lambda r: r["display"].update(view="dream"), "How the image was shown"),
        (lambda r: r["display"].update(levels={"magnitude": [1, 0]}), "How the image was shown"),
        (lambda r: r["choice"]["settings"].update(nfe=-3), "The settings"),
        (lambda r: r["choice"]["settings"].update(poem="x"), "The settings"),
        (lambda r: r["parts"]["measurements"].update(version=9), "Measurements"),
        (lambda r: r["runs"][1].update(job={}), "Run 2 could not"),
        (lambda r: r["runs"][1].update(phase="RUNNING"), "Run 2 could not"),
        (lambda r: r["runs"][1]["volume"].update(slices=2), "Run 2 could not"),
        (lambda r: r["runs"][1]["result"].update(image="arrays/99.npy"), "could not be read: It is not in the file"),
    ],
)
def test_what_makes_no_sense_is_told_and_the_rest_is_there(
    whole: bytes, build: Callable[[], Desk], tmp_path: Path, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    path = changed_record(whole, tmp_path, change)
    restored = opened_by_hand(build(), path)
    assert any(told in note for note in restored.notes), restored.notes
    assert not restored.whole


SOMETHING = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**30), st.floats(), st.text(max_size=3), st.just([]), st.just({})
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_value_may_be_wrong(whole: bytes, desk: Desk, tmp_path: Path, data: st.DataObject) -> None:
    def change(record: dict[str, Any]) -> None:
        for name in ("format", "version", "program", "saved", "arrays"):
            record.pop(name)
        inside: Any = record
        while True:
            keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
            if not keys:
                return
            key = data.draw(st.sampled_from(keys))
            if not isinstance(inside[key], (dict, list)) or data.draw(st.integers(0, 4)) == 0:
                inside[key] = data.draw(SOMETHING)
                return
            inside = inside[key]

    opened_by_hand(desk, changed_record(whole, tmp_path, change))


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=8), end=st.floats(0.02, 1.0))
def test_any_byte_may_be_wrong(
    whole: bytes, desk: Desk, tmp_path: Path, places: list[tuple[float, int]], end: float
) -> None:
    held = bytearray(whole[: int(len(whole) * end)])
    for place, mask in places:
        held[int(place * (len(held) - 1))] ^= mask
    path = tmp_path / "flipped.ddsproj"
    path.write_bytes(held)
    with suppress(ScanError):
        opened_by_hand(desk, path)


# What is kept against a crash


def state_files(tmp_path: Path) -> list[str]:
    folder = tmp_path / "state"
    return sorted(file.suffix for file in folder.iterdir()) if folder.exists() else []


def test_nothing_is_kept_of_nothing_and_a_clean_end_leaves_nothing(
    desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    keep(desk, qtbot)
    assert not (tmp_path / "state").exists()
    fill(desk, fake, qtbot, tmp_path / "scans")
    keep(desk, qtbot)
    assert state_files(tmp_path) == [".ddsproj", ".lock"]
    leave(desk)
    assert not state_files(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_what_is_kept_is_for_this_user_alone(desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")
    keep(desk, qtbot)
    desk.session.choice.set(nfe=50)
    keep(desk, qtbot)
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    kept = [file for file in (tmp_path / "state").iterdir() if file.suffix != ".lock"]
    assert {file.stat().st_mode & 0o777 for file in kept} == {0o600}
    assert len(kept) == 2


def test_images_are_written_again_only_where_there_are_others(
    desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")
    keep(desk, qtbot)
    (file,) = (tmp_path / "state").glob("*.ddsproj")
    first = file.stat().st_ino
    keep(desk, qtbot)
    assert state_files(tmp_path) == [".ddsproj", ".lock"]
    desk.session.choice.set(nfe=50)
    keep(desk, qtbot)
    assert file.stat().st_ino == first
    assert state_files(tmp_path) == [".ddsproj", ".json", ".lock"]
    fake.script.free = True
    desk.bridge.reconstruct()
    qtbot.waitUntil(lambda: ended(desk.session) == 4)
    keep(desk, qtbot)
    assert file.stat().st_ino != first
    assert state_files(tmp_path) == [".ddsproj", ".lock"]


def test_a_run_that_goes_on_is_not_held_up(desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")
    desk.bridge.reconstruct()
    qtbot.waitUntil(lambda: desk.session.runs.current is not None and desk.session.runs.current.steps == 4)
    keep(desk, qtbot)
    assert len(project_file.read(next((tmp_path / "state").glob("*.ddsproj"))).record["runs"]) == 3
    fake.script.let(4)
    qtbot.waitUntil(lambda: ended(desk.session) == 4)


def crash(desk: Desk, tmp_path: Path) -> Place:
    """The window's process is gone: its files stay, and its lock names a process that has been killed.

    Returns the place, which gives up its lock when it is forgotten.
    """
    place = desk.projects.desk._place
    assert place is not None
    desk.projects.desk._place = None  # so that closing the window deletes nothing
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


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_after_a_crash_the_session_is_offered_and_comes_back(
    build: Callable[[], Desk], fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    one = build()
    fill(one, fake, qtbot, tmp_path / "scans")
    save(one, tmp_path / "a.ddsproj", qtbot)
    list(one.session.runs)[2].saved = False
    keep(one, qtbot)
    assert not state_files(tmp_path), "what a project file holds already is not kept"
    one.session.choice.set(nfe=50)
    keep(one, qtbot)
    one.session.choice.set(nfe=51)
    keep(one, qtbot)
    gone = crash(one, tmp_path)
    two = build()
    two.asks.wish = Wish.RESTORE
    with qtbot.waitSignal(two.projects.opened):
        two.projects.offer()
    assert len(two.asks.asked) == 1
    assert two.session.choice.settings.nfe == 51
    for a, b in zip(one.session.runs, two.session.runs, strict=True):
        same_run(a, b)
    assert [run.saved for run in two.session.runs] == [True, True, False]
    assert two.projects.path == tmp_path / "a.ddsproj"
    assert two.projects.modified
    qtbot.waitUntil(lambda: not two.projects.desk.keeping)
    two.projects._worker.submit(lambda: None)
    qtbot.waitUntil(lambda: len(state_files(tmp_path)) == 2)
    assert not left_behind(tmp_path / "state")
    assert not gone.file.exists()
    leave(two)
    assert not state_files(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
@pytest.mark.parametrize("wish", [Wish.DISCARD, Wish.LATER])
def test_a_session_can_be_thrown_away_or_left_for_later(
    build: Callable[[], Desk], fake: FakeEngine, qtbot: QtBot, tmp_path: Path, wish: Wish
) -> None:
    one = build()
    fill(one, fake, qtbot, tmp_path / "scans")
    keep(one, qtbot)
    gone = crash(one, tmp_path)
    two = build()
    two.asks.wish = wish
    two.projects.offer()
    assert len(two.asks.asked) == 1
    leave(two)
    three = build()
    three.projects.offer()
    assert len(three.asks.asked) == (1 if wish is Wish.LATER else 0)
    assert gone.file.exists() is (wish is Wish.LATER)


def test_the_session_of_a_window_that_lives_is_not_offered(
    build: Callable[[], Desk], fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    one, two = build(), build()
    fill(one, fake, qtbot, tmp_path / "scans")
    keep(one, qtbot)
    two.projects.offer()
    assert not two.asks.asked
    load(two, Path(next((tmp_path / "state").glob("*.ddsproj"))), qtbot)
    two.session.choice.set(nfe=12)
    keep(two, qtbot)
    assert len(list((tmp_path / "state").glob("*.ddsproj"))) == 2
    leave(one)
    assert len(list((tmp_path / "state").glob("*.ddsproj"))) == 1


def test_a_damaged_session_is_told_and_stays(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    on_disk(tmp_path / "state", "recovery-1-0.ddsproj", b"Dear all")
    desk.asks.wish = Wish.RESTORE
    desk.projects.offer()
    qtbot.waitUntil(lambda: desk.session.notice is not None)
    assert "no project, or damaged" in desk.session.notice.what
    places = left_behind(tmp_path / "state")
    assert len(places) == 1
    places[0].discard()


def test_what_cannot_be_kept_is_told_once(
    desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    keep(desk, qtbot)
    assert "could not be kept against a crash" in desk.session.notice.what
    desk.session.tell(None)
    keep(desk, qtbot)
    assert desk.session.notice is None


def test_it_is_kept_by_the_clock(desk: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path) -> None:
    fill(desk, fake, qtbot, tmp_path / "scans")
    desk.projects._timer.setInterval(1)
    desk.projects.begin()
    qtbot.waitUntil(lambda: state_files(tmp_path) == [".ddsproj", ".lock"])


def test_places_of_one_process_are_told_apart(tmp_path: Path) -> None:
    one, two = claim(tmp_path / "state"), claim(tmp_path / "state")
    assert one.file != two.file
    one.discard()
    two.discard()


def test_the_dialogs_add_the_ending(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.views import project_dialogs

    window = QMainWindow()
    qtbot.addWidget(window)
    monkeypatch.setattr(project_dialogs.QFileDialog, "getSaveFileName", lambda *_: ("/a/b", ""))
    assert ProjectDialogs().project_to_save(window, "") == "/a/b.ddsproj"


# In the whole window


@pytest.fixture
def whole_window(window: MainWindow, tmp_path: Path) -> Iterator[Desk]:
    """The window of the program with its projects."""
    window.viewer.planes.volume.trouble = "Not in this test."
    session, asks = window.session, FakeAsks()
    args = (window, session, window.bridge, window.preferences, window.dialogs, asks, tmp_path / "state")
    made = Projects(*args)  # type: ignore[arg-type]
    yield Desk(session, window.bridge, made, None, asks, window.dialogs, window, None)  # type: ignore[arg-type]
    made.release()
    made.wait_for_end()


@pytest.mark.parametrize("name", ["head.h5", "chest.h5"])
def test_the_window_shows_what_it_showed(
    whole_window: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path, name: str
) -> None:
    desk, window = whole_window, whole_window.window
    desk.bridge.open(on_disk(tmp_path / "scans", name))
    qtbot.waitUntil(lambda: ended(desk.session) == 1)
    fake.script.free = True
    desk.bridge.reconstruct()
    qtbot.waitUntil(lambda: ended(desk.session) == 2)
    desk.session.display.set_levels(0.5, 0.25)
    desk.session.display.set_layout("planes")
    desk.session.display.go_to(1)
    QApplication.processEvents()
    view = window.viewer.slice_view
    before, title, seen = view.image.image.copy(), view.overlay.title, window.session.display.levels
    path = save(desk, tmp_path / "a.ddsproj", qtbot)
    desk.projects.new()
    QApplication.processEvents()
    assert window.stack.currentWidget() is window.empty
    load(desk, path, qtbot)
    QApplication.processEvents()
    assert window.stack.currentWidget() is not window.empty
    assert view.overlay.title == title
    np.testing.assert_array_equal(view.image.image, before)
    assert window.session.display.levels == seen
    assert window.session.display.layout == "planes"
    assert not window.session.history.undo_label
    assert window.session.room.panes[0].item


def test_the_window_takes_any_damage(whole_window: Desk, fake: FakeEngine, qtbot: QtBot, tmp_path: Path) -> None:
    """Exceptions in views fail the test: pytest-qt catches them."""
    desk = whole_window
    desk.bridge.open(on_disk(tmp_path / "scans"))
    qtbot.waitUntil(lambda: ended(desk.session) == 1)
    fake.script.free = True
    desk.bridge.reconstruct()
    qtbot.waitUntil(lambda: ended(desk.session) == 2)
    held = save(desk, tmp_path / "a.ddsproj", qtbot).read_bytes()
    for number, change in enumerate(
        (
            lambda r: r["display"].update(frame=10**9, point=[500, 2], view="sinogram"),
            lambda r: r["display"].update(levels={"magnitude": [0, 1e-300]}, offered={}),
            lambda r: r["room"].update(moment=99, tool="hammer", layout="MPR", active=3),
            lambda r: r.update(front=7),
            lambda r: r["runs"].reverse(),
            lambda r: r["runs"][0].update(classical={}),
            lambda r: r["runs"][1].update(residuals=[float("nan"), float("inf")], steps=0),
            lambda r: r["runs"][1].update(result=r["runs"][0]["classical"]["zero-filled"], frame_names=[]),
            lambda r: r["choice"]["settings"].update(method="fbp", prior="/no/such.pt"),
        )
    ):
        path = changed_record(held, tmp_path, change)
        load(desk, path, qtbot)
        QApplication.processEvents()
        assert len(desk.session.runs) == 2, number
