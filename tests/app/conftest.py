"""A window over a fake engine, and a check that nothing is left running after a test."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QSettings, QThread, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import theme
from app.bridge.bridge import Bridge
from app.preferences import Preferences
from app.state.session import Session
from app.views.main_window import MainWindow
from core.engine.settings import ReconSettings
from tests.app.fakes import FakeDialogs, FakeEngine
from tests.app.kiosk_bench import clock, show, stand  # noqa: F401
from tests.app.manners_bench import usual_looks  # noqa: F401
from tests.app.measure_bench import bench  # noqa: F401
from tests.app.pictures_bench import answers, movie, pictures, room  # noqa: F401
from tests.app.project_bench import build, desk, whole  # noqa: F401
from tests.app.solid_bench import pane, rendered  # noqa: F401
from tests.app.trust_bench import examiner, studio  # noqa: F401


@pytest.fixture(scope="session", autouse=True)
def large_libraries_passed_over() -> None:
    """What they bring is never garbage; without it the collector and the checks below are done ten times as fast."""
    import pyqtgraph  # noqa: F401
    import torch  # noqa: F401

    import app.views.main_window  # noqa: F401

    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def own_preferences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or changes what the user's program remembers."""
    monkeypatch.setenv("DDS_VIEWER_STATE", str(tmp_path / "state"))
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "preferences"))


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """Fails a test that leaves a thread of Qt's or an active timer."""
    yield
    workers = [t.objectName() for t in _living(QThread) if t.isRunning()]
    timers = [t.objectName() or "unnamed" for t in _living(QTimer) if t.isActive()]
    assert not workers, f"QThreads left: {workers}"
    assert not timers, f"timers left active: {timers}"


@pytest.fixture(autouse=True)
def collector_in_this_thread() -> Iterator[None]:
    """As in the program: nothing of Qt's is destroyed in a worker thread."""
    gc.disable()
    yield
    gc.enable()
    gc.collect(1)


def _living(kind: type) -> list[Any]:
    """All objects of a Qt class. By type(), because isinstance() wakes up lazy objects of other libraries."""
    return [found for found in gc.get_objects() if issubclass(type(found), kind) and shiboken6.isValid(found)]


@pytest.fixture
def fake() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def dialogs() -> FakeDialogs:
    return FakeDialogs()


@pytest.fixture
def window(qtbot: QtBot, fake: FakeEngine, dialogs: FakeDialogs) -> Iterator[MainWindow]:
    """The window, shown, with nothing open. Settings are the plain ones, whatever the bundled prior recommends."""
    theme.apply("dark")
    session = Session()
    session.choice.defaults = session.choice.settings = ReconSettings()
    made = MainWindow(session, Bridge(session, fake.engine()), Preferences(), dialogs)  # type: ignore[arg-type]
    made.show()
    with qtbot.waitActive(made):
        made.activateWindow()
    yield made
    fake.reading.set()
    fake.adding.set()
    fake.simulating.set()
    made.leave()
    made.bridge.wait_for_end()
    made.deleteLater()


@pytest.fixture
def opened(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window with a scan open and its classical image on view."""
    window.open_path("/scans/head.h5")
    qtbot.waitUntil(lambda: finished(window, 1))
    return window


@pytest.fixture
def ct(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window with a parallel-beam scan open in three planes, its filtered back-projection on view; VTK kept out."""
    window.viewer.planes.volume.trouble = "Not in this test."
    open_file(window, qtbot, "chest.h5")
    qtbot.waitUntil(lambda: window.viewer.planes.across[0].isVisible())
    QApplication.processEvents()
    return window


def open_file(window: MainWindow, qtbot: QtBot, name: str) -> None:
    """Open a scan and wait for its classical image."""
    window.open_path(f"/scans/{name}")
    qtbot.waitUntil(lambda: window.session.scan is not None and window.session.scan.name == name)
    qtbot.waitUntil(lambda: finished(window, 1))


def finished(window: MainWindow, count: int) -> bool:
    """So many runs have ended with an image."""
    return sum(run.volume is not None for run in window.session.runs) == count
