"""Two windows on one project, and a project that something else has written meanwhile: nothing is lost unasked."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.bridge.project_claim import claim_project
from app.views.project_dialogs import Wish
from core.formats import project_file
from tests.app.fakes import FakeEngine
from tests.app.project_bench import Desk, crash, ended, keep, leave, load, on_disk, save

NAME = "a.ddsproj"


@pytest.fixture
def saved(desk: Desk, qtbot: QtBot, tmp_path: Path) -> Path:
    """A project that the window of `desk` has open."""
    desk.bridge.open(on_disk(tmp_path / "scans"))
    qtbot.waitUntil(lambda: ended(desk.session) == 1)
    return save(desk, tmp_path / NAME, qtbot)


def lock_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def opened_beside(build: Callable[[], Desk], path: Path, qtbot: QtBot) -> Desk:
    """Another window, while the first one has it open."""
    two = build()
    with qtbot.waitSignal(two.projects.opened):
        two.projects.open(str(path))
    qtbot.waitUntil(lambda: not two.projects.busy)
    return two


def change(desk: Desk, qtbot: QtBot, nfe: int = 44) -> None:
    desk.session.choice.set(nfe=nfe)
    desk.projects.save()
    qtbot.waitUntil(lambda: not desk.projects.busy)


def nfe_in(path: Path) -> int:
    return int(project_file.read(path).record["choice"]["settings"]["nfe"])


def test_the_second_window_is_told_and_saves_elsewhere(
    desk: Desk, saved: Path, build: Callable[[], Desk], qtbot: QtBot, tmp_path: Path
) -> None:
    before = saved.read_bytes()
    two = opened_beside(build, saved, qtbot)
    assert ended(two.session) == 1, "it can be looked at"
    assert "a.ddsproj is open in another window" in two.session.notice.what
    assert two.projects.path is None
    two.asks.path = str(tmp_path / "b.ddsproj")
    change(two, qtbot, 55)
    assert saved.read_bytes() == before
    assert nfe_in(tmp_path / "b.ddsproj") == 55
    change(desk, qtbot, 33)
    assert nfe_in(saved) == 33, "the first window goes on"


@pytest.mark.parametrize("linked", [False, True])
def test_nothing_is_saved_over_what_another_window_has_open(
    saved: Path, build: Callable[[], Desk], qtbot: QtBot, tmp_path: Path, linked: bool
) -> None:
    before = saved.read_bytes()
    if linked:
        (tmp_path / "link").symlink_to(tmp_path)
    two = build()
    two.bridge.open(on_disk(tmp_path / "scans"))
    qtbot.waitUntil(lambda: ended(two.session) == 1)
    save(two, (tmp_path / "link" / NAME) if linked else saved, qtbot)
    assert "open in another window" in two.session.notice.what
    assert two.projects.modified
    assert saved.read_bytes() == before
    save(two, tmp_path / "b.ddsproj", qtbot)
    assert not two.projects.modified


def test_closing_lets_go(desk: Desk, saved: Path, build: Callable[[], Desk], qtbot: QtBot) -> None:
    assert lock_of(saved).exists()
    leave(desk)
    assert not lock_of(saved).exists()
    two = opened_beside(build, saved, qtbot)
    assert two.projects.path == saved
    assert two.session.notice is None


def test_another_scan_and_another_name_let_go(desk: Desk, saved: Path, qtbot: QtBot, tmp_path: Path) -> None:
    other = save(desk, tmp_path / "b.ddsproj", qtbot)
    assert lock_of(other).exists()
    assert not lock_of(saved).exists()
    desk.bridge.open(on_disk(tmp_path, "other.h5"))
    qtbot.waitUntil(lambda: desk.projects.path is None)
    assert not lock_of(other).exists()


def test_opening_it_again_in_the_same_window(desk: Desk, saved: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(desk.projects.opened):
        desk.projects.open(str(saved))
    qtbot.waitUntil(lambda: not desk.projects.busy)
    assert desk.projects.path == saved
    assert desk.session.notice is None
    change(desk, qtbot, 21)
    assert nfe_in(saved) == 21


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_the_lock_of_a_dead_process_is_taken_over(
    desk: Desk, saved: Path, build: Callable[[], Desk], qtbot: QtBot
) -> None:
    leave(desk)
    code = (
        "import os, sys, signal; from pathlib import Path; from app.bridge.project_claim import claim_project;"
        " claim = claim_project(Path(sys.argv[1])); assert claim.lock; os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code, str(saved)], check=False, cwd=root)
    assert done.returncode == -signal.SIGKILL
    assert lock_of(saved).exists()
    two = opened_beside(build, saved, qtbot)
    assert two.projects.path == saved


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_killed_while_it_saves_the_older_project_is_whole(
    desk: Desk, saved: Path, build: Callable[[], Desk], qtbot: QtBot
) -> None:
    leave(desk)
    before = saved.read_bytes()
    code = (
        "import os, sys, signal; from pathlib import Path; import numpy as np; from core.export import project_file;"
        " arrays = {'a.npy': np.ones((9, 9), np.float32)};"
        " project_file.write(Path(sys.argv[1]), {}, arrays, lambda *_: os.kill(os.getpid(), signal.SIGKILL))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(saved)], check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == -signal.SIGKILL
    (half,) = saved.parent.glob(f".{NAME}.*.ddsproj")
    assert saved.read_bytes() == before
    two = opened_beside(build, saved, qtbot)
    assert two.projects.path == saved
    assert two.session.notice is None
    change(two, qtbot, 12)
    assert nfe_in(saved) == 12
    assert not half.exists(), "what was half written goes with the next saving"


def test_a_window_on_another_machine_counts(desk: Desk, saved: Path, build: Callable[[], Desk], qtbot: QtBot) -> None:
    leave(desk)
    lock_of(saved).write_text("1\ndds-viewer\nelsewhere\nother-machine\nother-boot\n")
    two = opened_beside(build, saved, qtbot)
    assert "another window" in two.session.notice.what
    assert two.projects.path is None
    lock_of(saved).unlink()


def test_a_folder_that_takes_no_lock_does_not_hinder(tmp_path: Path) -> None:
    claim = claim_project(tmp_path / "gone" / NAME)
    assert claim is not None
    assert claim.lock is None
    claim.release()


def test_a_file_that_cannot_be_read_is_not_claimed(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("A letter.")
    desk.projects.open(str(tmp_path / NAME))
    qtbot.waitUntil(lambda: not desk.projects.busy)
    assert not lock_of(tmp_path / NAME).exists()


@pytest.mark.parametrize("yes", [False, True])
def test_what_something_else_has_written_is_asked_about(
    desk: Desk, saved: Path, qtbot: QtBot, tmp_path: Path, yes: bool
) -> None:
    (tmp_path / "scans" / "x").write_bytes(saved.read_bytes() + b"by somebody else")
    shutil.move(tmp_path / "scans" / "x", saved)
    theirs = saved.read_bytes()
    desk.dialogs.answer = yes
    change(desk, qtbot, 66)
    assert "Save over a.ddsproj?" in desk.dialogs.asked[-1]
    if not yes:
        assert saved.read_bytes() == theirs
        assert desk.projects.modified
        desk.dialogs.answer = True
        change(desk, qtbot, 66)
    assert nfe_in(saved) == 66
    asked = len(desk.dialogs.asked)
    change(desk, qtbot, 67)
    assert len(desk.dialogs.asked) == asked, "it is this window's again"
    assert nfe_in(saved) == 67


def test_a_project_that_has_gone_is_written_again(desk: Desk, saved: Path, qtbot: QtBot) -> None:
    saved.unlink()
    change(desk, qtbot, 71)
    assert not desk.dialogs.asked
    assert nfe_in(saved) == 71


def test_without_its_folder_it_is_told_and_can_be_saved_elsewhere(
    desk: Desk, saved: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    path = save(desk, tmp_path / "new" / NAME, qtbot)
    shutil.rmtree(path.parent)
    change(desk, qtbot, 72)
    assert "does not exist" in desk.session.notice.what
    assert desk.projects.modified
    save(desk, saved, qtbot)
    assert nfe_in(saved) == 72


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_after_a_crash_a_newer_project_is_asked_about(
    desk: Desk, saved: Path, build: Callable[[], Desk], fake: FakeEngine, qtbot: QtBot, tmp_path: Path
) -> None:
    desk.session.choice.set(nfe=88)
    keep(desk, qtbot)
    place = crash(desk, tmp_path)
    theirs = saved.read_bytes() + b"by somebody else"
    saved.write_bytes(theirs)
    os.utime(saved, ns=(place.file.stat().st_mtime_ns + 10**9,) * 2)
    two = build()
    two.asks.wish = Wish.RESTORE
    with qtbot.waitSignal(two.projects.opened):
        two.projects.offer()
    qtbot.waitUntil(lambda: not two.projects.busy)
    assert two.projects.path == saved
    two.dialogs.answer = False
    two.projects.save()
    qtbot.waitUntil(lambda: not two.projects.busy)
    assert saved.read_bytes() == theirs
    assert "Save over" in two.dialogs.asked[-1]
    del place


def test_the_helper_of_other_tests_closes_the_first_window(
    desk: Desk, saved: Path, build: Callable[[], Desk], qtbot: QtBot
) -> None:
    assert load(build(), saved, qtbot).projects.path == saved
