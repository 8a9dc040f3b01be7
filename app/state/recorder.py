"""Watches the settings and the display, and puts each change into the history with its way back."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, fields
from typing import Any

from app.state.choice import Choice
from app.state.display import Display
from app.state.picture import Levels
from app.state.session import Session
from app.words import tr
from core.engine.settings import ReconSettings, help_of


@dataclass(frozen=True)
class Chosen:
    """The settings for the next run, as Choice has them."""

    settings: ReconSettings
    defaults: ReconSettings
    presets: dict[str, dict[str, Any]]
    undersample: str
    center: float | None
    size: int
    only_this_slice: bool

    @classmethod
    def of(cls, choice: Choice) -> Chosen:
        return cls(**{field.name: getattr(choice, field.name) for field in fields(cls)})

    def restore(self, choice: Choice) -> None:
        for field in fields(self):
            setattr(choice, field.name, getattr(self, field.name))
        choice.changed.emit()


@dataclass(frozen=True)
class Look:
    """How the image is looked at; which picture and frame is no part of it. levels: those that the user set."""

    levels: dict[str, Levels]
    component: str
    layout: str

    @classmethod
    def of(cls, display: Display) -> Look:
        return cls(display.user_levels, display.component, display.layout)

    def restore(self, display: Display) -> None:
        display.restore(self.levels, self.component, self.layout)


class Recorder:
    """Makes the steps of session.history. Another scan starts a new history.

    dragging: the user holds a mouse button down in an image; the levels that come then are one step.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._history = session.history
        self._chosen = Chosen.of(session.choice)
        self._look = Look.of(session.display)
        self.dragging = False
        session.choice.changed.connect(self._choice_changed)
        session.display.changed.connect(self._display_changed)
        session.opened.connect(self._opened)

    def _opened(self) -> None:
        self._chosen, self._look = Chosen.of(self._session.choice), Look.of(self._session.display)
        self._history.clear()

    def _choice_changed(self) -> None:
        before, after, choice = self._chosen, Chosen.of(self._session.choice), self._session.choice
        if after != before:
            self._chosen = after
            label, key = _change_of_settings(before, after)
            self._history.push(label, lambda: before.restore(choice), lambda: after.restore(choice), key)

    def _display_changed(self) -> None:
        before, after, display = self._look, Look.of(self._session.display), self._session.display
        if after != before:
            self._look = after
            levels = before.levels != after.levels
            key = "levels" if levels and self.dragging else None
            label = _change_of_look(before, after)
            self._history.push(label, lambda: before.restore(display), lambda: after.restore(display), key)


def _change_of_settings(before: Chosen, after: Chosen) -> tuple[str, Hashable]:
    """The label of a step, and its merge key: a number that is stepped up and up is one step."""
    names = [
        f.name for f in fields(ReconSettings) if getattr(before.settings, f.name) != getattr(after.settings, f.name)
    ]
    if len(names) == 1:
        number = not isinstance(getattr(after.settings, names[0]), (bool, str))
        return tr(help_of(names[0]).label), names[0] if number else None
    if "prior" in names:
        return tr("prior"), None
    if "method" in names:
        return tr("method"), None
    if names:
        return tr("settings"), None
    if before.undersample != after.undersample:
        return tr("undersampling"), "undersample"
    if before.center != after.center:
        return tr("rotation axis"), "center"
    if before.size != after.size:
        return tr("image size"), "size"
    return tr("slices to reconstruct"), None


def _change_of_look(before: Look, after: Look) -> str:
    if before.levels != after.levels:
        return tr("window and level")
    return tr("component") if before.component != after.component else tr("layout")
