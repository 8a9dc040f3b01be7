"""The viewing room in the window: its page, what fills it, and what is done with what its panes hold."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from app.bridge.bridge import Bridge
from app.preferences import Preferences
from app.state.naming import item_file_name
from app.state.project import Part
from app.state.room.feed import Feed
from app.state.room.film import Film
from app.state.room.item import Item, Kind
from app.state.room.measure_records import from_dict, to_dict
from app.state.room.measurements import Measurements
from app.state.room.pane import Layout
from app.state.room.recorder import RoomRecorder
from app.state.session import FolderQuestion, Session
from app.views.dialogs import Dialogs
from app.views.folder_dialog import FolderDialog
from app.views.measure_room import Measuring
from app.views.room_cine import Cine
from app.views.room_histogram import HistogramPanel
from app.views.room_page import RoomPage
from app.views.room_pictures import Pictures
from app.views.trust_room import Trusting
from core.formats.volume_parts import Opened


class Reviewing(QObject):
    """`wanted` is emitted when something has come that is to be looked at in the viewing room."""

    wanted = Signal()

    def __init__(
        self, window: QWidget, session: Session, bridge: Bridge, preferences: Preferences, dialogs: Dialogs
    ) -> None:
        super().__init__(window)
        self._window, self._session, self._bridge = window, session, bridge
        self._preferences, self._dialogs = preferences, dialogs
        self.room = session.room
        self.feed = Feed(session, self.room)
        self.room.set_layout(next((one for one in Layout if one.name == preferences.room_layout), Layout.ONE))
        self.recorder = RoomRecorder(self.room, session.history)
        self.page = RoomPage(self.room, history=session.history)
        self.measurements = Measurements(self.room)
        self.measuring = Measuring(self.page, self.measurements, session.history)
        self.histogram = HistogramPanel(self.page)
        self.trusting = Trusting(self.page, session, bridge, bridge.engine.trust)
        self.cine = Cine(self.page)
        self.film = Film(self.room)
        self.pictures = Pictures(self.page, dialogs, self.cine, lambda: preferences.folder)
        self.pictures.told.connect(session.tell)
        self.pictures.saved.connect(session.saved.emit)
        self.dialog: FolderDialog | None = None
        session.viewed.connect(self._viewed)
        session.folder_asked.connect(self._ask_folder)

    def export(self) -> None:
        """Ask where to write what the active pane holds, and whether the patient's identity is to be kept."""
        item = self.room.item_in(self.room.active)
        if item is None or not item.final:
            return
        path = self._dialogs.item_to_save(self._window, str(Path(self._preferences.folder) / item_file_name(item.name)))
        if not path:
            return
        known = path.endswith(".dcm") and isinstance(item.origin, Opened) and item.origin.identity.known
        keep = known and self._dialogs.keep_identity(self._window)
        self._bridge.viewing.export(item, path, keep_identity=keep)

    def close_item(self) -> None:
        """Take the volume of the active pane out of the room; what a run made stays as long as the run."""
        item = self.room.item_in(self.room.active)
        if item is not None and item.kind in (Kind.VOLUME, Kind.DIFFERENCE):
            self.room.remove(item.key)

    def subtract(self) -> None:
        """Make a volume of the difference between the active pane's item and what it is compared with."""
        pair = self.pair
        if pair is not None:
            self._bridge.viewing.subtract(*pair)

    @property
    def parts(self) -> dict[str, Part]:
        """What projects hold of the room besides its items."""
        kept = self.measurements
        return {"measurements": Part(lambda: to_dict(kept), lambda data: from_dict(kept, data))}

    @property
    def pair(self) -> tuple[Item, Item] | None:
        """The active pane's item, and what is compared with it or else lies in the next pane."""
        room = self.room
        one, other = room.item_in(room.active), room.over_in(room.active)
        beside = (room.item_in(i) for i in room.layout.shown if i != room.active)
        other = other or next((item for item in beside if item is not None and item is not one), None)
        return (one, other) if one is not None and other is not None else None

    def release(self) -> None:
        """The window closes."""
        self._preferences.room_layout = self.room.layout.name
        if self.dialog is not None:
            self.dialog.reject()
        for part in (self.trusting, self.pictures, self.film, self.cine, self.histogram, self.measuring):
            part.release()
        self.page.release()

    def _viewed(self, key: str) -> None:
        self.room.show(self.room.active, key)
        self.wanted.emit()

    def _ask_folder(self, question: FolderQuestion) -> None:
        self.dialog = FolderDialog(question, self._window)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.chosen.connect(self._bridge.open_entries)
        self.dialog.finished.connect(self._forget)
        self.dialog.open()

    def _forget(self) -> None:
        self.dialog = None
