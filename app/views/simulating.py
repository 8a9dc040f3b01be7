"""From an image volume to a scan that is open: which file, the dialog, where to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from app.bridge.bridge import Bridge
from app.preferences import Preferences
from app.state.naming import public_name, simulated_name
from app.state.session import Session
from app.views.dialogs import Dialogs
from app.views.simulate_dialog import SimulateDialog
from app.words import tr


class Simulating(QObject):
    """open_path: opens a scan once it has been made."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        bridge: Bridge,
        preferences: Preferences,
        dialogs: Dialogs,
        open_path: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._bridge = bridge
        self._preferences = preferences
        self._dialogs = dialogs
        self._open_path = open_path
        self.dialog: SimulateDialog | None = None
        session.simulation.asked.connect(self._ask)
        session.simulation.made.connect(self._made)

    def choose_file(self) -> None:
        self.begin(self._dialogs.volume_to_open(self._window, self._preferences.folder))

    def choose_folder(self) -> None:
        self.begin(self._dialogs.folder_to_open(self._window, self._preferences.folder))

    def begin(self, path: str) -> None:
        """Read a volume, and ask then what is to be made of it."""
        if path:
            self._session.tell(None)
            self._bridge.open_volume(path)

    def close(self) -> None:
        """The window closes."""
        if self.dialog is not None:
            self.dialog.done(0)

    def _ask(self) -> None:
        volume = self._session.simulation.volume
        if volume is None or self.dialog is not None:
            return
        self.dialog = SimulateDialog(self._session.simulation, Path(volume.path).name, self._window)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.wanted.connect(self._ask_where)
        self.dialog.unwanted.connect(self._bridge.simulations.cancel)
        self.dialog.finished.connect(self._forget)
        self.dialog.open()

    def _ask_where(self) -> None:
        volume = self._session.simulation.volume
        assert volume is not None
        name = public_name(Path(volume.path).name, volume.identity, tr("volume"))
        proposal = Path(self._preferences.folder) / simulated_name(name)
        path = self._dialogs.scan_to_write(self.dialog or self._window, str(proposal))
        if path:
            self._bridge.simulations.make(path)

    def _made(self, path: str) -> None:
        """Show what was made; if that would lose work, the user is asked, and the file is there all the same."""
        if self.dialog is not None:
            self.dialog.done(1)
        self._session.saved.emit(path)
        self._open_path(path)

    def _forget(self) -> None:
        self.dialog = None
        self._session.simulation.forget()
