"""Plug-ins: installed packages that add formats, operators, priors or methods, found by their entry points.

A package names what it adds in its pyproject.toml, under [project.entry-points."dds_viewer.formats"] and its like
(https://packaging.python.org/specifications/entry-points). Finding them reads metadata only; the code of a plug-in is
imported when it is first needed. What is wrong with one is kept in words, and never raised.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LONGEST = 160
_groups: list[Group] = []

FAULTS = (Exception, SystemExit)
"""What the code of a plug-in may raise without the program ending of it."""


@dataclass(frozen=True)
class Plugin:
    """What a package adds. kind: "format", "operator", "prior" or "method". package: its name and version.

    target: where it is, "module" or "module:object". trouble: why it is not used, or "".
    """

    kind: str
    name: str
    package: str
    target: str
    trouble: str = ""

    @property
    def words(self) -> str:
        """One sentence of its trouble, for a person."""
        return f"The {self.kind} {self.name} of {self.package} is not used: {self.trouble}."


class Group:
    """All plug-ins of one kind.

    name: of the group of entry points. needs: the attributes that each must have. taken: the names of what is built in,
    which no plug-in may take. A class is made an object of, without arguments.
    """

    def __init__(self, name: str, kind: str, needs: tuple[str, ...], taken: Callable[[], Collection[str]]) -> None:
        self.name, self.kind, self.needs, self.taken = name, kind, needs, taken
        self._lock = threading.RLock()
        self._found: dict[str, Plugin] | None = None
        self._points: dict[str, EntryPoint] = {}
        self._loaded: dict[str, Any] = {}
        self._others: list[Plugin] = []
        _groups.append(self)

    def names(self) -> tuple[str, ...]:
        """Of those with which nothing is known to be wrong. Nothing is imported."""
        return tuple(plugin.name for plugin in self._look().values() if not plugin.trouble)

    def load(self, name: str) -> Any:
        """The plug-in of a name, imported once; None where there is none or it is of no use."""
        with self._lock:
            known = self._look().get(name)
            if known is None or known.trouble:
                return None
            if name not in self._loaded:
                try:
                    self._loaded[name] = self._checked(self._points[name].load())
                except FAULTS as error:
                    self.failed(name, error)
                    return None
            return self._loaded[name]

    def failed(self, name: str, error: BaseException) -> str:
        """Use a plug-in no more, because of an error; what happened, in words."""
        with self._lock:
            found = self._look()
            trouble = in_short(error)
            if name in found:
                found[name] = replace(found[name], trouble=trouble)
            return trouble

    def package_of(self, name: str) -> str:
        """The package that a plug-in is of, such as "my-methods 1.2"; "" for none."""
        known = self._look().get(name)
        return known.package if known else ""

    def survey(self) -> tuple[Plugin, ...]:
        """All of them, imported to see whether they can be."""
        for name in self.names():
            self.load(name)
        return self.known()

    def known(self) -> tuple[Plugin, ...]:
        """All that were found, with what is known of them so far; of two of one name both."""
        return (*self._look().values(), *self._others)

    def forget(self) -> None:
        """Look again when next asked: packages have been installed or removed."""
        with self._lock:
            self._found = None
            self._points, self._loaded, self._others = {}, {}, []

    def _look(self) -> dict[str, Plugin]:
        with self._lock:
            if self._found is None:
                self._found = {}
                from importlib.metadata import entry_points

                for point in sorted(entry_points(group=self.name), key=lambda p: (p.name, _package(p), p.value)):
                    self._take(point, self._found)
            return self._found

    def _take(self, point: EntryPoint, found: dict[str, Plugin]) -> None:
        plugin = Plugin(self.kind, point.name, _package(point), point.value)
        if not _PLAIN_NAME.fullmatch(point.name):
            self._others.append(replace(plugin, trouble="its name is not up to 64 letters, digits, - and _"))
        elif point.name in self.taken():
            self._others.append(replace(plugin, trouble="the program has one of that name"))
        elif point.name in found:
            self._others.append(replace(plugin, trouble=f"{found[point.name].package} has one of that name"))
        else:
            found[point.name] = plugin
            self._points[point.name] = point

    def _checked(self, loaded: Any) -> Any:
        plugin = loaded() if isinstance(loaded, type) else loaded
        missing = [need for need in self.needs if not hasattr(plugin, need)]
        if missing:
            raise TypeError(f"it has no {', no '.join(missing)}")
        return plugin


def troubles() -> tuple[str, ...]:
    """A sentence for each plug-in that has turned out to be of no use so far."""
    return tuple(plugin.words for group in _groups for plugin in group.known() if plugin.trouble)


def survey() -> tuple[str, ...]:
    """A sentence for each plug-in that is of no use, after all of them have been imported to see."""
    for group in _groups:
        group.survey()
    return troubles()


def in_short(error: BaseException) -> str:
    """An error in some words on one line."""
    words = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".: ")
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown package"
