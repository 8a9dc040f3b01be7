"""What is kept against a crash, and projects in the whole window."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QMainWindow
from pytestqt.qtbot import QtBot

from app.bridge.recovery import claim, left_behind
from app.views.main_window import MainWindow
from app.views.project_dialogs import ProjectDialogs, Wish
from app.views.projects import Projects
from core.formats import project_file
from tests.app.fakes import FakeEngine
from tests.app.project_bench import (
    Desk,
    FakeAsks,
    changed_record,
    crash,
    ended,
    fill,
    keep,
    leave,
    load,
    on_disk,
    same_run,
    save,
    state_files,
)


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
