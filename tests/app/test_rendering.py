"""The volume rendering: sides, letters, mouse, presets, and what happens where there is no OpenGL."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.state.picture import Levels
from app.state.rendering import ReducedStack, nearly_whole, reach_of_content, reduced, smoothed, volume_presets
from app.views.main_window import MainWindow
from app.views.overlay import RESEARCH
from tests.app.conftest import finished, open_file
from tests.app.fakes import FakeEngine, scan
from tests.app.test_parameters import choose
from tests.app.test_pictures import run_to_end

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NO_KEY = Qt.KeyboardModifier.NoModifier


def mean_of(image: QImage, part: tuple[slice, slice]) -> float:
    """Mean brightness of a part (down, across) of a picture."""
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    pixels = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    return float(pixels[:, : grey.width()][part].mean())


class TestRendering:
    @pytest.fixture
    def rendered(self, window: MainWindow, qtbot: QtBot) -> MainWindow:
        """A CT scan with its rendering; skips where there is no OpenGL."""
        open_file(window, qtbot, "chest.h5")
        pane = window.viewer.planes.volume
        qtbot.waitUntil(lambda: bool(pane.trouble) or not pane.rendered.isNull(), timeout=30_000)
        if pane.trouble:
            pytest.skip(f"no rendering here: {pane.trouble}")
        return window

    def test_what_is_to_the_left_and_up_is_drawn_there(self, rendered: MainWindow, qtbot: QtBot) -> None:
        """The bone lies to the patient's left, back and head."""
        pane = rendered.viewer.planes.volume
        left, right = (slice(None), slice(None, pane.width() // 2)), (slice(None), slice(pane.width() // 2, None))
        top, bottom = (slice(None, pane.height() // 2), slice(None)), (slice(pane.height() // 2, None), slice(None))
        for side, bright, dark in (
            ("A", right, left),
            ("A", top, bottom),
            ("P", left, right),
            ("P", top, bottom),
            ("L", right, left),
            ("R", left, right),
            ("H", left, right),
            ("H", bottom, top),
            ("F", right, left),
            ("F", bottom, top),
        ):
            qtbot.mouseClick(pane.buttons[side], LEFT)
            assert mean_of(pane.rendered, bright) > 2 * mean_of(pane.rendered, dark) + 0.3, side

    def test_letters_follow_the_view(self, rendered: MainWindow, qtbot: QtBot) -> None:
        pane = rendered.viewer.planes.volume
        for side, letters in {
            "A": ("R", "L", "H", "F"),
            "P": ("L", "R", "H", "F"),
            "L": ("A", "P", "H", "F"),
            "R": ("P", "A", "H", "F"),
            "H": ("L", "R", "A", "P"),
            "F": ("R", "L", "A", "P"),
        }.items():
            qtbot.mouseClick(pane.buttons[side], LEFT)
            pane.repaint()
            assert pane.overlay.letters == letters, side

    def test_the_mouse_turns_and_zooms(self, rendered: MainWindow, qtbot: QtBot) -> None:
        pane = rendered.viewer.planes.volume
        qtbot.mouseClick(pane.buttons["A"], LEFT)
        before = pane.rendered.copy()
        qtbot.mousePress(pane, LEFT, pos=QPoint(100, 150))
        qtbot.mouseMove(pane, QPoint(160, 150))
        qtbot.mouseRelease(pane, LEFT, pos=QPoint(160, 150))
        assert pane.rendered != before
        qtbot.mouseDClick(pane, LEFT, pos=QPoint(100, 150))
        assert pane.rendered == before, "a double click looks from the front again"

    def test_presets(self, rendered: MainWindow) -> None:
        pane = rendered.viewer.planes.volume
        names = [pane.preset.itemText(i) for i in range(pane.preset.count())]
        assert names == ["Bone", "Soft tissue", "Lung", "MIP"]
        seen = [pane.rendered.copy()]
        for name in names[1:]:
            choose(pane.preset, name)
            seen.append(pane.rendered.copy())
        assert all(seen[i] != seen[j] for i in range(4) for j in range(i))

    def test_it_follows_a_run(self, rendered: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        pane = rendered.viewer.planes.volume
        choose(pane.preset, "Soft tissue")
        before = pane.rendered.copy()
        qtbot.mouseClick(rendered.parameters.reconstruct, LEFT)
        fake.script.let(3)
        qtbot.waitUntil(lambda: pane.rendered != before)
        fake.script.let(1)
        qtbot.waitUntil(lambda: finished(rendered, 2))

    def test_stacks_are_reduced_beside_the_window(
        self, rendered: MainWindow, fake: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        threads: list[threading.Thread] = []

        def noted(values: npt.NDArray[np.float32], first: int, count: int, most: int) -> ReducedStack:
            threads.append(threading.current_thread())
            return reduced(values, first, count, most)

        monkeypatch.setattr("app.views.volume_pane.reduced", noted)
        before = rendered.viewer.planes.volume.rendered.copy()
        run_to_end(rendered, fake, qtbot)
        qtbot.waitUntil(lambda: rendered.viewer.planes.volume.rendered != before)
        assert threads
        assert threading.main_thread() not in threads

    def test_mri_is_rendered_too(self, rendered: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        pane = rendered.viewer.planes.volume
        fake.files["thick.h5"] = scan("thick.h5", slices=16)
        open_file(rendered, qtbot, "thick.h5")
        qtbot.waitUntil(lambda: pane.preset.itemText(0) == "MIP" and not pane.rendered.isNull())
        assert mean_of(pane.rendered, (slice(None), slice(None))) > 3

    def test_a_spread_is_shown_in_planes_but_not_rendered(
        self, rendered: MainWindow, fake: FakeEngine, qtbot: QtBot
    ) -> None:
        pane = rendered.viewer.planes.volume
        run_to_end(rendered, fake, qtbot, samples=4)
        choose(rendered.viewer.picture, "Spread")
        assert pane.words_in_the_middle == "The spread is not rendered."
        assert all(view.image.coloured for view in rendered.viewer.planes.views)
        assert not rendered.viewer.bar.windows.isVisible()
        choose(rendered.viewer.picture, "Mean of 4 samples")
        assert pane.words_in_the_middle == ""
        assert not any(view.image.coloured for view in rendered.viewer.planes.views)

    def test_it_says_what_it_is_not_for(self, rendered: MainWindow) -> None:
        pane = rendered.viewer.planes.volume
        assert pane.overlay.title == "3-D"
        assert RESEARCH == "Research use only"


class TestWithoutOpenGL:
    def test_it_costs_the_pane_and_nothing_else(
        self, window: MainWindow, fake: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_screen(_: object) -> None:
            raise RuntimeError("The driver is from 1998.")

        monkeypatch.setattr("app.views.volume_pane.QGuiApplication.platformName", lambda: "xcb")
        monkeypatch.setattr("app.views.volume3d.VolumeRenderer.__init__", no_screen)
        open_file(window, qtbot, "chest.h5")
        pane = window.viewer.planes.volume
        qtbot.waitUntil(lambda: bool(pane.trouble))
        assert pane.words_in_the_middle == "The volume cannot be rendered here. The driver is from 1998."
        assert pane.rendered.isNull()
        fake.script.free = True
        qtbot.mouseClick(window.parameters.reconstruct, LEFT)
        qtbot.waitUntil(lambda: finished(window, 2))
        qtbot.mouseClick(pane.buttons["A"], LEFT)

    def test_an_offscreen_platform_says_so(
        self, window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.views.volume_pane.QGuiApplication.platformName", lambda: "offscreen")
        open_file(window, qtbot, "chest.h5")
        pane = window.viewer.planes.volume
        qtbot.waitUntil(lambda: bool(pane.trouble))
        assert "no OpenGL" in pane.words_in_the_middle

    def test_a_rendering_that_fails_later(self, window: MainWindow, qtbot: QtBot) -> None:
        pytest.importorskip("vtkmodules")
        pane = window.viewer.planes.volume
        open_file(window, qtbot, "chest.h5")
        qtbot.waitUntil(lambda: bool(pane.trouble) or not pane.rendered.isNull(), timeout=30_000)
        if pane.trouble:
            pytest.skip(f"no rendering here: {pane.trouble}")
        with pytest.MonkeyPatch.context() as patch:

            def lost(*_: object, **__: object) -> None:
                raise RuntimeError("The context was lost.")

            patch.setattr("app.views.volume3d.VolumeRenderer.picture", lost)
            choose(pane.preset, "Lung")
        assert pane.trouble == "The rendering failed. The context was lost."


class TestReducing:
    def test_a_large_stack_is_thinned_and_says_so(self) -> None:
        frames = np.arange(10 * 6 * 4, dtype=np.float32).reshape(10, 6, 4)
        thin = reduced(frames, 2, 8, 3)
        assert thin.values.shape == (3, 3, 2)
        assert thin.step == (2, 2, 3)
        assert thin.values[1, 1, 1] == pytest.approx(frames[5:8, 2:4, 2:4].mean())
        assert thin.values[2, 2, 0] == pytest.approx(frames[8:10, 4:6, 0:2].mean()), "the last block is not whole"
        assert thin.first == (0.5, 0.5, 1.0)
        assert thin.words == ("2 × 3 × 3", "of 4 × 6 × 8")

    def test_a_few_thick_slices_keep_more_of_their_pixels(self) -> None:
        thin = reduced(np.zeros((4, 60, 60), np.int16), 0, 4, 16)
        assert thin.values.shape == (4, 30, 30)
        assert thin.values.size <= 16**3
        even = reduced(np.zeros((90, 100, 60), np.int16), 0, 90, 16).values
        assert even.size <= 16**3
        assert max(even.shape) <= 20

    def test_means_of_whole_numbers_are_rounded(self) -> None:
        values = np.zeros((4, 4, 4), np.int16)
        values[..., 2:] = 32767
        values[0, :2, 0], values[2:, 2:, :2] = 1, -3
        thin = reduced(values, 0, 4, 2)
        assert thin.values.dtype == np.int16
        assert thin.values[..., 0].tolist() == [[0, 0], [0, -3]]
        assert (thin.values[..., 1] == 32767).all()

    def test_no_number_counts_as_the_lowest(self) -> None:
        values = np.full((2, 4, 4), 8.0, np.float32)
        values[0, 0, 0], values[0, 0, 2], values[1, 3, 3] = np.nan, np.inf, 4.0
        before = values.copy()
        assert reduced(values, 0, 2, 2).values.tolist() == [[[7, 7], [8, 8]], [[8, 8], [8, 7]]]
        assert reduced(values, 0, 2, 4).values[0, 0].tolist() == [4.0, 8.0, 4.0, 8.0]
        assert np.isfinite(reduced(np.full((2, 2, 2), np.nan, np.float32), 0, 2, 1).values).all()
        np.testing.assert_array_equal(values, before)

    def test_a_picture_in_no_hurry_has_a_bound_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("app.state.rendering.WHOLE_VOXELS", 1000)
        assert nearly_whole(np.zeros((10, 10, 10), np.int16)).step == (1, 1, 1)
        assert nearly_whole(np.zeros((11, 22, 33), np.int16)).values.size <= 1000

    @pytest.mark.parametrize("kind", [np.int16, np.float32])
    def test_smoothing_is_even(self, kind: type) -> None:
        values = np.zeros((5, 6, 7), kind)
        values[2, 3, 3] = 640
        smooth = smoothed(values)
        assert smooth.dtype == kind
        assert smooth[2, 3, 2:5].tolist() == [40, 80, 40]
        assert smooth[1:4, 3, 3].tolist() == [40, 80, 40]
        assert smooth[2, 2:5, 3].tolist() == [40, 80, 40]
        assert smooth.sum() == 640
        assert (smoothed(np.full((3, 3, 3), 7, kind)) == 7).all()
        assert smoothed(np.full((1, 1, 1), 7, kind)).tolist() == [[[7]]]

    def test_a_small_one_stays(self) -> None:
        whole = reduced(np.zeros((3, 4, 5), np.float32), 0, 3, 128)
        assert whole.step == (1, 1, 1)
        assert whole.words == ()

    def test_the_content_is_found_within_air(self) -> None:
        values = np.full((10, 20, 40), -1000, np.float32)
        values[:, 5:15, 12:26] = 40
        values[3, 0, 0] = 3000
        assert reach_of_content(values) == (pytest.approx(8 / 20), pytest.approx(5 / 10), 1.0)

    def test_nothing_at_all_fills_the_room(self) -> None:
        assert reach_of_content(np.zeros((3, 3, 3), np.float32)) == (1.0, 1.0, 1.0)

    def test_relative_presets_follow_the_grey_scale(self) -> None:
        mip = volume_presets("a.u.")[0]
        assert mip.relative
        first, last = mip.placed(Levels(0, 10))[0], mip.placed(Levels(0, 10))[-1]
        assert first[0] == pytest.approx(1)
        assert last[0] == pytest.approx(12)
        bone = volume_presets("HU")[0]
        assert bone.placed(Levels(0, 10)) == bone.points

    @pytest.mark.parametrize("unit", ["HU", "a.u.", "1/mm"])
    def test_every_preset_rises_in_value_and_stays_within_bounds(self, unit: str) -> None:
        for preset in volume_presets(unit):
            values = [point[0] for point in preset.points]
            assert values == sorted(set(values))
            assert all(0 <= part <= 1 for point in preset.points for part in point[1:])
