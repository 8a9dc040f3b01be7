"""Nobody gets from the stand to files or out of it, except by the keys that were told."""

from __future__ import annotations

import signal

import pytest
from click.testing import CliRunner
from PySide6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QLabel, QLineEdit, QMenu, QMenuBar, QWidget
from pytestqt.qtbot import QtBot

from app import cli
from app.actions import DEEDS
from app.preferences import Preferences
from app.state.kiosk import ACTS, Policy, Stage
from app.views.kiosk import Kiosk
from app.views.kiosk_stage import RESEARCH
from app.window import launch_kiosk
from tests.app.fakes import FakeEngine
from tests.app.kiosk_bench import compared, press

OFFERED = set(Policy().actions)
REFUSED = sorted(set(DEEDS) - OFFERED)


def test_the_policy_names_what_there_is_and_nothing_that_reaches_files() -> None:
    assert set(DEEDS) >= OFFERED
    assert {"reset_levels", "fit", "zoom_in", "zoom_out", "reconstruct"} == OFFERED
    files = ("open", "open_folder", "save", "export_volume", "save_project", "save_picture", "save_film", "simulate")
    manners = ("quit", "edit_keys", "commands", "priors", "shortcuts", "about", "tour", "theme_light", "language_de")
    assert not [name for name in (*files, *manners) if Policy().allows(name)]


def test_only_the_actions_of_the_policy_exist(stand: Kiosk) -> None:
    assert {action.objectName() for action in stand.actions()} == OFFERED
    assert not [action for child in stand.findChildren(QWidget) for action in child.actions() if action.text()]


@pytest.mark.parametrize("name", [name for name in REFUSED if DEEDS[name].key])
def test_the_key_of_any_other_action_does_nothing(
    stand: Kiosk, qtbot: QtBot, fake: FakeEngine, name: str, request: pytest.FixtureRequest
) -> None:
    before = (stand.play.stage, len(fake.opened), QApplication.topLevelWidgets().__len__())
    press(stand, DEEDS[name].key)
    assert (stand.play.stage, len(fake.opened), QApplication.topLevelWidgets().__len__()) == before
    assert stand.isVisible()
    assert QApplication.activeModalWidget() is None
    assert QApplication.activePopupWidget() is None


@pytest.mark.parametrize(
    "keys", ["Alt+F4", "Ctrl+Q", "Ctrl+W", "Esc", "F10", "F11", "Menu", "Ctrl+Shift+Q", "Ctrl+Alt+Q"]
)
def test_the_usual_ways_out_lead_nowhere(stand: Kiosk, keys: str) -> None:
    press(stand, keys)
    assert stand.isVisible()
    stand.close()
    assert stand.isVisible()


@pytest.mark.parametrize("while_comparing", [False, True])
def test_the_keys_that_were_told_close_it(stand: Kiosk, qtbot: QtBot, while_comparing: bool) -> None:
    if while_comparing:
        compared(stand, qtbot)
        stand.stage.slices.setFocus()
    press(stand, stand.play.policy.escape)
    qtbot.waitUntil(lambda: not stand.isVisible())


def test_drops_are_refused(stand: Kiosk, qtbot: QtBot, fake: FakeEngine) -> None:
    compared(stand, qtbot)
    opened = len(fake.opened)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/scans/head.h5")])
    for widget in (stand, *stand.findChildren(QWidget)):
        assert not widget.acceptDrops()
    move = Qt.DropAction.CopyAction
    event = QDropEvent(QPointF(50, 50), move, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    event.ignore()
    QApplication.sendEvent(stand, event)
    assert not event.isAccepted()
    assert len(fake.opened) == opened


def test_a_right_click_opens_no_menu(stand: Kiosk, qtbot: QtBot) -> None:
    compared(stand, qtbot)
    for widget in (stand.stage.pane.canvas, stand.stage.slices, stand.stage.caption, stand.stage.next):
        QTest.mouseClick(widget, Qt.MouseButton.RightButton)
        assert QApplication.activePopupWidget() is None


def test_nothing_can_be_typed_chosen_or_unfolded(stand: Kiosk, qtbot: QtBot) -> None:
    """The header of the pane, which has lists and menus, never shows."""
    compared(stand, qtbot)
    for kind in (QLineEdit, QComboBox, QMenuBar, QMenu, QDialog):
        assert not [widget for widget in stand.findChildren(kind) if widget.isVisible()]
    assert not [label for label in stand.findChildren(QLabel) if label.openExternalLinks()]


def test_what_it_is_not_for_stands_on_every_page(stand: Kiosk, qtbot: QtBot) -> None:
    def said() -> bool:
        return any(label.isVisible() and label.text() == RESEARCH for label in stand.findChildren(QLabel))

    assert said()
    compared(stand, qtbot)
    assert said()
    stand.fail()
    assert said()


def test_nothing_is_remembered(stand: Kiosk, qtbot: QtBot) -> None:
    compared(stand, qtbot)
    stand.leave()
    stand.bridge.wait_for_end()
    kept = Preferences()
    assert kept.recent == []
    assert kept.geometry.isEmpty()
    assert not kept.tour_seen
    assert kept.commands == []


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (1024, 640)])
def test_words_are_not_cut_off(stand: Kiosk, qtbot: QtBot, size: tuple[int, int]) -> None:
    stand.resize(*size)
    QApplication.processEvents()
    assert _fits(stand.welcome.caption)
    compared(stand, qtbot)
    for act in ACTS:
        for stage in (Stage.MEASURED, Stage.FORMING, Stage.COMPARE, Stage.UNSEEN):
            stand.stage.show_stage(act, stage, ready=False)
            QApplication.processEvents()
            assert _fits(stand.stage.caption), (act.name, stage)


def _fits(label: QLabel) -> bool:
    return label.height() >= label.heightForWidth(label.width())


# The command line


def test_launched_it_fills_the_screen_and_ends_with_its_keys(qapp: QApplication, fake: FakeEngine) -> None:
    seen: list[bool] = []
    before = signal.getsignal(signal.SIGINT)

    def look() -> None:
        stand = next((w for w in QApplication.topLevelWidgets() if isinstance(w, Kiosk) and w.isVisible()), None)
        if stand is None or not stand.isActiveWindow():
            QTimer.singleShot(50, look)
            return
        seen.append(stand.isFullScreen())
        press(stand, stand.play.policy.escape)

    QTimer.singleShot(50, look)
    assert launch_kiosk(30, engine=fake.engine()) == 0
    assert seen == [True]
    signal.signal(signal.SIGINT, before)
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, Kiosk):
            widget.deleteLater()


def test_the_command_tells_how_to_leave_and_hands_on_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    monkeypatch.setattr("app.window.launch_kiosk", lambda idle_s: asked.append(idle_s) or 0)
    monkeypatch.setenv("DISPLAY", ":0")
    result = CliRunner().invoke(cli.cli, ["demo", "--kiosk", "--idle", "30"])
    assert result.exit_code == 0
    assert Policy().escape in result.output
    assert asked == [30.0]
    CliRunner().invoke(cli.cli, ["demo", "--kiosk"])
    assert asked == [30.0, Policy().idle_s]


@pytest.mark.parametrize("also", [["--exit-when-done"], ["--screenshot", "x.png"], ["--idle", "0"], ["--idle", "nan"]])
def test_what_does_not_go_with_it_is_refused(also: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.window.launch_kiosk", lambda idle_s: pytest.fail("it was opened"))
    monkeypatch.setenv("DISPLAY", ":0")
    result = CliRunner().invoke(cli.cli, ["demo", "--kiosk", *also])
    assert result.exit_code != 0
