"""Measured or imagined: brings the trust panel to the viewing room, and what it finds into the panes."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from app.bridge.bridge import Bridge
from app.bridge.trust_desk import TrustDesk
from app.bridge.trust_engine import Examine
from app.state.room.item import Item
from app.state.room.pane import Comparison, Face
from app.state.runs import Run
from app.state.session import Session
from app.state.trust.book import Record, TrustBook
from app.state.trust.items import image_in, run_of
from app.state.trust.study import STUDIES, Part, Study
from app.views import trust_words as words
from app.views.room_page import RoomPage
from app.views.trust_panel import TrustPanel
from app.views.tune_place import place_words
from app.words import tr

HALF = 0.5
"""How much of what is laid over the image is seen."""


class Trusting(QObject):
    """Tells of the run of the active pane's item. examine: see TrustDesk. Whoever closes the page calls `release`."""

    def __init__(self, page: RoomPage, session: Session, bridge: Bridge, examine: Examine | None = None) -> None:
        super().__init__(page)
        self.page, self.room, self._session = page, page.room, session
        self._due = QTimer(self)
        self._due.setObjectName("trust panel")
        self._due.setSingleShot(True)
        self._due.timeout.connect(self.refresh)
        self.panel = TrustPanel(self.room)
        self.desk = TrustDesk(session, lambda: bridge.busy, self._later, examine, self, bridge.crew)
        self.panel.asked.connect(self._ask)
        self.panel.shown.connect(self._show)
        self.panel.laid.connect(self._lay)
        self.panel.stopped.connect(self.desk.stop)
        self._crew = bridge.crew
        self._crew.choice.changed.connect(self._later)
        self.room.changed.connect(self._later)
        self.room.items_changed.connect(self._later)
        session.runs.told.connect(self._later)
        page.add_panel(self.panel, tr("Trust"))
        self.refresh()

    @property
    def book(self) -> TrustBook:
        """What is known of every run."""
        return self.desk.book

    @property
    def busy(self) -> bool:
        """Something is being examined that the user has asked for."""
        return self.desk.ongoing is not None and self.desk.ongoing.study is not Study.VERDICT

    @property
    def run(self) -> Run | None:
        """Whose trust is told: of what the active pane shows."""
        return run_of(self.room.item_in(self.room.active), self._session.runs)

    def release(self) -> None:
        """Let go of timers, signals and the thread."""
        self._crew.choice.changed.disconnect(self._later)
        self.room.changed.disconnect(self._later)
        self.room.items_changed.disconnect(self._later)
        self._session.runs.told.disconnect(self._later)
        self.desk.release()
        self._due.stop()

    def refresh(self) -> None:
        """Show what there is now."""
        self._due.stop()
        run = self.run
        record = self.book.record(run) if run is not None else None
        self.panel.show_run(run, record)
        for study, block in self.panel.blocks.items():
            block.refresh(
                may_ask=self.desk.may_ask(run) and self._suits(run, study),
                why_not=self._why_not(run, study),
                found=self.desk.items_of(run) if run is not None else {},
                over=self.panel.over,
                told=_calibration(record) if study is Study.UNCERTAINTY else "",
                where=place_words(self._crew.place) if self._crew.place.elsewhere else "",
            )
        self._show_progress()

    def _show_progress(self) -> None:
        now = self.desk.ongoing
        if now is None or now.study is Study.VERDICT:
            self.panel.show_progress(None, None)
            return
        told = tr("Stopping…") if now.stop.discarding else words.doing_words(now.doing)
        what = f"{now.run.name}: {tr(STUDIES[now.study])}\n{told}"
        self.panel.show_progress(what, now.doing.share if now.doing is not None else None)

    def _suits(self, run: Run | None, study: Study) -> bool:
        """Only DDS draws samples; a classical image does not differ from itself."""
        if run is None:
            return False
        if study is Study.UNCERTAINTY:
            return run.is_dds
        return study is not Study.DIFFERENCE or not run.is_quick

    def _why_not(self, run: Run | None, study: Study) -> str:
        if not self._suits(run, study):
            return tr("Only an image that a prior has made has an answer to this.")
        return tr(words.WHILE_EXAMINING if self.busy else words.WHILE_RUNNING)

    def _later(self, *_: object) -> None:
        """A change is drawn once, however many there were; out of sight only what tells that something goes on."""
        if not self._due.isActive():
            self._due.start(0)

    def _ask(self, study: Study, seeds: int) -> None:
        self.desk.ask(self.run, study, seeds)

    def _found(self, part: Part) -> tuple[Run, Item] | None:
        run = self.run
        item = self.desk.items_of(run).get(part) if run is not None else None
        return (run, item) if run is not None and item is not None else None

    def _show(self, part: Part) -> None:
        """Alone in the active pane."""
        found, room = self._found(part), self.room
        if found is not None:
            room.set_pane(room.active, over="", comparison=Comparison.NONE)
            room.show(room.active, found[1].key)

    def _lay(self, part: Part, on: bool) -> None:
        """Over the run's own image, whatever of it the active pane shows now."""
        found, room = self._found(part), self.room
        if found is None:
            return
        run, item = found
        if not on:
            room.set_pane(room.active, over="", comparison=Comparison.NONE)
            return
        image, shown = image_in(room, run), room.item_in(room.active)
        if image is not None and shown is not None and shown.key in self._keys(run):
            room.show(room.active, image.key)
        face = room.panes[room.active].face
        flat = {} if face.flat else {"face": Face.STORED}
        room.set_pane(room.active, over=item.key, comparison=Comparison.BLEND, share=HALF, **flat)

    def _keys(self, run: Run) -> set[str]:
        return {item.key for item in self.desk.items_of(run).values()}


def _calibration(record: Record | None) -> str:
    return words.calibration_words(record.calibrated) if record is not None and record.calibrated is not None else ""
