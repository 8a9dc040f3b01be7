"""What may come of opening a file: something, or an error in words; nothing else, and nothing outside its folder."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import UserError
from tests.fuzz.targets import Target

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FORBIDDEN = ("os.system", "socket.connect", "pickle.find_class", "os.exec", "os.posix_spawn", "os.symlink", "os.link")
_CHANGING = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "shutil.rmtree", "os.truncate")


@dataclass(frozen=True)
class Find:
    """Something that must not be. kind: "exception", "memory", "outside" or "told". where: tells finds apart."""

    kind: str
    where: str
    detail: str


class Watch:
    """Notes what a reader does outside the folder that it was given. There is one of a process: hooks stay."""

    def __init__(self) -> None:
        self.folder: str = ""
        self.seen: list[str] = []
        sys.addaudithook(self._note)

    def _note(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.folder:
            return
        if event in _FORBIDDEN or event.startswith("os.spawn"):
            self.seen.append(f"{event} {args!r:.200}")
        elif event in _CHANGING and not self._inside(args[0]):
            self.seen.append(f"{event} {args[0]!r:.200}")
        elif event == "open" and not isinstance(args[0], int):
            near = str(args[0]).startswith(os.path.dirname(self.folder)) or "hostname" in str(args[0])
            writes = bool((args[2] or 0) & _WRITING) or any(c in str(args[1] or "") for c in "wax+")
            if (near or writes) and not self._inside(args[0]) and str(args[0]) != os.devnull:
                self.seen.append(f"{'writes' if writes else 'reads'} {args[0]!r:.200}")

    def _inside(self, path: Any) -> bool:
        return isinstance(path, int) or os.path.realpath(os.fsdecode(path)).startswith(self.folder)

    @contextmanager
    def over(self, folder: Path) -> Iterator[list[str]]:
        self.folder, self.seen = os.path.realpath(folder), []
        try:
            yield self.seen
        finally:
            self.folder = ""


def judged(target: Target, file: Path, watch: Watch | None = None, box: Path | None = None) -> Find | None:
    """What is wrong with how a target takes a file, or None. box: the folder that it may not leave."""
    if watch is None:
        return _touched(target, file)
    with watch.over(box or file.parent) as seen:
        found = _touched(target, file)
    return Find("outside", seen[0], "\n".join(seen)) if seen else found


def _touched(target: Target, file: Path) -> Find | None:
    try:
        target.touch(file)
    except UserError as error:
        memory = next((e for e in _causes(error) if isinstance(e, MemoryError)), None)
        if memory is not None:
            return Find("memory", _place(memory), _told(memory))
        if not error.what.endswith((".", "?", "…")) or "Traceback" in str(error) or len(str(error)) > 3000:
            return Find("told", _place(error), str(error)[:3000])
    except MemoryError as error:
        return Find("memory", _place(error), _told(error))
    except Exception as error:
        return Find("exception", f"{type(error).__name__} {_place(error)}", _told(error))
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _place(error: BaseException) -> str:
    """The innermost line of ours, and where it ended."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/core/" in f.filename and "site-packages" not in f.filename]
    return " ".join(f"{Path(f.filename).name}:{f.lineno}" for f in (*ours[-1:], *frames[-1:]))


def _told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-4000:]
