"""From a project file to what the window shows: finds and opens what it names, and makes the runs again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.bridge.engine import Engine
from app.bridge.facts import facts_of
from app.bridge.prints import Prints
from app.state.kinds import single_slices
from app.state.measured import measured_of
from app.state.project_restore import Restored, item_of_orphan, offered_by
from app.state.project_runs import RunReader
from app.state.room.sources import item_of_volume
from app.state.session import OpenScan
from core.engine.job import ScanSource
from core.errors import UserError
from core.formats.folder import Entry
from core.formats.project_file import ProjectFile
from core.formats.volume_parts import Opened

MOST_VOLUMES = 1000
_WRONG = (KeyError, TypeError, ValueError, AttributeError, OverflowError)

Told = Callable[[str, str, int, int], None]


@dataclass(frozen=True)
class Found:
    """Where a source is now."""

    path: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Moved:
    """A source that is not where it was. name: "scan", or "volume 3". path: where it was."""

    name: str
    path: str

    @property
    def is_scan(self) -> bool:
        return self.name == "scan"


@dataclass(frozen=True)
class Source:
    """A scan or a volume that a project names; see app.bridge.prints for the fields."""

    name: str
    path: str
    sha256: str = ""
    beside: str = ""
    key: str = ""
    files: tuple[str, ...] = ()

    def locate(self, folder: Path | None, prints: Prints) -> Found | Moved:
        """At its path, or, if it is the same by its hash, where it lay as seen from the project's folder."""
        try:
            if _is_there(self.path):
                return Found(self.path, self.files)
            if folder is not None and self.beside and self.sha256:
                path = str((folder / self.beside).resolve())
                files = _moved_along(self.files, self.path, path)
                if _is_there(path) and prints.of(path, files) == self.sha256:
                    return Found(path, files)
        except (OSError, ValueError):
            pass
        return Moved(self.name, self.path)


def sources_of(record: Mapping[str, Any]) -> Iterator[Source]:
    """What a record names; what makes no sense is passed over here, and told when it is to be opened."""
    volumes = record.get("volumes")
    listed = volumes[:MOST_VOLUMES] if isinstance(volumes, list) else []
    for name, said in (("scan", record.get("scan")), *((f"volume {i}", said) for i, said in enumerate(listed))):
        if said is not None:
            try:
                yield _source(name, said)
            except _WRONG:
                continue


class Reader:
    """Opens the scan and the volumes of a project. For the worker's thread.

    told(name, doing, done, of) may raise to stop.
    """

    def __init__(self, engine: Engine, prints: Prints, told: Told) -> None:
        self._engine, self._prints, self._told = engine, prints, told

    def restored(
        self, file: ProjectFile, found: Mapping[str, Found], places: Mapping[str, str], *, of_crash: bool
    ) -> Restored:
        """What can be had. places: where moved sources are, by name; those that are in neither are left out.

        of_crash: results that were not saved are still not; else the project holds them.
        """
        made = Restored(file.record)
        for note in file.notes:
            made.miss(note)
        sources = {source.name: source for source in sources_of(file.record)}
        at = {**found, **{name: Found(path) for name, path in places.items()}}
        self._open_scan(made, sources.get("scan"), at)
        self._open_volumes(made, sources, at)
        self._make_runs(made, file, of_crash)
        return made

    def _open_scan(self, made: Restored, source: Source | None, at: Mapping[str, Found]) -> None:
        said = made.record.get("scan")
        if source is None:
            if said is not None:
                made.miss("Which scan was open could not be read.")
            return
        name = Path(source.path).name
        if source.name not in at:
            made.miss(f"{name} was not found; the images of its runs are shown in Review.")
            return
        try:
            self._told(name, "Reading", 0, 0)
            made.scan = self._scan_of(said["source"], at[source.name].path)
            self._compare(made, source, at[source.name])
        except UserError as error:
            made.miss(f"{name} could not be opened: {error}")
        except _WRONG as error:
            made.miss(f"{name} could not be opened: {type(error).__name__}.")

    def _scan_of(self, said: Mapping[str, Any], path: str) -> OpenScan:
        """As app.bridge.file_desk opens it."""
        axes, domain = str(said.get("axes", "")), str(said.get("domain", "kspace"))
        scan = self._engine.open_scan(path, axes, domain)
        facts = facts_of(self._engine.describe(scan))
        source = ScanSource(path, axes, domain)
        return OpenScan(source, scan, facts, scan.fully_sampled, single_slices(scan), measured_of(scan))

    def _open_volumes(self, made: Restored, sources: Mapping[str, Source], at: Mapping[str, Found]) -> None:
        listed = made.record.get("volumes")
        if not isinstance(listed, list):
            made.miss("The list of volumes could not be read.")
            return
        for place, said in enumerate(listed[:MOST_VOLUMES]):
            source = sources.get(f"volume {place}")
            if source is None:
                made.miss(f"Which volume {place + 1} was could not be read.")
                continue
            name = Path(source.path).name
            if source.name not in at:
                made.miss(f"{name} was not found and was left out.")
                continue
            try:
                where = at[source.name]
                opened, entry = self._volume_of(source, where, said)
                made.volumes.append((place, item_of_volume(opened)))
                if entry is not None:
                    made.entries[opened.path] = entry
                self._compare(made, source, where)
            except UserError as error:
                made.miss(f"{name} could not be opened: {error}")
            except _WRONG as error:
                made.miss(f"{name} could not be opened: {type(error).__name__}.")

    def _volume_of(self, source: Source, where: Found, said: Mapping[str, Any]) -> tuple[Opened, Entry | None]:
        """A series that was chosen in a folder is opened as that, also where only its folder is known now."""

        def told(doing: str, done: int, of: int) -> None:
            self._told(Path(source.path).name, doing, done, of)

        told("Reading", 0, 0)
        entry = None
        if source.key and where.files:
            series = said["series"]
            entry = Entry("series", str(series["name"]), where.path, where.files, int(series["count"]), key=source.key)
        elif source.key and Path(where.path).is_dir():
            entry = next((e for e in self._engine.contents(where.path, told) if e.key == source.key), None)
        if entry is not None:
            return self._engine.open_entry(entry, told), entry
        return self._engine.view_volume(where.path, told), None

    def _compare(self, made: Restored, source: Source, where: Found) -> None:
        """Another hash is told; it is no reason not to open what is there."""
        now = self._prints.of(where.path, where.files)
        whole = where.files or not source.files
        if whole and source.sha256 and now and now != source.sha256:
            name = Path(where.path).name
            made.notes.append(f"{name} is not the same as when the project was saved: its contents have changed.")

    def _make_runs(self, made: Restored, file: ProjectFile, of_crash: bool) -> None:
        opened = made.scan
        scan, path = (opened.scan, opened.source.path) if opened is not None else (None, None)
        reader = RunReader(file.arrays, file.damaged, scan, path)
        runs = list(reader.runs_from(file.record.get("runs")))
        for sentence in dict.fromkeys(reader.missing):
            made.miss(sentence)
        unsaved = file.record.get("unsaved")
        for place, run in runs:
            run.saved = not (of_crash and isinstance(unsaved, list) and place in unsaved)
        made.runs = runs
        if made.scan is not None:
            made.offered = offered_by([run for _, run in runs])
            return
        said = file.record.get("scan")
        marks = said.get("marks") if isinstance(said, dict) else None
        words = tuple(str(mark) for mark in marks) if isinstance(marks, list) else ()
        items = [item_of_orphan(place + 1, run, words) for place, run in runs]
        made.volumes += [(-1, item) for item in items if item is not None]
        made.runs = []


def _source(name: str, said: Mapping[str, Any]) -> Source:
    series = said.get("series")
    files = tuple(_text(file) for file in series["files"]) if series else ()
    key = _text(series["key"]) if series else ""
    source = Source(name, _text(said["path"]), _text(said.get("sha256", "")), _text(said.get("beside", "")), key, files)
    if not source.path or "\0" in source.path + source.beside + "".join(files):
        raise ValueError("no path")
    return source


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _is_there(path: str) -> bool:
    """A file or a folder, or the two files of BART that share a stem."""
    return Path(path).exists() or Path(f"{path}.cfl").exists()


def _moved_along(files: tuple[str, ...], before: str, now: str) -> tuple[str, ...]:
    """The files of a series whose first one has moved, the others with it."""
    old, new = Path(before).parent, Path(now).parent
    return tuple(str(new / Path(file).relative_to(old)) for file in files)
