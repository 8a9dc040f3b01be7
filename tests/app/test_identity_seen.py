"""Who was scanned is in no title, picture, project, film or file of the window's, and in no name that it proposes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.bridge.bridge import Bridge
from app.bridge.engine import Engine
from app.bridge.file_desk import notice_of
from app.preferences import Preferences
from app.state.naming import public_name
from app.state.session import Session
from app.views.main_window import MainWindow
from core.engine.settings import ReconSettings
from core.formats.identity import Identity
from tests.app.fakes import FakeDialogs
from tests.canary import FOREIGN, NAME, SCANS, SECRETS, VOLUMES, found_in, has

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything that the program keeps of its own lies here."""
    folder = tmp_path / "home"
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("DDS_VIEWER_STATE", str(folder / "state"))
    monkeypatch.setenv("DDS_VIEWER_CACHE", str(folder / "cache"))
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder / "preferences"))
    return folder


@pytest.fixture
def real(home: Path, dialogs: FakeDialogs, qtbot: QtBot) -> Iterator[MainWindow]:
    """The window over the real engine, with a classical method that takes no time."""
    session = Session()
    session.choice.defaults = session.choice.settings = ReconSettings(method="zero-filled")
    made = MainWindow(session, Bridge(session, Engine()), Preferences(), dialogs)  # type: ignore[arg-type]
    made.viewer.planes.volume.trouble = "Not in this test."
    made.show()
    made.projects.begin()
    yield made
    made.leave()
    made.bridge.wait_for_end()
    made.projects.wait_for_end()
    made.deleteLater()


def settle(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not (window.bridge.busy or window.projects.busy), timeout=30_000)
    QApplication.processEvents()


def secrets_in(words: str) -> list[str]:
    return [secret for secret in SECRETS if has(words.encode(), secret)]


@pytest.mark.parametrize("kind", SCANS)
def test_a_raw_scan_from_opening_to_leaving(
    kind: str, real: MainWindow, dialogs: FakeDialogs, home: Path, tmp_path: Path, qtbot: QtBot, capfd
) -> None:
    source = SCANS[kind](tmp_path / "scan")
    out = tmp_path / "out"
    out.mkdir()
    real.open_path(str(source))
    qtbot.waitUntil(lambda: any(run.volume is not None for run in real.session.runs), timeout=30_000)
    settle(real, qtbot)
    assert NAME in str(real.session.scan.scan.provenance.identifiers)
    run = next(run for run in real.session.runs if run.volume is not None)
    for ending in (".npy", ".nii.gz", ".nrrd", ".png", ".dcm"):
        real.bridge.save(run, str(out / f"x{ending}"))
        settle(real, qtbot)
    real.actions_["workspace_review"].trigger()
    QApplication.processEvents()
    dialogs.picture, dialogs.target = (str(out / "pane.png"), 1), str(out / "item.dcm")
    dialogs.picture_to_save = lambda *_: (str(out / "pane.png"), 1)  # type: ignore[method-assign]
    real.actions_["save_picture"].trigger()
    real.actions_["export_volume"].trigger()
    settle(real, qtbot)
    real.projects._write(out / "project.ddsview")
    real.projects.keep()
    settle(real, qtbot)
    real.grab().save(str(out / "window.png"))
    real.preferences.flush()
    shown = [real.windowTitle(), *(label.text() for label in real.findChildren(QLabel))]
    assert not [words for words in shown if secrets_in(words)]
    assert not found_in(tmp_path, but=(source,))
    names = {path.name for path in out.iterdir()}
    assert {"x.npy", "x.dcm", "pane.png", "item.dcm", "project.ddsview", "window.png"} <= names
    assert list(home.rglob("*.json")) or list(home.rglob("*.ini")), "nothing was kept, so nothing was searched"
    assert not secrets_in("".join(capfd.readouterr()))


@pytest.mark.parametrize("kind", VOLUMES)
@pytest.mark.parametrize("shown", [False, True])
def test_a_volume_in_the_viewing_room(
    kind: str, shown: bool, real: MainWindow, dialogs: FakeDialogs, tmp_path: Path, qtbot: QtBot
) -> None:
    """Also where the user has the name shown over the image: pictures leave it out all the same."""
    source = VOLUMES[kind](tmp_path / "volume")
    out = tmp_path / "out"
    out.mkdir()
    real.open_path(str(source))
    qtbot.waitUntil(lambda: len(real.session.room) == 1, timeout=30_000)
    settle(real, qtbot)
    real.session.room.show_words(identity=shown)
    dialogs.answer = False
    for ending in (".dcm", ".nii.gz", ".nrrd", ".npy"):
        dialogs.target = str(out / f"x{ending}")
        real.actions_["export_volume"].trigger()
        settle(real, qtbot)
    dialogs.picture_to_save = lambda *_: (str(out / "pane.png"), 1)  # type: ignore[method-assign]
    real.actions_["save_picture"].trigger()
    settle(real, qtbot)
    real.projects._write(out / "project.ddsview")
    real.projects.keep()
    settle(real, qtbot)
    real.preferences.flush()
    assert not secrets_in(real.windowTitle())
    assert not found_in(tmp_path, but=(source,))
    assert len(list(out.iterdir())) >= 5


@pytest.mark.parametrize("kind", [*SCANS, *VOLUMES])
def test_a_file_that_is_named_after_the_patient(
    kind: str, real: MainWindow, dialogs: FakeDialogs, tmp_path: Path, qtbot: QtBot
) -> None:
    """No title has the name, and none is proposed. The list of recent files has the user's own paths."""
    folder = tmp_path / "in"
    folder.mkdir()
    source = ({**SCANS, **VOLUMES}[kind])(folder / f"{NAME}_head")
    real.open_path(str(source))
    wanted = (lambda: len(real.session.room) == 1) if kind in VOLUMES else (lambda: real.session.runs.front is not None)
    qtbot.waitUntil(wanted, timeout=30_000)
    settle(real, qtbot)
    known = kind not in ("nifti", "nrrd")
    assert NAME not in real.windowTitle()
    assert not (known and [label.text() for label in real.findChildren(QLabel) if NAME in label.text()])
    dialogs.file_to_save = lambda _parent, proposal: dialogs.asked.append(proposal) or ""  # type: ignore[method-assign]
    dialogs.picture_to_save = lambda _parent, proposal: (dialogs.asked.append(proposal) or "", 1)  # type: ignore[method-assign]
    real.actions_["save"].trigger()
    real.actions_["workspace_review"].trigger()
    QApplication.processEvents()
    real.actions_["export_volume"].trigger()
    real.actions_["save_picture"].trigger()
    settle(real, qtbot)
    assert len(dialogs.asked) >= 2
    assert not [name for name in dialogs.asked if NAME in Path(name).name and known]


def test_names_by_identity() -> None:
    who = Identity(patient_name=f"{NAME}^Jane={FOREIGN}", patient_id="K-4711")
    for name in (f"{NAME.lower()}.h5", f"scan_{FOREIGN}_2.h5", "jane-head.dat", "K-4711.dcm"):
        assert public_name(name, who, "scan") == "scan", name
    for name in ("head.h5", "janet.h5", "47110.h5"):
        assert public_name(name, who, "scan") == name
    assert public_name("head.h5", Identity(), "scan") == "head.h5"


def test_what_goes_wrong_is_printed_without_values(capfd) -> None:
    def read(patient: str) -> None:
        raise ValueError(f"cannot read {patient}")

    try:
        read(NAME)
    except ValueError as error:
        notice_of(error, "It could not be read.")
    said = "".join(capfd.readouterr())
    assert NAME not in said
    assert "ValueError" in said
