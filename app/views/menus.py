"""The menu bar."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QMenuBar

from app.actions import WINDOWS, Actions
from app.preferences import Preferences
from app.state.picture import COMPONENTS
from app.theme import THEMES

_SIMULATE = ("simulate", "simulate_folder")
_LOOK = ("reset_levels", "fit", "zoom_in", "zoom_out", "smooth")
_MENUS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("&File", ("open", "open_folder", "recent", "demo", "demo_ct", "", *_SIMULATE, "", "save", "", "quit")),
    ("&View", (*COMPONENTS, "windows", "", "classical", "blink", "sinogram", "planes", "", *_LOOK, "", "theme")),
    ("&Run", ("reconstruct", "", "pause", "keep", "discard")),
    ("&Tools", ("priors", "about_prior")),
    ("&Help", ("shortcuts", "about")),
)


class Menus:
    """Fills a menu bar; `recent` is filled when it is opened."""

    def __init__(
        self, bar: QMenuBar, actions: Actions, preferences: Preferences, reopen: Callable[[str], None]
    ) -> None:
        self._preferences = preferences
        self._reopen = reopen
        self.recent = QMenu("Open &recent")
        self.recent.aboutToShow.connect(self.fill_recent)
        self.theme = QMenu("&Theme")
        self.theme.addActions([actions[f"theme_{name}"] for name in THEMES])
        self.windows = QMenu("&Window presets")
        self.windows.addActions([actions[name] for name in WINDOWS])
        _exclusive(bar, [actions[f"theme_{name}"] for name in THEMES])
        _exclusive(bar, [actions[name] for name in COMPONENTS])
        self.menus: list[QMenu] = []
        for title, names in _MENUS:
            menu = bar.addMenu(title)
            menu.setToolTipsVisible(True)
            self.menus.append(menu)
            for name in names:
                if not name:
                    menu.addSeparator()
                elif name in ("recent", "theme", "windows"):
                    menu.addMenu(getattr(self, name))
                else:
                    menu.addAction(actions[name])

    def fill_recent(self) -> None:
        self.recent.clear()
        paths = self._preferences.recent
        for path in paths:
            action = self.recent.addAction(Path(path).name)
            action.setToolTip(path)
            action.triggered.connect(partial(self._open, path))
        if not paths:
            self.recent.addAction("None yet").setEnabled(False)
        self.recent.setToolTipsVisible(True)

    def _open(self, path: str, _checked: bool = False) -> None:
        self._reopen(path)


def _exclusive(parent: QObject, actions: list[QAction]) -> None:
    """Of these switches one is on."""
    group = QActionGroup(parent)
    for action in actions:
        group.addAction(action)
