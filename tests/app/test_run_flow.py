"""A run from the press of Reconstruct to its end, and every way to end it before."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSpinBox
from pytestqt.qtbot import QtBot

from app.state.runs import Phase
from app.views.main_window import MainWindow
from tests.app.conftest import finished
from tests.app.fakes import FakeDialogs, FakeEngine

LEFT = Qt.MouseButton.LeftButton


def start(window: MainWindow, qtbot: QtBot) -> None:
    """Press Reconstruct and wait until the run prepares."""
    before = len(window.session.runs)
    qtbot.mouseClick(window.parameters.reconstruct, LEFT)
    assert len(window.session.runs) == before + 1


def at_step(window: MainWindow, step: int) -> bool:
    front = window.session.runs.front
    return front is not None and front.result_step == step and front.step == step


def title(window: MainWindow) -> str:
    return window.viewer.slice_view.overlay.title


def test_opening_shows_the_classical_image_at_once(opened: MainWindow) -> None:
    assert title(opened) == "CG-SENSE (classical)"
    assert opened.viewer.slice_view.image.image is not None


def test_a_run_shows_every_estimate_and_its_end(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    start(opened, qtbot)
    for step in range(1, 4):
        fake.script.let(1)
        qtbot.waitUntil(lambda step=step: at_step(opened, step))
        assert title(opened).endswith(f"denoised estimate, step {step} of 4")
        assert opened.run_panel.status.text() == f"Step {step} of 4 · 2 s left"
        assert opened.run_panel.curve.residuals == [0.5**k for k in range(1, step + 1)]
    fake.script.let(1)
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert title(opened).endswith("— result")
    chosen = opened.session.choice.settings
    assert title(opened).startswith(f"DDS 20, CG {chosen.cg_steps}, gamma {chosen.gamma:g}, eta {chosen.eta:g} — ")
    assert opened.run_panel.status.text() == "Finished"
    assert opened.run_panel.bar.value() == 100
    assert not opened.actions_["pause"].isEnabled()


def test_a_click_on_a_button_leaves_the_arrow_keys_to_the_image(opened: MainWindow, qtbot: QtBot) -> None:
    start(opened, qtbot)
    qtbot.mouseClick(opened.run_panel.buttons["discard"], LEFT)
    assert opened.viewer.slice_view.hasFocus()
    qtbot.waitUntil(lambda: len(opened.session.runs) == 1)


def test_the_classical_image_is_one_key_away(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    start(opened, qtbot)
    fake.script.let(2)
    qtbot.waitUntil(lambda: at_step(opened, 2))
    qtbot.keyClick(opened, Qt.Key.Key_C)
    assert title(opened) == "CG-SENSE (classical)"
    fake.script.let(1)
    qtbot.waitUntil(lambda: at_step(opened, 3))
    assert title(opened) == "CG-SENSE (classical)"
    qtbot.keyClick(opened, Qt.Key.Key_C)
    assert title(opened).endswith("step 3 of 4")


def test_pause_and_resume(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    start(opened, qtbot)
    fake.script.let(1)
    qtbot.waitUntil(lambda: at_step(opened, 1))
    qtbot.mouseClick(opened.run_panel.buttons["pause"], LEFT)
    qtbot.waitUntil(lambda: opened.session.runs.front.phase is Phase.PAUSED)
    assert opened.run_panel.buttons["pause"].text() == "&Resume"
    assert opened.run_panel.status.text() == "Paused at step 1 of 4"
    qtbot.mouseClick(opened.run_panel.buttons["pause"], LEFT)
    assert opened.run_panel.buttons["pause"].text() == "&Pause"
    fake.script.let(3)
    qtbot.waitUntil(lambda: finished(opened, 2))


@pytest.mark.parametrize("step", range(4))
def test_keep_this_at_every_step(opened: MainWindow, fake: FakeEngine, qtbot: QtBot, step: int) -> None:
    start(opened, qtbot)
    fake.script.let(step)
    qtbot.waitUntil(lambda: opened.session.runs.front.step == step and opened.session.runs.front.going_on)
    qtbot.mouseClick(opened.run_panel.buttons["keep"], LEFT)
    qtbot.waitUntil(lambda: finished(opened, 2))
    run = opened.session.runs.front
    assert run.phase is Phase.KEPT
    assert title(opened).endswith(f"kept after step {step} of 4")
    assert abs(run.result.image[0, 0, -1]) == pytest.approx((1 + 0.1 * step) / 3, rel=1e-5)


def test_keep_works_while_paused(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    start(opened, qtbot)
    fake.script.let(2)
    qtbot.waitUntil(lambda: at_step(opened, 2))
    qtbot.keyClick(opened, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: opened.session.runs.front.phase is Phase.PAUSED)
    qtbot.keyClick(opened, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: finished(opened, 2))


def test_discard_brings_back_what_was_shown(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    start(opened, qtbot)
    fake.script.let(2)
    qtbot.waitUntil(lambda: at_step(opened, 2))
    qtbot.mouseClick(opened.run_panel.buttons["discard"], LEFT)
    qtbot.waitUntil(lambda: len(opened.session.runs) == 1)
    assert title(opened) == "CG-SENSE (classical)"
    assert opened.session.runs.current is None
    assert not opened.actions_["discard"].isEnabled()


def test_a_second_run_waits_for_the_first(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    start(opened, qtbot)
    opened.session.choice.set(nfe=7)
    start(opened, qtbot)
    first, second = list(opened.session.runs)[1:]
    assert second.phase is Phase.WAITING
    assert "1 waiting" in opened.run_panel.status.text()
    fake.script.let(8)
    qtbot.waitUntil(lambda: finished(opened, 3))
    assert [job.settings.nfe for job in fake.script.jobs] == [20, 20, 7]
    assert first.name.startswith("DDS 20")
    assert second.name.startswith("DDS 7")
    assert opened.session.runs.front is second


def test_a_waiting_run_can_be_taken_out(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    start(opened, qtbot)
    start(opened, qtbot)
    waiting = opened.session.runs.waiting[0]
    opened.run_panel.runs.setCurrentRow(2)
    assert opened.session.runs.front is waiting
    qtbot.mouseClick(opened.run_panel.buttons["discard"], LEFT)
    assert waiting not in list(opened.session.runs)
    fake.script.let(4)
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert len(fake.script.jobs) == 2


def test_editing_settings_does_not_touch_the_run(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    start(opened, qtbot)
    fake.script.let(1)
    qtbot.waitUntil(lambda: at_step(opened, 1))
    field = opened.parameters.rows["nfe"].field
    assert isinstance(field, QSpinBox)
    assert field.isEnabled()
    field.selectAll()
    qtbot.keyClicks(field, "33")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert opened.session.choice.settings.nfe == 33
    assert opened.session.runs.front.job.settings.nfe == 20
    fake.script.let(3)
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert opened.session.choice.settings.nfe == 33


@pytest.mark.parametrize("failing", [0, 3])
def test_a_failure_is_told_and_leaves_the_rest_alone(
    opened: MainWindow, fake: FakeEngine, qtbot: QtBot, failing: int
) -> None:
    fake.script.failing = failing
    fake.script.free = True
    start(opened, qtbot)
    qtbot.waitUntil(lambda: opened.session.notice is not None)
    assert opened.banner.isVisible()
    assert opened.banner.what.text().startswith("It broke")
    assert "Try a smaller gamma." in opened.banner.rest.text() or "another prior" in opened.banner.rest.text()
    qtbot.waitUntil(lambda: opened.session.runs.current is None)
    assert opened.session.scan is not None
    assert opened.viewer.slice_view.image.image is not None
    fake.script.failing = None
    start(opened, qtbot)
    qtbot.waitUntil(lambda: finished(opened, 2))


def test_a_broken_engine_is_told_and_does_not_block_the_next_run(
    opened: MainWindow,
    fake: FakeEngine,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def broken(job: object, stop: object) -> None:
        raise ZeroDivisionError("1/0")

    good = opened.bridge.queue._events
    monkeypatch.setattr(opened.bridge.queue, "_events", broken)
    start(opened, qtbot)
    qtbot.waitUntil(lambda: opened.session.notice is not None)
    assert "ZeroDivisionError" in opened.banner.rest.text()
    monkeypatch.setattr(opened.bridge.queue, "_events", good)
    fake.script.free = True
    start(opened, qtbot)
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_warnings_stand_by_their_image(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    assert not opened.viewer.warnings.isVisible()
    fake.script.warnings = ("The prior knows heads only.",)
    fake.script.free = True
    start(opened, qtbot)
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert opened.viewer.warnings.isVisible()
    assert "heads only" in opened.viewer.warnings.words.text()
    opened.run_panel.runs.setCurrentRow(0)
    assert not opened.viewer.warnings.isVisible()


def test_only_the_slice_on_view(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    qtbot.keyClick(opened.viewer.slice_view, Qt.Key.Key_End)
    qtbot.mouseClick(opened.parameters.only_this_slice, LEFT, pos=opened.parameters.only_this_slice.rect().topLeft())
    opened.parameters.only_this_slice.setChecked(True)
    fake.script.free = True
    start(opened, qtbot)
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert fake.script.jobs[-1].source.slices == (2, 3)
    assert "slice 3" in title(opened)
    assert opened.session.shown_slice == 2


def test_saving(opened: MainWindow, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot) -> None:
    fake.script.free = True
    start(opened, qtbot)
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert opened.session.runs.unsaved
    dialogs.path = "/results/locked.npy"
    qtbot.mouseClick(opened.run_panel.save, LEFT)
    qtbot.waitUntil(lambda: opened.session.notice is not None)
    assert opened.banner.what.text() == "locked.npy could not be written."
    assert opened.session.runs.unsaved
    dialogs.path = "/results/head.npy"
    qtbot.keyClick(opened, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not opened.session.runs.unsaved)
    volume, path = fake.saved[0]
    assert path == "/results/head.npy"
    assert volume is opened.session.runs.front.volume
    assert "DDS-20" in dialogs.asked[0]
