"""Named windows for images whose numbers mean the same in every scan, from resources/presets/windows.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class NamedWindow:
    """Window and level in the unit that they are for, and the key that brings them."""

    name: str
    window: float
    level: float
    key: str = ""


def windows_for(unit: str) -> tuple[NamedWindow, ...]:
    """The named windows for a unit, the usual one first; none where its numbers depend on the scanner."""
    return _all().get(unit, ())


@cache
def _all() -> dict[str, tuple[NamedWindow, ...]]:
    found = json.loads((files("resources") / "presets" / "windows.json").read_text("utf-8"))
    return {unit: tuple(NamedWindow(**values) for values in windows) for unit, windows in found.items()}
