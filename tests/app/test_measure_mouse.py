"""Measuring in the viewing room by mouse and keys, on phantoms whose lengths, areas and values are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.state.picture import Levels
from app.state.room.figure import Figure, Measurement
from app.state.room.item import Item, Kind
from app.state.room.measure_places import seen_in
from app.state.room.measurements import Measurements
from app.state.room.pane import Face, Layout, Look
from app.state.room.room import WINDOW_TOOL, Room
from app.state.undo import History
from app.views.measure_room import Measuring
from app.views.room_canvas import RoomCanvas
from app.views.room_page import RoomPage
from core.viewing.regions import Statistics

NO_KEY = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
NONE, LEFT = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
SHAPE = (12, 24, 30)
FLAT = (Face.AXIAL, Face.CORONAL, Face.SAGITTAL, Face.STORED)


def turned(degrees: float) -> np.ndarray:
    a, b = np.deg2rad([degrees, -degrees / 2])
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return z @ x


def affine_of(steps: np.ndarray) -> np.ndarray:
    made = np.eye(4)
    made[:3, :3], made[:3, 3] = steps, (12.0, -70.0, 33.0)
    return made


SIDES = np.diag([0.7, 1.3, 5.0])
AFFINES = {
    "anisotropic": affine_of(SIDES),
    "flipped": affine_of(SIDES @ np.diag([-1.0, 1.0, -1.0])),
    "permuted": affine_of(np.eye(3)[:, [1, 2, 0]] @ np.diag([-0.7, 1.3, -5.0])),
    "oblique": affine_of(turned(18) @ SIDES),
}


def phantom(affine: np.ndarray, key: str = "a", seed: int = 1, placed: bool = True) -> Item:
    """Noise, so that every set of voxels has its own mean."""
    values = np.random.default_rng(seed).normal(100, 20, (1, *SHAPE)).astype(np.float32)
    return Item(key, f"Image {key}", Kind.RESULT, values, affine, placed, "HU", Levels(0, 200))


@dataclass
class Bench:
    """A page with everything that belongs to measuring."""

    room: Room
    page: RoomPage
    measurements: Measurements
    history: History
    measuring: Measuring
    answers: list[str]

    @property
    def canvas(self) -> RoomCanvas:
        return self.page.active.canvas

    @property
    def only(self) -> Measurement:
        (found,) = self.measurements
        return found

    def statistics(self, measurement: Measurement | None = None) -> Statistics:
        found = self.measurements.reading(measurement or self.only)
        assert found is not None
        assert found.statistics is not None
        return found.statistics

    def show(self, item: Item, face: Face = Face.AXIAL, zoom: float | None = None) -> None:
        self.room.put(item)
        self.room.set_pane(0, face=face, look=Look(zoom))
        QApplication.processEvents()

    def tool(self, figure: Figure) -> None:
        """Click its button in the bar."""
        QTest.mouseClick(self.page.bar.tools[figure.value], LEFT)
        QApplication.processEvents()
        assert self.room.tool == figure.value

    def drag(self, *way: tuple[float, float], keys: Qt.KeyboardModifier = NO_KEY, index: int = 0) -> None:
        """Press at the first place, move along the others, release at the last."""
        canvas = self.page.panes[index].canvas
        mouse(canvas, QEvent.Type.MouseButtonPress, way[0], LEFT, LEFT, keys)
        for at in way[1:]:
            mouse(canvas, QEvent.Type.MouseMove, at, NONE, LEFT, keys)
        mouse(canvas, QEvent.Type.MouseButtonRelease, way[-1], LEFT, NONE, keys)
        QApplication.processEvents()

    def click(self, at: tuple[float, float], keys: Qt.KeyboardModifier = NO_KEY) -> None:
        self.drag(at, keys=keys)

    def hover(self, at: tuple[float, float]) -> None:
        mouse(self.canvas, QEvent.Type.MouseMove, at, NONE, NONE)

    def key(self, key: Qt.Key) -> None:
        self.canvas.setFocus()
        QTest.keyClick(self.canvas, key)
        QApplication.processEvents()

    def at(self, point: np.ndarray) -> tuple[float, float]:
        """Where a point is drawn, to the hundredth of a pixel."""
        place = self.canvas.position_of(point)
        return round(place.x(), 2), round(place.y(), 2)

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of the sheet is drawn."""
        place = self.canvas.transform().map(QPointF(x, y))
        return place.x(), place.y()


def mouse(
    canvas: RoomCanvas,
    kind: QEvent.Type,
    at: tuple[float, float],
    button: Qt.MouseButton,
    held: Qt.MouseButton,
    keys: Qt.KeyboardModifier = NO_KEY,
) -> None:
    place = QPointF(*at)
    QApplication.sendEvent(canvas, QMouseEvent(kind, place, canvas.mapToGlobal(place), button, held, keys))


@pytest.fixture
def bench(qtbot: QtBot) -> Iterator[Bench]:
    room = Room()
    page = RoomPage(room)
    qtbot.addWidget(page)
    page.resize(1000, 640)
    history, measurements, answers = History(), Measurements(room), [""]
    measuring = Measuring(page, measurements, history, lambda parent, proposal: answers[-1])
    page.show()
    qtbot.waitExposed(page)
    yield Bench(room, page, measurements, history, measuring, answers)
    measuring.release()
    page.release()


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_a_distance_between_two_voxels_is_that_of_the_patient(bench: Bench, affine: np.ndarray) -> None:
    for face in FLAT:
        for zoom in (None, 3.0, 11.0):
            distance_between_voxels(bench, affine, face, zoom)


def distance_between_voxels(bench: Bench, affine: np.ndarray, face: Face, zoom: float | None) -> None:
    bench.measurements.put_all(())
    bench.show(phantom(affine), face, zoom)
    sheet = bench.canvas.sheet
    assert sheet is not None
    height, width = sheet.shape
    index = np.linalg.inv(affine) @ np.append(sheet.point_at(width // 2, height // 2), 1)
    one = np.rint(index)[:3]
    other = one.copy()
    # Two voxel axes that lie in the sheet, some voxels along each.
    for axis, steps in [(a, s) for a, s in ((0, 4), (1, -3), (2, 2)) if abs(sheet.normal @ affine[:3, a]) < 0.01]:
        other[axis] += steps
    ends = [affine[:3, :3] @ voxel + affine[:3, 3] for voxel in (one, other)]
    bench.tool(Figure.DISTANCE)
    bench.drag(bench.at(ends[0]), (5, 5), bench.at(ends[1]))
    found = bench.measurements.reading(bench.only)
    assert found is not None
    known = float(np.linalg.norm(affine[:3, :3] @ (other - one)))
    assert found.length_mm == pytest.approx(known, abs=0.03 / bench.canvas.zoom())
    assert np.allclose(bench.only.points, ends, atol=0.02 / bench.canvas.zoom())


def voxels_within(item: Item, region: Measurement) -> np.ndarray:
    """Values of the voxels whose middles lie in a region, told voxel by voxel from the affine alone."""
    z, y, x = np.indices(item.shape)
    places = np.stack([x, y, z, np.ones(item.shape)], axis=-1) @ item.affine.T
    way = places[..., :3] - region.plane.origin
    u, v, w = (way @ axis for axis in (region.plane.across, region.plane.down, region.plane.normal))
    ends = (region.points - region.plane.origin) @ np.stack([region.plane.across, region.plane.down], axis=1)
    (u0, v0), (u1, v1) = ends.min(axis=0), ends.max(axis=0)
    if region.figure is Figure.ELLIPSE:
        inside = ((2 * u - u0 - u1) / (u1 - u0)) ** 2 + ((2 * v - v0 - v1) / (v1 - v0)) ** 2 <= 1
    else:
        inside = (u >= u0) & (u <= u1) & (v >= v0) & (v <= v1)
    return item.stack(0)[inside & (np.abs(w) < 1e-3)]


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_a_region_tells_of_the_voxels_that_it_holds(bench: Bench, affine: np.ndarray) -> None:
    for face in FLAT:
        for figure in (Figure.RECTANGLE, Figure.ELLIPSE, Figure.FREEHAND):
            region_of_voxels(bench, affine, face, figure)


def region_of_voxels(bench: Bench, affine: np.ndarray, face: Face, figure: Figure) -> None:
    bench.measurements.put_all(())
    item = phantom(affine)
    bench.show(item, face)
    bench.tool(figure)
    left, top = bench.pixel(1.6, 2.4)
    right, bottom = bench.pixel(8.7, 9.2)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    bench.drag(*(corners if figure is Figure.FREEHAND else (corners[2], corners[1], corners[0])))
    region, found = bench.only, bench.statistics()
    known = voxels_within(item, region)
    sheet = bench.canvas.sheet
    assert sheet is not None
    assert known.size > 20
    assert found.pixels == known.size
    assert found.mean == pytest.approx(float(known.mean()), rel=1e-5)
    assert found.sd == pytest.approx(float(known.std(ddof=1)), rel=1e-4)
    assert (found.minimum, found.maximum) == (known.min(), known.max())
    pixel = np.prod(
        [float(np.linalg.norm(affine[:3, a])) for a in range(3) if abs(affine[:3, a] @ sheet.normal) < 0.01]
    )
    assert found.area_mm2 == pytest.approx(known.size * pixel)
    assert found.counts.sum() == known.size


def test_an_angle_of_three_clicks(bench: Bench) -> None:
    bench.show(phantom(AFFINES["anisotropic"]), Face.CORONAL)
    bench.tool(Figure.ANGLE)
    x, y = 300.0, 260.0
    bench.click((x + 80, y))
    bench.hover((x + 10, y + 3))
    bench.click((x, y))
    bench.hover((x, y - 10))
    assert len(bench.measurements) == 0
    bench.click((x, y - 60))
    found = bench.measurements.reading(bench.only)
    assert found is not None
    assert found.angle_deg == pytest.approx(90.0, abs=1e-6)
    bench.click((x + 80, y - 100))
    bench.click((x + 80, y - 40))
    bench.click((x + 120, y - 80))
    acute = bench.measurements.reading(list(bench.measurements)[1])
    assert acute is not None
    assert acute.angle_deg == pytest.approx(135.0 - 90.0, abs=1e-6)


def test_two_quick_clicks_of_an_angle_are_two(bench: Bench) -> None:
    """The window system tells a double click in place of the second press."""
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.ANGLE)
    bench.click((300, 200))
    for at in ((250, 200), (250, 200), (250, 260)):
        mouse(bench.canvas, QEvent.Type.MouseButtonDblClick, at, LEFT, LEFT)
        mouse(bench.canvas, QEvent.Type.MouseButtonRelease, at, LEFT, NONE)
    assert bench.room.maximised is None
    assert len(bench.only.points) == 3


def test_enter_ends_an_angle_where_the_mouse_is(bench: Bench) -> None:
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.ANGLE)
    bench.click((300, 200))
    bench.click((250, 200))
    bench.hover((250, 260))
    bench.key(Qt.Key.Key_Return)
    assert bench.measurements.reading(bench.only).angle_deg == pytest.approx(90.0)  # type: ignore[union-attr]


def test_a_probe_tells_place_and_value(bench: Bench) -> None:
    item = phantom(AFFINES["oblique"])
    bench.show(item, Face.SAGITTAL)
    bench.tool(Figure.PROBE)
    sheet = bench.canvas.sheet
    assert sheet is not None
    point = sheet.point_at(3, 4)
    bench.click(bench.at(point))
    x, y, z = np.rint(np.linalg.inv(item.affine) @ np.append(point, 1)).astype(int)[:3]
    assert bench.measurements.reading(bench.only).value == item.stack(0)[z, y, x]  # type: ignore[union-attr]
    assert np.allclose(bench.only.points[0], point, atol=0.01)


def test_handles_change_ends_and_lines_move_the_whole(bench: Bench) -> None:
    bench.show(phantom(AFFINES["flipped"]), zoom=9.0)
    bench.tool(Figure.DISTANCE)
    bench.drag((100, 100), (150, 120), (200, 100))
    QTest.mouseClick(bench.page.bar.tools[WINDOW_TOOL], LEFT)
    levels = bench.room.levels_of(0)
    bench.drag((200, 100), (240, 120), (100, 190))
    assert bench.measurements.reading(bench.only).length_mm == pytest.approx(90 / 9, abs=1e-6)  # type: ignore[union-attr]
    bench.drag((100, 150), (130, 160), (160, 130))
    assert [bench.at(p) for p in bench.only.points] == [(160.0, 80.0), (160.0, 170.0)]
    assert bench.room.levels_of(0) == levels
    bench.drag((300, 300), (310, 330))
    assert bench.room.levels_of(0) != levels


@pytest.mark.parametrize("figure", [Figure.RECTANGLE, Figure.ELLIPSE])
def test_every_handle_keeps_what_lies_opposite(bench: Bench, figure: Figure) -> None:
    bench.show(phantom(AFFINES["oblique"]), Face.CORONAL, zoom=6.0)
    bench.tool(figure)
    bench.drag((200, 150), (250, 180), (300, 250))
    for index in range(4):
        before = bench.only.handles
        opposite = (index + 2) % 4
        start = np.array(bench.at(before[index]))
        inwards = (np.array(bench.at(before[opposite])) - start) / 8
        bench.drag(tuple(start), tuple(start + inwards / 2), tuple(start + inwards))
        after = [np.array(bench.at(p)) for p in bench.only.handles]
        near = [float(np.hypot(*(p - np.array(bench.at(before[opposite]))))) for p in after]
        moved = [float(np.hypot(*(p - start - inwards))) for p in after]
        assert min(near) < 0.05
        assert min(moved) < 0.05
    assert len(bench.history.labels) == 5


def test_esc_gives_up_a_drag(bench: Bench) -> None:
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.ELLIPSE)
    mouse(bench.canvas, QEvent.Type.MouseButtonPress, (200, 200), LEFT, LEFT)
    mouse(bench.canvas, QEvent.Type.MouseMove, (260, 260), NONE, LEFT)
    assert bench.measurements.sketch is not None
    bench.key(Qt.Key.Key_Escape)
    mouse(bench.canvas, QEvent.Type.MouseMove, (300, 300), NONE, LEFT)
    mouse(bench.canvas, QEvent.Type.MouseButtonRelease, (300, 300), LEFT, NONE)
    assert len(bench.measurements) == 0
    assert not bench.history.labels
    bench.drag((200, 200), (260, 260))
    before = bench.only
    mouse(bench.canvas, QEvent.Type.MouseButtonPress, (230, 200), LEFT, LEFT)
    mouse(bench.canvas, QEvent.Type.MouseMove, (230, 150), NONE, LEFT)
    assert bench.only is not before
    bench.key(Qt.Key.Key_Escape)
    mouse(bench.canvas, QEvent.Type.MouseButtonRelease, (230, 150), LEFT, NONE)
    assert bench.only is before
    bench.key(Qt.Key.Key_Escape)
    assert not bench.measurements.selected
    bench.key(Qt.Key.Key_Escape)
    assert bench.room.tool == WINDOW_TOOL


def test_delete_removes_what_is_selected_and_undo_brings_it_back(bench: Bench) -> None:
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.RECTANGLE)
    bench.drag((200, 150), (300, 250))
    bench.drag((320, 150), (380, 250))
    bench.click((200, 200))
    bench.key(Qt.Key.Key_Delete)
    assert [m.name for m in bench.measurements] == ["Rectangle 2"]
    bench.history.undo()
    assert [m.name for m in bench.measurements] == ["Rectangle 1", "Rectangle 2"]
    bench.history.undo()
    bench.history.undo()
    assert len(bench.measurements) == 0
    bench.history.redo()
    bench.history.redo()
    bench.history.redo()
    assert [m.name for m in bench.measurements] == ["Rectangle 2"]


def test_a_drag_is_one_step(bench: Bench) -> None:
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.DISTANCE)
    bench.drag((200, 150), (210, 160), (240, 200), (300, 250))
    first = bench.only
    bench.drag((300, 250), (310, 240), (320, 230), (330, 220))
    assert bench.history.labels == ("drawing Distance 1", "moving Distance 1")
    bench.history.undo()
    assert bench.only is first


def test_an_undo_while_one_drags_leaves_nothing_behind(bench: Bench) -> None:
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.DISTANCE)
    bench.drag((200, 150), (210, 160), (300, 250))
    mouse(bench.canvas, QEvent.Type.MouseButtonPress, (300, 250), LEFT, LEFT)
    mouse(bench.canvas, QEvent.Type.MouseMove, (320, 250), NONE, LEFT)
    bench.history.undo()
    mouse(bench.canvas, QEvent.Type.MouseMove, (340, 250), NONE, LEFT)
    mouse(bench.canvas, QEvent.Type.MouseButtonRelease, (340, 250), LEFT, NONE)
    assert len(bench.measurements) == 0
    assert bench.measurements.sketch is None
    assert not bench.history.labels


def test_a_click_draws_nothing_and_no_step_is_made(bench: Bench) -> None:
    bench.show(phantom(AFFINES["anisotropic"]))
    cross = bench.room.cross
    for figure in (Figure.DISTANCE, Figure.RECTANGLE, Figure.ELLIPSE, Figure.FREEHAND, Figure.PROFILE):
        bench.tool(figure)
        bench.click((250, 200))
        bench.drag((250, 200), (300, 260), (250, 201)) if figure is not Figure.FREEHAND else None
    assert len(bench.measurements) == 0
    assert not bench.history.labels
    assert bench.room.cross is cross


def test_a_tool_that_is_changed_midway_drops_its_figure(bench: Bench) -> None:
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.ANGLE)
    bench.click((300, 200))
    bench.click((250, 200))
    bench.tool(Figure.ELLIPSE)
    assert bench.measurements.sketch is None
    bench.drag((200, 150), (300, 250))
    assert bench.only.figure is Figure.ELLIPSE
    mouse(bench.canvas, QEvent.Type.MouseButtonPress, (100, 100), LEFT, LEFT)
    mouse(bench.canvas, QEvent.Type.MouseMove, (160, 160), NONE, LEFT)
    bench.room.set_tool(WINDOW_TOOL)
    mouse(bench.canvas, QEvent.Type.MouseMove, (180, 160), NONE, LEFT)
    mouse(bench.canvas, QEvent.Type.MouseButtonRelease, (180, 160), LEFT, NONE)
    assert bench.only.figure is Figure.ELLIPSE
    assert bench.measurements.sketch is None


def test_an_angle_is_not_continued_in_another_slice(bench: Bench) -> None:
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.ANGLE)
    bench.click((300, 200))
    bench.click((250, 200))
    bench.key(Qt.Key.Key_Down)
    bench.click((250, 260))
    assert len(bench.measurements) == 0
    assert len(bench.measurements.sketch.points) == 2  # type: ignore[union-attr]


def test_an_image_that_goes_while_one_drags_leaves_nothing_half_done(bench: Bench) -> None:
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.ELLIPSE)
    mouse(bench.canvas, QEvent.Type.MouseButtonPress, (200, 200), LEFT, LEFT)
    mouse(bench.canvas, QEvent.Type.MouseMove, (260, 260), NONE, LEFT)
    bench.room.remove("a")
    QApplication.processEvents()
    mouse(bench.canvas, QEvent.Type.MouseMove, (270, 260), NONE, LEFT)
    mouse(bench.canvas, QEvent.Type.MouseButtonRelease, (270, 260), LEFT, NONE)
    assert bench.measurements.sketch is None
    assert len(bench.measurements) == 0


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
