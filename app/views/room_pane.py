"""A pane of the viewing room: a header that says what it holds, and the canvas or the rendering under it."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.state.picture import Levels
from app.state.room.drawing import Plane, difference_of, indices, plane_of, symmetric
from app.state.room.item import Item, Kind
from app.state.room.pane import Comparison, Face
from app.state.room.room import Room
from app.state.undo import History
from app.views.room_canvas import RoomCanvas, image_of
from app.views.room_captions import pane_overlay
from app.views.room_colours import GREY, SIGNED, SPREAD, table
from app.views.room_header import RoomHeader
from app.views.room_layer import Layer, PaneTool
from app.views.room_rendering import RoomRendering
from app.words import later, tr
from core.viewing.sheet import Sheet

NOTHING = later("Nothing is open. Open a scan or a volume, or drop one here.")


class RoomPane(QWidget):
    """Shows what `room.panes[index]` says, and carries out in the room what the user does here.

    history: of what is changed in the rendering. flickered: the upper of two flickering images is on view. drawn,
    colours: how the lowest image is drawn.
    """

    pointed = Signal(object)

    def __init__(self, room: Room, index: int, parent: QWidget | None = None, history: History | None = None) -> None:
        super().__init__(parent)
        self.room, self.index = room, index
        self._history = history
        self.flickered = False
        self.drawn, self.colours = Levels(0.0, 1.0), GREY
        self.canvas = RoomCanvas(self)
        self.rendering: RoomRendering | None = None
        self.header = RoomHeader(room, index, self)
        self._cuts: dict[str, tuple[object, Plane]] = {}
        self._point: Any = None
        self.stack = QStackedWidget()
        self.stack.addWidget(self.canvas)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.header)
        whole.addWidget(self.stack, 1)
        self._connect()

    def _connect(self) -> None:
        canvas, room, index = self.canvas, self.room, self.index
        canvas.setAccessibleName(tr("Pane {number}", number=index + 1))
        canvas.scrolled.connect(partial(room.scroll, index))
        canvas.levels_dragged.connect(partial(room.drag_levels, index))
        canvas.looked.connect(partial(room.set_look, index))
        canvas.picked.connect(partial(room.move_to, index))
        canvas.doubled.connect(partial(room.maximise, index))
        canvas.swiped.connect(lambda share: room.set_pane(index, share=share))
        canvas.pressed.connect(self._activate)
        canvas.pointed.connect(self._point_at)

    def set_tool(self, tool: PaneTool | None) -> None:
        self.canvas.tool = tool
        self.canvas.update()

    def flicker(self, upper: bool) -> None:
        """Show the upper or the lower of two images that are compared by flickering."""
        self.flickered = upper
        self.refresh()

    def refresh(self) -> None:
        """Draw what is to be shown now. Only what has changed is cut again."""
        room, index = self.room, self.index
        item, pane = room.item_in(index), room.panes[index]
        self.header.refresh()
        self.canvas.active = room.active == index and len(room.shown) > 1
        if item is not None and pane.face is Face.RENDERED:
            self._render(item)
            return
        self.stack.setCurrentWidget(self.canvas)
        sheet = room.sheet_of(index)
        if item is None or sheet is None:
            self.canvas.show_layers(None, (), pane.look)
            self.canvas.set_overlay(pane_overlay(room, index, self.drawn, None), "" if len(room) else tr(NOTHING))
            return
        self.canvas.cross = room.cross if room.linked_scroll and len(room.shown) > 1 else None
        self.canvas.swipe = pane.share if pane.comparison is Comparison.SWIPE and room.over_in(index) else None
        self.canvas.show_layers(sheet, self._layers(item, sheet), pane.look)
        self._describe()

    def _describe(self) -> None:
        overlay = pane_overlay(self.room, self.index, self.drawn, self._point, self.colours)
        self.canvas.set_overlay(overlay)
        self.canvas.setAccessibleDescription(" ".join((overlay.title, *overlay.place)))

    def _layers(self, item: Item, sheet: Sheet) -> tuple[Layer, ...]:
        pane, over = self.room.panes[self.index], self.room.over_in(self.index)
        levels = self.drawn = self.room.levels_of(self.index)
        below, colours = self._cut(item, sheet), self.colours_of(item)
        self.colours = colours
        if over is None:
            return (self._layer(below, levels, colours),)
        above = self._cut(over, sheet)
        if pane.comparison is Comparison.DIFFERENCE:
            self.drawn, self.colours = symmetric(levels), SIGNED
            return (self._layer(difference_of(below, above), self.drawn, SIGNED),)
        same = over.scale == item.scale
        upper = self._layer(above, levels if same else self.room.levels_for(over), self.colours_of(over))
        lower = self._layer(below, levels, colours)
        if pane.comparison is Comparison.FLICKER:
            return (upper if self.flickered else lower,)
        if pane.comparison is Comparison.BLEND:
            return (lower, Layer(upper.image, opacity=pane.share))
        return (lower, Layer(upper.image, left_edge=pane.share))

    def colours_of(self, item: Item) -> str:
        """The name of the colour map in which this pane shows an item."""
        chosen = self.room.panes[self.index].colours
        if chosen != GREY:
            return chosen
        return SIGNED if item.signed else SPREAD if item.kind in (Kind.SPREAD, Kind.SUPPORT) else GREY

    def _layer(self, plane: Plane, levels: Levels, colours: str) -> Layer:
        return Layer(image_of(indices(plane, levels), table(colours, self.room.panes[self.index].invert)))

    def _cut(self, item: Item, sheet: Sheet) -> Plane:
        """The same plane of the same item is cut once."""
        pane, moment = self.room.panes[self.index], self.room.moment
        place = (*sheet.origin.tolist(), *sheet.across.tolist(), *sheet.down.tolist(), sheet.shape, sheet.spacing)
        key = (item, moment, pane.slab, pane.slab_mm, place)
        kept = self._cuts.get(item.key)
        if kept is None or kept[0] != key:
            kept = (key, plane_of(item, pane, sheet, moment))
            self._cuts = {**{k: v for k, v in self._cuts.items() if self.room.item(k)}, item.key: kept}
        return kept[1]

    def _render(self, item: Item) -> None:
        if self.rendering is None:
            self.rendering = RoomRendering(self.room, self.index, self)
            if self._history is not None:
                self.rendering.model.history = self._history
            self.rendering.doubled.connect(partial(self.room.maximise, self.index))
            self.stack.addWidget(self.rendering)
        self.stack.setCurrentWidget(self.rendering)
        self.rendering.show_item(item)

    def release(self) -> None:
        """Give back what belongs to OpenGL."""
        if self.rendering is not None:
            self.rendering.release()

    def zoom_by(self, factor: float, about: QPointF | None = None) -> None:
        self.canvas.zoom_by(factor, about)

    def _activate(self) -> None:
        if self.room.active != self.index:
            self.room.activate(self.index)

    def _point_at(self, point: Any) -> None:
        self._point = point
        self.pointed.emit(point)
        if self.room.item_in(self.index) is not None and self.canvas.sheet is not None:
            self._describe()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.header.fit(self.width())
        super().resizeEvent(event)
