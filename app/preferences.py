"""What the program remembers between two starts: looks, keys, recent files, the window's place. No patient data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

MOST_RECENT = 8
TEXT_SIZES = (80, 90, 100, 110, 125, 150, 175, 200)
"""Per cent of the desktop's text."""

STEPS_MIB = (0, 64, 256, 1024, 4096)
"""What the steps of runs may take in memory; 0 keeps none."""
USUAL_STEPS_MIB = 1024


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
    def text_size(self) -> int:
        """One of TEXT_SIZES."""
        stored = str(self._store.value("text_size", "100"))
        return int(stored) if stored in map(str, TEXT_SIZES) else 100

    @text_size.setter
    def text_size(self, percent: int) -> None:
        self._store.setValue("text_size", percent)

    @property
    def language(self) -> str:
        """One of app.translating.LANGUAGES."""
        return str(self._store.value("language", "system"))

    @language.setter
    def language(self, name: str) -> None:
        self._store.setValue("language", name)

    @property
    def keys(self) -> dict[str, str]:
        """Keys that the user gave to actions, by the action's name; "" for none."""
        try:
            stored = json.loads(str(self._store.value("keys", "{}")))
        except (ValueError, RecursionError):
            return {}
        return {str(name): str(key) for name, key in stored.items()} if isinstance(stored, dict) else {}

    @keys.setter
    def keys(self, keys: Mapping[str, str]) -> None:
        self._store.setValue("keys", json.dumps(dict(keys)))

    @property
    def commands(self) -> list[str]:
        """Names of the actions that were chosen last in the command palette, the latest first."""
        return self._list("commands")

    def remember_command(self, name: str) -> None:
        """Put an action first in `commands`."""
        self._store.setValue("commands", [name, *(n for n in self.commands if n != name)][:MOST_RECENT])

    @property
    def room_layout(self) -> str:
        """The name of the layout of Review."""
        return str(self._store.value("room_layout", "ONE"))

    @room_layout.setter
    def room_layout(self, name: str) -> None:
        self._store.setValue("room_layout", name)

    @property
    def steps_mib(self) -> int:
        """MiB that the steps of runs may take in memory, one of STEPS_MIB."""
        stored = str(self._store.value("steps_mib", str(USUAL_STEPS_MIB)))
        return int(stored) if stored in map(str, STEPS_MIB) else USUAL_STEPS_MIB

    @steps_mib.setter
    def steps_mib(self, size: int) -> None:
        self._store.setValue("steps_mib", size)

    @property
    def tour_seen(self) -> bool:
        """The tour was shown, to its end or not."""
        return str(self._store.value("tour_seen", "false")).lower() == "true"

    @tour_seen.setter
    def tour_seen(self, seen: bool) -> None:
        self._store.setValue("tour_seen", seen)

    @property
    def recent(self) -> list[str]:
        """Paths of the files opened last, the latest first."""
        return self._list("recent")

    def remember(self, path: str) -> None:
        """Put a file first in `recent`."""
        path = str(Path(path).absolute())
        self._store.setValue("recent", [path, *(p for p in self.recent if p != path)][:MOST_RECENT])

    def forget(self, path: str) -> None:
        path = str(Path(path).absolute())
        self._store.setValue("recent", [p for p in self.recent if p != path])

    @property
    def place(self) -> dict[str, Any]:
        """Where sweeps and batches are computed, as app.state.tune.place.Place is kept."""
        try:
            stored = json.loads(str(self._store.value("place", "{}")))
        except ValueError:
            return {}
        return stored if isinstance(stored, dict) else {}

    @place.setter
    def place(self, said: Mapping[str, Any]) -> None:
        self._store.setValue("place", json.dumps(dict(said)))

    @property
    def batch_folder(self) -> str:
        """Where the images of the last batch went."""
        return str(self._store.value("batch_folder", ""))

    @batch_folder.setter
    def batch_folder(self, path: str) -> None:
        self._store.setValue("batch_folder", path)

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

    def _list(self, name: str) -> list[str]:
        """Words stored under a name; one alone comes back as no list."""
        stored = self._store.value(name, [])
        if isinstance(stored, str):
            return [stored]
        return [str(value) for value in stored] if isinstance(stored, list) else []

    def flush(self) -> None:
        self._store.sync()
