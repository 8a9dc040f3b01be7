"""Writes and reads projects, in a thread of its own so that neither files nor runs wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from app.bridge.engine import Engine
from app.bridge.file_desk import notice_of
from app.bridge.mailbox import Mailbox
from app.bridge.prints import Prints
from app.bridge.project_claim import UNKNOWN, Claim, claim_project
from app.bridge.project_reader import Found, Moved, Reader, sources_of
from app.bridge.recovery import Place, claim
from app.bridge.worker import Worker
from app.state.notice import Notice
from app.state.project import Project
from app.state.project_restore import Restored
from core.errors import ScanError, UserError
from core.formats.project_file import ENDING, ProjectFile


class Superseded(Exception):
    """Nobody waits for it any more."""


class Answers(Protocol):
    """What is told in the window's thread."""

    def progressed(self, doing: str, name: str, share: float | None) -> None: ...

    def written(self, path: Path, project: Project, trouble: Notice | None) -> None: ...

    def changed_elsewhere(self, path: Path, project: Project) -> None: ...

    def kept(self, project: Project, trouble: Notice | None) -> None: ...

    def looked_through(self, looked: Looked) -> None: ...

    def made(self, looked: Looked, restored: Restored) -> None: ...

    def failed(self, trouble: Notice) -> None: ...


@dataclass(eq=False)
class Looked:
    """A project file that has been read. moved: what is not where it was; place: of a session that was left behind.
    claim: to the project's file; None where another window has it open, or where there is none."""

    path: Path
    file: ProjectFile
    found: dict[str, Found] = field(default_factory=dict)
    moved: list[Moved] = field(default_factory=list)
    place: Place | None = None
    claim: Claim | None = None


class ProjectDesk:
    """Takes requests in the window's thread and answers there, through the mailbox. folder: for what is kept against
    a crash."""

    def __init__(self, engine: Engine, answers: Answers, mailbox: Mailbox, worker: Worker, folder: Path) -> None:
        self._engine, self._answers = engine, answers
        self._mailbox, self._worker = mailbox, worker
        self._folder = folder
        self._prints = Prints()
        self._ticket = 0
        self._closed = threading.Event()
        self._place: Place | None = None
        self._claim: Claim | None = None
        self._kept: frozenset[str] | None = None
        self._serial = 0
        self._writing = self._reading = self._keeping = 0

    @property
    def busy(self) -> bool:
        """A project is being written or read on the user's behalf."""
        return bool(self._writing or self._reading)

    @property
    def keeping(self) -> bool:
        """The session is being kept against a crash."""
        return bool(self._keeping)

    def save(self, project: Project, path: Path, *, over: bool = False) -> None:
        """Write a project file. over: also where something else has written it since this window did."""
        self._writing += 1
        self._worker.submit(partial(self._save, project, path, over))

    def hold(self, claim: Claim | None) -> None:
        """This is the project file that is open now; the claim to another one ends."""
        if self._claim is not None and self._claim is not claim:
            self._claim.release()
        self._claim = claim

    def hold_only(self, path: Path | None) -> None:
        """End the claim to any other file than this one."""
        if path is None or self._claim is None or not self._claim.is_for(path):
            self.hold(None)

    def keep(self, project: Project, project_path: str) -> None:
        """Keep the session against a crash. project_path: of the project that it belongs to, or ""."""
        self._keeping += 1
        self._worker.submit(partial(self._keep, project, project_path))

    def forget(self, place: Place | None = None) -> None:
        """Delete what was kept of this session, or in a place that another one has left behind."""
        self._worker.submit(self._forget if place is None else place.discard)

    def open(self, path: Path, place: Place | None = None) -> None:
        """Read a project file, and look for what it names. Of several requests the latest wins."""
        self._ticket += 1
        self._reading += 1
        self._worker.submit(partial(self._look_through, self._ticket, path, place))

    def load(self, looked: Looked, places: dict[str, str]) -> None:
        """Open what a project names. places: where moved things are now, by the names of `moved`."""
        self._reading += 1
        self._worker.submit(partial(self._load, self._ticket, looked, places))

    def give_up(self) -> None:
        """Read no further."""
        self._ticket += 1

    def close(self) -> None:
        """The window closes: a project that is being written will be, nothing else; what was kept is deleted."""
        self._closed.set()
        self._worker.submit(self._forget)
        self._worker.submit(partial(self.hold, None))

    # In the thread of the worker

    def _save(self, project: Project, path: Path, over: bool) -> None:
        from core.export import project_file

        trouble, claim = None, self._claim_to(path)
        if claim is not None and claim.changed and not over:
            self._mailbox.post(partial(self._changed, path, project))
            return
        try:
            if claim is None:
                raise _elsewhere(path)
            claim.clear_wreckage()
            record = self._prints.complete(project.record, path.parent)
            project_file.write(path, record, project.arrays, partial(self._show, path.name))
            claim.look()
        except Exception as error:
            trouble = notice_of(error, f"{path.name} could not be written.")
        if self._closed.is_set() and claim is not None:
            claim.release()  # nobody will hear of it
        self._mailbox.post(partial(self._saved, path, project, trouble, claim))

    def _claim_to(self, path: Path) -> Claim | None:
        """The claim that this window has, or a new one."""
        held = self._claim
        return held if held is not None and held.is_for(path) else claim_project(path)

    def _changed(self, path: Path, project: Project) -> None:
        self._writing -= 1
        self._answers.changed_elsewhere(path, project)

    def _saved(self, path: Path, project: Project, trouble: Notice | None, claim: Claim | None) -> None:
        self._writing -= 1
        if trouble is None:
            self.hold(claim)
        self._answers.written(path, project, trouble)

    def _keep(self, project: Project, project_path: str) -> None:
        trouble = None
        try:
            if not self._closed.is_set():
                self._write_kept(project, project_path)
        except Superseded:
            return
        except Exception as error:
            trouble = notice_of(error, "The session could not be kept against a crash.")
            trouble = replace(trouble, what="The session could not be kept against a crash.", try_this="", error=False)
        self._mailbox.post(partial(self._was_kept, project, trouble))

    def _was_kept(self, project: Project, trouble: Notice | None) -> None:
        self._keeping -= 1
        self._answers.kept(project, trouble)

    def _write_kept(self, project: Project, project_path: str) -> None:
        """The images only where there are others than before; else the record alone."""
        from core.export import project_file

        self._place = self._place or claim(self._folder)
        place, names = self._place, frozenset(project.arrays)
        self._serial += 1
        record = {**self._prints.complete(project.record, None), "project": project_path, "serial": self._serial}
        if self._kept is not None and names <= self._kept and place.file.exists():
            table = {name: project_file.description(array) for name, array in project.arrays.items()}
            project_file.write_record(place.record, {**record, "arrays": table}, private=True)
            return
        project_file.write(place.file, record, project.arrays, self._stop_if_closed, private=True)
        self._kept = names
        place.record.unlink(missing_ok=True)

    def _forget(self) -> None:
        if self._place is not None:
            self._place.discard()
        self._place = self._kept = None

    def _look_through(self, ticket: int, path: Path, place: Place | None) -> None:
        from core.formats import project_file

        def work() -> None:
            tell = partial(self._told, ticket, path.name)
            later = None
            if place is not None:
                with suppress(ScanError):
                    later = project_file.read_record(place.record)
            looked = Looked(path, project_file.read(path, tell, later), place=place)
            looked.claim = self._claim_for(looked)
            beside = path.parent if place is None else None
            for source in sources_of(looked.file.record):
                found = source.locate(beside, self._prints)
                if isinstance(found, Found):
                    looked.found[source.name] = found
                else:
                    looked.moved.append(found)
            self._post(ticket, partial(self._answers.looked_through, looked))

        self._try(ticket, path.name, work)

    def _claim_for(self, looked: Looked) -> Claim | None:
        """To the file that was read, or to that of the project which a session belonged to."""
        if looked.place is None:
            claim = self._claim_to(looked.path)
            if claim is not None:
                claim.look()
            return claim
        path = project_of_session(looked.file.record)
        claim = self._claim_to(path) if path is not None else None
        if claim is not None:
            claim.look()
            kept = [file.stat().st_mtime_ns for file in (looked.place.file, looked.place.record) if file.exists()]
            if claim.seen and claim.seen[0][2] > max(kept, default=0):
                claim.seen = UNKNOWN
        return claim

    def _load(self, ticket: int, looked: Looked, places: dict[str, str]) -> None:
        def work() -> None:
            reader = Reader(self._engine, self._prints, partial(self._told, ticket))
            restored = reader.restored(looked.file, looked.found, places, of_crash=looked.place is not None)
            self._post(ticket, partial(self._answers.made, looked, restored))

        self._try(ticket, looked.path.name, work)

    def _try(self, ticket: int, name: str, work: Callable[[], None]) -> None:
        try:
            if ticket == self._ticket:
                work()
        except Superseded:
            pass
        except Exception as error:
            self._post(ticket, partial(self._answers.failed, notice_of(error, f"{name} could not be opened.")))
        self._mailbox.post(self._read_done)

    def _read_done(self) -> None:
        self._reading -= 1

    def _post(self, ticket: int, delivery: Callable[[], Any]) -> None:
        def deliver() -> None:
            if ticket == self._ticket:
                delivery()

        self._mailbox.post(deliver)

    def _told(self, ticket: int, name: str, _: str, done: int, of: int) -> None:
        """Raises Superseded where nobody waits any more."""
        if ticket != self._ticket or self._closed.is_set():
            raise Superseded
        share = done / of if of else None
        self._mailbox.post(partial(self._answers.progressed, "Reading", name, share), self)

    def _show(self, name: str, doing: str, done: int, of: int) -> None:
        self._mailbox.post(partial(self._answers.progressed, doing, name, done / of), self)

    def _stop_if_closed(self, _: str, __: int, ___: int) -> None:
        if self._closed.is_set():
            raise Superseded


def project_of_session(record: Mapping[str, Any]) -> Path | None:
    """Of the project that a session that was left behind belonged to."""
    said = record.get("project")
    return Path(said) if isinstance(said, str) and said.endswith(ENDING) and "\0" not in said else None


def _elsewhere(path: Path) -> UserError:
    return UserError(
        f"{path.name} is open in another window.",
        "Saving there would put this session in the place of what is being worked on.",
        "Close it there, or choose another name.",
    )
