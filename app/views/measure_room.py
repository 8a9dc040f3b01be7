"""Measuring in the viewing room: brings tools, panel and drawings to the page."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QKeyEvent

from app.state.room.figure import Figure
from app.state.room.measurements import Measurements, Past
from app.state.room.room import WINDOW_TOOL
from app.views.measure_kinds import TOOLS
from app.views.measure_panel import Ask, MeasurePanel, ask_for_path
from app.views.measure_slow import SlowReading
from app.views.measure_tool import MeasureTool
from app.views.room_page import RoomPage
from app.words import later, tr

TIPS = {
    Figure.DISTANCE: later("Measure a distance: drag from end to end"),
    Figure.ANGLE: later("Measure an angle: click an arm, the vertex, the other arm"),
    Figure.RECTANGLE: later("Mean, spread and area of a rectangle: drag from corner to corner"),
    Figure.ELLIPSE: later("Mean, spread and area of an ellipse: drag from corner to corner"),
    Figure.FREEHAND: later("Mean, spread and area of a region: drag around it"),
    Figure.PROFILE: later("Values along a line in all images on view: drag from end to end"),
    Figure.PROBE: later("The value at a point: click it"),
}


class Measuring(QObject):
    """Draws measurements in the panes of a page, and lets the left button make and change them.

    history: remembers every change; None for not. ask: for the path of a file to save. Whoever closes the page calls
    `release` first.
    """

    def __init__(
        self, page: RoomPage, measurements: Measurements, history: Past | None = None, ask: Ask = ask_for_path
    ) -> None:
        super().__init__(page)
        self.page, self.measurements = page, measurements
        measurements.history = history
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self.refresh)
        self.reader = SlowReading(measurements, self._later, self)
        self.panel = MeasurePanel(measurements, self.reader, ask)
        self._tool = ""
        for figure, tip in TIPS.items():
            page.bar.add_tool(figure.value, tr(figure.words), tr(tip), figure.value)
        page.add_panel(self.panel, tr("Measurements"))
        for pane in page.panes:
            pane.canvas.installEventFilter(self)
        measurements.changed.connect(self._later)
        page.room.changed.connect(self._room_changed)
        self._take_tool()
        self.refresh()

    def refresh(self) -> None:
        """Draw and list what there is now."""
        self._due.stop()
        self.panel.refresh()
        for i in self.page.room.shown:
            self.page.panes[i].canvas.update()

    def release(self) -> None:
        """Let go of timers and threads."""
        self._due.stop()
        self.measurements.changed.disconnect(self._later)
        self.page.room.changed.disconnect(self._room_changed)
        self.reader.release()

    def _later(self) -> None:
        self._due.start(0)

    def _room_changed(self) -> None:
        if self.page.room.tool != self._tool:
            self._take_tool()
        self._later()

    def _take_tool(self) -> None:
        """Give every pane the tool of the room, if it measures; with window and level drawings can be taken hold of."""
        self._tool = self.page.room.tool
        if self.measurements.sketch is not None:
            self.measurements.draw(None)
        figures = {figure.value: figure for figure in TOOLS}
        if self._tool != WINDOW_TOOL and self._tool not in figures:
            return
        kind = TOOLS[figures[self._tool]] if self._tool in figures else MeasureTool
        for pane in self.page.panes:
            tool = kind(self.measurements, pane.index, self.reader)
            pane.set_tool(tool)
            tool.show_cursor(pane.canvas)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A key that the tool in a canvas wants goes there before any shortcut of the window."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            for pane in self.page.panes:
                if (
                    pane.canvas is watched
                    and isinstance(pane.canvas.tool, MeasureTool)
                    and pane.canvas.tool.wants(event)
                ):
                    event.accept()
                    return True
        return super().eventFilter(watched, event)
