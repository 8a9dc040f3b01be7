"""A project: what is open and what has been made of it, as plain data for a file. See core.formats.project_file.

Scans and volumes are named by path and hash, never copied; images of runs are kept as they were made.
"""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from app.state.display import Display
from app.state.picture import Levels
from app.state.project_runs import is_kept, run_record
from app.state.room import plain
from app.state.room.item import Item, Kind
from app.state.room.sources import key_of
from app.state.runs import Run
from app.state.session import OpenScan, Session
from core.formats.folder import Entry
from core.formats.project_file import KINDS
from core.formats.volume_parts import Opened

Array = npt.NDArray[Any]
SCAN = "scan"
"""What the family of the open scan's images is called in a file."""
_MADE = (Kind.CLASSICAL, Kind.RESULT, Kind.SPREAD)


@dataclass(frozen=True)
class Part:
    """Something more that projects hold: get() gives plain values for JSON, put(values) takes them back; it may raise
    UserError, ValueError or what wrong types raise. Keys of items are renamed on the way, wherever they stand."""

    get: Callable[[], Any]
    put: Callable[[Any], object]


@dataclass(frozen=True, eq=False)
class Project:
    """record: plain values, without hashes and places of files, which are the worker's to find. arrays: by name.
    runs: those that are in it."""

    record: dict[str, Any]
    arrays: dict[str, Array] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()

    @property
    def empty(self) -> bool:
        """Nothing is open."""
        return not (self.record["scan"] or self.record["volumes"] or self.record["runs"])

    def same_as(self, other: Project | None) -> bool:
        """It would bring back the same."""
        return other is not None and _lasting(self.record) == _lasting(other.record)


class ArrayNames:
    """Gives every array a name of its own, the same for as long as the array lives."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[weakref.ref[Array], str]] = {}
        self._count = 0

    def name(self, array: Array) -> str:
        known = self._names.get(id(array))
        if known is not None and known[0]() is array:
            return known[1]
        self._count += 1
        name = f"arrays/{self._count}.npy"
        self._names = {key: one for key, one in self._names.items() if one[0]() is not None}
        self._names[id(array)] = weakref.ref(array), name
        return name


def project_of(session: Session, names: ArrayNames, entries: Mapping[str, Entry], parts: Mapping[str, Part]) -> Project:
    """What is open now. entries: by path, the series that were chosen in folders."""
    runs = [run for run in session.runs if is_kept(run)]
    volumes = volumes_of(session)
    keys = keys_of(session, runs, volumes)
    arrays: dict[str, Array] = {}

    def refer(array: Array) -> str:
        kept = array if array.dtype.name in KINDS else array.astype(np.float64)
        name = names.name(array)
        arrays[name] = kept
        return name

    record = {
        "scan": None if session.scan is None else _scan_record(session.scan),
        "volumes": [_volume_record(item, entries) for item in volumes],
        "runs": [run_record(run, refer) for run in runs],
        "front": runs.index(session.runs.front) if session.runs.front in runs else None,
        "unsaved": [place for place, run in enumerate(runs) if run.unsaved],
        "choice": _choice_record(session),
        "display": _display_record(session.display),
        "room": plain.to_dict(session.room, lambda key: keys.get(key, key)),
        "parts": {name: renamed(part.get(), keys) for name, part in parts.items()},
    }
    return Project(record, arrays, tuple(runs))


def volumes_of(session: Session) -> list[Item]:
    """The volumes of files in the room; those that stand for a run without its scan have no path."""
    return [
        item
        for item in session.room
        if item.kind is Kind.VOLUME and isinstance(item.origin, Opened) and item.origin.path
    ]


def keys_of(session: Session, runs: list[Run], volumes: list[Item]) -> dict[str, str]:
    """What items and the scan's family are called in a file, by their keys, which do not outlive the program."""
    keys = {item.key: f"volume {place}" for place, item in enumerate(volumes)}
    family = next((i.family for i in session.room if i.kind in _MADE and isinstance(i.origin, Run)), "")
    if not family:
        return keys
    keys[family] = SCAN
    for place, run in enumerate(runs):
        for view in run.views:
            shown = run.shown(view)
            if shown is not None:
                keys.setdefault(key_of(shown, family), f"run {place} {view}")
    return keys


def renamed(value: Any, keys: Mapping[str, str]) -> Any:
    """Plain values in which every text that is a key has become what the key stands for."""
    if isinstance(value, str):
        return keys.get(value, value)
    if isinstance(value, Mapping):
        return {name: renamed(one, keys) for name, one in value.items()}
    return [renamed(one, keys) for one in value] if isinstance(value, (list, tuple)) else value


def _lasting(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "unsaved"}


def _scan_record(scan: OpenScan) -> dict[str, Any]:
    source = dataclasses.asdict(scan.source)
    return {"path": source.pop("path"), "source": source, "marks": list(scan.marks)}


def _volume_record(item: Item, entries: Mapping[str, Entry]) -> dict[str, Any]:
    assert isinstance(item.origin, Opened)
    entry = entries.get(item.origin.path)
    series = None
    if entry is not None:
        series = {"key": entry.key, "files": list(entry.files), "name": entry.name, "count": entry.count}
    return {"path": item.origin.path, "series": series}


def _choice_record(session: Session) -> dict[str, Any]:
    choice = session.choice
    return {
        "settings": choice.settings.to_dict(),
        "undersample": choice.undersample,
        "center": choice.center,
        "size": choice.size,
        "only_this_slice": choice.only_this_slice,
    }


def _display_record(display: Display) -> dict[str, Any]:
    return {
        "view": display.view,
        "component": display.component,
        "layout": display.layout,
        "frame": display.frame_of_image,
        "point": None if display.point is None else list(display.point),
        "levels": _levels_record(display.user_levels),
        "offered": _levels_record(display.offered),
    }


def _levels_record(levels: Mapping[str, Levels]) -> dict[str, list[float]]:
    return {scale: [found.low, found.high] for scale, found in levels.items()}
