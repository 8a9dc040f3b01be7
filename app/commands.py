"""Finding an action by some of its letters. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.words import later, tr

NO_MATCH = -1
_START, _NEXT, _INSIDE = 10, 6, 1
"""What a letter is worth at the start of a word, right after the letter before it, and elsewhere."""


@dataclass(frozen=True)
class Command:
    """An action as the palette lists it. path: where it is in the menus, such as "View › Theme". why_not: the reason
    why it cannot be chosen now, "" where it can."""

    name: str
    words: str
    path: str = ""
    key: str = ""
    why_not: str = ""


WHY_NOT = {
    "save": later("there is no result yet"),
    "quick_look": later("there is no single slice to reconstruct"),
    "history": later("no scan is open"),
    "sweep": later("no scan is open"),
    "batch": later("no scan is open"),
    "compute_where": later("no scan is open"),
    "reconstruct": later("no scan is open"),
    "branch": later("no step of a run is marked: click its residual curve"),
    "pause": later("no run is going on"),
    "keep": later("no run is going on"),
    "discard": later("no run is going on or waiting"),
    "blink": later("no other run was shown before"),
    "classical": later("there is no result to change places with"),
    "planes": later("there is one slice only"),
    "export_volume": later("no pane of Review holds a finished image"),
    "close_volume": later("no pane of Review holds a volume of a file"),
    "save_film": later("nothing is there to be played"),
    "subtract": later("there are no two images in Review"),
    "undo": later("nothing was changed"),
    "redo": later("nothing was undone"),
}
"""Why actions cannot be chosen; the others need an image on view."""
NO_IMAGE = later("no image is shown that it is for")


def why_not(name: str) -> str:
    """Why an action that is disabled cannot be chosen now."""
    return tr(WHY_NOT.get(name, NO_IMAGE))


def score(query: str, words: str) -> int:
    """How well letters fit words: all must come in their order. NO_MATCH, or more for starts of words and for runs.

    The best way to place the letters is found, not the first one. Case and spaces of the query do not count.
    """
    wanted = query.casefold().replace(" ", "")
    text = words.casefold()
    if not wanted:
        return 0
    best: list[int] = []
    for count, letter in enumerate(wanted):
        best = _placed(letter, text, best, first=count == 0)
    return max(best, default=NO_MATCH)


def _placed(letter: str, text: str, before: list[int], *, first: bool) -> list[int]:
    """The best score of the query so far with this letter at each place; before: with the last letter there."""
    found = [NO_MATCH] * len(text)
    reach = NO_MATCH
    for place, here in enumerate(text):
        if place and not first:
            reach = max(reach, before[place - 1])
        if here != letter or (not first and reach == NO_MATCH):
            continue
        worth = _START if place == 0 or not text[place - 1].isalnum() else _INSIDE
        found[place] = worth if first else reach + worth
        if place and not first and before[place - 1] != NO_MATCH:
            found[place] = max(found[place], before[place - 1] + max(worth, _NEXT))
    return found


def ranked(query: str, commands: Iterable[Command], recent: Sequence[str] = ()) -> list[Command]:
    """The commands that fit, the best first; of equals those that can be chosen, then those chosen last.

    The words count before the path. Without a query all fit.
    """
    latest = {name: place for place, name in enumerate(recent)}
    found = []
    for place, command in enumerate(commands):
        worth = 2 * score(query, command.words)
        if worth < 0:
            worth = score(query, f"{command.path} {command.words}")
        if worth >= 0:
            order = (-worth, bool(command.why_not), latest.get(command.name, len(latest)), place)
            found.append((order, command))
    return [command for _, command in sorted(found, key=lambda pair: pair[0])]
