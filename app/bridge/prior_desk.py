"""Lists, adds and removes priors, and checks the chosen one against the scan, in the file thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from app.bridge.engine import Engine, offers
from app.bridge.file_desk import notice_of
from app.bridge.mailbox import Mailbox
from app.bridge.worker import Worker
from app.state.session import Fit, OpenScan, Session
from core.priors.catalogue import Entry


class PriorDesk:
    """Takes requests in the window's thread and answers there, through the mailbox."""

    def __init__(self, session: Session, engine: Engine, mailbox: Mailbox, files: Worker) -> None:
        self._session = session
        self._engine = engine
        self._mailbox = mailbox
        self._files = files
        self._prior = ""
        self._scan: OpenScan | None = None
        session.opened.connect(self.check_fit)
        session.choice.changed.connect(self.check_fit)

    @property
    def busy(self) -> bool:
        return bool(self._session.shelf.working)

    def list(self) -> None:
        """Look which priors there are."""
        self._files.submit(self._list)

    def look(self, entry: Entry) -> None:
        """Read the pictures of a prior."""
        self._files.submit(partial(self._look, entry))

    def add(self, path: str, name: str) -> None:
        """Take a checkpoint among the user's priors, under a name."""
        work = partial(self._engine.add_prior, path, name)
        self._begin(f"Adding {Path(path).name} …", f"{Path(path).name} could not be added.", work)

    def remove(self, entry: Entry) -> None:
        """Delete one of the user's priors. If it was chosen, the usual one is chosen instead."""
        name = entry.path.stem
        if self._session.choice.settings.prior == name:
            self._session.choice.set(prior=self._session.choice.usual_prior)
        work = partial(self._remove, entry)
        self._begin(f"Removing {name} …", f"{name} could not be removed.", work)

    def check_fit(self) -> None:
        """See whether the chosen prior suits the open scan, if either has changed."""
        settings, opened = self._session.choice.settings, self._session.scan
        prior = settings.prior if settings.method == "dds" and opened is not None else ""
        if prior == self._prior and opened is self._scan:
            return
        self._prior, self._scan = prior, opened
        if opened is None or not prior:
            self._session.set_fit(Fit())
        else:
            self._files.submit(partial(self._check_fit, prior, opened))

    def _begin(self, words: str, failure: str, work: Callable[[], str]) -> None:
        if not self.busy:
            self._session.shelf.begin(words)
            self._files.submit(partial(self._do, work, failure))

    def _do(self, work: Callable[[], str], failure: str) -> None:
        trouble, latest = None, ""
        try:
            latest = work()
        except Exception as error:
            trouble = replace(notice_of(error, failure), setting="")
        with suppress(OSError):
            self._list()
        self._mailbox.post(partial(self._session.shelf.end, trouble, latest))

    def _remove(self, entry: Entry) -> str:
        self._engine.remove_prior(entry.path.stem)
        return ""

    def _list(self) -> None:
        self._mailbox.post(partial(self._fill, self._engine.list_priors()))

    def _fill(self, entries: list[Entry]) -> None:
        self._session.shelf.fill(entries)
        self._session.choice.offer(offers(entries), self._session.choice.cuda)

    def _look(self, entry: Entry) -> None:
        try:
            sheets = self._engine.read_sheets(entry)
        except (OSError, ValueError):  # a picture that cannot be read is as good as none
            sheets = {}
        self._mailbox.post(partial(self._session.shelf.picture, entry.path.stem, sheets))

    def _check_fit(self, prior: str, opened: OpenScan) -> None:
        fit = self._engine.check_fit(prior, opened.scan)
        self._mailbox.post(partial(self._tell_fit, prior, opened, fit))

    def _tell_fit(self, prior: str, opened: OpenScan, fit: Fit) -> None:
        """Unless it has been overtaken by another choice or another scan."""
        if prior == self._prior and opened is self._scan:
            self._session.set_fit(fit)
