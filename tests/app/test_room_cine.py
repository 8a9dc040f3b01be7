"""What plays in the viewing room, and the film of a run's steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import theme
from app.state.picture import Levels
from app.state.room.cine import CineModel, Played
from app.state.room.film import Film
from app.state.room.item import Item, Kind
from app.state.room.pane import Face, Layout
from app.state.room.room import Room
from app.views.main_window import MainWindow
from app.views.room_cine import Cine
from app.views.room_page import RoomPage
from tests.app.fakes import FakeEngine

LEFT = Qt.MouseButton.LeftButton


def made(key: str = "a", stacks: int = 1, shape: tuple[int, int, int] = (5, 6, 8), **values: Any) -> Item:
    voxels = np.arange(stacks * np.prod(shape), dtype=np.float32).reshape(stacks, *shape)
    kind = values.pop("kind", Kind.VOLUME)
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    return Item(key, f"Image {key}", kind, voxels, affine, True, "HU", Levels(0, 100), **values)


class Clock:
    """Seconds that a test lets go by."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def room() -> Room:
    found = Room()
    found.put(made())
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cine(qtbot: QtBot, room: Room, clock: Clock) -> Iterator[Cine]:
    theme.apply("dark")
    page = RoomPage(room)
    bar = Cine(page, clock)
    page.resize(700, 500)
    with qtbot.waitExposed(page):
        page.show()
    yield bar
    bar.release()
    page.release()
    page.deleteLater()


def tick(cine: Cine, clock: Clock, seconds: float) -> None:
    """The timer goes off after so long."""
    clock.now += seconds
    cine.timer.timeout.emit()


def test_frames_come_at_the_speed_and_late_ones_are_left_out(room: Room) -> None:
    model = CineModel(room)
    room.go_to_slice(0, 0)
    model.toggle()
    seen = []
    for seconds in (0.1, 0.13, 0.07, 0.1, 0.35):
        model.advance(seconds)
        seen.append(room.place_of(0)[0])  # type: ignore[index]
    assert seen == [1, 2, 3, 4, (4 + 4) % 5], "0.75 s at 10 a second, whatever the timer does"
    model.advance(0.001)
    assert room.place_of(0) == (3, 5), "too early for the next"


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_rocking_goes_back_and_forth(room: Room, steps: int) -> None:
    model = CineModel(room)
    room.go_to_slice(0, 0)
    model.rock(True)
    model.set_fps(steps)
    model.toggle()
    expected = [*range(5), 3, 2, 1]
    for turn in range(1, 12):
        model.advance(1.0)
        assert room.place_of(0)[0] == expected[turn * steps % 8]  # type: ignore[index]
    assert model.round() == (0, 1, 2, 3, 4, 3, 2, 1)


def test_moments_are_played_where_there_are_any(room: Room) -> None:
    model = CineModel(room)
    assert model.offered == (Played.SLICES,)
    room.put(made("b", stacks=3))
    room.show(0, "b")
    assert model.offered == (Played.SLICES, Played.MOMENTS)
    model.choose(Played.MOMENTS)
    model.toggle()
    for _ in range(4):
        model.advance(0.1)
    assert room.moment == 1
    assert room.place_of(0) == (2, 5), "the slice stays"
    room.show(0, "a")
    assert model.played is Played.SLICES, "there is but one moment"


def test_a_single_slice_with_steps_plays_its_steps(room: Room) -> None:
    room.put(made("b", stacks=3, shape=(1, 6, 8)))
    room.show(0, "b")
    model = CineModel(room)
    assert model.played is Played.MOMENTS
    room.put(made("c", shape=(1, 6, 8)))
    room.show(0, "c")
    assert model.played is None
    model.toggle()
    assert not model.playing
    assert model.round() == ()


def test_it_stops_when_the_pane_is_empty_or_the_layout_changes(room: Room) -> None:
    model = CineModel(room)
    model.toggle()
    room.set_layout(Layout.SIDE)
    assert not model.playing
    model.toggle()
    assert model.playing
    room.activate(1)
    assert not model.playing, "nothing hangs there"
    room.activate(0)
    model.toggle()
    room.remove("a")
    assert not model.playing
    model.advance(1.0)


def test_scrolling_while_it_plays_is_gone_along_with(room: Room) -> None:
    model = CineModel(room)
    model.toggle()
    room.go_to_slice(0, 3)
    model.advance(0.1)
    assert room.place_of(0) == (4, 5)


def test_space_plays_and_stops(cine: Cine, clock: Clock, room: Room, qtbot: QtBot) -> None:
    canvas = cine.page.panes[0].canvas
    canvas.setFocus()
    room.go_to_slice(0, 0)
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert cine.timer.isActive()
    assert cine.timer.interval() == 100
    assert cine.play.accessibleName() == "Stop"
    tick(cine, clock, 0.1)
    assert room.place_of(0) == (1, 5)
    tick(cine, clock, 0.3)
    assert room.place_of(0) == (4, 5)
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert not cine.timer.isActive()
    tick(cine, clock, 5.0)
    assert room.place_of(0) == (4, 5)


def test_the_timer_itself_plays(cine: Cine, clock: Clock, room: Room, qtbot: QtBot) -> None:
    before = room.place_of(0)
    qtbot.mouseClick(cine.play, LEFT)
    clock.now += 0.1
    with qtbot.waitSignal(cine.timer.timeout):
        pass
    assert room.place_of(0) != before
    qtbot.mouseClick(cine.play, LEFT)
    assert not cine.model.playing


def test_buttons_and_slider_go_where_they_say(cine: Cine, room: Room, qtbot: QtBot) -> None:
    qtbot.mouseClick(cine.last, LEFT)
    assert room.place_of(0) == (4, 5)
    qtbot.waitUntil(lambda: cine.words.text() == "5 / 5")
    qtbot.mouseClick(cine.first, LEFT)
    assert room.place_of(0) == (0, 5)
    qtbot.waitUntil(lambda: cine.slider.value() == 0)
    qtbot.keyClick(cine.slider, Qt.Key.Key_Right)
    assert room.place_of(0) == (1, 5)
    cine.model.toggle()
    qtbot.mousePress(cine.slider, LEFT, pos=QPoint(cine.slider.width() // 4, cine.slider.height() // 2))
    qtbot.mouseRelease(cine.slider, LEFT, pos=QPoint(cine.slider.width() // 4, cine.slider.height() // 2))
    cine.model.stop()


def test_the_speed_changes_while_it_plays(cine: Cine, room: Room, qtbot: QtBot) -> None:
    qtbot.mouseClick(cine.play, LEFT)
    cine.fps.setFocus()
    cine.fps.selectAll()
    qtbot.keyClicks(cine.fps, "60")
    qtbot.keyClick(cine.fps, Qt.Key.Key_Return)
    assert cine.model.fps == 60
    assert cine.timer.interval() == 17
    qtbot.mouseClick(cine.rocking, LEFT)
    assert cine.model.rocking
    cine.page.hide()
    assert not cine.timer.isActive(), "out of sight"


def test_what_is_played_is_chosen_in_the_bar(cine: Cine, room: Room, qtbot: QtBot) -> None:
    room.put(made("b", stacks=3))
    room.show(0, "b")
    qtbot.waitUntil(lambda: cine.played.count() == 2)
    cine.played.setFocus()
    qtbot.keyClick(cine.played, Qt.Key.Key_Down)
    assert cine.model.played is Played.MOMENTS
    room.set_pane(0, face=Face.RENDERED)
    assert cine.model.offered == (Played.MOMENTS,), "a rendering has no slices"
    room.set_pane(0, face=Face.AXIAL)
    room.remove("b")
    room.remove("a")
    qtbot.waitUntil(lambda: not cine.play.isEnabled())
    QApplication.processEvents()


# The film of a run


def estimate(step: int, *, key: str = "scan 1/7/result", shape: tuple[int, int, int] = (4, 6, 8), of: int = 5) -> Item:
    last = step == of
    state = "" if last else f"denoised estimate, step {step} of {of}"
    values = np.full((1, *shape), float(step), np.float32)
    values[0] += np.arange(shape[0], dtype=np.float32)[:, None, None] * 100
    found = made(key, shape=shape, kind=Kind.RESULT, marks=("Simulated",), state=state, final=last)
    return replace(found, name="DDS 20, CG 5", stacks=values)


def film_in(room: Room) -> Item | None:
    return next((item for item in room if item.name.endswith(", steps")), None)


def test_a_run_leaves_a_film_of_the_slice_that_was_on_view() -> None:
    room = Room()
    film = Film(room)
    room.put(estimate(1))
    room.go_to_slice(0, 3)
    room.put(estimate(2))
    for step in (3, 4):
        room.put(estimate(step))
        assert film_in(room) is None
    room.put(estimate(5))
    found = film_in(room)
    assert found is not None
    assert found.name == "DDS 20, CG 5, steps"
    assert found.stacks.shape == (5, 1, 6, 8)
    assert found.moments == (*(f"step {i} of 5" for i in (1, 2, 3, 4)), "result")
    assert found.stacks[:, 0, 0, 0].tolist() == [201, 202, 203, 204, 205], "the slice of the first estimate"
    assert found.affine[2, 3] == pytest.approx(4.0), "slice 2 at 2 mm"
    assert found.kind is Kind.RESULT
    assert found.scale == estimate(1).scale
    assert found.marks == ("Simulated",)
    assert found.final
    assert room.panes[0].item == "scan 1/7/result", "it hangs itself nowhere"
    room.remove("scan 1/7/result")
    assert film_in(room) is None, "it goes with its run"
    film.release()


def test_estimates_are_copied() -> None:
    room, first = Room(), estimate(1)
    film = Film(room)
    room.put(first)
    first.stacks[:] = -1
    room.put(estimate(2))
    room.put(estimate(5))
    assert film_in(room).stacks[0, 0, 0, 0] == 201  # type: ignore[union-attr]
    film.release()


def test_a_film_keeps_within_its_bound_and_covers_the_whole_run() -> None:
    room, plane = Room(), 6 * 8 * 4
    film = Film(room, most_bytes=6 * plane)
    for step in range(1, 41):
        room.put(estimate(step, of=40))
    found = film_in(room)
    assert found is not None
    assert found.stacks.nbytes <= 7 * plane, "the result comes on top"
    steps = [int(name.split()[1]) for name in found.moments[:-1]]
    assert steps[0] == 1
    assert steps[-1] >= 30
    assert len(set(np.diff(steps))) == 1, "evenly"
    film.release()


def test_an_older_film_makes_room_for_a_newer_one() -> None:
    room, plane = Room(), 6 * 8 * 4
    film = Film(room, most_bytes=6 * plane)
    for key in ("scan 1/1/result", "scan 1/2/result"):
        for step in range(1, 6):
            room.put(estimate(step, key=key))
    assert [item.key for item in room if item.name.endswith(", steps")] == ["scan 1/2/result/steps"]
    film.release()


@pytest.mark.parametrize("kind", [Kind.CLASSICAL, Kind.SPREAD])
def test_only_results_that_came_in_steps_are_filmed(kind: Kind) -> None:
    room = Room()
    film = Film(room)
    for step in (1, 2, 5):
        room.put(replace(estimate(step), kind=kind))
    room.put(estimate(5, key="scan 1/8/result"))
    assert film_in(room) is None
    room.put(estimate(1, key="scan 1/9/result"))
    room.remove("scan 1/9/result")
    room.put(estimate(5, key="scan 1/9/result"))
    assert film_in(room) is None, "the run was thrown away"
    film.release()


def test_the_film_displaces_no_classical_image_that_is_looked_at() -> None:
    room = Room()
    film = Film(room)
    room.put(made("scan 1/3/fbp", kind=Kind.CLASSICAL))
    for step in range(1, 5):
        room.put(estimate(step))
    room.show(0, "scan 1/3/fbp")
    room.put(estimate(5))
    assert film_in(room) is not None
    assert room.panes[0].item == "scan 1/3/fbp"
    film.release()


def test_a_run_in_the_window_is_filmed(opened: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    room = opened.session.room
    film = Film(room)
    qtbot.mouseClick(opened.parameters.reconstruct, LEFT)
    for step in (1, 2, 3):
        fake.script.let(1)
        qtbot.waitUntil(lambda step=step: any(f"step {step} of 4" in item.state for item in room))
    fake.script.let(1)
    qtbot.waitUntil(lambda: film_in(room) is not None)
    found = film_in(room)
    assert found is not None
    assert found.moments[:3] == ("step 1 of 4", "step 2 of 4", "step 3 of 4")
    assert len(found.stacks) == len(found.moments)
    assert CineModel(room).played is not None
    film.release()
