"""The menu bar."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QMenuBar

from app.actions import WINDOWS, Actions, plain
from app.preferences import Preferences
from app.state.picture import COMPONENTS
from app.state.room.pane import Layout
from app.theme import THEMES
from app.translating import ENGLISH, LANGUAGES, SYSTEM, catalogues
from app.words import later, tr

_SIMULATE = ("simulate", "simulate_folder")
_LOOK = ("reset_levels", "fit", "zoom_in", "zoom_out", "smooth")
TOOLS = ("window", "distance", "angle", "rectangle", "ellipse", "freehand", "profile", "probe")
PICTURES = ("save_picture", "save_layout", "copy_picture", "save_film")
LAYOUTS = tuple(f"layout_{layout.name.lower()}" for layout in Layout)
_TEXT = ("text_larger", "text_smaller", "text_usual")
_MENUS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        later("&File"),
        (
            *("open", "open_folder", "recent", "demo", "demo_ct", "", "project", *_SIMULATE, "deidentify", ""),
            *("save", "export_volume", "pictures", "close_volume", "", "quit"),
        ),
    ),
    (later("&Edit"), ("undo", "redo", "", "commands", "edit_keys")),
    (
        later("&View"),
        (
            *("workspace_reconstruct", "workspace_review", "workspace_tune", "", "review", "measure", ""),
            *(*COMPONENTS, "windows", "", "classical", "blink", "sinogram", "planes", "", *_LOOK, ""),
            *("theme", "text", "language"),
        ),
    ),
    (
        later("&Run"),
        (
            *("reconstruct", "quick_look", "sweep", "batch", "history", "compute_where", ""),
            *("pause", "keep", "discard", "", "branch", "keep_steps"),
        ),
    ),
    (later("&Tools"), ("priors", "about_prior")),
    (later("&Help"), ("manual", "tour", "shortcuts", "", "check_machine", "about")),
)
SUBMENUS: dict[str, tuple[str, tuple[str, ...]]] = {
    "recent": (later("Open &recent"), ()),
    "windows": (later("&Window presets"), WINDOWS),
    "review": (
        later("Revie&w"),
        (*LAYOUTS, "link_scroll", "link_zoom", "link_window", "invert", "corners", "identity", "subtract", "play"),
    ),
    "project": (later("Pro&ject"), ("new_project", "open_project", "save_project", "save_project_as")),
    "pictures": (later("&Pictures and films"), PICTURES),
    "measure": (later("&Measure"), tuple(f"tool_{name}" for name in TOOLS)),
    "theme": (later("&Theme"), tuple(f"theme_{name}" for name in THEMES)),
    "text": (later("Te&xt size"), _TEXT),
    "language": (later("&Language"), tuple(f"language_{name}" for name in LANGUAGES)),
}


class Menus:
    """Fills a menu bar; `recent` is filled when it is opened. paths: where each action is, such as "View › Theme"."""

    def __init__(
        self, bar: QMenuBar, actions: Actions, preferences: Preferences, reopen: Callable[[str], None]
    ) -> None:
        self._preferences = preferences
        self._reopen = reopen
        self._made = {name: QMenu(tr(title), bar) for name, (title, _) in SUBMENUS.items()}
        self.recent, self.theme, self.windows = (self._made[name] for name in ("recent", "theme", "windows"))
        self.recent.aboutToShow.connect(self.fill_recent)
        self.menus: list[QMenu] = []
        self.paths: dict[str, str] = {}
        for name, (_, inside) in SUBMENUS.items():
            self._made[name].addActions([actions[one] for one in inside])
        for name in ("theme", "language"):
            _exclusive(bar, [actions[one] for one in SUBMENUS[name][1]])
        _exclusive(bar, [actions[name] for name in LAYOUTS])
        _exclusive(bar, [actions[name] for name in SUBMENUS["measure"][1]])
        _exclusive(bar, [actions[name] for name in COMPONENTS])
        there = (SYSTEM, ENGLISH, *catalogues())
        for name in LANGUAGES:
            actions[f"language_{name}"].setVisible(name in there)
        for title, names in _MENUS:
            self._fill(bar.addMenu(tr(title)), names, actions)

    def _fill(self, menu: QMenu, names: tuple[str, ...], actions: Actions) -> None:
        menu.setToolTipsVisible(True)
        self.menus.append(menu)
        path = plain(menu.title())
        for name in names:
            if not name:
                menu.addSeparator()
            elif name in SUBMENUS:
                menu.addMenu(self._made[name])
                inner = f"{path} › {plain(self._made[name].title())}"
                self.paths |= dict.fromkeys(SUBMENUS[name][1], inner)
            else:
                menu.addAction(actions[name])
                self.paths[name] = path

    def fill_recent(self) -> None:
        self.recent.clear()
        paths = self._preferences.recent
        for path in paths:
            action = self.recent.addAction(Path(path).name)
            action.setToolTip(path)
            action.triggered.connect(partial(self._open, path))
        if not paths:
            self.recent.addAction(tr("None yet")).setEnabled(False)
        self.recent.setToolTipsVisible(True)

    def _open(self, path: str, _checked: bool = False) -> None:
        self._reopen(path)


def _exclusive(parent: QObject, actions: list[QAction]) -> None:
    """Of these switches one is on."""
    group = QActionGroup(parent)
    for action in actions:
        group.addAction(action)
