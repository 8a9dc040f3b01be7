"""Keeps the viewing room's items in step with the runs of the open scan."""

from __future__ import annotations

from app.state.display import SPREAD
from app.state.picture import Levels
from app.state.room.room import Room
from app.state.room.sources import item_of_run, key_of
from app.state.runs import Run, Shown
from app.state.session import Session


class Feed:
    """Every picture of every run is an item as long as the run is there. Other items are left alone."""

    def __init__(self, session: Session, room: Room) -> None:
        self._session = session
        self._room = room
        self._shown: dict[str, tuple[object, ...]] = {}
        self._scans = 0
        session.opened.connect(self._opened)
        session.runs.changed.connect(self.refresh)
        session.runs.told.connect(self._told)

    @property
    def family(self) -> str:
        """The key of the open scan."""
        return f"scan {self._scans}"

    def refresh(self, *_: object) -> None:
        """Take in what is new, and take out what is gone."""
        found: set[str] = set()
        for run in self._session.runs:
            found |= self._take(run)
        for key in set(self._shown) - found:
            del self._shown[key]
            self._room.remove(key)

    def _opened(self) -> None:
        self._scans += 1
        self.refresh()

    def _told(self, run: Run) -> None:
        self._take(run)

    def _take(self, run: Run) -> set[str]:
        """The keys of a run's items; those are put into the room that differ from what is there."""
        scan = self._session.scan
        pictures = [shown for view in run.views if (shown := run.shown(view)) is not None] if scan else []
        for shown in pictures:
            key, offered = key_of(shown, self.family), self._offered(shown)
            known = (shown.picture, shown.caption, run.going_on, offered)
            if scan is not None and self._shown.get(key) != known:
                self._shown[key] = known
                self._room.put(item_of_run(scan, shown, self.family, offered))
        return {key_of(shown, self.family) for shown in pictures}

    def _offered(self, shown: Shown) -> Levels:
        """What was found off the window's thread when the classical image came."""
        offered = self._session.display.offered
        name = SPREAD if shown.view == SPREAD else shown.picture.components[0]
        return offered.get(name) or Levels(0.0, 1.0)
