"""What is remembered of runs beside the runs themselves: notes, and when they ended."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from psygnal import Signal

from app.state.runs import GOING_ON, Phase, Run

MOST_CHARACTERS = 2000


@dataclass(frozen=True)
class Note:
    """words: the user's. when: it was first seen to have ended, ISO 8601 with its zone, or ""."""

    words: str = ""
    when: str = ""


class Notes:
    """A side table keyed by runs; it holds none of them alive. now: the time."""

    changed = Signal()

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._of: weakref.WeakKeyDictionary[Run, Note] = weakref.WeakKeyDictionary()

    def of(self, run: Run) -> Note:
        return self._of.get(run, Note())

    def write(self, run: Run, words: str) -> None:
        """Change what is written about a run."""
        words = words.strip()[:MOST_CHARACTERS]
        if words != self.of(run).words:
            self._of[run] = replace(self.of(run), words=words)
            self.changed.emit()

    def see(self, runs: Iterable[Run]) -> None:
        """Remember the time of those that have ended."""
        for run in runs:
            if not self.of(run).when and run.phase not in (*GOING_ON, Phase.WAITING):
                self._of[run] = replace(self.of(run), when=self._now().isoformat(timespec="seconds"))

    def to_dict(self, runs: Iterable[Run]) -> dict[str, Any]:
        """By the names of the runs, which are all different."""
        return {run.name: {"note": note.words, "when": note.when} for run in runs if (note := self.of(run)) != Note()}

    def from_dict(self, said: Mapping[str, Any], runs: Iterable[Run]) -> None:
        """The inverse. Raises TypeError or ValueError, and changes nothing, for what is no table of notes."""
        found = {}
        for name, one in dict(said).items():
            words, when = one["note"], one["when"]
            if not isinstance(words, str) or not isinstance(when, str):
                raise TypeError("note")
            found[name] = Note(words[:MOST_CHARACTERS], when if _is_time(when) else "")
        for run in runs:
            if run.name in found:
                self._of[run] = found[run.name]
        self.changed.emit()


def when_of(run: Run, note: Note) -> datetime | None:
    """When a run ended: as its card says, else when it was seen to have ended."""
    card = run.volume.card if run.volume is not None else {}
    for said in (card.get("created"), note.when):
        if isinstance(said, str) and _is_time(said):
            return datetime.fromisoformat(said)
    return None


def _is_time(said: str) -> bool:
    try:
        return datetime.fromisoformat(said).tzinfo is not None
    except ValueError:
        return False
