"""Handles, keys and what happens midway while one measures."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.state.room.figure import Figure
from app.state.room.pane import Face
from app.state.room.room import WINDOW_TOOL
from tests.app.measure_bench import AFFINES, LEFT, NONE, Bench, mouse, phantom


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
