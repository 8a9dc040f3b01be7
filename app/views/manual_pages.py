"""The pages of the manual as they were built: their order, their words, and where a word stands. No widgets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

CONTENTS = "contents.json"
START, END = "<!-- text -->", "<!-- end -->"
AROUND = 70
"""Letters of the text on either side of a word that was found."""


@dataclass(frozen=True)
class Page:
    """file: its name under the folder of the manual. section: the part it belongs to. text: its words in one line."""

    title: str
    section: str
    file: str
    text: str


@dataclass(frozen=True)
class Hit:
    """A page that holds the words that were looked for, and what stands around the first of them."""

    page: Page
    around: str


class Pages:
    """The manual in a folder; none where it has not been built there."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(str(files("resources"))) / "manual"
        self.pages = self._read()

    def _read(self) -> tuple[Page, ...]:
        try:
            return tuple(Page(**one) for one in json.loads((self.folder / CONTENTS).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return ()

    def __iter__(self) -> Iterator[Page]:
        return iter(self.pages)

    def __len__(self) -> int:
        return len(self.pages)

    def page(self, file: str) -> Page | None:
        return next((page for page in self.pages if page.file == file), None)

    def html(self, page: Page) -> str:
        """The text of a page without what belongs to a browser. Raises OSError where the file is gone."""
        whole = (self.folder / page.file).read_text("utf-8")
        return whole.partition(START)[2].partition(END)[0]

    def path(self, name: str) -> Path | None:
        """A file of the manual, such as a picture; None for one that is not there or lies elsewhere."""
        path = (self.folder / name).resolve()
        return path if path.is_file() and path.is_relative_to(self.folder.resolve()) else None

    def search(self, words: str) -> list[Hit]:
        """The pages that hold every word, those with the words in their title first, then those with the most."""
        wanted = words.casefold().split()
        if not wanted:
            return []
        found = []
        for place, page in enumerate(self.pages):
            said = f"{page.title} {page.text}".casefold()
            if all(word in said for word in wanted):
                titled = sum(word in page.title.casefold() for word in wanted)
                often = min(said.count(word) for word in wanted)
                found.append(((-titled, -often, place), Hit(page, _around(page.text, wanted))))
        return [hit for _, hit in sorted(found, key=lambda pair: pair[0])]


def _around(text: str, words: list[str]) -> str:
    """What stands around the first place of a word, from a whole word to a whole word."""
    at = min((place for word in words if (place := text.casefold().find(word)) >= 0), default=0)
    start, end = max(at - AROUND, 0), min(at + AROUND, len(text))
    part = text[start:end]
    part = re.sub(r"^\S*\s", "", part) if start else part
    part = re.sub(r"\s\S*$", "", part) if end < len(text) else part
    return f"{'… ' if start else ''}{part}{' …' if end < len(text) else ''}"
