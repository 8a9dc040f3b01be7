"""Leaving, in every state."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.bridge.trust_desk import Ongoing
from app.state.runs import Phase
from app.state.trust.study import Study
from app.views.main_window import MainWindow
from tests.app.conftest import finished
from tests.app.fakes import FakeDialogs, FakeEngine


def test_empty(window: MainWindow, dialogs: FakeDialogs) -> None:
    assert window.close()
    assert not dialogs.asked


def test_while_reading(window: MainWindow, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot) -> None:
    fake.hold_reading = True
    window.open_path("/scans/head.h5")
    qtbot.waitUntil(lambda: bool(fake.opened))
    fake.reading.set()
    assert window.close()
    assert not dialogs.asked


def test_with_only_the_classical_image(opened: MainWindow, dialogs: FakeDialogs) -> None:
    assert opened.close()
    assert not dialogs.asked


@pytest.mark.parametrize("paused", [False, True])
def test_during_a_run(opened: MainWindow, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot, paused: bool) -> None:
    opened.bridge.reconstruct()
    opened.bridge.reconstruct()
    fake.script.let(1)
    qtbot.waitUntil(lambda: opened.session.runs.current.step == 1)
    if paused:
        qtbot.keyClick(opened, Qt.Key.Key_P)
        qtbot.waitUntil(lambda: opened.session.runs.current.phase is Phase.PAUSED)
    dialogs.answer = False
    assert not opened.close()
    assert opened.isVisible()
    assert opened.session.runs.current is not None
    dialogs.answer = True
    started = time.monotonic()
    assert opened.close()
    assert time.monotonic() - started < 2
    assert len(dialogs.asked) == 2
    assert "would be discarded" in dialogs.asked[0]
    assert not opened.bridge._computer.isRunning()


def test_with_an_unsaved_result(opened: MainWindow, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot) -> None:
    fake.script.free = True
    opened.bridge.reconstruct()
    qtbot.waitUntil(lambda: finished(opened, 2))
    dialogs.answer = False
    assert not opened.close()
    assert "Not saved: DDS 20" in dialogs.asked[0]
    dialogs.path = "/results/a.npy"
    opened.ask_where_to_save()
    qtbot.waitUntil(lambda: not opened.session.runs.unsaved)
    asked = len(dialogs.asked)
    assert opened.close()
    assert len(dialogs.asked) == asked


def test_a_file_being_written_is_finished(opened: MainWindow, fake: FakeEngine, dialogs: FakeDialogs) -> None:
    run = opened.session.runs.front
    for number in range(3):
        opened.bridge.save(run, f"/results/{number}.npy")
    assert opened.close()
    opened.bridge.wait_for_end()
    assert [path for _, path in fake.saved] == [f"/results/{number}.npy" for number in range(3)]


def test_ctrl_q_leaves(opened: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not opened.isVisible())


def test_a_film_and_a_question_of_trust_are_asked_about(
    opened: MainWindow, dialogs: FakeDialogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = opened.session.runs.front
    assert run is not None
    monkeypatch.setattr(opened.reviewing.pictures, "filming", object())
    monkeypatch.setattr(opened.reviewing.trusting.desk, "ongoing", Ongoing(run, Study.SUPPORT))
    dialogs.answer = False
    assert not opened.close()
    assert "A film" in dialogs.asked[-1]
    assert "examined" in dialogs.asked[-1]
    monkeypatch.undo()


def test_a_verdict_that_nobody_asked_for_is_not_asked_about(
    opened: MainWindow, dialogs: FakeDialogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = opened.session.runs.front
    assert run is not None
    monkeypatch.setattr(opened.reviewing.trusting.desk, "ongoing", Ongoing(run, Study.VERDICT))
    assert opened.close()
    assert not dialogs.asked
