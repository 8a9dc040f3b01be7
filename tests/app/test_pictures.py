"""What can be looked at and compared: classical methods, results, their spread, earlier runs."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.state.runs import Phase, Run
from app.views.main_window import MainWindow
from core.export.spread import colours
from tests.app.conftest import finished
from tests.app.fakes import FakeDialogs, FakeEngine
from tests.app.test_parameters import choose, combo

LEFT = Qt.MouseButton.LeftButton


def title(window: MainWindow) -> str:
    return window.viewer.slice_view.overlay.title


def pictures(window: MainWindow) -> list[str]:
    """What the choice of pictures offers."""
    box = window.viewer.picture
    return [box.itemText(i) for i in range(box.count())]


def run_to_end(window: MainWindow, fake: FakeEngine, qtbot: QtBot, **settings: object) -> Run:
    """A run with these settings, and its image."""
    fake.script.free = True
    window.session.choice.set(**settings)
    before = sum(run.volume is not None for run in window.session.runs)
    qtbot.mouseClick(window.parameters.reconstruct, LEFT)
    qtbot.waitUntil(lambda: finished(window, before + 1))
    made = window.session.runs.front
    assert made is not None
    return made


@pytest.mark.parametrize(("words", "method"), [("L1-wavelet", "l1-wavelet"), ("TV", "tv")])
def test_a_classical_method_is_chosen_run_and_compared(
    opened: MainWindow, fake: FakeEngine, qtbot: QtBot, words: str, method: str
) -> None:
    choose(combo(opened, "method"), words)
    made = run_to_end(opened, fake, qtbot)
    assert fake.script.jobs[-1].settings.method == method
    assert pictures(opened) == [f"{words} result", "CG-SENSE", "Zero-filled"]
    assert title(opened) == f"{made.name} — result"
    assert made.name.startswith(f"{words}, lambda ")
    assert np.abs(made.result.image).max() == pytest.approx(3.0)
    levels = opened.session.display.levels
    choose(opened.viewer.picture, "Zero-filled")
    assert title(opened) == "Zero-filled (classical)"
    qtbot.keyClick(opened, Qt.Key.Key_C)
    assert title(opened) == f"{made.name} — result"
    qtbot.keyClick(opened, Qt.Key.Key_C)
    assert title(opened) == "Zero-filled (classical)"
    choose(opened.viewer.picture, "CG-SENSE")
    assert title(opened) == "CG-SENSE (classical)"
    assert opened.session.display.levels == levels


def test_progress_pause_and_keep_while_a_method_iterates(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    opened.session.choice.set(method="tv")
    qtbot.mouseClick(opened.parameters.reconstruct, LEFT)
    fake.script.let(2)
    qtbot.waitUntil(lambda: opened.run_panel.status.text() == "Iterations 2 of 4")
    assert opened.run_panel.bar.value() == 50
    assert title(opened) == "CG-SENSE (classical)"
    qtbot.keyClick(opened, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: opened.session.runs.front.phase is Phase.PAUSED)
    assert opened.run_panel.status.text() == "Paused at Iterations 2 of 4"
    qtbot.mouseClick(opened.run_panel.buttons["keep"], LEFT)
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert opened.run_panel.status.text() == "Kept early"
    assert title(opened) == "CG-SENSE (classical)", "what was kept is not called by a name that it has not earned"
    assert not opened.session.runs.unsaved


def test_discarding_a_method_that_iterates_leaves_nothing(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    opened.session.choice.set(method="l1-wavelet")
    qtbot.mouseClick(opened.parameters.reconstruct, LEFT)
    fake.script.let(1)
    qtbot.waitUntil(lambda: opened.run_panel.status.text() == "Iterations 1 of 4")
    qtbot.mouseClick(opened.run_panel.buttons["discard"], LEFT)
    qtbot.waitUntil(lambda: len(opened.session.runs) == 1)
    assert title(opened) == "CG-SENSE (classical)"


def test_a_bar_that_cannot_tell_wanders(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    fake.script.steps = 1
    opened.session.choice.set(method="tv")
    qtbot.mouseClick(opened.parameters.reconstruct, LEFT)
    qtbot.waitUntil(lambda: opened.run_panel.status.text() == "Iterations")
    assert opened.run_panel.bar.maximum() == 0
    fake.script.let(1)
    qtbot.waitUntil(lambda: finished(opened, 2))
    assert (opened.run_panel.bar.maximum(), opened.run_panel.bar.value()) == (100, 100)


def test_earlier_runs_stay_comparable(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    wavelets = run_to_end(opened, fake, qtbot, method="l1-wavelet")
    diffusion = run_to_end(opened, fake, qtbot, method="dds")
    opened.session.display.set_levels(0.5, 0.25)
    qtbot.keyClick(opened, Qt.Key.Key_B)
    assert title(opened).startswith(wavelets.name)
    assert opened.run_panel.runs.currentRow() == 1
    qtbot.keyClick(opened, Qt.Key.Key_B)
    assert title(opened).startswith(diffusion.name)
    assert opened.session.display.levels.window == pytest.approx(0.5)
    choose(opened.viewer.picture, "Zero-filled")
    opened.run_panel.runs.setCurrentRow(1)
    assert title(opened) == "Zero-filled (classical)"


class TestSpread:
    @pytest.fixture
    def several(self, opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> MainWindow:
        """The window with a run of four samples."""
        run_to_end(opened, fake, qtbot, samples=4)
        return opened

    def test_one_sample_has_none(self, opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        run_to_end(opened, fake, qtbot)
        assert pictures(opened) == ["DDS result", "CG-SENSE", "Zero-filled"]
        assert "Image" not in opened.run_panel.facts

    def test_the_mean_says_that_it_is_one(self, several: MainWindow) -> None:
        assert title(several).endswith("— mean of 4 samples")
        assert several.run_panel.facts["Image"] == "Mean of 4 samples"
        assert pictures(several) == ["Mean of 4 samples", "Spread", "CG-SENSE", "Zero-filled"]

    def test_it_is_drawn_in_colours_with_its_own_scale_and_says_what_it_is(
        self, several: MainWindow, qtbot: QtBot
    ) -> None:
        grey = several.session.display.levels
        choose(several.viewer.picture, "Spread")
        overlay = several.viewer.slice_view.overlay
        assert overlay.title.endswith("— spread")
        assert overlay.marks[-2:] == (
            "Standard deviation of 4 samples: where the prior had to guess.",
            "Not a confidence interval.",
        )
        image = several.viewer.slice_view.image
        assert np.array_equal(image.lut, colours())
        volume = several.session.runs.front.volume
        assert volume is not None
        assert np.array_equal(image.image, volume.spread[several.session.display.frame])
        assert not several.viewer.component.isEnabled()
        own = several.session.display.levels
        assert own.window < grey.window
        assert overlay.colours == (f"{own.low:.4g}", f"{own.high:.4g}")
        several.session.display.set_levels(0.01, 0.005)
        choose(several.viewer.picture, "Mean of 4 samples")
        assert several.session.display.levels == grey
        assert several.viewer.slice_view.image.lut is None
        assert several.viewer.slice_view.overlay.marks == ()
        assert several.viewer.slice_view.overlay.colours is None
        choose(several.viewer.picture, "Spread")
        assert several.session.display.levels.window == pytest.approx(0.01)

    def test_the_value_under_the_cursor_is_a_deviation(self, several: MainWindow) -> None:
        choose(several.viewer.picture, "Spread")
        several.viewer.slice_view.pointed.emit((31, 4))
        value = several.session.runs.front.volume.spread[several.session.display.frame, 4, 31]
        assert several.viewer.slice_view.overlay.cursor[-1].endswith(f"± {value:.4g}")

    def test_a_run_without_one_shows_its_result_instead(self, several: MainWindow) -> None:
        choose(several.viewer.picture, "Spread")
        several.run_panel.runs.setCurrentRow(0)
        assert title(several) == "CG-SENSE (classical)"
        assert several.viewer.component.isEnabled()
        assert several.viewer.slice_view.image.lut is None
        several.run_panel.runs.setCurrentRow(1)
        assert title(several).endswith("— spread")

    def test_what_is_in_front_is_saved(
        self, several: MainWindow, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot
    ) -> None:
        choose(several.viewer.picture, "Spread")
        dialogs.path = "/results/spread.png"
        qtbot.mouseClick(several.run_panel.save, LEFT)
        qtbot.waitUntil(lambda: fake.saved_spreads == ["/results/spread.png"])
        assert "_spread.npy" in dialogs.asked[-1]
        qtbot.waitUntil(lambda: not several.bridge.busy)
        assert several.session.runs.unsaved, "the image itself has not been saved"
        choose(several.viewer.picture, "Mean of 4 samples")
        dialogs.path = "/results/mean.npy"
        qtbot.mouseClick(several.run_panel.save, LEFT)
        qtbot.waitUntil(lambda: not several.session.runs.unsaved)
        assert len(fake.saved_spreads) == 1
