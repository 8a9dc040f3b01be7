"""The list of licences behind Help > About."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.licences import Package
from app.views.help_dialogs import AboutDialog
from app.views.licences_dialog import LicencesDialog

LISTED = (
    Package("DDS Viewer", "1.0", "Apache-2.0", "Terms and conditions"),
    Package("alpha", "2.0", "MIT", "Permission is granted"),
    Package("beta", "3.0", "BSD-3-Clause", ""),
)


@pytest.fixture
def about(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> AboutDialog:
    """Of a program with three packages."""
    monkeypatch.setattr("app.bridge.licence_desk.packages", lambda: LISTED)
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    dialog.open()
    return dialog


@pytest.fixture
def dialog(about: AboutDialog, qtbot: QtBot) -> LicencesDialog:
    """Opened from About, as a user does."""
    qtbot.mouseClick(about.licences, Qt.MouseButton.LeftButton)
    opened = about.findChild(LicencesDialog)
    assert isinstance(opened, LicencesDialog)
    qtbot.waitUntil(lambda: opened.list.topLevelItemCount() == len(LISTED))
    return opened


def rows(dialog: LicencesDialog) -> list[str]:
    every = (dialog.list.topLevelItem(place) for place in range(dialog.list.topLevelItemCount()))
    return [row.text(0) for row in every if not row.isHidden()]


def test_licences_are_listed_and_searched(dialog: LicencesDialog, qtbot: QtBot) -> None:
    assert rows(dialog) == ["DDS Viewer", "alpha", "beta"]
    assert dialog.text.toPlainText() == "Terms and conditions"
    dialog.line.setFocus()
    qtbot.keyClicks(dialog.line, "mit")
    assert rows(dialog) == ["alpha"]
    assert dialog.text.toPlainText() == "Permission is granted"
    assert dialog.count.text() == "1 of 3 packages"
    qtbot.keyClicks(dialog.line, " nowhere")
    assert rows(dialog) == []
    assert dialog.text.toPlainText() == ""


def test_a_package_without_a_text_says_so(dialog: LicencesDialog, qtbot: QtBot) -> None:
    dialog.list.setFocus()
    qtbot.keyClick(dialog.list, Qt.Key.Key_End)
    assert dialog.list.currentItem().text(0) == "beta"
    assert "without the text" in dialog.text.toPlainText()


def test_a_list_that_comes_after_the_dialog_is_closed_goes_nowhere(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, asked = threading.Event(), threading.Event()

    def late() -> tuple[Package, ...]:
        asked.set()
        held.wait(30)
        return (Package("late", "1", "MIT", ""),)

    monkeypatch.setattr("app.bridge.licence_desk.packages", late)
    opened = LicencesDialog()
    thread = next(thread for thread in threading.enumerate() if thread.name == "licences")
    assert asked.wait(30)
    opened.open()
    gone: list[bool] = []
    opened.destroyed.connect(lambda: gone.append(True))
    qtbot.keyClick(opened, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: bool(gone))
    held.set()
    thread.join(30)
    assert not thread.is_alive()
    QApplication.processEvents()
