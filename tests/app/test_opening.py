"""Opening a scan by every way in, and what happens when it cannot be opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.bridge.engine import Engine
from app.preferences import Preferences
from app.views.axes_dialog import AxesDialog
from app.views.files import local_file
from app.views.main_window import MainWindow
from tests.app.conftest import finished
from tests.app.fakes import FakeDialogs, FakeEngine, scan
from tests.app.fakes_ct import ct_scan

ROOT = Path(__file__).parents[2]


def drop(window: MainWindow, *paths: str) -> bool:
    """Drop files on the window; True if the window would take them."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(p) for p in paths])
    button, no_key, copy = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
    enter = QDragEnterEvent(window.rect().center(), copy, mime, button, no_key)
    enter.ignore()
    QApplication.sendEvent(window, enter)
    event = QDropEvent(QPointF(window.rect().center()), copy, mime, button, no_key)
    QApplication.sendEvent(window, event)
    return enter.isAccepted()


def test_the_empty_window_says_what_it_opens(window: MainWindow) -> None:
    assert window.stack.currentWidget() is window.empty
    assert window.windowTitle() == "DDS Viewer"
    assert window.empty.open.isVisible()
    assert window.empty.demo.isVisible()
    assert window.empty.demo_ct.isVisible()
    assert not window.actions_["reconstruct"].isEnabled()


def test_by_the_dialog(window: MainWindow, dialogs: FakeDialogs, qtbot: QtBot) -> None:
    dialogs.path = "/scans/head.h5"
    qtbot.keyClick(window, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: finished(window, 1))
    assert window.windowTitle() == "head.h5 — DDS Viewer"
    assert window.stack.currentWidget() is window.parts
    assert window.viewer.slice_view.hasFocus()


def test_by_the_button_of_the_empty_window(window: MainWindow, dialogs: FakeDialogs, qtbot: QtBot) -> None:
    dialogs.path = "/scans/head.h5"
    qtbot.mouseClick(window.empty.open, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: finished(window, 1))


def test_a_dialog_that_is_cancelled_changes_nothing(opened: MainWindow, fake: FakeEngine) -> None:
    opened.actions_["open"].trigger()
    assert len(fake.opened) == 1


def test_by_dropping(window: MainWindow, qtbot: QtBot) -> None:
    assert drop(window, "/scans/head.h5")
    qtbot.waitUntil(lambda: finished(window, 1))


def test_several_dropped_files_are_not_guessed_at(window: MainWindow, fake: FakeEngine) -> None:
    drop(window, "/scans/head.h5", "/scans/other.h5")
    assert window.session.notice is not None
    assert not fake.opened


def test_barts_two_files_are_one_scan() -> None:
    urls = [QUrl.fromLocalFile(f"/scans/ksp.{ending}") for ending in ("hdr", "cfl")]
    assert local_file(urls) == "/scans/ksp.cfl"
    assert local_file([QUrl("https://example.org/a.h5")]) == ""


def test_recent_files_are_kept_and_opened(window: MainWindow, dialogs: FakeDialogs, qtbot: QtBot) -> None:
    for name in ("head.h5", "other.h5"):
        window.open_path(f"/scans/{name}")
        qtbot.waitUntil(lambda name=name: window.session.scan is not None and window.session.scan.name == name)
        qtbot.waitUntil(lambda: finished(window, 1))
    assert Preferences().recent == ["/scans/other.h5", "/scans/head.h5"]
    window.menus.fill_recent()
    entries = window.menus.recent.actions()
    assert [a.text() for a in entries] == ["other.h5", "head.h5"]
    entries[1].trigger()
    qtbot.waitUntil(lambda: window.session.scan.name == "head.h5" and finished(window, 1))
    assert Preferences().recent[0] == "/scans/head.h5"


def test_a_file_that_cannot_be_read_leaves_everything_as_it_was(opened: MainWindow, qtbot: QtBot) -> None:
    before = (opened.session.scan, list(opened.session.runs), opened.session.choice.settings)
    picture = opened.viewer.slice_view.image.image
    opened.open_path("/scans/letter.txt")
    qtbot.waitUntil(lambda: opened.session.notice is not None)
    assert opened.banner.isVisible()
    assert opened.banner.what.text() == "This is no scan."
    assert opened.banner.rest.text() == "It holds a letter. Choose a raw scan."
    assert (opened.session.scan, list(opened.session.runs), opened.session.choice.settings) == before
    assert opened.viewer.slice_view.image.image is picture
    assert opened.windowTitle() == "head.h5 — DDS Viewer"
    assert not opened.session.reading
    assert "/scans/letter.txt" not in Preferences().recent
    qtbot.mouseClick(opened.banner.close_button, Qt.MouseButton.LeftButton)
    assert not opened.banner.isVisible()


def test_escape_closes_the_banner(opened: MainWindow, qtbot: QtBot) -> None:
    opened.open_path("/scans/letter.txt")
    qtbot.waitUntil(lambda: opened.banner.isVisible())
    qtbot.keyClick(opened, Qt.Key.Key_Escape)
    assert not opened.banner.isVisible()


def test_a_reader_that_breaks_is_told(
    opened: MainWindow, fake: FakeEngine, qtbot: QtBot, capfd: pytest.CaptureFixture[str]
) -> None:
    fake.files = {"head.h5": None}  # type: ignore[dict-item]
    opened.open_path("/scans/head.h5")
    qtbot.waitUntil(lambda: opened.session.notice is not None)
    assert opened.banner.what.text() == "head.h5 could not be read."
    assert "AttributeError" in capfd.readouterr().err


def test_the_latest_of_two_files_wins(window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    fake.hold_reading = True
    window.open_path("/scans/head.h5")
    window.open_path("/scans/other.h5")
    assert "other.h5" in window.empty.reading.text()
    fake.reading.set()
    qtbot.waitUntil(lambda: finished(window, 1))
    assert window.session.scan.name == "other.h5"
    assert len(fake.script.jobs) == 1


def test_another_scan_discards_the_run_after_asking(
    opened: MainWindow, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot
) -> None:
    opened.bridge.reconstruct()
    fake.script.let(1)
    qtbot.waitUntil(lambda: opened.session.runs.current.step == 1)
    dialogs.answer = False
    opened.open_path("/scans/other.h5")
    assert "Open other.h5?" in dialogs.asked[0]
    assert len(fake.opened) == 1
    dialogs.answer = True
    opened.open_path("/scans/other.h5")
    qtbot.waitUntil(lambda: opened.session.scan.name == "other.h5" and finished(opened, 1))
    assert len(opened.session.runs) == 1
    assert opened.session.runs.front is opened.session.runs.first
    assert opened.run_panel.name.text() == "CG-SENSE"


def test_the_card_shows_facts_but_no_name(opened: MainWindow) -> None:
    text = opened.scan_card.table.text()
    assert "Coils" in text
    assert "Nobody" not in text
    assert "vendor" in text
    shown = [opened.windowTitle(), opened.scan_card.name.text(), *opened.viewer.slice_view.overlay.place]
    assert not any("Nobody" in words for words in shown)


@pytest.mark.parametrize(
    ("changes", "mark"),
    [({"simulated": True}, "Simulated scan"), ({"undersampled": "gaussian1d, R = 4"}, "on purpose: gaussian1d, R = 4")],
)
def test_what_no_scanner_measured_is_marked(
    window: MainWindow, fake: FakeEngine, qtbot: QtBot, changes: dict[str, object], mark: str
) -> None:
    fake.files["head.h5"] = scan(**changes)
    window.open_path("/scans/head.h5")
    qtbot.waitUntil(lambda: finished(window, 1))
    assert any(mark in words for words in window.viewer.slice_view.overlay.marks)
    assert mark in window.scan_card.marks.text()
    assert window.scan_card.marks.isVisible()


def test_plain_arrays_ask_for_their_axes(window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    fake.files["k.npy"] = scan("k.npy")
    window.open_path("/scans/k.npy")
    qtbot.waitUntil(lambda: window.axes_dialog is not None)
    dialog = window.axes_dialog
    assert dialog.axes() == "coil,ky,kx"
    assert "Short first axis." in dialog.why.text()
    open_button = dialog.buttons.button(dialog.buttons.StandardButton.Open)
    dialog.fields[0].setCurrentText("ky")
    assert not open_button.isEnabled()
    assert "named twice" in dialog.trouble.text()
    dialog.fields[0].setCurrentText("slice")
    assert open_button.isEnabled()
    qtbot.mouseClick(open_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: finished(window, 1))
    assert fake.opened == [("/scans/k.npy", "slice,ky,kx", "kspace")]
    assert fake.script.jobs[0].source.axes == "slice,ky,kx"


def test_escape_leaves_the_axes_dialog(window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    window.open_path("/scans/k.npy")
    qtbot.waitUntil(lambda: window.axes_dialog is not None)
    qtbot.keyClick(window.axes_dialog, Qt.Key.Key_Escape)
    assert not fake.opened
    assert not window.session.reading


def test_images_are_named_like_k_space(window: MainWindow, qtbot: QtBot) -> None:
    window.open_path("/scans/k.npy")
    qtbot.waitUntil(lambda: window.axes_dialog is not None)
    dialog: AxesDialog = window.axes_dialog
    dialog.domain.setCurrentIndex(1)
    dialog.domain.activated.emit(1)
    assert dialog.axes() == "coil,y,x"
    assert not dialog.trouble.text()
    dialog.reject()


def test_each_demo_has_its_button(window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    fake.files |= {"mri_head.h5": scan("mri_head.h5"), "ct_chest.h5": ct_scan("ct_chest.h5")}
    qtbot.mouseClick(window.empty.demo_ct, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: finished(window, 1))
    assert window.session.scan.name == "ct_chest.h5"
    assert not window.preferences.recent, "a bundled scan is no file of the user's"
    window.actions_["demo"].trigger()
    qtbot.waitUntil(lambda: window.session.scan.name == "mri_head.h5" and finished(window, 1))


def test_axes_of_projections_need_no_domain(window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    fake.files["k.npy"] = ct_scan("k.npy")
    window.open_path("/scans/k.npy")
    qtbot.waitUntil(lambda: window.axes_dialog is not None)
    dialog: AxesDialog = window.axes_dialog
    assert dialog.domain.isVisible()
    for field, name in zip(dialog.fields, ("row", "view", "column"), strict=True):
        field.setCurrentText(name)
    assert not dialog.domain.isVisible()
    assert not dialog.trouble.text()
    qtbot.mouseClick(dialog.buttons.button(dialog.buttons.StandardButton.Open), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: finished(window, 1))
    assert fake.opened == [("/scans/k.npy", "row,view,column", "kspace")]


def test_arrays_that_bring_their_angles_are_not_asked_for_their_axes(tmp_path: Path) -> None:
    engine, rng = Engine(), np.random.default_rng(0)
    np.savez(tmp_path / "ct.npz", sinogram=rng.random((24, 40)), angles=np.linspace(0, np.pi, 24))
    np.save(tmp_path / "k.npy", rng.normal(size=(4, 32, 24)) + 0j)
    (tmp_path / "broken.mat").write_bytes(b"MATLAB 5.0, or so it says")
    asked = {name: engine.needs_axes(str(tmp_path / name)) for name in ("ct.npz", "k.npy", "broken.mat", "none.npy")}
    assert asked == {"ct.npz": False, "k.npy": True, "broken.mat": True, "none.npy": True}


def test_the_engine_guesses_for_each_array_of_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=(4, 32, 24)) + 0j for name in ("first", "second")}
    np.savez(tmp_path / "two.npz", **arrays)
    guesses = Engine().guess_axes(str(tmp_path / "two.npz"))
    assert [(g.variable, g.shape) for g in guesses] == [("first", (4, 32, 24)), ("second", (4, 32, 24))]


def test_the_window_stands_before_torch_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from PySide6.QtCore import QSettings\n"
        "from PySide6.QtTest import QTest\n"
        f"QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, {str(tmp_path)!r})\n"
        "from app.window import build\n"
        "app, window = build()\n"
        "window.show()\n"
        "assert QTest.qWaitForWindowExposed(window)\n"
        "heavy = [m for m in ('torch', 'scipy', 'h5py', 'skimage', 'nibabel', 'numba', 'vtk', 'vtkmodules')"
        " if m in sys.modules]\n"
        "assert not heavy, heavy\n"
        "window.leave()\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert not result.stderr
