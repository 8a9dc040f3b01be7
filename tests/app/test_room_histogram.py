"""The histogram by which the grey scale is set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app import theme
from app.state.picture import Levels
from app.state.room.item import Item, Kind
from app.state.room.pane import Layout
from app.state.room.room import Room
from app.state.windows import NamedWindow
from app.views import room_histogram_counts
from app.views.room_colours import table
from app.views.room_histogram import HistogramPanel
from app.views.room_page import RoomPage

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton


def made(key: str = "a", unit: str = "HU", seed: int = 0, **values: Any) -> Item:
    voxels = np.random.default_rng(seed).normal(50, 20, (1, 4, 20, 30)).astype(np.float32)
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    kind = values.pop("kind", Kind.VOLUME)
    return Item(key, f"Image {key}", kind, voxels, affine, True, unit, Levels(10, 90), **values)


def shown_in(qtbot: QtBot, room: Room, **values: Any) -> HistogramPanel:
    theme.apply("dark")
    page = RoomPage(room)
    panel = HistogramPanel(page, **values)
    page.resize(900, 700)
    with qtbot.waitExposed(page):
        page.show()
    qtbot.waitUntil(lambda: panel.plot.plot.viewport().width() > 100)
    return panel


def ended(panel: HistogramPanel) -> None:
    panel.release()
    panel.page.release()
    panel.page.deleteLater()


@pytest.fixture
def room() -> Room:
    found = Room()
    found.put(made())
    return found


@pytest.fixture
def panel(qtbot: QtBot, room: Room) -> Iterator[HistogramPanel]:
    found = shown_in(qtbot, room)
    yield found
    ended(found)


def drag(panel: HistogramPanel, start: QPoint, by: int) -> None:
    """In small steps, as a hand does."""
    port = panel.plot.plot.viewport()
    send(port, QEvent.Type.MouseButtonPress, start, LEFT, LEFT)
    for part in (0.4, 0.7, 1.0):
        send(port, QEvent.Type.MouseMove, start + QPoint(round(by * part), 0), NONE, LEFT)
        QApplication.processEvents()
    send(port, QEvent.Type.MouseButtonRelease, start + QPoint(by, 0), LEFT, NONE)
    QApplication.processEvents()


def send(widget: QWidget, kind: QEvent.Type, at: QPoint, button: Qt.MouseButton, held: Qt.MouseButton) -> None:
    """A mouse event with the buttons that are held, which QTest leaves out of moves."""
    keys = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(widget, QMouseEvent(kind, QPointF(at), widget.mapToGlobal(QPointF(at)), button, held, keys))


def per_pixel(panel: HistogramPanel) -> float:
    return float(panel.plot.plot.getViewBox().viewPixelSize()[0])


def test_a_handle_that_is_dragged_moves_its_end_alone(panel: HistogramPanel, room: Room) -> None:
    assert room.levels_of(0) == Levels(10, 90)
    drag(panel, panel.plot.handle(high=True).toPoint(), 20)
    moved = room.levels_of(0)
    assert moved.low == pytest.approx(10)
    assert moved.high == pytest.approx(90 + 20 * per_pixel(panel), abs=2 * per_pixel(panel))
    drag(panel, panel.plot.handle(high=False).toPoint(), 15)
    assert room.levels_of(0).high == pytest.approx(moved.high)
    assert room.levels_of(0).low == pytest.approx(10 + 15 * per_pixel(panel), abs=2 * per_pixel(panel))


def test_the_region_moves_the_level_and_keeps_the_window(panel: HistogramPanel, room: Room) -> None:
    seen: list[Levels] = []
    room.changed.connect(lambda: seen.append(room.levels_of(0)))
    middle = (panel.plot.handle(high=True) + panel.plot.handle(high=False)) / 2
    drag(panel, middle.toPoint(), 25)
    assert room.levels_of(0).window == pytest.approx(80)
    assert room.levels_of(0).level == pytest.approx(50 + 25 * per_pixel(panel), abs=2 * per_pixel(panel))
    assert seen, "live"


def test_handles_cannot_pass_each_other(panel: HistogramPanel, room: Room) -> None:
    way = panel.plot.handle(high=True) - panel.plot.handle(high=False)
    drag(panel, panel.plot.handle(high=False).toPoint(), round(way.x()) + 30)
    assert room.levels_of(0).window > 0
    assert room.levels_of(0).high == pytest.approx(90, abs=1)


def test_handles_follow_what_is_set_elsewhere(panel: HistogramPanel, room: Room, qtbot: QtBot) -> None:
    room.set_levels(0, 1000, 400)
    qtbot.waitUntil(lambda: panel.plot.levels == Levels(-100, 900))
    port = panel.plot.plot.viewport().rect()
    for high in (False, True):
        assert port.contains(panel.plot.handle(high=high).toPoint()), "the view grows"
    assert panel.low.value == -100
    assert room.levels_of(0) == Levels(-100, 900), "nothing comes back from the plot"


def test_typing_an_end(panel: HistogramPanel, room: Room, qtbot: QtBot) -> None:
    for edit, words in ((panel.low, "20"), (panel.high, "60")):
        edit.setFocus()
        edit.selectAll()
        qtbot.keyClicks(edit, words)
        qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert room.levels_of(0).low == pytest.approx(20)
    assert room.levels_of(0).high == pytest.approx(60)
    panel.low.selectAll()
    panel.low.setFocus()
    panel.low.selectAll()
    qtbot.keyClicks(panel.low, "500")
    qtbot.keyClick(panel.low, Qt.Key.Key_Return)
    assert room.levels_of(0).level == pytest.approx(500, abs=0.1)
    assert room.levels_of(0).window > 0


def test_percentiles_windows_and_reset(panel: HistogramPanel, room: Room, qtbot: QtBot) -> None:
    item = room.item("a")
    assert item is not None
    for button, ends in zip(panel.ranges, ((1, 99), (0.5, 99.5)), strict=True):
        qtbot.mouseClick(button, LEFT)
        low, high = np.percentile(item.stacks, ends)
        assert room.levels_of(0).low == pytest.approx(low, abs=0.01)
        assert room.levels_of(0).high == pytest.approx(high, abs=0.01)
    assert [b.text() for b in panel.windows] == [w.name for w in item.windows]
    qtbot.mouseClick(panel.windows[1], LEFT)
    assert room.levels_of(0) == Levels.of_window(item.windows[1].window, item.windows[1].level)
    qtbot.mouseClick(panel.reset, LEFT)
    assert room.levels_of(0) == Levels(10, 90)


def test_windows_of_the_file_come_first_and_change_with_the_pane(
    panel: HistogramPanel, room: Room, qtbot: QtBot
) -> None:
    room.put(made("mr", "a.u.", seed=1, from_file=(NamedWindow("From the file", 30, 15),)))
    room.set_layout(Layout.SIDE)
    room.activate(1)
    qtbot.waitUntil(lambda: [b.text() for b in panel.windows] == ["From the file"])
    qtbot.mouseClick(panel.windows[0], LEFT)
    assert room.levels_of(1) == Levels(0, 30)
    assert room.levels_of(0) == Levels(10, 90), "other numbers"


def test_colours_and_invert_are_those_of_the_pane(panel: HistogramPanel, room: Room, qtbot: QtBot) -> None:
    panel.colours.setFocus()
    qtbot.keyClick(panel.colours, Qt.Key.Key_Down)
    assert room.panes[0].colours == "viridis"
    panel.invert.setFocus()
    qtbot.keyClick(panel.invert, Qt.Key.Key_Space)
    assert room.panes[0].invert
    qtbot.waitUntil(lambda: panel.plot._table == table("viridis", True))
    image = panel.plot.bar.grab().toImage()
    left, right = image.pixelColor(2, 7), image.pixelColor(image.width() - 3, 7)
    assert left.green() > 200 > 60 > right.green(), "inverted: yellow first"


def test_log_scale(panel: HistogramPanel, qtbot: QtBot) -> None:
    before = panel.plot.heights
    panel.log.setFocus()
    qtbot.keyClick(panel.log, Qt.Key.Key_Space)
    assert panel.plot.heights.sum() == 4 * 20 * 30, "every voxel"
    assert before == pytest.approx(np.log10(panel.plot.heights + 1))


def test_large_volumes_are_counted_in_another_thread_and_once(
    qtbot: QtBot, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    plain = room_histogram_counts.counted
    monkeypatch.setattr(room_histogram_counts, "counted", lambda item: counted.append(item.key) or plain(item))
    panel = shown_in(qtbot, room, at_once=0)
    qtbot.waitUntil(lambda: panel.words.text() == "Image a")
    room.put(made("b", seed=3))
    for key in ("b", "a", "b"):
        room.show(0, key)
        qtbot.waitUntil(lambda key=key: panel.words.text() == f"Image {key}")
    assert counted == ["a", "b"]
    ended(panel)


def test_estimates_of_a_run_move_nothing_but_the_bars(panel: HistogramPanel, room: Room, qtbot: QtBot) -> None:
    room.set_levels(0, 30, 40)
    qtbot.waitUntil(lambda: panel.plot.levels == Levels(25, 55))
    seen, heights = panel.plot.plot.getViewBox().viewRange()[0], panel.plot.heights
    room.put(replace(made(seed=9), stacks=made(seed=9).stacks * 3, state="step 2 of 5", final=False))
    qtbot.waitUntil(lambda: not np.array_equal(panel.plot.heights, heights))
    assert panel.plot.plot.getViewBox().viewRange()[0] == pytest.approx(seen)
    assert room.levels_of(0) == Levels(25, 55)


def test_values_without_numbers_and_an_empty_pane(panel: HistogramPanel, room: Room, qtbot: QtBot) -> None:
    room.put(replace(made("n"), stacks=np.full((1, 2, 3, 4), np.nan, np.float32)))
    room.show(0, "n")
    qtbot.waitUntil(lambda: panel.words.text() == "Image n")
    assert not panel.ranges[0].isEnabled()
    room.put(replace(made("c"), stacks=np.full((1, 2, 3, 4), 7, np.int16)))
    room.show(0, "c")
    qtbot.waitUntil(lambda: panel.words.text() == "Image c")
    qtbot.mouseClick(panel.ranges[0], LEFT)
    assert room.levels_of(0).window > 0
    for key in ("n", "c", "a"):
        room.remove(key)
    qtbot.waitUntil(lambda: not panel.plot.isEnabled())
    assert not panel.windows


def test_out_of_sight_nothing_is_counted(panel: HistogramPanel, room: Room, qtbot: QtBot) -> None:
    panel.page.hide()
    room.put(made("b"))
    room.show(0, "b")
    QApplication.processEvents()
    assert panel.words.text() == "Image a"
    panel.page.show()
    qtbot.waitUntil(lambda: panel.words.text() == "Image b")


def test_a_handle_dragged_out_of_the_plot_does_not_run_away(panel: HistogramPanel, room: Room, qtbot: QtBot) -> None:
    pixel = per_pixel(panel)
    drag(panel, panel.plot.handle(high=True).toPoint(), 1000)
    reached = room.levels_of(0).high
    assert reached == pytest.approx(90 + 1000 * pixel, abs=3 * pixel)
    port = panel.plot.plot.viewport().rect()
    qtbot.waitUntil(lambda: port.contains(panel.plot.handle(high=True).toPoint()))
    assert room.levels_of(0).high == reached
