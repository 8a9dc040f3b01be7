"""Where measurements are seen, and what they tell when the image changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.state.room.figure import Figure
from app.state.room.measure_places import seen_in
from app.state.room.pane import Face, Layout
from app.state.room.room import WINDOW_TOOL
from tests.app.measure_bench import AFFINES, CTRL, Bench, affine_of, phantom, turned, voxels_within


def test_a_measurement_is_seen_in_its_slice_only_and_in_other_images(bench: Bench) -> None:
    affine = AFFINES["anisotropic"]
    bench.room.put(phantom(affine))
    bench.room.put(phantom(affine, "b", 2))
    bench.room.set_layout(Layout.SIDE)
    for index, key in enumerate("ab"):
        bench.room.set_pane(index, item=key, face=Face.AXIAL)
    bench.page.refresh()
    bench.tool(Figure.RECTANGLE)
    bench.drag((100, 200), (140, 230), (200, 260))
    assert [len(seen_in(bench.measurements, i)) for i in (0, 1)] == [1, 1]
    mean = bench.statistics().mean
    bench.room.activate(1)
    bench.page.refresh()
    assert bench.statistics().mean == mean
    bench.room.scroll(0, 1)
    assert [len(seen_in(bench.measurements, i)) for i in (0, 1)] == [0, 0]
    bench.room.scroll(0, -1)
    bench.room.set_pane(1, face=Face.CORONAL)
    assert [len(seen_in(bench.measurements, i)) for i in (0, 1)] == [1, 0]


def test_images_that_lie_elsewhere_do_not_show_it(bench: Bench) -> None:
    """Without a position in the patient, only images of the same scan have the same places."""
    bench.room.put(phantom(AFFINES["anisotropic"], "one/x", placed=False))
    bench.room.put(phantom(AFFINES["anisotropic"], "one/y", placed=False))
    bench.room.put(phantom(AFFINES["anisotropic"], "two/x", placed=False))
    bench.page.refresh()
    bench.tool(Figure.DISTANCE)
    bench.drag((200, 200), (260, 260))
    seen = {}
    for key in ("one/x", "one/y", "two/x"):
        bench.room.set_pane(0, item=key)
        seen[key] = len(seen_in(bench.measurements, 0))
    assert seen == {"one/x": 1, "one/y": 1, "two/x": 0}


def test_a_window_that_changes_its_size_moves_no_measurement(bench: Bench) -> None:
    bench.show(phantom(AFFINES["oblique"]))
    bench.tool(Figure.DISTANCE)
    bench.drag((200, 200), (260, 260))
    before, length = bench.only, bench.measurements.reading(bench.only).length_mm  # type: ignore[union-attr]
    bench.page.resize(700, 500)
    QApplication.processEvents()
    assert bench.only is before
    x, y = bench.at(before.points[1])
    bench.drag((x, y), (x + 30, y))
    moved = bench.measurements.reading(bench.only).length_mm  # type: ignore[union-attr]
    assert moved != length
    assert np.allclose(bench.only.points[0], before.points[0])


def test_a_region_partly_outside_tells_of_what_is_inside(bench: Bench) -> None:
    item = phantom(AFFINES["anisotropic"])
    bench.show(item)
    bench.tool(Figure.RECTANGLE)
    bench.drag(bench.pixel(-4.5, -3.2), bench.pixel(1, 1), bench.pixel(2.5, 3.5))
    assert bench.statistics().pixels == 3 * 4
    assert bench.statistics().mean == pytest.approx(float(voxels_within(item, bench.only).mean()), rel=1e-5)
    bench.drag(bench.pixel(-6, 6), bench.pixel(-4, 8), bench.pixel(-2, 12))
    outside = bench.statistics(list(bench.measurements)[1])
    assert outside.pixels == 0
    assert np.isnan(outside.mean)


def test_one_pixel_and_pixels_without_a_number(bench: Bench) -> None:
    item = phantom(AFFINES["anisotropic"])
    item.stacks[:, :, 5, 6] = np.nan
    bench.show(item, zoom=20.0)
    bench.tool(Figure.RECTANGLE)
    bench.drag(bench.pixel(11.6, 9.6), bench.pixel(12, 10), bench.pixel(12.4, 10.4))
    one = bench.statistics()
    assert (one.pixels, one.sd, one.minimum) == (1, 0.0, one.maximum)
    bench.show(item, zoom=None)
    bench.drag(bench.pixel(4.6, 3.6), bench.pixel(5, 4), bench.pixel(7.4, 6.4))
    hole = bench.statistics(list(bench.measurements)[1])
    assert hole.pixels == 3 * 3 - 1
    assert np.isfinite([hole.mean, hole.sd, hole.minimum, hole.maximum]).all()
    bench.tool(Figure.PROBE)
    bench.click(bench.pixel(6, 5))
    probe = list(bench.measurements)[2]
    assert np.isnan(bench.measurements.reading(probe).value)  # type: ignore[union-attr, arg-type]
    assert "no number" in bench.measuring.panel.table.item(2, 1).text()  # type: ignore[union-attr]


def test_values_follow_an_image_that_is_replaced_and_outlive_one_that_goes(bench: Bench) -> None:
    item = phantom(AFFINES["flipped"])
    bench.show(item)
    bench.tool(Figure.ELLIPSE)
    bench.drag((200, 150), (300, 250))
    before = bench.statistics()
    bench.room.put(replace(item, stacks=item.stacks + 50))
    QApplication.processEvents()
    assert bench.statistics().mean == pytest.approx(before.mean + 50, rel=1e-5)
    assert f"{bench.statistics().mean:.4g}" in bench.measuring.panel.table.item(0, 1).text()  # type: ignore[union-attr]
    bench.room.remove("a")
    QApplication.processEvents()
    assert len(bench.measurements) == 1
    assert bench.measurements.reading(bench.only).statistics is None  # type: ignore[union-attr]
    assert "Image a (closed)" in bench.measuring.panel.table.item(0, 2).text()  # type: ignore[union-attr]


def test_an_image_with_finer_voxels_gives_the_same_area(bench: Bench) -> None:
    item = phantom(AFFINES["anisotropic"])
    bench.show(item)
    bench.tool(Figure.ELLIPSE)
    bench.drag(bench.pixel(2.2, 2.2), bench.pixel(9, 9), bench.pixel(25.7, 20.3))
    coarse = bench.statistics()
    fine = np.repeat(np.repeat(item.stacks, 2, axis=2), 2, axis=3)
    halved = item.affine @ np.diag([0.5, 0.5, 1, 1])
    halved[:3, 3] -= (item.affine[:3, 0] + item.affine[:3, 1]) / 4
    bench.room.put(replace(item, stacks=fine, affine=halved))
    finer = bench.statistics()
    assert finer.pixels == pytest.approx(4 * coarse.pixels, rel=0.06)
    assert finer.area_mm2 == pytest.approx(coarse.area_mm2, rel=0.06)
    assert finer.area_mm2 == pytest.approx(np.pi / 4 * 23.5 * 0.7 * 18.1 * 1.3, rel=0.04)


def test_an_image_that_lies_otherwise_is_read_in_the_plane_of_the_region(bench: Bench) -> None:
    """A region keeps its place in the patient where no plane of the new image's voxels runs along it."""
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.RECTANGLE)
    bench.drag(bench.pixel(9.7, 7.7), bench.pixel(12, 12), bench.pixel(18.2, 15.3))
    (x0, y0), (x1, y1) = (bench.only.plane.pixel_of(p) for p in bench.only.points)
    other = affine_of(turned(25) @ np.diag([1.0, 1.0, 1.0]))
    other[:3, 3] = bench.only.middle - other[:3, :3] @ (20, 20, 20)
    z, y, x = np.indices((41, 41, 41))
    height = (np.stack([x, y, z, np.ones_like(x)], axis=-1) @ other.T)[..., 2]
    bench.room.put(replace(phantom(other), stacks=height[None].astype(np.float32)))
    found = bench.statistics()
    assert found.mean == pytest.approx(bench.only.middle[2], abs=0.01)
    assert found.sd == pytest.approx(0, abs=0.01)
    assert found.area_mm2 == pytest.approx(abs((x1 - x0) * (y1 - y0)), rel=0.2)


def test_labels_stay_in_the_pane_and_lines_can_be_seen_on_black_and_white(bench: Bench) -> None:
    item = phantom(AFFINES["anisotropic"])
    item.stacks[..., :15] = 0
    item.stacks[..., 15:] = 200
    bench.show(item)
    bench.tool(Figure.RECTANGLE)
    canvas = bench.canvas
    plain = canvas.grab().toImage()
    bench.drag(bench.pixel(3.5, 4.5), bench.pixel(9, 9), bench.pixel(26.5, 20.5))
    bench.measurements.select()
    QApplication.processEvents()
    drawn = canvas.grab().toImage()
    for x in (5.0, 24.0):
        at = QPointF(*bench.pixel(x, 4.5)).toPoint()
        before, line = plain.pixelColor(at), [drawn.pixelColor(at + QPoint(0, d)) for d in range(-3, 4)]
        assert max(c.lightness() for c in line) > 120
        assert min(c.lightness() for c in line) < 60
        assert any(abs(c.saturation() - before.saturation()) > 60 for c in line)


def test_ctrl_click_takes_one_to_the_others(bench: Bench) -> None:
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.RECTANGLE)
    bench.drag((120, 150), (200, 250))
    bench.drag((320, 150), (380, 250))
    bench.click((120, 200))
    bench.click((320, 200), CTRL)
    assert len(bench.measurements.selected) == 2
    bench.click((320, 200), CTRL)
    assert len(bench.measurements.selected) == 1
    bench.click((260, 440))
    assert not bench.measurements.selected


def test_esc_does_not_reach_the_window_while_something_is_drawn(bench: Bench, qtbot: QtBot) -> None:
    """A shortcut of the window on the same key must not take it away; else it has it."""
    heard = []
    action = QAction(bench.page)
    action.setShortcut(Qt.Key.Key_Escape)
    action.triggered.connect(lambda *_: heard.append(1))
    bench.page.addAction(action)
    bench.show(phantom(AFFINES["anisotropic"]))
    with qtbot.waitActive(bench.page):
        bench.page.activateWindow()
    bench.tool(Figure.ANGLE)
    bench.click((300, 200))
    bench.key(Qt.Key.Key_Escape)
    assert bench.measurements.sketch is None
    bench.key(Qt.Key.Key_Escape)
    assert bench.room.tool == WINDOW_TOOL
    assert not heard
    bench.key(Qt.Key.Key_Escape)
    assert heard == [1]
