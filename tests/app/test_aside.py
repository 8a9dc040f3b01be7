"""The dialogs beside the scan: what of the machine works, and DICOM images without identity."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.bridge.machine import Finding, Level
from app.views.main_window import MainWindow
from tests.app.fakes import FakeDialogs
from tests.core.formats.dicom_writer import Series, write_series

SECRET = "ZZCANARYZZ"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    array = np.arange(3 * 6 * 5, dtype=np.int16).reshape(3, 6, 5)
    write_series(tmp_path / SECRET, Series(array, extra={"PatientName": f"{SECRET}^A", "PatientComments": SECRET}))
    return tmp_path / SECRET


def copies_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.dcm"))


def opened_dialog(window: MainWindow, dialogs: FakeDialogs, folder: Path, qtbot: QtBot, monkeypatch):
    monkeypatch.setattr(dialogs, "folder_to_open", lambda *_: str(folder), raising=False)
    window.actions_["deidentify"].trigger()
    dialog = window.aside.deidentify_dialog
    assert not dialog.go.isEnabled()
    qtbot.mouseClick(dialog.browse[0], Qt.MouseButton.LeftButton)
    return dialog


def test_a_folder_is_copied_without_identity(
    window: MainWindow, dialogs: FakeDialogs, folder: Path, tmp_path: Path, qtbot: QtBot, monkeypatch
) -> None:
    dialog = opened_dialog(window, dialogs, folder, qtbot, monkeypatch)
    target = Path(dialog.target.text())
    assert SECRET not in target.name
    (folder / "broken.dcm").write_bytes(copies_in(folder)[0].read_bytes()[:400])
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(dialog.said.text()))
    assert "3 images of 1 series" in dialog.said.text()
    assert "broken.dcm" in dialog.left_out.toPlainText()
    assert len(copies_in(target)) == 3
    assert all(SECRET.encode() not in path.read_bytes() for path in copies_in(target))
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "not empty" in dialog.trouble.words.text())
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.aside.deidentify_dialog is None


def test_it_can_be_stopped_and_leaves_nothing(
    window: MainWindow, dialogs: FakeDialogs, folder: Path, tmp_path: Path, qtbot: QtBot, monkeypatch
) -> None:
    reached, goes_on = threading.Event(), threading.Event()
    real = pydicom.dcmread

    def slow(*args: object, **kwargs: object) -> object:
        reached.set()
        assert goes_on.wait(30)
        return real(*args, **kwargs)

    dialog = opened_dialog(window, dialogs, folder, qtbot, monkeypatch)
    monkeypatch.setattr(pydicom, "dcmread", slow)
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(reached.is_set)
    assert dialog.stop.isVisible()
    assert not dialog.source.isEnabled()
    qtbot.mouseClick(dialog.stop, Qt.MouseButton.LeftButton)
    goes_on.set()
    qtbot.waitUntil(lambda: "Stopped" in dialog.said.text())
    assert not Path(dialog.target.text()).exists()
    assert {path.name for path in tmp_path.iterdir()} <= {SECRET, "state", "preferences"}


def test_the_machine_is_checked_off_the_window(window: MainWindow, qtbot: QtBot, monkeypatch) -> None:
    threads = []

    def examine(_stopped: object):
        threads.append(threading.current_thread())
        yield Finding("torch", Level.OK, "2.13.0")
        yield Finding("OpenGL", Level.NOTE, "none", "Install Mesa.")
        yield Finding("data folder", Level.FAULT, "read-only", "Allow writing.")

    monkeypatch.setattr("app.bridge.machine_desk.examine", examine)
    window.actions_["check_machine"].trigger()
    dialog = window.aside.machine_dialog
    qtbot.waitUntil(lambda: "hinder" in dialog.summary.text())
    assert threads[0] is not threading.main_thread()
    words = [label.text() for label in dialog.findChildren(QLabel)]
    for text in ("2.13.0", "Install Mesa.", "Allow writing.", "fault"):
        assert text in words
    assert dialog.lines[2] == "FAIL data folder: read-only Allow writing."
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.aside.machine_dialog is None
    window.actions_["check_machine"].trigger()
    qtbot.waitUntil(lambda: len(window.aside.machine_dialog.findings) == 3)


def test_closing_the_window_ends_the_check(window: MainWindow, qtbot: QtBot, monkeypatch) -> None:
    begun = threading.Event()

    def examine(stopped):
        begun.set()
        while not stopped():
            threading.Event().wait(0.01)
        yield Finding("late", Level.OK, "never seen")

    monkeypatch.setattr("app.bridge.machine_desk.examine", examine)
    window.actions_["check_machine"].trigger()
    dialog = window.aside.machine_dialog
    qtbot.waitUntil(begun.is_set)
    window.leave()
    assert dialog.findings == []
