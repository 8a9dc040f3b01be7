"""What takes long in the viewing room: differences of volumes, and writing what a pane holds. In the file thread."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from app.bridge.engine import Engine
from app.bridge.file_desk import notice_of
from app.bridge.mailbox import Mailbox
from app.bridge.worker import Worker
from app.state.notice import Notice
from app.state.room.item import Item
from app.state.room.sources import difference_item
from app.state.session import Session


class ViewingDesk:
    """Takes requests in the window's thread and answers there, through the mailbox."""

    def __init__(self, session: Session, engine: Engine, mailbox: Mailbox, files: Worker) -> None:
        self._session = session
        self._engine = engine
        self._mailbox = mailbox
        self._files = files
        self._working = 0

    @property
    def busy(self) -> bool:
        return self._working > 0

    def subtract(self, one: Item, other: Item) -> None:
        """Put the difference of two items into the room."""
        self._working += 1
        self._files.submit(partial(self._subtract, one, other))

    def export(self, item: Item, path: str, *, keep_identity: bool = False) -> None:
        """Write an item in the format that the path's ending tells, without identity unless it is to be kept."""
        self._working += 1
        self._files.submit(partial(self._export, item, path, keep_identity))

    def _subtract(self, one: Item, other: Item) -> None:
        trouble, made = None, None
        try:
            made = difference_item(one, other)
        except Exception as error:
            trouble = notice_of(error, "The difference could not be made.")
        self._mailbox.post(partial(self._subtracted, made, trouble))

    def _subtracted(self, made: Item | None, trouble: Notice | None) -> None:
        self._working -= 1
        if made is not None:
            self._session.room.put(made)
            self._session.viewed.emit(made.key)
        if trouble is not None:
            self._session.tell(trouble)

    def _export(self, item: Item, path: str, keep_identity: bool) -> None:
        trouble = None
        try:
            self._engine.save_item(item, path, keep_identity)
        except Exception as error:
            trouble = notice_of(error, f"{Path(path).name} could not be written.")
        self._mailbox.post(partial(self._exported, path, trouble))

    def _exported(self, path: str, trouble: Notice | None) -> None:
        self._working -= 1
        if trouble is not None:
            self._session.tell(trouble)
        else:
            self._session.saved.emit(path)
