"""A CT scan in the window: opening, methods, windows in HU, views and axis, sinogram and projections."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.state.naming import undersampling_words
from app.state.picture import Levels, Picture
from app.state.windows import windows_for
from app.views.main_window import MainWindow
from tests.app.conftest import finished, open_file
from tests.app.fakes import FakeEngine
from tests.app.fakes_ct import CT_SHAPE, VIEWS, ct_scan, hu_image
from tests.app.test_parameters import choose, combo, on_view
from tests.app.test_pictures import pictures, run_to_end, title
from tests.app.test_slice_view import hover

LEFT = Qt.MouseButton.LeftButton


def offered(window: MainWindow, name: str) -> list[str]:
    field = combo(window, name)
    return [field.itemText(i) for i in range(field.count())]


class TestOpening:
    def test_the_classical_image_comes_at_once_in_hounsfield_units(self, ct: MainWindow, fake: FakeEngine) -> None:
        assert [job.settings.method for job in fake.script.jobs] == ["fbp"]
        assert title(ct) == "FBP (classical)"
        assert ct.session.display.levels == Levels.of_window(400, 40)
        assert ct.viewer.slice_view.overlay.levels == "W 400  L 40 HU"
        assert ct.viewer.slice_view.image.image.min() == -1000, "air is darker than nothing"

    def test_a_cone_beam_begins_with_fdk(self, window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        fake.files["cone.h5"] = ct_scan("cone.h5", cone=True)
        open_file(window, qtbot, "cone.h5")
        assert title(window) == "FDK (classical)"
        assert "FDK" in offered(window, "method")
        assert not window.parameters.only_this_slice.isVisible(), "its slices do not come apart"

    def test_it_opens_in_its_middle(self, ct: MainWindow) -> None:
        assert ct.session.display.frame == CT_SHAPE[0] // 2

    def test_dds_shows_as_it_forms(self, ct: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        qtbot.mouseClick(ct.parameters.reconstruct, LEFT)
        fake.script.let(2)
        qtbot.waitUntil(lambda: "step 2 of 4" in title(ct))
        assert ct.viewer.slice_view.image.image.max() == 42
        assert ct.session.display.levels == Levels.of_window(400, 40)
        qtbot.keyClick(ct, Qt.Key.Key_C)
        assert title(ct) == "FBP (classical)"
        qtbot.keyClick(ct, Qt.Key.Key_C)
        fake.script.let(2)
        qtbot.waitUntil(lambda: finished(ct, 2))
        assert pictures(ct) == ["DDS result", "FBP", "Sinogram", "Projections"]

    def test_the_value_under_the_cursor_is_in_hounsfield_units(self, ct: MainWindow) -> None:
        hover(ct, ct.viewer.slice_view.position_of(0, 0))
        assert ct.viewer.slice_view.overlay.cursor[-1] == "x 0  y 0  -1000 HU"

    def test_kinds_take_turns(self, ct: MainWindow, qtbot: QtBot) -> None:
        """Each kind brings its prior and its methods, and MRI its components back."""
        assert ct.session.choice.settings.prior == "ct-small"
        assert not ct.viewer.component.isVisible()
        assert not ct.actions_["phase"].isVisible()
        open_file(ct, qtbot, "head.h5")
        assert ct.session.choice.settings.prior == "mri-small"
        assert ct.viewer.component.isVisible()
        assert ct.actions_["phase"].isVisible()
        assert not ct.viewer.bar.windows.isVisible()
        assert offered(ct, "method") == ["DDS", "CG-SENSE", "L1-wavelet", "TV", "Zero-filled"]
        assert title(ct) == "CG-SENSE (classical)"
        assert "sinogram" not in ct.session.scan.measured


class TestSettings:
    def test_only_the_methods_of_the_scan_are_offered(self, ct: MainWindow) -> None:
        assert offered(ct, "method") == ["DDS", "FBP", "TV", "CGLS", "SIRT"]

    @pytest.mark.parametrize(
        ("method", "settings"),
        [
            ("FBP", {"method", "filter"}),
            ("CGLS", {"method", "iterations"}),
            ("SIRT", {"method", "iterations"}),
            ("TV", {"method", "lam"}),
        ],
    )
    def test_only_what_the_method_uses(self, ct: MainWindow, method: str, settings: set[str]) -> None:
        choose(combo(ct, "method"), method)
        assert on_view(ct) == settings

    def test_no_rule_by_the_noise_of_k_space(self, ct: MainWindow) -> None:
        assert "gamma" in on_view(ct)
        assert "gamma_rule" not in on_view(ct)

    def test_a_method_brings_its_iterations(self, ct: MainWindow) -> None:
        choose(combo(ct, "method"), "SIRT")
        sirt = ct.session.choice.settings.iterations
        choose(combo(ct, "method"), "CGLS")
        assert ct.session.choice.settings.iterations < sirt
        assert not ct.parameters.rows["iterations"].reset_button.isEnabled()

    def test_the_tie_of_the_slices_wakes_its_settings(self, ct: MainWindow) -> None:
        ct.parameters.more.click()
        assert {"rho", "lam", "along", "admm_steps"} <= on_view(ct)
        assert not ct.parameters.rows["lam"].field.isEnabled()
        ct.session.choice.set(rho=2.0)
        assert ct.parameters.rows["lam"].field.isEnabled()

    def test_priors_of_the_modality_come_first(self, ct: MainWindow, qtbot: QtBot) -> None:
        ct.bridge.warm_up()
        qtbot.waitUntil(lambda: len(offered(ct, "prior")) == 3)
        assert offered(ct, "prior")[0] == "ct-small"
        open_file(ct, qtbot, "head.h5")
        assert offered(ct, "prior")[0] == "mri-small"

    def test_a_classical_result_is_named(self, ct: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        made = run_to_end(ct, fake, qtbot, method="sirt", iterations=40)
        assert made.name == "SIRT, 40 iterations"
        assert pictures(ct) == ["SIRT result", "FBP", "Sinogram", "Projections"]


class TestWindows:
    def test_a_preset_is_chosen(self, ct: MainWindow) -> None:
        choose(ct.viewer.bar.windows, "Lung")
        assert ct.session.display.levels == Levels.of_window(1500, -600)
        assert tuple(ct.viewer.slice_view.image.getLevels()) == (-1350, 150)

    def test_keys_bring_them(self, ct: MainWindow, qtbot: QtBot) -> None:
        for named in windows_for("HU"):
            qtbot.keyClick(ct, named.key)
            assert ct.session.display.levels == Levels.of_window(named.window, named.level)
            assert ct.viewer.bar.windows.currentText() == named.name

    def test_a_drag_leaves_the_presets(self, ct: MainWindow, qtbot: QtBot) -> None:
        assert ct.viewer.bar.windows.currentText() == "Soft tissue"
        ct.session.display.drag_levels(0.1, 0.0)
        assert ct.viewer.bar.windows.currentText() == "Own window"
        qtbot.keyClick(ct, Qt.Key.Key_R)
        assert ct.viewer.bar.windows.currentText() == "Soft tissue"

    def test_attenuations_get_percentiles(self, window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        fake.files["steel.h5"] = ct_scan("steel.h5", hounsfield=False)
        open_file(window, qtbot, "steel.h5")
        assert not window.viewer.bar.windows.isVisible()
        low, high = np.percentile(hu_image(40), (0.5, 99.5))
        assert window.session.display.levels == Levels(pytest.approx(low), pytest.approx(high))
        assert window.viewer.slice_view.overlay.levels.endswith("1/mm")
        qtbot.keyClick(window, "2")
        assert window.session.display.levels.low == pytest.approx(low), "HU windows mean nothing here"

    def test_real_pictures_are_drawn_without_a_copy(self) -> None:
        image = hu_image(40)
        picture = Picture(image, "HU")
        assert np.shares_memory(picture.component("value", 3), image)
        assert np.shares_memory(picture.drawn_of("value", (slice(None), 3)), image)
        broken = image.copy()
        broken[0, 0, 0] = np.nan
        assert Picture(broken, "HU").component("value", 0)[0, 0] == 0
        assert np.isnan(broken[0, 0, 0]), "what was measured stays as it is"


class TestMeasurement:
    @pytest.mark.parametrize(
        ("words", "text", "kept"),
        [
            ("Every 2nd", "every:2", 18),
            ("Every 3rd", "every:3", 12),
            ("Every 6th", "every:6", 6),
            ("A number of views", "views:30", 30),
            ("Part of the arc", "arc:0:90", 18),
        ],
    )
    def test_views_are_left_out(
        self, ct: MainWindow, fake: FakeEngine, qtbot: QtBot, words: str, text: str, kept: int
    ) -> None:
        choose(ct.parameters.ct.kind, words)
        assert ct.session.choice.undersample == text
        assert ct.parameters.ct.kept.text() == f"{kept} of {VIEWS} views used"
        run_to_end(ct, fake, qtbot)
        assert fake.script.jobs[-1].source.undersample == text
        said = undersampling_words(text)
        assert any(mark.endswith(said) for mark in ct.viewer.slice_view.overlay.marks)
        assert said in ct.session.runs.front.name

    def test_few_views_of_a_part_of_the_arc(self, ct: MainWindow) -> None:
        form = ct.parameters.ct
        choose(form.kind, "Part of the arc")
        form.start.setValue(30)
        form.end.setValue(120)
        form.number.setValue(9)
        assert ct.session.choice.undersample == "arc:30:120+views:9"
        assert form.kept.text() == f"9 of {VIEWS} views used"
        form.number.setValue(0)
        assert ct.session.choice.undersample == "arc:30:120"
        form.end.setValue(20)
        assert "smaller" in form.kept.text(), "says what is wrong before anything is run"
        choose(form.kind, f"All {VIEWS}")
        assert ct.session.choice.undersample == ""
        assert not form.kept.isVisible()

    def test_each_kind_has_its_own_form(self, ct: MainWindow, qtbot: QtBot) -> None:
        choose(ct.parameters.ct.kind, "Every 4th")
        assert not ct.parameters.undersampling.isVisible()
        open_file(ct, qtbot, "head.h5")
        assert ct.session.choice.undersample == ""
        assert ct.parameters.undersampling.isVisible()
        assert not ct.parameters.ct.isVisible()

    def test_the_axis_is_the_one_found_until_it_is_moved(self, ct: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        form = ct.parameters.ct
        assert form.center.value() == pytest.approx(19.5 - 3.0 / 1.5)
        run_to_end(ct, fake, qtbot, method="cgls")
        assert fake.script.jobs[-1].source.center is None
        form.center.setValue(20.25)
        made = run_to_end(ct, fake, qtbot, method="cgls")
        assert fake.script.jobs[-1].source.center == 20.25
        assert made.name.endswith("axis at column 20.25")
        qtbot.mouseClick(form.reset_button, LEFT)
        assert ct.session.choice.center is None
        assert form.center.value() == pytest.approx(17.5)
        form.center.setValue(21)
        open_file(ct, qtbot, "chest.h5")
        assert ct.session.choice.center is None

    def test_a_scan_that_was_undersampled_offers_no_more(
        self, window: MainWindow, fake: FakeEngine, qtbot: QtBot
    ) -> None:
        fake.files["few.h5"] = ct_scan("few.h5", undersampled="every:6")
        open_file(window, qtbot, "few.h5")
        assert not window.parameters.ct.kind.isVisible()
        assert window.parameters.ct.center.isVisible()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("every:2", "every 2nd view"),
        ("every:11", "every 11th view"),
        ("views:30", "30 views"),
        ("arc:0:90+views:30", "arc 0 to 90 degrees, 30 views"),
        ("gaussian1d:4:0.08:0", "gaussian1d R 4"),
    ],
)
def test_words_for_what_was_left_out(text: str, words: str) -> None:
    assert undersampling_words(text) == words
