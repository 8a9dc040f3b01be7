"""Theme, size of the text and language: what the user chose is applied and remembered."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from app import theme
from app.actions import Actions
from app.preferences import TEXT_SIZES, Preferences
from app.translating import LANGUAGES


class Appearance(QObject):
    """drawn: called when icons have other colours."""

    def __init__(self, parent: QObject, actions: Actions, preferences: Preferences, drawn: Callable[[], None]) -> None:
        super().__init__(parent)
        self._actions, self._preferences, self._drawn = actions, preferences, drawn
        if preferences.text_size != 100:
            theme.scale_text(preferences.text_size)
        self._show_choice()
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(self._follow_desktop)
        if hasattr(hints, "accessibility"):
            hints.accessibility().contrastPreferenceChanged.connect(self._follow_desktop)

    def set_theme(self, name: str) -> None:
        """name: one of app.theme.THEMES."""
        self._preferences.theme = name
        theme.apply(name)
        self._actions.draw_icons()
        self._drawn()

    def step_text(self, by: int) -> None:
        """Text of the next size up (1) or down (-1), or the usual one (0)."""
        place = TEXT_SIZES.index(self._preferences.text_size) + by if by else TEXT_SIZES.index(100)
        self._preferences.text_size = TEXT_SIZES[min(max(place, 0), len(TEXT_SIZES) - 1)]
        theme.scale_text(self._preferences.text_size)
        self._show_choice()

    def set_language(self, name: str) -> None:
        """One of app.translating.LANGUAGES, from the next start on."""
        self._preferences.language = name

    def _show_choice(self) -> None:
        chosen = self._preferences
        if chosen.theme in theme.THEMES:
            self._actions[f"theme_{chosen.theme}"].setChecked(True)
        if chosen.language in LANGUAGES:
            self._actions[f"language_{chosen.language}"].setChecked(True)
        self._actions["text_larger"].setEnabled(chosen.text_size < TEXT_SIZES[-1])
        self._actions["text_smaller"].setEnabled(chosen.text_size > TEXT_SIZES[0])

    def _follow_desktop(self, *_: object) -> None:
        if self._preferences.theme == "system":
            self.set_theme("system")
