"""Puts what a project holds in the place of what is open."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.state.display import LAYOUTS, NARROWEST, SPREAD, VIEWS, Display
from app.state.naming import undersampling_words
from app.state.picture import Levels
from app.state.project import Part, keys_of, renamed
from app.state.room import plain
from app.state.room.item import Item
from app.state.room.room import Room
from app.state.room.sources import item_of_volume
from app.state.runs import Run, Shown
from app.state.session import OpenScan, Session
from core.engine.settings import ReconSettings
from core.errors import UserError
from core.formats.folder import Entry
from core.formats.volume_parts import Opened

MOST_PIXELS = 2**20
HIGHEST = 1e30
WIDEST = 1e6
"""How many times wider or narrower than usual a grey scale may be offered."""

_TROUBLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, IndexError, UserError)


@dataclass(eq=False)
class Restored:
    """What a worker has made of a project file.

    record: of the file, damaged where it may be. scan: None where there is none or it could not be had; then items of
    `volumes` stand for the runs. runs, volumes: with their places in the record. notes: what is to be told, one
    sentence each. whole: nothing is missing. offered: grey scales, used where the record tells none.
    """

    record: Mapping[str, Any]
    scan: OpenScan | None = None
    runs: list[tuple[int, Run]] = field(default_factory=list)
    volumes: list[tuple[int, Item]] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    whole: bool = True
    offered: dict[str, Levels] = field(default_factory=dict)

    def miss(self, sentence: str) -> None:
        """Tell that something is missing."""
        self.notes.append(sentence)
        self.whole = False


def close(session: Session) -> None:
    """Nothing is open any more."""
    session.scan = None
    session.choice._scan = None
    session.runs.clear()
    session.display.start_over()
    session.opened.emit()
    for item in list(session.room):
        session.room.remove(item.key)
    session.room.restore(Room().snapshot())
    session.choice.offers_changed.emit()
    session.history.clear()


def restore(
    session: Session, restored: Restored, parts: Mapping[str, Part], colours: Callable[[str], bool] = lambda _: True
) -> None:
    """Replace what is open. What the record tells wrongly is left as it is usual, and joins the notes.

    The windows of all runs are offered before the first of them is seen. Nothing of it can be undone.
    """
    record = restored.record
    close(session)
    if restored.scan is not None:
        session.open(restored.scan)
        _take(restored, "The settings", lambda: _restore_choice(session, record["choice"]))
        _take(restored, "The grey scales", lambda: _offer(session, record["display"], restored.offered))
        _add_runs(session, restored)
    for _, item in restored.volumes:
        session.room.put(item)
    if restored.scan is not None:
        _take(restored, "How the image was shown", lambda: _restore_display(session, record["display"]))
    keys = _keys(session, restored)
    _take(
        restored,
        "How the review room was arranged",
        lambda: plain.restore(session.room, record["room"], lambda key: keys.get(key, key), colours),
    )
    for name, part in parts.items():
        _take(restored, name.capitalize(), lambda part=part, name=name: _put(part, name, record, keys))
    session.history.clear()


def item_of_orphan(place: int, run: Run, marks: tuple[str, ...]) -> Item | None:
    """The image of a run whose scan is not there, as a volume of the room. marks: of the scan."""
    if run.volume is None:
        return None
    item = item_of_volume(Opened(run.volume, "", "image of a run"), f"run {place} of a project")
    left_out = run.job.source.undersample
    words = (f"Undersampled on purpose: {undersampling_words(left_out)}",) if left_out else ()
    return replace(item, name=run.name, marks=(*marks, *words))


def offered_by(runs: list[Run]) -> dict[str, Levels]:
    """The grey scales that suit runs: those of the first one's classical image, as on its way, and of the first spread.
    Costs a look at all numbers of an image."""
    offered: dict[str, Levels] = {}
    first = runs[0] if runs else None
    if first is not None:
        pictures = [first.result, *(first.classical[m] for m in first.on_the_way if m in first.classical)]
        shown = next((picture for picture in reversed(pictures) if picture is not None), None)
        offered |= shown.levels() if shown is not None else {}
    spread = next((run.spread for run in runs if run.spread is not None), None)
    return offered | ({SPREAD: spread.brightness()} if spread is not None else {})


def levels_in(pairs: Any) -> dict[str, Levels]:
    """Grey scales by name. Raises ValueError or TypeError for what is none."""
    made = {}
    for name, (low, high) in dict(pairs).items():
        if not (abs(low) < HIGHEST and abs(high) < HIGHEST and high > low):
            raise ValueError("levels")
        made[str(name)] = Levels(float(low), float(high))
    return made


def _take(restored: Restored, what: str, does: Callable[[], object]) -> None:
    try:
        does()
    except _TROUBLE:
        restored.miss(f"{what} could not be read.")


def _put(part: Part, name: str, record: Mapping[str, Any], keys: Mapping[str, str]) -> None:
    kept = record["parts"]
    if name in kept:
        part.put(renamed(kept[name], keys))


def _keys(session: Session, restored: Restored) -> dict[str, str]:
    """By what items are called in the file, their keys now. A run that was left out leaves its place empty."""
    places = [place for place, _ in restored.runs]
    runs = [run for _, run in restored.runs] if restored.scan is not None else []
    keys: dict[str, str] = {}
    for key, name in keys_of(session, runs, []).items():
        word, *rest = name.split(" ", 2)
        keys[f"run {places[int(rest[0])]} {rest[1]}" if word == "run" else name] = key
    return keys | {f"volume {place}": item.key for place, item in restored.volumes if place >= 0}


def _add_runs(session: Session, restored: Restored) -> None:
    """As the runs of the scan, in their order, the one in front that was."""
    made: dict[int, Run] = {}
    for place, run in restored.runs:
        added = session.runs.add(run.job, run.name)
        for name, value in vars(run).items():
            setattr(added, name, value)
        made[place] = added
        session.runs.told.emit(added)
    restored.runs = list(made.items())
    front = restored.record.get("front")
    session.runs.changed.emit()
    latest = next(reversed(made.values()), None)
    session.runs.put_in_front(made.get(front, latest) if isinstance(front, int) else latest)


def _restore_choice(session: Session, record: Mapping[str, Any]) -> None:
    """The prior first, since it brings defaults and presets of its own."""
    choice = session.choice
    settings = ReconSettings.from_dict(record["settings"])
    undersample, only = record["undersample"], record["only_this_slice"]
    center, size = record["center"], record["size"]
    if not isinstance(undersample, str) or type(size) is not int or not (center is None or math.isfinite(center)):
        raise ValueError("choice")
    if settings.method not in choice.methods:
        settings = settings.replace(method=choice.methods[0])
    choice.set(prior=settings.prior)
    choice.settings = settings
    choice.undersample, choice.center, choice.size, choice.only_this_slice = undersample, center, size, bool(only)
    choice.changed.emit()


def _offer(session: Session, record: Mapping[str, Any], usual: dict[str, Levels]) -> None:
    """Those of the record where they are near what the images themselves ask for: a view may fail at others."""
    display = session.display
    display.offer_levels(usual)
    told = {name: found for name, found in levels_in(record["offered"]).items() if name in display.offered}
    if not all(1 / WIDEST < found.window / display.offered[name].window < WIDEST for name, found in told.items()):
        raise ValueError("offered levels")
    display.offer_levels(told)


def _restore_display(session: Session, record: Mapping[str, Any]) -> None:
    display = session.display
    view, component, layout = record["view"], record["component"], record["layout"]
    frame, point, levels = record["frame"], record["point"], levels_in(record["levels"])
    offered = display.offered
    if any(
        name in offered and found.window < 0.99 * NARROWEST * offered[name].window for name, found in levels.items()
    ):
        raise ValueError("narrower than anybody can set it")
    if view not in VIEWS or layout not in LAYOUTS or type(frame) is not int:
        raise ValueError("display")
    if point is not None:
        x, y = point
        if not all(type(n) is int and 0 <= n < MOST_PIXELS for n in (x, y)):
            raise ValueError("point")
        display.point = (x, y)
    display.restore({name: found for name, found in levels.items() if name in offered}, component, layout)
    _draw(display, session.runs.shown())
    display.go_to(frame)
    display.look_at(view)
    _draw(display, session.shown())


def _draw(display: Display, shown: Shown | None) -> None:
    if shown is not None:
        display.set_drawn(shown.view, shown.family, shown.picture.frames)
