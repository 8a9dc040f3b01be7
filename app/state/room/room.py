"""The viewing room: its items, its panes, and everything that the user does with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from app.state.picture import Levels
from app.state.room.item import Item, Kind
from app.state.room.pane import FACES, PANES, Comparison, Layout, Look, Pane
from core.viewing.sheet import Sheet
from core.viewing.standard import standard_sheet, steps_of

Point = npt.NDArray[np.float64]
WINDOW_TOOL = "window"
"""The tool that left drag has at first: window and level."""
NARROWEST = 1e-4
_SAME_DIRECTION = 0.999


class Room:
    """What is shown where. All places are LPS mm; the panes meet in `cross`.

    items_changed: items came, went or were replaced. changed: anything about how they are shown. tool: what left drag
    does; WINDOW_TOOL, or the name of a measuring tool. linked_*: what one pane does, all do. corners: place, window and
    values stand over the images; identity: so does who was scanned, where the file tells it.
    """

    items_changed = Signal()
    changed = Signal()

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self.layout = Layout.ONE
        self._panes_of = {layout: tuple(Pane(face=face) for face in faces) for layout, faces in FACES.items()}
        self.active = 0
        self.maximised: int | None = None
        self.cross: Point | None = None
        self.moment = 0
        self.linked_scroll = self.linked_zoom = self.linked_window = True
        self.tool = WINDOW_TOOL
        self.corners, self.identity = True, False
        self._levels: dict[str, Levels] = {}

    # What there is

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def item(self, key: str) -> Item | None:
        return self._items.get(key)

    def put(self, item: Item) -> None:
        """Take in an item, in the place of the one with its key, or hang it where nothing is, or a simpler image."""
        known = item.key in self._items
        self._items[item.key] = item
        if not known:
            self._hang(item)
        self.items_changed.emit()

    def remove(self, key: str) -> None:
        """Take an item out; its panes show the latest other one, or nothing."""
        if self._items.pop(key, None) is None:
            return
        other = next(reversed(self._items), "")
        for layout, panes in self._panes_of.items():
            self._panes_of[layout] = tuple(_without(pane, key, other) for pane in panes)
        if not self._items:
            self.cross = None
        self.items_changed.emit()
        self.changed.emit()

    def _hang(self, item: Item) -> None:
        """Show a new item where nothing is shown; beside another one in the second pane, where two are compared."""
        if self.cross is None:
            self.cross = item.middle
        for layout, panes in self._panes_of.items():
            fill = self._place_for(item, layout, panes)
            self._panes_of[layout] = tuple(
                replace(pane, item=item.key) if i in fill else pane for i, pane in enumerate(panes)
            )

    def _place_for(self, item: Item, layout: Layout, panes: tuple[Pane, ...]) -> list[int]:
        """The panes of a layout in which a new item is hung."""
        several = layout in (Layout.SIDE, Layout.FOUR)
        empty = [i for i in layout.shown if not panes[i].item]
        classical = [i for i, pane in enumerate(panes) if self._gives_way(pane, item)]
        if item.kind is Kind.CLASSICAL:
            return classical or (empty[:1] if several else empty)
        if item.kind is Kind.RESULT:
            # Side by side the classical image stays in the first pane.
            return empty[:1] or [i for i in classical if i][:1] if several else [*empty, *classical]
        return empty[:1] if several else empty

    def _gives_way(self, pane: Pane, item: Item) -> bool:
        """A classical image of the same scan makes room for what is made of it next, as in the other workspace."""
        shown = self._items.get(pane.item)
        return shown is not None and shown.kind is Kind.CLASSICAL and shown.family == item.family

    # How the panes lie

    @property
    def panes(self) -> tuple[Pane, ...]:
        return self._panes_of[self.layout]

    @property
    def shown(self) -> tuple[int, ...]:
        """Indices of the panes on view."""
        return self.layout.shown if self.maximised is None else (self.maximised,)

    def set_layout(self, layout: Layout) -> None:
        """Each layout keeps its own panes; panes without an item take that of the active one."""
        key = self.panes[self.active].item
        self.layout, self.maximised = layout, None
        self.active = min(self.active, len(layout.shown) - 1)
        if layout is Layout.MPR and key:
            self._panes_of[layout] = tuple(replace(p, item=p.item or key) for p in self.panes)
        self.changed.emit()

    def maximise(self, index: int) -> None:
        """One pane alone, or all again."""
        self.maximised = index if self.maximised is None and len(self.layout.shown) > 1 else None
        self.activate(index)

    def activate(self, index: int) -> None:
        self.active = index
        self.changed.emit()

    def set_pane(self, index: int, **values: Any) -> None:
        """Change fields of a pane."""
        panes = list(self.panes)
        panes[index] = replace(panes[index], **values)
        self._panes_of[self.layout] = tuple(panes)
        self.changed.emit()

    def show(self, index: int, key: str) -> None:
        """Hang an item into a pane, in its middle if the place on view lies outside it."""
        item = self._items.get(key)
        if item is not None and (self.cross is None or not _inside(item, self.cross)):
            self.cross = item.middle
        self.set_pane(index, item=key, own_levels=None)

    def link(self, *, scroll: bool | None = None, zoom: bool | None = None, window: bool | None = None) -> None:
        """Let the panes go together, or each on its own from where it is."""
        if scroll is not None:
            if not scroll and self.linked_scroll:
                self._change_all(at=self.cross)
            elif scroll and not self.linked_scroll:
                self.cross = self.panes[self.active].at if self.panes[self.active].at is not None else self.cross
            self.linked_scroll = scroll
        if zoom is not None:
            self.linked_zoom = zoom
        if window is not None:
            if not window and self.linked_window:
                for i in range(PANES):
                    self._change(i, own_levels=self.levels_of(i))
            self.linked_window = window
        self.changed.emit()

    def show_words(self, *, corners: bool | None = None, identity: bool | None = None) -> None:
        """What stands over the images. Names, marks and letters always do."""
        self.corners = self.corners if corners is None else corners
        self.identity = self.identity if identity is None else identity
        self.changed.emit()

    def set_tool(self, tool: str) -> None:
        self.tool = tool
        self.changed.emit()

    # Where they are

    def item_in(self, index: int) -> Item | None:
        return self._items.get(self.panes[index].item)

    def over_in(self, index: int) -> Item | None:
        """What is laid over it, where the pane compares."""
        pane = self.panes[index]
        return self._items.get(pane.over) if pane.comparison is not Comparison.NONE else None

    def point_of(self, index: int) -> Point | None:
        """The point through which a pane is cut."""
        own = self.panes[index].at
        return own if own is not None and not self.linked_scroll else self.cross

    def sheet_of(self, index: int) -> Sheet | None:
        """The plane of a pane; None where it is empty or renders the volume."""
        item, point, pane = self.item_in(index), self.point_of(index), self.panes[index]
        if item is None or point is None or not pane.face.flat:
            return None
        return standard_sheet(
            item.shape, item.affine, pane.face.orientation, point, patient_axes=pane.patient_axes and item.placed
        )

    def place_of(self, index: int) -> tuple[int, int] | None:
        """(number of the slice from 0, how many there are) of a pane."""
        item, sheet = self.item_in(index), self.sheet_of(index)
        if item is None or sheet is None:
            return None
        count, _, at = steps_of(item.shape, item.affine, sheet)
        return min(max(at, 0), count - 1), count

    def scroll(self, index: int, steps: int) -> None:
        """Move a pane by slices, within its volume; with linked scrolling the others go along."""
        item, sheet, point = self.item_in(index), self.sheet_of(index), self.point_of(index)
        if item is None or sheet is None or point is None:
            return
        count, step, at = steps_of(item.shape, item.affine, sheet)
        to = min(max(at + steps, 0), count - 1)
        if to != at:
            self.move_to(index, point + (to - at) * step * sheet.normal)

    def go_to_slice(self, index: int, number: int) -> None:
        place = self.place_of(index)
        if place is not None:
            self.scroll(index, number - place[0])

    def move_to(self, index: int, point: Point) -> None:
        """Let a pane be cut through a point, and all others with linked scrolling."""
        if self.linked_scroll:
            self.cross = point
            self.changed.emit()
        else:
            self.set_pane(index, at=point)

    @property
    def moments(self) -> int:
        """Of the item with the most."""
        return max((len(item.stacks) for item in self), default=1)

    def set_moment(self, moment: int) -> None:
        self.moment = min(max(moment, 0), self.moments - 1)
        self.changed.emit()

    # How they are drawn

    def levels_of(self, index: int) -> Levels:
        """The grey scale of a pane."""
        item, own = self.item_in(index), self.panes[index].own_levels
        if item is None:
            return Levels(0.0, 1.0)
        return own if own is not None and not self.linked_window else self.levels_for(item)

    def levels_for(self, item: Item) -> Levels:
        """As the user set it for all items of its scale, or as it was offered."""
        return self._levels.get(item.scale, item.offered)

    def set_levels(self, index: int, window: float, level: float) -> None:
        """Only this moves window and level."""
        item = self.item_in(index)
        if item is None:
            return
        levels = Levels.of_window(max(window, NARROWEST * item.offered.window), level)
        if self.linked_window:
            self._levels[item.scale] = levels
            self.changed.emit()
        else:
            self.set_pane(index, own_levels=levels)

    def drag_levels(self, index: int, across: float, down: float) -> None:
        """Change window and level by shares of the offered window."""
        item, now = self.item_in(index), self.levels_of(index)
        if item is not None:
            width = item.offered.window
            self.set_levels(index, now.window + across * width, now.level + down * width)

    def reset_levels(self) -> None:
        """Back to what was offered, everywhere."""
        self._levels.clear()
        self._change_all(own_levels=None)
        self.changed.emit()

    def set_look(self, index: int, look: Look) -> None:
        """Zoom and pan; with linked zoom every flat pane takes the zoom, and those of the same plane the centre."""
        sheet = self.sheet_of(index)
        self._change(index, look=look)
        for i, pane in enumerate(self.panes):
            other = self.sheet_of(i)
            if i == index or not self.linked_zoom or sheet is None or other is None:
                continue
            same = abs(float(sheet.normal @ other.normal)) > _SAME_DIRECTION
            self._change(i, look=look if same else replace(pane.look, zoom=look.zoom))
        self.changed.emit()

    def fit(self) -> None:
        """The whole image in every pane."""
        self._change_all(look=Look())
        self.changed.emit()

    # Undo

    def snapshot(self) -> tuple[Any, ...]:
        """How everything is shown, to go back to."""
        return (self.layout, dict(self._panes_of), self.active, self.cross, dict(self._levels), self.moment)

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """Go back; items that are gone leave their panes empty."""
        self.layout, panes_of, self.active, self.cross, levels, self.moment = snapshot
        self._panes_of, self._levels = dict(panes_of), dict(levels)
        for layout, panes in self._panes_of.items():
            self._panes_of[layout] = tuple(p if p.item in self._items else replace(p, item="") for p in panes)
        self.changed.emit()

    def _change(self, index: int, **values: Any) -> None:
        panes = list(self.panes)
        panes[index] = replace(panes[index], **values)
        self._panes_of[self.layout] = tuple(panes)

    def _change_all(self, **values: Any) -> None:
        for layout, panes in self._panes_of.items():
            self._panes_of[layout] = tuple(replace(pane, **values) for pane in panes)


def _without(pane: Pane, key: str, other: str) -> Pane:
    if pane.item == key:
        pane = replace(pane, item=other, own_levels=None)
    return replace(pane, over="", comparison=Comparison.NONE) if pane.over == key else pane


def _inside(item: Item, point: Point) -> bool:
    voxel = np.linalg.solve(item.affine, np.append(point, 1.0))[:3]
    return bool(np.all(voxel >= -0.5) and np.all(voxel <= np.array(item.shape[::-1]) - 0.5))
