"""From a file, a folder or a drop to a scan that is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from app.bridge.bridge import Bridge
from app.preferences import Preferences
from app.state.display import PLANES, SLICE
from app.state.notice import Notice
from app.state.session import AxesQuestion, Session
from app.views.axes_dialog import AxesDialog
from app.views.dialogs import Dialogs
from app.views.files import demo_path, is_volume, local_file
from app.words import tr
from core.formats.folder import Entry


class Opening(QObject):
    """Asks which, and whether work may be lost; remembers what was opened. Emits `opened` when a scan stands.

    kept: whether a project file holds everything that there is.
    """

    opened = Signal()

    def __init__(
        self, window: QWidget, session: Session, bridge: Bridge, preferences: Preferences, dialogs: Dialogs
    ) -> None:
        super().__init__(window)
        self._window, self._session, self._bridge = window, session, bridge
        self._preferences, self._dialogs = preferences, dialogs
        self._remember = ""
        self.axes_dialog: AxesDialog | None = None
        self.kept: Callable[[], bool] = lambda: False
        session.opened.connect(self._opened)
        session.axes_asked.connect(self._ask_axes)

    def open(self, path: str, *, remember: bool = True) -> None:
        """Open a file or folder, after asking if that would lose work. Once read it joins the recent ones."""
        if is_volume(path) or self.may_lose_work(tr("Open {name}?", name=Path(path).name), tr("Open it")):
            self._remember = path if remember else ""
            self._bridge.open(path)

    def open_demo(self, kind: str) -> None:
        """A bundled scan: "mri" or "ct"."""
        self.open(demo_path(kind), remember=False)

    def ask_for_file(self) -> None:
        self._open_if(self._dialogs.scan_to_open(self._window, self._preferences.folder))

    def ask_for_folder(self) -> None:
        self._open_if(self._dialogs.folder_to_open(self._window, self._preferences.folder))

    def _open_if(self, path: str) -> None:
        if path:
            self.open(path)

    def take_drop(self, data: QMimeData) -> bool:
        """Open what was dropped; False, and a message, for several files."""
        path = local_file(data.urls())
        volumes = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
        if len(volumes) > 1 and all(Path(one).is_file() and is_volume(one) for one in volumes):
            self._bridge.open_entries([Entry("volume", Path(one).name, one, (one,), 0) for one in volumes])
            return True
        if path:
            self.open(path)
            return True
        self._session.tell(
            Notice(tr("Several files were dropped."), tr("One scan can be open."), tr("Drop one, or its folder."))
        )
        return False

    def may_lose_work(self, what: str, yes: str, besides: Sequence[str] = ()) -> bool:
        """Whether nothing would be lost, or the user agrees. besides: what else would be, a sentence each."""
        runs = self._session.runs
        reasons = [] if self.kept() and runs.current is None else runs.would_be_lost()
        reasons += besides
        return not reasons or self._dialogs.go_on(self._window, what, " ".join(reasons), yes)

    def _opened(self) -> None:
        scan = self._session.scan
        if scan is not None and self._remember:
            self._preferences.remember(scan.source.path)
        if scan is not None and self._preferences.planes is None:
            self._session.display.set_layout(PLANES if scan.is_thick else SLICE)
        self.opened.emit()

    def _ask_axes(self, question: AxesQuestion) -> None:
        self.axes_dialog = AxesDialog(question, self._window)
        self.axes_dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.axes_dialog.named.connect(self._bridge.open)
        self.axes_dialog.open()
