"""The batch on the bench: its scans, what has become of each, and where the results lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from psygnal import Signal

from app.state.notice import Notice
from app.state.tune.cells import BUSY, Fate, State

FORMATS = {
    "nii.gz": "NIfTI (.nii.gz)",
    "npy": "NumPy (.npy)",
    "nrrd": "NRRD (.nrrd)",
    "dcm": "DICOM series (.dcm)",
}
"""In which results can be written, by the ending."""


@dataclass(eq=False)
class Entry:
    """A scan of a batch. share: of its run that is done. trouble: why it failed, in words. result: where its image is.

    again: it was there from before. seconds: that its run took, None where it is not known.
    """

    path: str
    fate: Fate = Fate.WAITING
    share: float = 0.0
    trouble: str = ""
    result: str = ""
    again: bool = False
    seconds: float | None = None

    @property
    def name(self) -> str:
        return Path(self.path).name

    def reset(self) -> None:
        """As before it was begun."""
        self.fate, self.share, self.trouble = Fate.WAITING, 0.0, ""
        self.result, self.again, self.seconds = "", False, None


class Batch:
    """What the batch tab shows. Whoever does it tells it here, in the window's thread."""

    changed = Signal()
    """Other scans, or another state of the whole."""
    told = Signal(Entry)
    """A scan has news."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.state = State.IDLE
        self.trouble: Notice | None = None
        self.note = ""
        self.workers = self.looking = 0

    @property
    def busy(self) -> bool:
        return self.state in BUSY

    @property
    def share(self) -> float:
        """Of the whole that is over, scans that failed with it."""
        return sum(e.share if e.fate is Fate.RUNNING else e.fate in _OVER for e in self.entries) / max(self.total, 1)

    @property
    def total(self) -> int:
        return len(self.entries)

    @property
    def seconds_left(self) -> float | None:
        """From what the scans have taken that were done now; None before the first of them."""
        spent = [e.seconds for e in self.entries if e.seconds is not None and not e.again]
        if not spent:
            return None
        left = sum(1 - e.share for e in self.entries if e.fate not in _OVER)
        return sum(spent) / len(spent) * left / max(self.workers, 1)

    def count(self, fate: Fate) -> int:
        return sum(entry.fate is fate for entry in self.entries)

    def add(self, paths: Iterable[str]) -> int:
        """More scans; none twice. How many are new; none while it is busy."""
        known = {entry.path for entry in self.entries}
        new = [path for path in dict.fromkeys(str(Path(path).absolute()) for path in paths) if path not in known]
        if self.busy or not new:
            return 0
        self.entries += [Entry(path) for path in new]
        self.note = ""
        self._go(State.IDLE if self.state is State.IDLE else State.STOPPED)
        return len(new)

    def look(self) -> None:
        """A folder is being looked into; `looked` follows."""
        self.looking, self.note = self.looking + 1, ""
        self.changed.emit()

    def looked(self, paths: Iterable[str], note: str = "") -> None:
        """The scans of a folder, or why there are none."""
        self.looking, self.note = self.looking - 1, note
        if not self.add(paths):
            self.changed.emit()

    def remove(self, entries: Iterable[Entry]) -> None:
        """Take scans out of the list; their files and results stay."""
        gone = set(map(id, entries))
        if not self.busy and gone:
            self.entries = [entry for entry in self.entries if id(entry) not in gone]
            self._go(self.state if self.entries else State.IDLE)

    def begin(self) -> None:
        """It is about to be done, or to go on."""
        for entry in self.entries:
            entry.reset()
        self.trouble, self.workers, self.note = None, 0, ""
        self._go(State.PLANNING)

    def going(self) -> None:
        """It can start."""
        self._go(State.RUNNING if self.state is State.PLANNING else self.state)

    def joined(self, workers: int) -> None:
        """So many workers elsewhere do it, side by side."""
        self.workers = workers
        self.changed.emit()

    def started(self, number: int) -> None:
        """Scan `number`, from 1, has begun; once more when its worker was lost."""
        self._tell(number, fate=Fate.RUNNING, share=0.0)

    def stepped(self, number: int, share: float) -> None:
        self._tell(number, fate=Fate.RUNNING, share=share)

    def done(self, number: int, result: str, seconds: float | None, again: bool) -> None:
        """Its image is written."""
        self._tell(number, fate=Fate.DONE, share=1.0, result=result, seconds=seconds, again=again)

    def failed(self, number: int, trouble: str) -> None:
        """It could not be done; the others go on."""
        self._tell(number, fate=Fate.FAILED, trouble=trouble)

    def stopping(self) -> None:
        """The user wants it to end."""
        if self.busy:
            self._go(State.STOPPING)

    def ended(self, trouble: Notice | None = None) -> None:
        """Nothing of it is done any more."""
        for entry in self.entries:
            if entry.fate is Fate.RUNNING:
                entry.reset()
        self.trouble = trouble
        whole = bool(self.entries) and trouble is None and not self.count(Fate.WAITING)
        self._go(State.DONE if whole else State.STOPPED)

    def _tell(self, number: int, **news: object) -> None:
        if 1 <= number <= len(self.entries):
            entry = self.entries[number - 1]
            for name, value in news.items():
                setattr(entry, name, value)
            self.told.emit(entry)

    def _go(self, state: State) -> None:
        self.state = state
        self.changed.emit()


_OVER = (Fate.DONE, Fate.FAILED)
