"""The tool of a pane that draws its measurements, and lets the mouse take hold of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter

from app.state.room.figure import Figure, Measurement, plane_of_sheet
from app.state.room.measure_places import is_own, seen_in
from app.state.room.measurements import Measurements
from app.state.room.reading import Reading
from app.state.room.room import WINDOW_TOOL
from app.views.measure_drawing import Positions, draw_figure, draw_label, label_place, label_size, positions, traced
from app.views.measure_words import geometry_lines, label_lines
from app.views.room_canvas import CLICK, RoomCanvas

REACH_HANDLE, REACH_LINE = 8.0, 5.0
"""Pixels of the screen within which the mouse takes hold."""
WHOLE = -1
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
DELETE = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class Reader(Protocol):
    """Gives what a measurement tells, or None while that is being read."""

    def __call__(self, measurement: Measurement) -> Reading | None: ...


@dataclass(frozen=True, eq=False)
class Hold:
    """A measurement by one of its handles, or WHOLE."""

    measurement: Measurement
    handle: int


class MeasureTool:
    """Takes hold of what is there and draws it; subclasses also make new measurements. index: of its pane."""

    figure: Figure | None = None

    def __init__(self, measurements: Measurements, index: int, reader: Reader) -> None:
        self.measurements, self.index, self.reader = measurements, index, reader
        self.under: Hold | None = None
        self._held: Hold | None = None
        self._from = QPointF()
        self._moved = False

    # The mouse

    def press(self, canvas: RoomCanvas, event: QMouseEvent) -> bool:
        if canvas.sheet is None:
            return False
        self._from, self._moved = event.position(), False
        if self.is_making:
            if self._sees_sketch():
                return self.go_on(canvas, event.position())
            self.drop()
        self._held = self._hold_at(canvas, event.position())
        if self._held is not None:
            self._choose(self._held.measurement.key, event.modifiers())
            return True
        self.measurements.select()
        return self.begin(canvas, event.position())

    def move(self, canvas: RoomCanvas, event: QMouseEvent) -> None:
        if canvas.sheet is None:
            self.drop()
            return
        self._moved = self._moved or (event.position() - self._from).manhattanLength() > CLICK
        if self._held is not None:
            if self._moved:
                self._pull(canvas, self._held, event.position())
        elif self.is_making and self._sees_sketch():
            self.drag(canvas, event.position())

    def release(self, canvas: RoomCanvas, event: QMouseEvent) -> None:
        if canvas.sheet is None:
            self.drop()
        elif self._held is not None:
            self._held = None
            if self.measurements.sketch is not None:
                self.measurements.finish()
        elif self.is_making:
            self.end(canvas)

    def hover(self, canvas: RoomCanvas, event: QMouseEvent) -> None:
        if self.is_making:
            if self._sees_sketch():
                self.drag(canvas, event.position())
            return
        before, self.under = self.under, self._hold_at(canvas, event.position())
        if (before is None) != (self.under is None) or self.under is not None:
            self.show_cursor(canvas)
            canvas.update()

    def double(self, canvas: RoomCanvas, event: QMouseEvent) -> bool:
        return False

    def key(self, canvas: RoomCanvas, event: QKeyEvent) -> bool:
        if not self.wants(event):
            return False
        if event.key() not in DELETE:
            self._held = None
        if event.key() in DELETE:
            self.measurements.remove(self.measurements.selected)
        elif event.key() in ENTER:
            self.measurements.finish()
        elif self.measurements.sketch is not None:
            self.drop()
        elif self.measurements.selected:
            self.measurements.select()
        else:
            self.measurements.room.set_tool(WINDOW_TOOL)
        return True

    def wants(self, event: QKeyEvent) -> bool:
        """Esc drops what is being drawn, else lets go of what is selected, else puts the tool away."""
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        sketch, selected = self.measurements.sketch is not None, bool(self.measurements.selected)
        if event.key() in DELETE:
            return selected and not sketch
        if event.key() in ENTER:
            return sketch
        return event.key() == Qt.Key.Key_Escape and (sketch or selected or self.figure is not None)

    # Making; of those that make nothing, nothing

    @property
    def is_making(self) -> bool:
        """A new measurement is being drawn with this tool."""
        sketch = self.measurements.sketch
        return sketch is not None and not sketch.key and self.figure is sketch.figure

    def _sees_sketch(self) -> bool:
        """It lies in the plane of this pane; the pane may have been scrolled since it was begun, or be another one."""
        return self.measurements.sketch in seen_in(self.measurements, self.index)

    def begin(self, canvas: RoomCanvas, at: QPointF) -> bool:
        """A press on nothing; True if something new begins."""
        return False

    def go_on(self, canvas: RoomCanvas, at: QPointF) -> bool:
        """Another press while something is being drawn."""
        self.drop()
        return True

    def drag(self, canvas: RoomCanvas, at: QPointF) -> None:
        """The mouse moves while something is being drawn."""

    def end(self, canvas: RoomCanvas) -> None:
        """The button goes up."""

    def drop(self) -> None:
        """Give up what is being drawn or moved."""
        self._held = None
        self.measurements.draw(None)

    def sketch_at(self, canvas: RoomCanvas, at: QPointF) -> Measurement | None:
        """A measurement without a point yet, on the image in the pane."""
        room, sheet = self.measurements.room, canvas.sheet
        item, pane = room.item_in(self.index), room.panes[self.index]
        if self.figure is None or item is None or sheet is None:
            return None
        slab_mm = pane.slab_mm if self.figure.is_region else 0.0
        none = np.empty((0, 3))
        plane = plane_of_sheet(sheet)
        return Measurement(self.figure, item.key, plane, none, placed=item.placed, slab_mm=slab_mm, slab=pane.slab)

    # Taking hold

    def _choose(self, key: str, modifiers: Qt.KeyboardModifier) -> None:
        """Ctrl or Shift takes one to the others, or away from them."""
        chosen = self.measurements.selected
        if modifiers & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier):
            others = tuple(k for k in chosen if k != key)
            self.measurements.select(*(others if key in chosen else (*chosen, key)))
        elif key not in chosen:
            self.measurements.select(key)

    def _pull(self, canvas: RoomCanvas, held: Hold, to: QPointF) -> None:
        if held.handle == WHOLE:
            self.measurements.draw(held.measurement.shifted(canvas.point_at(to) - canvas.point_at(self._from)))
        else:
            self.measurements.draw(held.measurement.with_handle(held.handle, canvas.point_at(to)))

    def _hold_at(self, canvas: RoomCanvas, at: QPointF) -> Hold | None:
        """The nearest handle within reach, those of selected measurements first, else the nearest outline."""
        if canvas.sheet is None:
            return None
        here, found = np.array([at.x(), at.y()]), []
        for m in seen_in(self.measurements, self.index):
            if not m.key:
                continue
            chosen = m.key in self.measurements.selected
            handles = positions(canvas, m.handles)
            if len(handles):
                away = np.hypot(*(handles - here).T)
                if away.min() <= REACH_HANDLE:
                    handle = WHOLE if m.figure is Figure.PROBE else int(away.argmin())
                    found.append((0, not chosen, float(away.min()), Hold(m, handle)))
            reach = _distance_to_line(here, positions(canvas, m.outline), closed=m.figure.is_region)
            if reach <= REACH_LINE:
                found.append((1, not chosen, reach, Hold(m, WHOLE)))
        return min(found, key=lambda each: each[:3])[3] if found else None

    def show_cursor(self, canvas: RoomCanvas) -> None:
        """What a press would do here."""
        if self.under is not None:
            whole = self.under.handle == WHOLE
            canvas.setCursor(Qt.CursorShape.SizeAllCursor if whole else Qt.CursorShape.PointingHandCursor)
        elif self.figure is not None:
            canvas.setCursor(Qt.CursorShape.CrossCursor)
        else:
            canvas.unsetCursor()

    # Drawing

    def draw(self, painter: QPainter, canvas: RoomCanvas) -> None:
        if canvas.sheet is None:
            return
        seen = seen_in(self.measurements, self.index)
        outlines = {m: positions(canvas, m.outline) for m in seen}
        for m in seen:
            draw_figure(painter, canvas, m, own=is_own(self.measurements, m, self.index), chosen=self._stands_out(m))
        if seen:
            self._draw_labels(painter, QRectF(canvas.rect()).adjusted(2, 2, -2, -2), outlines)

    def _draw_labels(self, painter: QPainter, area: QRectF, outlines: dict[Measurement, Positions]) -> None:
        """Those of selected measurements first, so that they get the best places."""
        lines = np.concatenate([traced(m, outline) for m, outline in outlines.items()])
        taken: list[QRectF] = []
        for m in sorted(outlines, key=lambda m: not self._stands_out(m)):
            ends = QPointF(*outlines[m].min(axis=0)), QPointF(*outlines[m].max(axis=0))
            words = self._words(m)
            if words and area.intersects(QRectF(*ends).adjusted(-1, -1, 1, 1)):
                size = label_size(painter.font(), words, area)
                taken.append(label_place(size, outlines[m], area, taken, lines))
                draw_label(painter, words, taken[-1], chosen=self._stands_out(m))

    def _words(self, measurement: Measurement) -> tuple[str, ...]:
        """All that is known of what stands out, the first of the others; in other images what holds there too."""
        if not measurement.key and measurement.figure is Figure.FREEHAND:
            return ()
        found = self.reader(measurement)
        if not is_own(self.measurements, measurement, self.index):
            return geometry_lines(measurement, found)
        words = label_lines(measurement, found)
        return words if self._stands_out(measurement) else words[:2]

    def _stands_out(self, measurement: Measurement) -> bool:
        under = self.under is not None and self.under.measurement.key == measurement.key
        return not measurement.key or measurement.key in self.measurements.selected or under


def _distance_to_line(here: Positions, line: Positions, *, closed: bool) -> float:
    """From a position (2,) to the nearest part of a line (n, 2)."""
    start, end = (line, np.roll(line, -1, axis=0)) if closed else (line[:-1], line[1:])
    if not len(start):
        return float("inf") if not len(line) else float(np.hypot(*(line[0] - here)))
    way = end - start
    length = np.maximum((way**2).sum(axis=1), 1e-12)
    along = np.clip(((here - start) * way).sum(axis=1) / length, 0.0, 1.0)
    return float(np.hypot(*(start + along[:, None] * way - here).T).min())
