"""Projects whose scans have moved, changed or gone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from pytestqt.qtbot import QtBot

from app.bridge.engine import Engine
from app.state.session import FolderQuestion
from core.formats.folder import Entry
from tests.app.fakes import FakeEngine
from tests.app.project_bench import (
    Desk,
    fill,
    load,
    on_disk,
    save,
    volume,
)


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
