"""Where an unfinished session is kept, so that it can be offered again when the program has ended unexpectedly."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QLockFile

from core.formats.project_file import ENDING

PRIVATE = 0o700
_NAME = "recovery"
RUN = "run"
"""Begins the names of places for runs, see core.engine.checkpoint."""
_MOST_WINDOWS = 1000


def recovery_folder() -> Path:
    """$DDS_VIEWER_STATE, or the user's folder for what programs remember of their state."""
    named = os.environ.get("DDS_VIEWER_STATE")
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_state_dir("dds-viewer", appauthor=False)) / "recovery"


@dataclass(frozen=True, eq=False)
class Place:
    """The files of one session, and the lock that says that its window is still there.

    file: the project with its images. record: a later record of it, written alone while the images stay the same.
    """

    file: Path
    lock: QLockFile

    @property
    def record(self) -> Path:
        return self.file.with_suffix(".json")

    def discard(self) -> None:
        """Delete the files, and give up the place."""
        leftover = self.file.parent.glob(f".{self.file.stem}.*")
        for file in (self.file, self.record, *leftover):
            with suppress(OSError):
                file.unlink(missing_ok=True)
        self.lock.unlock()

    def leave(self) -> None:
        """Keep the files for another time."""
        self.lock.unlock()


def claim(folder: Path, name: str = _NAME, ending: str = ENDING) -> Place:
    """A place of this process's own. Raises OSError where the folder cannot be made or written to."""
    folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    for number in range(_MOST_WINDOWS):
        file = folder / f"{name}-{os.getpid()}-{number}{ending}"
        lock = _lock_of(file)
        if lock.tryLock(0):
            if not file.exists():
                return Place(file, lock)
            lock.unlock()  # of an earlier process with the same number
        elif lock.error() is not QLockFile.LockError.LockFailedError:
            raise OSError(f"{folder} cannot be written to")
    raise OSError(f"{folder} is full")


def left_behind(folder: Path, name: str = _NAME, ending: str = ENDING) -> list[Place]:
    """The places whose windows are gone, locked for this one, the latest first."""
    found = []
    with suppress(OSError):
        for file in folder.glob(f"{name}-*{ending}"):
            lock = _lock_of(file)
            if lock.tryLock(0):
                found.append((file.stat().st_mtime_ns, Place(file, lock)))
    return [place for _, place in sorted(found, key=lambda pair: -pair[0])]


def _lock_of(file: Path) -> QLockFile:
    lock = QLockFile(str(file.with_suffix(".lock")))
    lock.setStaleLockTime(0)  # however old, a lock holds as long as its process lives
    return lock
