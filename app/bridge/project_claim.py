"""That a project file is open in this window and no other, and that it is still what was read or written here."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QLockFile

from core.formats.fingerprint import Signature, signature_of
from core.formats.project_file import ENDING

UNKNOWN: Signature = (("", -1, -1),)
"""Of a file of which it is not known whether it has changed; no file has it."""


@dataclass(eq=False)
class Claim:
    """Of one project file. It ends with `release`, or when it is forgotten.

    lock: a hidden file beside it that names the process, so that windows on other machines see it too; None in a folder
    that may not be written to. seen: of the file when it was read or written here, empty for none.
    """

    path: Path
    lock: QLockFile | None
    seen: Signature = field(default=())

    def is_for(self, path: Path) -> bool:
        """It is of the file at a path, however that is written."""
        return _whole(path) == _whole(self.path)

    def look(self) -> None:
        """The file is now as this window knows it."""
        self.seen = _signature(self.path)

    @property
    def changed(self) -> bool:
        """Something else has written the file since. One that has gone is no loss to write again."""
        now = _signature(self.path)
        return bool(self.seen) and bool(now) and now != self.seen

    def clear_wreckage(self) -> None:
        """Delete what a window that was killed has left half written beside the file; nobody else writes it now."""
        if self.lock is None:
            return
        half_done = re.compile(rf"\.{re.escape(self.path.name[:40])}\.[a-z0-9_]{{8}}{re.escape(ENDING)}")
        with suppress(OSError):
            for file in self.path.parent.glob(".*"):
                if half_done.fullmatch(file.name) and file.is_file():
                    file.unlink()

    def release(self) -> None:
        if self.lock is not None:
            self.lock.unlock()
            self.lock = None


def claim_project(path: Path) -> Claim | None:
    """A claim to a project file; None where another window, here or on another machine, has one.

    That of a process that is gone is taken over. From any thread.
    """
    whole = _whole(path)
    lock = QLockFile(str(whole.with_name(f".{whole.name}.lock")))
    lock.setStaleLockTime(0)  # however old, a lock holds as long as its process lives
    if lock.tryLock(0):
        return Claim(path, lock)
    return None if lock.error() is QLockFile.LockError.LockFailedError else Claim(path, None)


def _whole(path: Path) -> Path:
    with suppress(OSError, RuntimeError):
        return path.resolve()
    return path.absolute()


def _signature(path: Path) -> Signature:
    try:
        return signature_of(path) if path.is_file() else ()
    except (OSError, ValueError):
        return ()
