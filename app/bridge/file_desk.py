"""Reads scans and writes results, in the file thread."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from app.bridge.engine import Engine, may_need_axes
from app.bridge.facts import facts_of
from app.bridge.mailbox import Mailbox
from app.bridge.volumes import news_of, refusal
from app.bridge.worker import Worker
from app.state.crash_report import report_of
from app.state.kinds import single_slices
from app.state.measured import measured_of
from app.state.notice import Notice
from app.state.room.item import Item
from app.state.room.sources import item_of_volume
from app.state.runs import Run
from app.state.session import AxesQuestion, FolderQuestion, OpenScan, Session
from app.state.simulation import plan_for
from core.engine.job import ScanSource
from core.errors import ScanError, UserError
from core.formats.folder import Entry
from core.formats.volume_parts import Opened

Delivery = Callable[[], None]


class Superseded(Exception):
    """Something else is to be read now."""


class FileDesk:
    """Takes requests in the window's thread and answers there, through the mailbox.

    opened: called with a scan that has been read; a scan that cannot be read is told as a notice and changes nothing.
    reads: the file thread is reading.
    """

    def __init__(
        self, session: Session, engine: Engine, mailbox: Mailbox, files: Worker, opened: Callable[[OpenScan], None]
    ) -> None:
        self._session = session
        self._engine = engine
        self._mailbox = mailbox
        self._files = files
        self._opened = opened
        self._ticket = self._reading = 0
        self._saving = 0
        self._closed = False
        self.reads = False

    @property
    def busy(self) -> bool:
        return bool(self._session.reading or self._saving)

    def open(self, path: str, axes: str = "", domain: str = "kspace") -> None:
        """Read a scan, after asking for its axes if no header names them. Of several requests the latest wins."""
        self._ticket += 1
        self._session.set_reading(Path(path).name)
        unsure = may_need_axes(path) and not axes
        work = partial(self._guess, path) if unsure else partial(self._read_scan, path, axes, domain)
        self._files.submit(partial(self._try_to_read, self._ticket, path, work))

    def open_volume(self, path: str) -> None:
        """Read an image volume, to simulate a scan of it. Of it and scans to open the latest wins."""
        self._ticket += 1
        self._session.set_reading(Path(path).name)
        self._files.submit(partial(self._try_to_read, self._ticket, path, partial(self._read_volume, path)))

    def open_entries(self, entries: Sequence[Entry]) -> None:
        """Read some of the things in a folder, a raw scan last. Of them and others to open the latest wins."""
        self._ticket += 1
        self._session.set_reading(entries[0].name)
        for entry in sorted(entries, key=lambda entry: entry.kind == "scan"):
            work = partial(self._read_entry, entry)
            self._files.submit(partial(self._try_to_read, self._ticket, entry.path, work))

    def save(self, run: Run, path: str, *, spread: bool = False) -> None:
        """Write a run's volume, or the spread of its samples."""
        self._saving += 1
        self._files.submit(partial(self._write, run, path, spread))

    def close(self) -> None:
        """Read nothing more. What waits to be written will be."""
        self._closed = True

    def _guess(self, path: str) -> Delivery:
        if not self._engine.needs_axes(path):
            return self._read_scan(path, "", "kspace")
        question = AxesQuestion(path, self._engine.guess_axes(path))
        return partial(self._session.axes_asked.emit, question)

    def _read_scan(self, path: str, axes: str, domain: str) -> Delivery:
        """A volume is shown, with an offer to simulate a scan of it; of several things in a folder the user chooses."""
        try:
            return self._read(path, axes, domain)
        except ScanError as error:
            if Path(path).is_dir() and len(entries := self._engine.contents(path, self._tell)) > 1:
                return partial(self._session.folder_asked.emit, FolderQuestion(path, entries))
            kind = self._engine.volume_kind(path)
            if not kind:
                return partial(self._session.tell, refusal(path, error, ""))
            return self._shown(self._engine.view_volume(path, self._tell))

    def _read_entry(self, entry: Entry) -> Delivery:
        if entry.kind == "scan":
            return self._guess(entry.path) if may_need_axes(entry.path) else self._read_scan(entry.path, "", "kspace")
        return self._shown(self._engine.open_entry(entry, self._tell))

    def _shown(self, found: Opened) -> Delivery:
        return partial(self._view, item_of_volume(found), news_of(found))

    def _view(self, item: Item, news: Notice) -> None:
        self._session.room.put(item)
        self._session.tell(news)
        self._session.viewed.emit(item.key)

    def _tell(self, doing: str, done: int, of: int) -> None:
        """In the file thread: how much has been read. Raises Superseded where nobody waits for it any more."""
        if self._closed or self._reading != self._ticket:
            raise Superseded
        share = done / of if of else None
        self._mailbox.post(partial(self._show_share, self._reading, share), self)

    def _show_share(self, ticket: int, share: float | None) -> None:
        if ticket == self._ticket and self._session.reading:
            self._session.set_reading(self._session.reading, share)

    def _read(self, path: str, axes: str, domain: str) -> Delivery:
        scan = self._engine.open_scan(path, axes, domain)
        facts = facts_of(self._engine.describe(scan))
        source, measured = ScanSource(path, axes, domain), measured_of(scan)
        opened = OpenScan(source, scan, facts, scan.fully_sampled, single_slices(scan), measured)
        return partial(self._opened, opened)

    def _read_volume(self, path: str) -> Delivery:
        found = self._engine.open_volume(path)
        return partial(self._session.simulation.ask, found, plan_for(found))

    def _try_to_read(self, ticket: int, path: str, work: Callable[[], Delivery]) -> None:
        """In the file thread: post what `work` returns, or the notice of its failure."""
        if self._closed or ticket != self._ticket:
            return
        self._reading = ticket
        self.reads = True
        try:
            delivery = work()
        except Superseded:
            return
        except Exception as error:
            delivery = partial(self._session.tell, notice_of(error, f"{Path(path).name} could not be read."))
        finally:
            self.reads = False
        self._mailbox.post(partial(self._read_done, ticket, delivery))

    def _read_done(self, ticket: int, delivery: Delivery) -> None:
        if ticket == self._ticket:
            self._session.set_reading("")
            delivery()

    def _write(self, run: Run, path: str, spread: bool) -> None:
        failure: Notice | None = None
        write = self._engine.save_spread if spread else self._engine.save
        try:
            if run.volume is not None:
                write(run.volume, path, run.job.scan)
        except Exception as error:
            failure = notice_of(error, f"{Path(path).name} could not be written.")
        self._mailbox.post(partial(self._write_done, run, path, spread, failure))

    def _write_done(self, run: Run, path: str, spread: bool, failure: Notice | None) -> None:
        self._saving -= 1
        if failure is not None:
            self._session.tell(failure)
            return
        run.saved = run.saved or not spread
        self._session.runs.changed.emit()
        self._session.saved.emit(path)


def notice_of(error: Exception, what: str) -> Notice:
    """The notice for an error: its own words if it was made for a person, else `what` and its cause."""
    if isinstance(error, UserError):
        return Notice.of(error)
    print(report_of(error).text, file=sys.stderr)
    if isinstance(error, MemoryError):
        return Notice(what, "It does not fit into memory.", "Close other programs.")
    return Notice(what, f"{type(error).__name__}: {error}")
