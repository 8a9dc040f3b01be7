"""The viewing room without a window: what it does with items and panes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.state.picture import Levels
from app.state.room.drawing import indices
from app.state.room.item import Item, Kind
from app.state.room.pane import Comparison, Face, Layout, Look
from app.state.room.room import Room


def made(key: str = "a", kind: Kind = Kind.VOLUME, shape: tuple[int, int, int] = (4, 6, 8), unit: str = "HU") -> Item:
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(1, *shape)
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    return Item(key, f"Image {key}", kind, values, affine, True, unit, Levels(0, 100))


@pytest.fixture
def room() -> Room:
    found = Room()
    found.put(made())
    return found


def test_the_first_item_hangs_in_every_pane_and_is_shown_in_its_middle(room: Room) -> None:
    assert room.cross is not None
    assert room.cross == pytest.approx([4, 3, 4])
    for layout in (Layout.ONE, Layout.MPR):
        room.set_layout(layout)
        assert all(room.item_in(i) for i in layout.shown)
    assert [room.panes[i].face for i in range(4)] == [Face.AXIAL, Face.CORONAL, Face.SAGITTAL, Face.RENDERED]


def test_the_second_item_is_hung_beside_the_first(room: Room) -> None:
    room.put(made("b"))
    room.set_layout(Layout.SIDE)
    assert [room.panes[i].item for i in (0, 1)] == ["a", "b"]
    room.set_layout(Layout.ONE)
    assert room.panes[0].item == "a", "what is looked at stays"


def test_a_result_takes_the_place_of_the_classical_image_of_its_scan() -> None:
    room = Room()
    room.put(made("scan 1/x/zero-filled", Kind.CLASSICAL))
    room.put(made("scan 1/x/cg-sense", Kind.CLASSICAL))
    for layout in Layout:
        room.set_layout(layout)
        assert room.panes[0].item == "scan 1/x/cg-sense", "the better one of the two"
    room.put(made("scan 1/y/result", Kind.RESULT))
    room.set_layout(Layout.ONE)
    assert room.panes[0].item == "scan 1/y/result"
    for layout in (Layout.SIDE, Layout.FOUR):
        room.set_layout(layout)
        assert [p.item for p in room.panes[:2]] == ["scan 1/x/cg-sense", "scan 1/y/result"]
    room.put(made("scan 2/z/result", Kind.RESULT))
    room.set_layout(Layout.SIDE)
    assert room.panes[1].item == "scan 1/y/result", "another scan's"


def test_scrolling_stays_within_the_volume(room: Room) -> None:
    assert room.place_of(0) == (2, 4)
    room.scroll(0, 100)
    assert room.place_of(0) == (3, 4)
    room.scroll(0, -100)
    assert room.place_of(0) == (0, 4)
    room.go_to_slice(0, 2)
    assert room.place_of(0) == (2, 4)


def test_panes_scroll_together_or_each_on_its_own(room: Room) -> None:
    room.put(made("b", shape=(8, 6, 8)))
    room.set_layout(Layout.SIDE)
    room.scroll(0, -1)
    assert room.sheet_of(1) is not None
    assert room.sheet_of(1).origin[2] == pytest.approx(room.sheet_of(0).origin[2])  # type: ignore[union-attr]
    room.link(scroll=False)
    before = room.place_of(1)
    room.scroll(0, -1)
    assert room.place_of(0) == (0, 4)
    assert room.place_of(1) == before
    room.activate(0)
    room.link(scroll=True)
    assert room.place_of(1) == (0, 8), "they meet where the active pane is"


def test_windows_are_shared_by_scale_until_they_are_not_linked(room: Room) -> None:
    room.put(made("b"))
    room.put(made("scan 1/m/result", unit="a.u."))
    room.set_layout(Layout.SIDE)
    room.set_levels(0, 50, 10)
    assert room.levels_of(1) == Levels(-15, 35)
    room.show(1, "scan 1/m/result")
    assert room.levels_of(1) == Levels(0, 100), "other numbers"
    room.show(1, "b")
    room.link(window=False)
    room.set_levels(0, 10, 5)
    assert room.levels_of(0) == Levels(0, 10)
    assert room.levels_of(1) == Levels(-15, 35)
    room.reset_levels()
    assert room.levels_of(0) == Levels(0, 100)


def test_nothing_but_the_user_moves_the_window(room: Room) -> None:
    room.set_levels(0, 50, 10)
    room.put(replace(made(), offered=Levels(0, 9), state="step 2"))
    assert room.levels_of(0) == Levels(-15, 35)
    room.set_levels(0, 0, 10)
    assert room.levels_of(0).window > 0


def test_zoom_is_shared_and_the_place_only_within_the_same_plane(room: Room) -> None:
    room.set_layout(Layout.MPR)
    room.set_look(0, Look(3.0, np.array([1.0, 2.0, 3.0])))
    assert room.panes[1].look.zoom == 3.0
    assert room.panes[1].look.centre is None
    room.link(zoom=False)
    room.set_look(1, Look(5.0, None))
    assert room.panes[0].look.zoom == 3.0
    room.fit()
    assert all(pane.look.zoom is None for pane in room.panes)


def test_an_item_that_goes_leaves_its_panes_to_another(room: Room) -> None:
    room.put(made("b"))
    room.set_layout(Layout.SIDE)
    room.set_pane(1, over="a", comparison=Comparison.BLEND)
    room.remove("a")
    assert [p.item for p in room.panes[:2]] == ["b", "b"]
    assert room.over_in(1) is None
    room.remove("b")
    assert room.item_in(0) is None
    assert room.cross is None
    assert room.sheet_of(0) is None


def test_maximising_goes_there_and_back(room: Room) -> None:
    room.set_layout(Layout.MPR)
    room.maximise(2)
    assert room.shown == (2,)
    room.maximise(2)
    assert room.shown == (0, 1, 2, 3)


def test_a_snapshot_brings_everything_back_but_items_that_are_gone(room: Room) -> None:
    room.put(made("b"))
    room.set_layout(Layout.SIDE)
    before = room.snapshot()
    room.set_levels(0, 10, 0)
    room.scroll(0, -1)
    room.set_layout(Layout.MPR)
    room.restore(before)
    assert room.layout is Layout.SIDE
    assert room.levels_of(0) == Levels(0, 100)
    assert room.place_of(0) == (2, 4)
    room.remove("b")
    room.restore(before)
    assert room.panes[1].item == ""


def test_levels_of_pixels_and_places_without_a_number() -> None:
    plane = np.array([[-10.0, 0.0, 50.0, 100.0, 1e9, np.nan]], dtype=np.float32)
    assert indices(plane, Levels(0, 100)).tolist() == [[1, 1, 128, 255, 255, 0]]
    assert indices(np.array([[0, 100, -5]], dtype=np.int16), Levels(0, 100)).tolist() == [[1, 255, 1]]
    assert indices(np.full((1, 2), np.inf, np.float32), Levels(0, 1)).tolist() == [[255, 255]]
