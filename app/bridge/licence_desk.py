"""Fetches the list of licences beside the window."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Qt, Signal

from app.licences import Package, packages


class LicenceDesk(QObject):
    """found(tuple of Package) comes once, in the thread of the window; empty where the list cannot be read."""

    found = Signal(object)
    _read = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._read.connect(self.found, Qt.ConnectionType.QueuedConnection)

    def begin(self) -> None:
        """Look in a thread, which ends by itself."""
        threading.Thread(target=self._look, name="licences", daemon=True).start()

    def _look(self) -> None:
        listed: tuple[Package, ...] = ()
        try:
            listed = packages()
        finally:
            # The dialog, and so this desk, may have been closed meanwhile.
            try:
                self._read.emit(listed)
            except RuntimeError:
                return
