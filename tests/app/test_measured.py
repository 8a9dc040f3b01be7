"""Sinogram and projections: straight from the scan, with the axis of rotation."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.state.measured import axis_column, measured_of
from app.views.main_window import MainWindow
from core.geometry import ConeBeam, FanBeam, evenly_spread
from tests.app.conftest import open_file
from tests.app.fakes import FakeEngine
from tests.app.fakes_ct import CT_SHAPE, VIEWS, ct_scan
from tests.app.test_parameters import choose
from tests.app.test_pictures import title
from tests.app.test_slice_view import hover

LEFT = Qt.MouseButton.LeftButton


class TestSinogram:
    def test_it_is_that_of_the_slice_on_view_with_the_axis(self, ct: MainWindow, qtbot: QtBot) -> None:
        ct.session.display.go_to(7)
        choose(ct.viewer.picture, "Sinogram")
        view = ct.viewer.slice_view
        assert title(ct) == "Sinogram"
        np.testing.assert_array_equal(view.image.image, ct.session.scan.scan.data[7])
        assert view.cross == (pytest.approx(17.5), None)
        assert view.overlay.letters is None
        assert view.overlay.orientation == ""
        assert view.overlay.place == (f"slice 8 of {CT_SHAPE[0]}",)
        ct.viewer.frame_slider.setValue(9)
        qtbot.keyClick(ct, Qt.Key.Key_S)
        assert ct.session.display.frame == 9, "the slice goes along"
        assert title(ct) == "FBP (classical)"
        qtbot.keyClick(ct, Qt.Key.Key_S)
        assert title(ct) == "Sinogram"

    def test_the_axis_follows_the_field(self, ct: MainWindow) -> None:
        choose(ct.viewer.picture, "Sinogram")
        ct.parameters.ct.center.setValue(22.5)
        assert ct.viewer.slice_view.cross == (22.5, None)

    def test_projections_scroll_over_the_views(self, ct: MainWindow, qtbot: QtBot) -> None:
        ct.session.display.go_to(7)
        choose(ct.viewer.picture, "Projections")
        assert ct.session.display.frames == VIEWS
        ct.viewer.frame_slider.setValue(11)
        np.testing.assert_array_equal(ct.viewer.slice_view.image.image, ct.session.scan.scan.data[:, 11])
        assert ct.viewer.slice_view.overlay.place == (f"view 12 of {VIEWS}",)
        assert not ct.viewer.planes.volume.isVisible()
        choose(ct.viewer.picture, "FBP")
        assert ct.session.display.frame == 7, "the slice is where it was"
        choose(ct.viewer.picture, "Projections")
        assert ct.session.display.frame == 11

    def test_it_has_a_scale_of_its_own(self, ct: MainWindow) -> None:
        image = ct.session.display.levels
        choose(ct.viewer.picture, "Sinogram")
        assert ct.session.display.levels.high > 1e5
        assert not ct.viewer.bar.windows.isVisible()
        ct.session.display.set_levels(10, 5)
        choose(ct.viewer.picture, "FBP")
        assert ct.session.display.levels == image

    def test_the_value_under_the_cursor(self, ct: MainWindow) -> None:
        ct.session.display.go_to(2)
        choose(ct.viewer.picture, "Sinogram")
        hover(ct, ct.viewer.slice_view.position_of(5, 30))
        assert ct.viewer.slice_view.overlay.cursor == ("column 5  row 30  2.3e+04",)
        hover(ct, QPoint(1, 1))
        assert ct.viewer.slice_view.overlay.cursor == ()

    def test_nothing_of_it_is_a_copy(self) -> None:
        scan = ct_scan()
        assert all(np.shares_memory(m.picture.values, scan.data) for m in measured_of(scan).values())

    def test_a_cone_beam_has_a_sinogram_for_each_row_of_its_panel(
        self, window: MainWindow, fake: FakeEngine, qtbot: QtBot
    ) -> None:
        fake.files["cone.h5"] = ct_scan("cone.h5", cone=True)
        open_file(window, qtbot, "cone.h5")
        slice_ = window.session.display.frame
        choose(window.viewer.picture, "Sinogram")
        assert window.session.display.frames == 12
        assert window.viewer.slice_view.overlay.place == ("panel row 1 of 12",)
        choose(window.viewer.picture, "FDK")
        assert window.session.display.frame == slice_


class TestAxis:
    """The column on which a bin's coordinate is 0."""

    def test_of_flat_beams(self) -> None:
        fan = FanBeam(evenly_spread(8), 41, 2.0, 500, 300, 5.0)
        column = axis_column(fan)
        assert np.interp(column, np.arange(41), fan.bins_mm) == pytest.approx(0)

    @pytest.mark.parametrize("offset", [0.0, 6.0, -4.5])
    def test_of_cone_beams(self, offset: float) -> None:
        angles = evenly_spread(5, 2 * np.pi)
        cone = ConeBeam.circular(angles, 9, 33, (1.5, 1.5), 400, 200, (0.0, offset))
        fan = FanBeam(angles, 33, 1.5, 400, 200, offset)
        for view in range(5):
            assert axis_column(cone, view) == pytest.approx(axis_column(fan))

    def test_a_source_whose_ray_through_the_axis_misses_the_panel(self) -> None:
        cone = ConeBeam([[0, -400, 0]], [[200, -400, 0]], [[0, 1, 0]], [[0, 0, 1]], 9, 33)
        assert np.isfinite(axis_column(cone))
