"""The packages that this program needs, and their licences: as listed when it was packaged, else as installed here."""

from __future__ import annotations

import importlib.metadata as metadata
import json
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import core

PROGRAM = "dds-viewer"
LIST = "licences.json"
"""In the package `resources`, where `write` has put it."""

_TEXTS = re.compile(r"(licen[cs]e|copying|notice)", re.IGNORECASE)
_LONGEST_NAME = 140
_LONGEST_TEXT = 2**20
_BY_CLASSIFIER = {
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_BY_WORDS = {
    "Apache 2.0": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "MIT License": "MIT",
}
_OF_THE_GNU = ("LGPL-3.0", "GPL-3.0")
"""The texts of these come with the program: packages under them leave them out."""


@dataclass(frozen=True)
class Package:
    """licence: its SPDX expression or name, "" where the package does not say. text: of its licences, may be ""."""

    name: str
    version: str
    licence: str
    text: str


@cache
def packages() -> tuple[Package, ...]:
    """The program, then the rest by name.

    Takes a second where the program was not packaged: what is installed is looked through. For a worker thread.
    """
    listed = files("resources") / LIST
    if listed.is_file():
        return tuple(Package(**entry) for entry in json.loads(listed.read_text("utf-8")))
    return installed()


def installed(wanted: Iterable[str] = (PROGRAM,)) -> tuple[Package, ...]:
    """The program, and what is installed here of all that some requirements ask for, Python included."""
    found = {name: metadata.distribution(name) for name in needed(wanted)}
    made = [_package(distribution) for name, distribution in found.items() if name != PROGRAM]
    return (_program(), *sorted((_python(), *made), key=lambda package: package.name.lower()))


def needed(wanted: Iterable[str] = (PROGRAM,)) -> tuple[str, ...]:
    """Names of the installed packages that requirements (PEP 508) ask for, and that those ask for in turn."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(each.name), "") for each in map(Requirement, wanted)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        try:
            wants = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            found.discard((name, extra))
            continue
        for want in map(Requirement, wants):
            if want.marker is None or want.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(want.name), each) for each in ("", *want.extras)]
    return tuple(sorted({name for name, _ in found}))


def write(file: Path, wanted: Iterable[str] = (PROGRAM,)) -> int:
    """List what is installed here of what requirements ask for in a JSON file; how many they are."""
    found = installed(wanted)
    file.write_text(json.dumps([asdict(package) for package in found], indent=1, ensure_ascii=False), "utf-8")
    return len(found)


def _package(distribution: metadata.Distribution) -> Package:
    licence = licence_of(distribution)
    texts = [*_own_texts(distribution)]
    if not texts:
        texts = [_bundled(name) for name in _OF_THE_GNU if name in licence]
    return Package(distribution.metadata["Name"], distribution.version, licence, "\n\n".join(texts)[:_LONGEST_TEXT])


def licence_of(distribution: metadata.Distribution) -> str:
    """Its SPDX expression (PEP 639) if it has one, else what older fields say; "" if nothing."""
    said = distribution.metadata
    if expression := said.get("License-Expression"):
        return str(expression)
    words = " ".join((said.get("License") or "").split())
    known = [text.rpartition(" :: ")[2] for text in said.get_all("Classifier", []) if text.startswith("License ::")]
    if words and len(words) <= _LONGEST_NAME and "Copyright" not in words:
        return _BY_WORDS.get(words, words)
    if words.startswith("MIT License"):
        return "MIT"
    return ", ".join(_BY_CLASSIFIER.get(each, each) for each in known)


def _own_texts(distribution: metadata.Distribution) -> Iterator[str]:
    """Files beside the metadata; those of the libraries that a package brings along are named by where they lie."""
    for file in distribution.files or ():
        folder = next((place for place, part in enumerate(file.parts) if part.endswith(".dist-info")), None)
        if folder is None or not _TEXTS.search("/".join(file.parts[folder + 1 :])):
            continue
        try:
            text = Path(str(file.locate())).read_text("utf-8", errors="replace").strip()
        except OSError:
            continue
        place = "/".join(file.parts[folder + 1 :]).removeprefix("licenses/")
        yield f"{place}\n\n{text}" if "/" in place else text


def _bundled(name: str) -> str:
    return (files("resources") / "licences" / f"{name}.txt").read_text("utf-8")


def _program() -> Package:
    """Its licence lies beside its source, or where pip has put it."""
    beside = Path(__file__).parents[1] / "LICENSE"
    text = beside.read_text("utf-8") if beside.is_file() else ""
    if not text:
        with suppress(metadata.PackageNotFoundError):
            text = "\n\n".join(_own_texts(metadata.distribution(PROGRAM)))
    return Package("DDS Viewer", core.__version__, "Apache-2.0", text)


def _python() -> Package:
    file = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    text = file.read_text("utf-8", errors="replace") if file.is_file() else ""
    return Package("Python", sys.version.split()[0], "PSF-2.0", text)
