"""Projects in the window: new, open, save, and what was left behind when the program ended unexpectedly."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QMainWindow, QWidget

from app.bridge.bridge import Bridge
from app.bridge.mailbox import Mailbox
from app.bridge.project_desk import Looked, ProjectDesk
from app.bridge.recovery import Place, left_behind, recovery_folder
from app.bridge.worker import Worker
from app.preferences import Preferences
from app.state.notice import Notice
from app.state.project import ArrayNames, Part, Project, project_of
from app.state.project_restore import Restored, close, restore
from app.state.session import FolderQuestion, Session
from app.views.dialogs import Dialogs
from app.views.project_dialogs import ProjectDialogs, Wish
from app.views.project_words import news, path_of, when
from app.views.room_colours import COLOURS
from app.words import tr
from core.formats.folder import Entry
from core.formats.project_file import ENDING

KEPT_EVERY_MS = 60_000


class Projects(QObject):
    """What the window does about projects. It is the Answers of its desk.

    path: of the project that is open, None for none. parts: what projects hold besides, by name. changed: another
    project is open, or it was saved. opened: a project stands in the place of what was open. folder: where the session
    is kept against a crash.
    """

    changed = Signal()
    opened = Signal()

    def __init__(
        self,
        window: QWidget,
        session: Session,
        bridge: Bridge,
        preferences: Preferences,
        dialogs: Dialogs,
        asks: ProjectDialogs | None = None,
        folder: Path | None = None,
    ) -> None:
        super().__init__(window)
        self._window, self._session, self._bridge = window, session, bridge
        self._preferences, self._dialogs, self._asks = preferences, dialogs, asks or ProjectDialogs()
        self._folder = folder or recovery_folder()
        self._mailbox = Mailbox(self)
        self._worker = Worker("projects", self)
        self.desk = ProjectDesk(bridge.engine, self, self._mailbox, self._worker, self._folder)
        self.path: Path | None = None
        self.parts: dict[str, Part] = {}
        self._names = ArrayNames()
        self._entries: dict[str, Entry] = {}
        self._saved: Project | None = None
        self._kept: Project | None = None
        self._there = self._trouble_told = self._restoring = self._restored = False
        self._left: Place | None = None
        self._openings = self._written_for = 0
        self._timer = QTimer(self)
        self._timer.setInterval(KEPT_EVERY_MS)
        self._timer.timeout.connect(self.keep)
        session.opened.connect(self._other_scan)
        session.folder_asked.connect(self._remember)

    def add_part(self, name: str, part: Part) -> None:
        """Have projects hold something more. Those that were written without it leave it as it is."""
        self.parts[name] = part

    def begin(self) -> None:
        """The window stands: offer what was left behind, and keep the session from now on, once a minute."""
        self._timer.start()
        self.offer()

    @property
    def name(self) -> str:
        """Of the project that is open, without its ending; "" for none."""
        return self.path.stem if self.path is not None else ""

    @property
    def modified(self) -> bool:
        """Saving would write something else than the project file holds."""
        now = self._project()
        return not now.empty if self._saved is None else not now.same_as(self._saved)

    @property
    def busy(self) -> bool:
        return self.desk.busy

    # What the user does

    def new(self) -> None:
        """Close everything."""
        if not self._may_lose_work(tr("Begin a new project?"), tr("Begin")):
            return
        self.desk.give_up()
        self._bridge.queue.stop()
        self._replace(lambda: close(self._session))
        self._is(None, None)

    def ask_for_file(self) -> None:
        path = self._asks.project_to_open(self._window, self._preferences.folder)
        if path:
            self.open(path)

    def open(self, path: str) -> None:
        """Open a project in the place of what is open, after asking if that would lose work."""
        if self._may_lose_work(tr("Open {name}?", name=Path(path).name), tr("Open it")):
            self._session.tell(None)
            self._session.set_reading(Path(path).name)
            self.desk.open(Path(path))

    def save(self) -> None:
        """Into the file of the project, or one that is asked for."""
        if self.path is None:
            self.save_as()
        else:
            self._write(self.path)

    def save_as(self) -> None:
        """The name that is proposed tells nobody's."""
        name = self.path.name if self.path else f"project-{datetime.now():%Y-%m-%d}{ENDING}"
        folder = self.path.parent if self.path else Path(self._preferences.folder)
        path = self._asks.project_to_save(self._window, str(folder / name))
        if path:
            self._write(Path(path))

    def keep(self) -> None:
        """Keep the session against a crash, if something has changed."""
        if not (self.desk.keeping or self.desk.busy):
            self._keep()

    def offer(self) -> None:
        """Ask what to do with sessions whose windows are gone, the latest first, until one is restored."""
        places = left_behind(self._folder)
        while places:
            place = places.pop(0)
            wish = self._asks.left_behind(self._window, when(place))
            if wish is Wish.DISCARD:
                self.desk.forget(place)
                continue
            if wish is Wish.RESTORE:
                self._left = place
                self._session.set_reading(tr("the session that was kept"))
                self.desk.open(place.file, place)
            else:
                place.leave()
            break
        for place in places:
            place.leave()

    def release(self, seconds: float = 2.0) -> bool:
        """The window closes: what was kept is deleted, a project that is being written is finished. Waits so long at
        most; True if its thread has ended."""
        self._timer.stop()
        self._session.opened.disconnect(self._other_scan)
        self._session.folder_asked.disconnect(self._remember)
        self.desk.give_up()
        self._settle(done=self._restored)
        self.desk.close()
        self._mailbox.close()
        self._worker.leave()
        return self._worker.ended(round(seconds * 1000))

    def wait_for_end(self) -> None:
        """After `release`: wait for what could not be interrupted."""
        self._worker.ended()

    # What the desk tells

    def progressed(self, doing: str, name: str, share: float | None) -> None:
        if doing == "Reading":
            if self._session.reading:
                self._session.set_reading(self._session.reading, share)
        else:
            words = tr("Saving {name} … {percent} %", name=name, percent=round(100 * (share or 0)))
            self._say(words)

    def written(self, path: Path, project: Project, trouble: Notice | None) -> None:
        if trouble is not None:
            self._say("")
            self._session.tell(trouble)
            return
        for run in project.runs:
            run.saved = True
        if self._written_for == self._openings:
            self._is(path, project)
        self._session.runs.changed.emit()
        self._session.saved.emit(str(path))

    def changed_elsewhere(self, path: Path, project: Project) -> None:
        """Ask before what another program, or a window on another machine, has written is lost."""
        self._say("")
        why = tr("Its file was changed by something else since it was opened or saved here. That would be lost.")
        if self._dialogs.go_on(self._window, tr("Save over {name}?", name=path.name), why, tr("Save over it")):
            self.desk.save(project, path, over=True)

    def kept(self, project: Project, trouble: Notice | None) -> None:
        """What cannot be kept is told once, not every minute."""
        if trouble is None:
            self._kept, self._trouble_told = project, False
            self._settle(done=self._restored)
        elif not self._trouble_told:
            self._trouble_told = True
            self._session.tell(trouble)

    def looked_through(self, looked: Looked) -> None:
        """Ask where what has moved is now; then open it all."""
        places: dict[str, str] = {}
        folder = str(looked.path.parent) if looked.place is None else self._preferences.folder
        for moved in looked.moved:
            found = self._asks.moved(self._window, moved.path, folder, is_scan=moved.is_scan)
            if found is None:
                self._give_up()
                return
            if found:
                places[moved.name], folder = found, str(Path(found).parent)
        self.desk.load(looked, places)

    def made(self, looked: Looked, restored: Restored) -> None:
        """Put the project in the place of what is open. One of which something is missing keeps its file: saving asks
        for another name."""
        self._session.set_reading("")
        self._bridge.queue.stop()
        self._replace(lambda: restore(self._session, restored, self.parts, COLOURS.__contains__))
        self._entries.update(restored.entries)
        path, now = path_of(looked, restored), self._project()
        self.desk.hold(looked.claim if path is not None else None)
        self._is(path, now if path is not None and looked.place is None else None)
        if looked.place is not None:
            self._restored = True
            self._keep()
        self._session.tell(news(looked, restored))
        self.opened.emit()

    def failed(self, trouble: Notice) -> None:
        self._session.set_reading("")
        self._settle(done=False)
        self._session.tell(trouble)

    # Within

    def _keep(self) -> None:
        now = self._project()
        if now.empty or now.same_as(self._saved):
            if self._there:
                self.desk.forget()
            self._there, self._kept = False, None
        elif not now.same_as(self._kept):
            self._there = True
            self.desk.keep(now, str(self.path or ""))

    def _write(self, path: Path) -> None:
        self._say(tr("Saving {name} …", name=path.name))
        self._written_for = self._openings
        self.desk.save(self._project(), path)

    def _project(self) -> Project:
        return project_of(self._session, self._names, self._entries, self.parts)

    def _replace(self, does: object) -> None:
        self._restoring = True
        try:
            does()  # type: ignore[operator]
        finally:
            self._restoring = False

    def _is(self, path: Path | None, saved: Project | None) -> None:
        self.path, self._saved = path, saved
        self.desk.hold_only(path)
        self.changed.emit()

    def _give_up(self) -> None:
        self._session.set_reading("")
        self._settle(done=False)

    def _settle(self, *, done: bool) -> None:
        """What another window has left behind is deleted once it is kept for this one; until then it stays."""
        if self._left is not None:
            if done:
                self.desk.forget(self._left)
            else:
                self._left.leave()
        self._left, self._restored = None, False

    def _other_scan(self) -> None:
        """Another scan was opened by itself: it is not to be saved over the project."""
        self._openings += 1
        if not self._restoring:
            self.desk.give_up()
            self._is(None, None)

    def _remember(self, question: FolderQuestion) -> None:
        """Which series there are, since a volume does not tell how it was chosen."""
        self._entries.update({entry.path: entry for entry in question.entries if entry.kind == "series"})

    def _may_lose_work(self, what: str, yes: str) -> bool:
        reasons = self._session.runs.would_be_lost()
        return not reasons or self._dialogs.go_on(self._window, what, " ".join(reasons), yes)

    def _say(self, words: str) -> None:
        if isinstance(self._window, QMainWindow):
            self._window.statusBar().showMessage(words, 10_000)
