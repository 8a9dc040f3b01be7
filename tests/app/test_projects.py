"""Projects: what is saved comes back; new, open, save and what may go wrong with them."""

from __future__ import annotations

import errno
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.state.room.pane import Layout
from app.state.runs import Phase
from core.formats import project_file
from tests.app.fakes import FakeEngine
from tests.app.project_bench import (
    Desk,
    ended,
    fill,
    leave,
    load,
    on_disk,
    same_run,
    save,
    state_files,
)


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
