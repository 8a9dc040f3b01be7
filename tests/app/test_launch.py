"""The program as the command line starts it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app.views.files import demo_path
from app.views.main_window import MainWindow
from app.window import launch
from tests.app.fakes import FakeEngine, scan
from tests.app.fakes_ct import ct_scan


@pytest.fixture(autouse=True)
def old_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, MainWindow):
            widget.deleteLater()


def test_the_demo_reconstructs_draws_itself_and_leaves(qapp: QApplication, fake: FakeEngine, tmp_path: Path) -> None:
    fake.files["mri_head.h5"] = scan("mri_head.h5", simulated=True)
    fake.script.free = True
    picture = tmp_path / "demo.png"
    assert launch(demo="mri", screenshot=str(picture), exit_when_done=True, engine=fake.engine()) == 0
    assert [job.settings.method for job in fake.script.jobs] == ["cg-sense", "dds"]
    assert fake.opened[0][0] == demo_path()
    drawn = QImage(str(picture))
    assert (drawn.width(), drawn.height()) == (1280, 720)


def test_the_ct_demo_ends_in_three_planes(
    qapp: QApplication, fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.files["ct_chest.h5"] = ct_scan("ct_chest.h5", simulated=True)
    fake.script.free = True
    seen: list[tuple[str, bool]] = []
    leave = MainWindow.leave

    def look_and_leave(window: MainWindow) -> None:
        seen.append((window.viewer.picture.currentText(), window.viewer.planes.planes_on_view))
        leave(window)

    monkeypatch.setattr(MainWindow, "leave", look_and_leave)
    picture = tmp_path / "demo.png"
    assert launch(demo="ct", screenshot=str(picture), exit_when_done=True, engine=fake.engine()) == 0
    assert [job.settings.method for job in fake.script.jobs] == ["fbp", "dds"]
    assert seen == [("DDS result", True)]
    assert Path(demo_path("ct")).is_file()
    assert picture.is_file()


def test_a_scan_from_the_command_line(qapp: QApplication, fake: FakeEngine, tmp_path: Path) -> None:
    picture = tmp_path / "scan.png"
    assert launch("/scans/head.h5", screenshot=str(picture), exit_when_done=True, engine=fake.engine()) == 0
    assert [job.settings.method for job in fake.script.jobs] == ["cg-sense"]
    assert picture.is_file()


@pytest.mark.parametrize("failing", ["reading", "running"])
def test_a_failure_is_said_and_the_status_tells(
    qapp: QApplication, fake: FakeEngine, capsys: pytest.CaptureFixture[str], failing: str
) -> None:
    if failing == "running":
        fake.files["mri_head.h5"] = scan("mri_head.h5")
        fake.script.failing = 0
    assert launch(demo="mri", exit_when_done=True, engine=fake.engine()) == 2
    said = capsys.readouterr().err
    assert said.startswith("It broke." if failing == "running" else "This is no scan.")


def test_a_screenshot_that_cannot_be_written_is_said(
    qapp: QApplication, fake: FakeEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = str(tmp_path / "absent" / "scan.png")
    assert launch("/scans/head.h5", screenshot=picture, exit_when_done=True, engine=fake.engine()) == 2
    assert "could not be written" in capsys.readouterr().err
