"""The priors that there are, and what is being done with them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from app.state.notice import Notice
from core.priors.catalogue import Entry

Sheet = npt.NDArray[np.uint8]
"""A picture, (y, x) grey."""

_LONGEST_NAME = 60

SHEETS = {"samples": "Images it makes from noise alone", "denoising": "Noisy images, and what it makes of them"}
"""The pictures that may lie beside the weights as NAME.KIND.png, and what they show."""


class Shelf:
    """All priors with their cards. sheets: the pictures of each prior that was looked at, by kind.

    working: what is being done now, in words, or "". trouble: why the last deed failed. latest: the prior that was
    added last. Priors are named by the stem of their file.
    """

    changed = Signal()
    """Priors came or went."""
    pictured = Signal(str)
    """The pictures of a prior have been read."""
    working_changed = Signal()
    """Something was begun, done, or has failed."""

    def __init__(self) -> None:
        self.entries: tuple[Entry, ...] = ()
        self.known = False
        self.sheets: dict[str, dict[str, Sheet]] = {}
        self.working = ""
        self.trouble: Notice | None = None
        self.latest = ""

    def find(self, name: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.path.stem == name), None)

    def free_name(self, file: str) -> str:
        """A name for a new prior, made from its file's: letters, digits, - and _; numbered if it is taken."""
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", file).strip("-_")[:_LONGEST_NAME] or "prior"
        numbered = (plain if number == 1 else f"{plain}-{number}" for number in itertools.count(1))
        return next(name for name in numbered if self.find(name) is None)

    def fill(self, entries: Iterable[Entry]) -> None:
        """What there is now; pictures of what has gone or changed are forgotten."""
        before = {entry.path.stem: entry for entry in self.entries}
        self.entries = tuple(entries)
        self.known = True
        same = {entry.path.stem for entry in self.entries if before.get(entry.path.stem) == entry}
        self.sheets = {name: sheets for name, sheets in self.sheets.items() if name in same}
        self.changed.emit()

    def picture(self, name: str, sheets: dict[str, Sheet]) -> None:
        self.sheets[name] = sheets
        self.pictured.emit(name)

    def begin(self, words: str) -> None:
        self.working, self.trouble = words, None
        self.working_changed.emit()

    def end(self, trouble: Notice | None = None, latest: str = "") -> None:
        self.working, self.trouble = "", trouble
        self.latest = latest or self.latest
        self.working_changed.emit()

    def forget_trouble(self) -> None:
        if self.trouble is not None:
            self.end()
