"""What the cards of all kinds of scans have in common."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from core.orientation import Affine, letter

UNKNOWN = "unknown"
Lines = list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Card:
    """The fields that every card ends with.

    orientation: patient letters towards which x, y and z grow, such as "L P H", or "unknown". identifiers: patient
    name, id and the like; in neither to_dict nor lines unless asked for.
    """

    simulated: bool
    undersampled: str
    orientation: str
    vendor: str
    contrast: str
    anatomy: str
    done: tuple[str, ...]
    not_understood: tuple[str, ...]
    identifiers: dict[str, str] = field(default_factory=dict, repr=False)

    def to_dict(self, identifiers: bool = False) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        values = dataclasses.asdict(self)
        if not identifiers:
            del values["identifiers"]
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    def last_lines(self, identifiers: bool) -> Lines:
        """(label, value) pairs that every card ends with; what is done and not understood takes a pair each."""
        rows = [("Contrast", self.contrast)] if self.contrast else []
        rows += [("Anatomy", self.anatomy)] if self.anatomy else []
        rows += [("Simulated", "yes: no scanner made this")] if self.simulated else []
        rows += [("Undersampled", f"on purpose: {self.undersampled}")] if self.undersampled else []
        rows += [("Done", sentence) for sentence in self.done]
        rows += [("Not understood", sentence) for sentence in self.not_understood]
        return rows + (sorted(self.identifiers.items()) if identifiers else [])


def orientation_of(affine: Affine | None) -> str:
    """The letters towards which the axes of an image grow."""
    return UNKNOWN if affine is None else " ".join(letter(affine[:3, i]) for i in range(3))


def millimetres(size: tuple[float, ...] | None) -> str:
    """Lengths in words."""
    return UNKNOWN if size is None else " x ".join(f"{n:.4g}" for n in size) + " mm"
