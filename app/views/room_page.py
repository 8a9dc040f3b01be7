"""The viewing room: panes in a layout, a bar above them, panels beside them."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QSplitter, QTabWidget, QVBoxLayout, QWidget

from app.state.room.pane import PANES, Comparison
from app.state.room.room import Room
from app.state.undo import History
from app.views.room_bar import RoomBar
from app.views.room_pane import RoomPane
from app.words import tr

FLICKER_KEY = Qt.Key.Key_F
PANEL_WIDTH = 280
PLACES = ((0, 0), (0, 1), (1, 0), (1, 1))
ZOOM = 1.25


class RoomPage(QWidget):
    """Draws the room. Holding F shows the upper of two images that are compared by flickering.

    A change is drawn once, before the next event is taken, however many there were.
    """

    pointed = Signal(int, object)
    """A pane, and the point under the cursor in it or None."""

    def __init__(self, room: Room, parent: QWidget | None = None, history: History | None = None) -> None:
        super().__init__(parent)
        self.room = room
        self.bar = RoomBar(room)
        self.panes = tuple(RoomPane(room, i, history=history) for i in range(PANES))
        self.panels = QTabWidget()
        self.panels.setAccessibleName(tr("Panels of the viewing room"))
        self.panels.setDocumentMode(True)
        self.panels.setMinimumWidth(PANEL_WIDTH)
        self.panels.hide()
        self._grid_in = QWidget()
        self._grid = QGridLayout(self._grid_in)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        for pane, place in zip(self.panes, PLACES, strict=True):
            self._grid.addWidget(pane, *place)
            pane.canvas.setMinimumSize(QSize(120, 100))
        self.below = QVBoxLayout()
        self.below.setContentsMargins(0, 0, 0, 0)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._grid_in, 1)
        column.addLayout(self.below)
        self.parts = QSplitter(Qt.Orientation.Horizontal)
        self.parts.addWidget(left)
        self.parts.addWidget(self.panels)
        self.parts.setStretchFactor(0, 1)
        self.parts.setCollapsible(0, False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.bar)
        whole.addWidget(self.parts, 1)
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self.refresh)
        room.changed.connect(self._later)
        room.items_changed.connect(self._later)
        for i, pane in enumerate(self.panes):
            pane.pointed.connect(partial(self.pointed.emit, i))
            pane.canvas.installEventFilter(self)
        self.refresh()

    def add_panel(self, widget: QWidget, name: str) -> None:
        """A panel beside the panes."""
        self.panels.addTab(widget, name)
        self.panels.show()

    def add_below(self, widget: QWidget) -> None:
        """A bar below the panes."""
        self.below.addWidget(widget)

    @property
    def active(self) -> RoomPane:
        """The pane that the bar and the keys act on."""
        return self.panes[self.room.active]

    def refresh(self, *_: object) -> None:
        """Draw what is on view."""
        self._due.stop()
        self._arrange()
        self.bar.refresh()
        for i in self.room.shown:
            self.panes[i].refresh()

    def _later(self, *_: object) -> None:
        """Out of sight nothing is drawn."""
        if self.isVisible():
            self._due.start(0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def _arrange(self) -> None:
        shown = self.room.shown
        for i, pane in enumerate(self.panes):
            pane.setVisible(i in shown)
        rows, columns = ({PLACES[i][axis] for i in shown} for axis in (0, 1))
        for line in (0, 1):
            self._grid.setRowStretch(line, int(line in rows))
            self._grid.setColumnStretch(line, int(line in columns))

    def fit(self) -> None:
        self.room.fit()

    def set_smooth(self, smooth: bool) -> None:
        """Interpolate between pixels."""
        for pane in self.panes:
            pane.canvas.smooth = smooth
        self.refresh()

    def zoom_by(self, factor: float) -> None:
        self.active.zoom_by(factor)

    def flicker(self, upper: bool) -> None:
        """Show the upper or the lower image in every pane that flickers."""
        for i in self.room.shown:
            if self.room.panes[i].comparison is Comparison.FLICKER:
                self.panes[i].flicker(upper)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease) and isinstance(event, QKeyEvent):
            plain = not event.modifiers() and not event.isAutoRepeat()
            if event.key() == FLICKER_KEY and plain:
                self.flicker(event.type() is QEvent.Type.KeyPress)
                return True
        return super().eventFilter(watched, event)

    def release(self) -> None:
        """Give back what belongs to OpenGL, before the window goes."""
        self._due.stop()
        for pane in self.panes:
            pane.release()
