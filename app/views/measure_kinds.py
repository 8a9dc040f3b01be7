"""The tools that make measurements, one for each figure."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QMouseEvent

from app.state.room.figure import MOST_POINTS, Figure
from app.views.measure_drawing import positions
from app.views.measure_tool import MeasureTool
from app.views.room_canvas import CLICK, RoomCanvas

FREEHAND_STEP = 2.0
"""Pixels of the screen from one point of a free-hand line to the next."""


class _Dragged(MeasureTool):
    """From where the button goes down to where it goes up. at_first: points that the press makes."""

    at_first = 2

    def begin(self, canvas: RoomCanvas, at: QPointF) -> bool:
        bare = self.sketch_at(canvas, at)
        if bare is None:
            return False
        for _ in range(self.at_first):
            bare = bare.with_point(canvas.point_at(at))
        self.measurements.draw(bare)
        return True

    def drag(self, canvas: RoomCanvas, at: QPointF) -> None:
        sketch = self.measurements.sketch
        if sketch is not None:
            self.measurements.draw(sketch.ending_at(canvas.point_at(at)))

    def end(self, canvas: RoomCanvas) -> None:
        sketch = self.measurements.sketch
        assert sketch is not None
        if np.abs(np.ptp(positions(canvas, sketch.points), axis=0)).sum() > CLICK:
            self.measurements.finish()
        else:
            self.drop()


class DistanceTool(_Dragged):
    figure = Figure.DISTANCE


class ProfileTool(_Dragged):
    figure = Figure.PROFILE


class RectangleTool(_Dragged):
    figure = Figure.RECTANGLE


class EllipseTool(_Dragged):
    figure = Figure.ELLIPSE


class ProbeTool(_Dragged):
    """One point, which can be dragged until the button goes up."""

    figure = Figure.PROBE
    at_first = 1

    def end(self, canvas: RoomCanvas) -> None:
        self.measurements.finish()

    def double(self, canvas: RoomCanvas, event: QMouseEvent) -> bool:
        """The second click belongs to the first."""
        return True


class FreehandTool(_Dragged):
    """Along the way of the mouse, and back to its start."""

    figure = Figure.FREEHAND
    at_first = 1

    def drag(self, canvas: RoomCanvas, at: QPointF) -> None:
        sketch = self.measurements.sketch
        if sketch is None or len(sketch.points) >= MOST_POINTS:
            return
        x, y = positions(canvas, sketch.points[-1:])[0]
        if (QPointF(x, y) - at).manhattanLength() >= FREEHAND_STEP:
            self.measurements.draw(sketch.with_point(canvas.point_at(at)))


class AngleTool(MeasureTool):
    """Three clicks: an arm, the vertex, the other arm. The last point follows the mouse until it is clicked."""

    figure = Figure.ANGLE

    def begin(self, canvas: RoomCanvas, at: QPointF) -> bool:
        bare = self.sketch_at(canvas, at)
        if bare is None:
            return False
        point = canvas.point_at(at)
        self.measurements.draw(bare.with_point(point).with_point(point))
        return True

    def go_on(self, canvas: RoomCanvas, at: QPointF) -> bool:
        sketch = self.measurements.sketch
        assert sketch is not None
        x, y = positions(canvas, sketch.points[-2:-1])[0]
        if (QPointF(x, y) - at).manhattanLength() <= CLICK:
            return True
        placed = sketch.ending_at(canvas.point_at(at))
        if placed.complete:
            self.measurements.draw(placed)
            self.measurements.finish()
        else:
            self.measurements.draw(placed.with_point(canvas.point_at(at)))
        return True

    def drag(self, canvas: RoomCanvas, at: QPointF) -> None:
        sketch = self.measurements.sketch
        if sketch is not None:
            self.measurements.draw(sketch.ending_at(canvas.point_at(at)))

    def double(self, canvas: RoomCanvas, event: QMouseEvent) -> bool:
        """Two quick clicks are two clicks."""
        if self.is_making and canvas.sheet is not None:
            self.go_on(canvas, event.position())
        return True


TOOLS: dict[Figure, type[MeasureTool]] = {
    tool.figure: tool
    for tool in (DistanceTool, AngleTool, RectangleTool, EllipseTool, FreehandTool, ProfileTool, ProbeTool)
    if tool.figure is not None
}
