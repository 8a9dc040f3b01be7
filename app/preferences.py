"""What the program remembers between two starts: theme, recent files, the window's place. No patient data."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

MOST_RECENT = 8


class Preferences:
    """Stored by QSettings in an .ini file of the user."""

    def __init__(self) -> None:
        form, scope = QSettings.Format.IniFormat, QSettings.Scope.UserScope
        self._store = QSettings(form, scope, "dds-viewer", "dds-viewer")

    @property
    def theme(self) -> str:
        return str(self._store.value("theme", "system"))

    @theme.setter
    def theme(self, name: str) -> None:
        self._store.setValue("theme", name)

    @property
    def recent(self) -> list[str]:
        """Paths of the files opened last, the latest first."""
        stored = self._store.value("recent", [])
        if isinstance(stored, str):
            return [stored]
        return [str(path) for path in stored] if isinstance(stored, list) else []

    def remember(self, path: str) -> None:
        """Put a file first in `recent`."""
        path = str(Path(path).absolute())
        self._store.setValue("recent", [path, *(p for p in self.recent if p != path)][:MOST_RECENT])

    def forget(self, path: str) -> None:
        path = str(Path(path).absolute())
        self._store.setValue("recent", [p for p in self.recent if p != path])

    @property
    def planes(self) -> bool | None:
        """The three planes are shown rather than the slice alone; None while the user has not said."""
        stored = self._store.value("planes")
        return None if stored is None else str(stored).lower() == "true"

    @planes.setter
    def planes(self, on: bool) -> None:
        self._store.setValue("planes", on)

    @property
    def folder(self) -> str:
        """Where the last file was."""
        return str(Path(self.recent[0]).parent) if self.recent else str(Path.home())

    @property
    def geometry(self) -> QByteArray:
        stored = self._store.value("geometry")
        return stored if isinstance(stored, QByteArray) else QByteArray()

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._store.setValue("geometry", value)

    def flush(self) -> None:
        self._store.sync()
