"""What is written down of an error that nobody foresaw: where in the program it was, and nothing of whom or what.

A report tells the lines of the program that were at work. It holds no values, no words of the error that may quote
them, no names of scans and no folder of the user.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import core
from core.export.whole import write_whole

PRIVATE = 0o700
MOST_REPORTS = 10
ENDING = ".txt"
_NAME, _HARD = "crash", "hard"
_LONGEST = 64 * 1024
_MOST_FRAMES, _MOST_CAUSES = 30, 5
_ROOT = Path(__file__).parents[2]
_PACKAGES = re.compile(r".*[\\/](?:site-packages|dist-packages|lib[\\/]python[\d.]+)[\\/]")
_WORDS_OF_PYTHON = (AttributeError, IndexError, NameError, RecursionError, ZeroDivisionError)
"""Errors whose words tell names of the program only; those of all others may quote a value."""
_QUOTING = re.compile(r"[\\/]|[^\x20-\x7e]")
_MODULES = ("PySide6", "torch", "numpy", "vtk", "pyqtgraph", "h5py", "pydicom")


@dataclass(frozen=True)
class Report:
    """what: one sentence. text: all of it. path: where it was written, None where that failed. mark: alike for errors
    at the same place. hard: the program ended of it."""

    what: str
    text: str
    path: Path | None = None
    mark: str = ""
    hard: bool = False


def crash_folder() -> Path:
    """crashes/ in $DDS_VIEWER_STATE, or in the user's folder for what programs remember of their state."""
    named = os.environ.get("DDS_VIEWER_STATE")
    if named:
        return Path(named) / "crashes"
    import platformdirs

    return Path(platformdirs.user_state_dir("dds-viewer", appauthor=False)) / "crashes"


def report_of(error: BaseException, where: str = "") -> Report:
    """Of an exception, with what caused it. where: the thread. Never raises."""
    try:
        lines = [line for part in _causes(error) for line in _lines_of(part)]
        mark = lines[-1] if lines else ""
        frames = [line for line in lines if line.startswith("  ")]
        mark = f"{type(error).__name__} {frames[-1] if frames else ''}"
    except Exception:  # An error may be made so that looking at it fails.
        lines, mark = [type(error).__name__], type(error).__name__
    what = f"{type(error).__name__} in {where}" if where else type(error).__name__
    return Report(what, _page(what, lines), mark=mark)


def report_of_words(what: str, lines: list[str]) -> Report:
    """Of something else than an exception, such as what Qt says before it ends the program."""
    return Report(what, _page(what, [without_places(line) for line in lines]), mark=what)


def keep(report: Report, folder: Path | None = None) -> Report:
    """The report with the file that it was written to, whole; of the older ones only the latest stay.

    Where it cannot be written it comes back without a path: nothing may go wrong because something went wrong.
    """
    folder = folder or crash_folder()
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        now = datetime.now(UTC)
        path = folder / f"{_NAME}-{now:%Y%m%d-%H%M%S}-{now.microsecond:06d}-{os.getpid()}{ENDING}"
        write_whole(path, ENDING, lambda part: _write(part, report.text))
        _forget_old(folder)
    except Exception:
        return report
    return Report(report.what, report.text, path, report.mark, report.hard)


def hard_path(folder: Path) -> Path:
    """The file that this process's last words go to."""
    return folder / f"{_HARD}-{os.getpid()}{ENDING}"


def take_hard(folder: Path | None = None) -> list[Report]:
    """What processes that ended at once left behind, made into reports; empty files of others are deleted."""
    folder = folder or crash_folder()
    found = []
    with suppress(OSError):
        for path in sorted(folder.glob(f"{_HARD}-*{ENDING}")):
            if _alive(path):
                continue
            with suppress(OSError):
                with path.open("rb") as file:
                    said = file.read(_LONGEST).decode("utf-8", "replace")
                if said.strip():
                    lines = [without_places(line) for line in said.splitlines()]
                    found.append(keep(_hard_report(lines), folder))
                path.unlink()
    return found


def _hard_report(lines: list[str]) -> Report:
    first = lines[0].removeprefix("Fatal Python error: ").strip()
    what = f"The program ended at once ({first})"
    return Report(what, _page(what, lines), mark=what, hard=True)


def without_places(text: str) -> str:
    """Words without folders: of the program's own files the place in it, of all others the name."""
    return re.sub(r"""(?:[A-Za-z]:)?[\\/][^\s"']*(?: [^\s"',]*[\\/][^\s"']*)*""", lambda m: _place_of(m[0]), text)


def _page(what: str, lines: list[str]) -> str:
    head = [
        f"DDS Viewer {core.__version__}: {what}",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"Python {platform.python_version()}, {platform.system()} {platform.release()}, {platform.machine()}",
        ", ".join(_versions()),
        "",
    ]
    return ("\n".join([*head, *lines]) + "\n")[:_LONGEST]


def _versions() -> Iterator[str]:
    """Of what is loaded: nothing is imported for a report."""
    for name in _MODULES:
        module = sys.modules.get(name)
        version = getattr(module, "__version__", "")
        if version:
            yield f"{name} {version}"


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what led to it, the first cause first."""
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and len(found) < _MOST_CAUSES and one not in found:
        found.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return found[::-1]


def _lines_of(error: BaseException) -> Iterator[str]:
    frames = traceback.extract_tb(error.__traceback__)
    for frame in frames[:_MOST_FRAMES]:
        yield f"  {_place_of(frame.filename)}:{frame.lineno} {frame.name}"
    if len(frames) > _MOST_FRAMES:
        yield f"  ... {len(frames) - _MOST_FRAMES} more ..."
        last = frames[-1]
        yield f"  {_place_of(last.filename)}:{last.lineno} {last.name}"
    yield f"{type(error).__name__}{_words_of(error)}"


def _words_of(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno:
        return f": {os.strerror(error.errno)}"
    if type(error) not in _WORDS_OF_PYTHON:
        return ""
    words = str(error).partition("\n")[0][:200]
    return "" if _QUOTING.search(words) else f": {words}"


def _place_of(path: str) -> str:
    """A file as it is named in the program or in a package, without where that lies."""
    with suppress(ValueError, OSError):
        return Path(path).relative_to(_ROOT).as_posix() if not _PACKAGES.match(path) else _PACKAGES.sub("", path)
    return path.replace("\\", "/").rsplit("/", 1)[-1] if path.endswith(".py") else "(a path)"


def _write(part: Path, text: str) -> None:
    part.write_text(text, "utf-8")


def _forget_old(folder: Path) -> None:
    for path in sorted(folder.glob(f"{_NAME}-*{ENDING}"))[:-MOST_REPORTS]:
        path.unlink(missing_ok=True)


def _alive(path: Path) -> bool:
    """The process of a file of last words is still there."""
    import psutil

    number = path.stem.rpartition("-")[2]
    return not number.isdigit() or psutil.pid_exists(int(number))
