"""Everything that the window shows, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from psygnal import Signal

from app.state.choice import Choice
from app.state.display import Display
from app.state.notice import Notice
from app.state.runs import Runs
from app.state.shelf import Shelf
from core.engine.job import ScanSource
from core.formats.axes import AxesGuess
from core.scan import Scan


@dataclass(frozen=True)
class OpenScan:
    """A scan that has been read.

    facts: what was found in it, (label, value) in words. fully_sampled: it may be undersampled on purpose. slices: how
    many can be reconstructed one by one.
    """

    source: ScanSource
    scan: Scan = field(repr=False)
    facts: tuple[tuple[str, str], ...] = ()
    fully_sampled: bool = False
    slices: int = 1

    @property
    def name(self) -> str:
        return Path(self.source.path).name

    @property
    def spacing_mm(self) -> tuple[float, float, float] | None:
        """Voxel size (x, y, z), or None if the file does not tell."""
        return self.scan.picture_spacing_mm

    @property
    def marks(self) -> tuple[str, ...]:
        """What must stand in every image of this scan."""
        marks = ("Simulated scan",) if self.scan.simulated else ()
        return (*marks, f"Undersampled on purpose: {self.scan.undersampled}") if self.scan.undersampled else marks


@dataclass(frozen=True)
class Fit:
    """How the chosen prior suits the open scan, before a run: warnings, or the refusal that a run would meet."""

    warnings: tuple[str, ...] = ()
    refusal: Notice | None = None


@dataclass(frozen=True)
class AxesQuestion:
    """A file of plain arrays whose axes the user must name; guesses: one for each array in it."""

    path: str
    guesses: tuple[AxesGuess, ...]


class Session:
    """The open scan, its runs, how they are shown, the settings chosen, the priors, and what there is to say."""

    opened = Signal()
    reading_changed = Signal()
    notice_changed = Signal()
    axes_asked = Signal(AxesQuestion)
    saved = Signal(str)
    fit_changed = Signal()

    def __init__(self) -> None:
        self.scan: OpenScan | None = None
        self.reading = ""
        self.notice: Notice | None = None
        self.runs = Runs()
        self.display = Display()
        self.choice = Choice()
        self.shelf = Shelf()
        self.fit = Fit()

    def open(self, scan: OpenScan) -> None:
        """Replace what is open."""
        self.scan = scan
        self.runs.clear()
        self.display.start_over()
        self.choice.set_undersample("")
        self.choice.set_only_this_slice(False)
        self.opened.emit()

    @property
    def shown_slice(self) -> int:
        """Index of the slice on view, counted from 0 in the scan."""
        if self.scan is None:
            return 0
        front = self.runs.front
        chosen = front.job.source.slices if front else None
        first, end = chosen or (0, max(self.scan.slices, 1))
        return first + self.display.frame % (end - first)

    def set_reading(self, name: str) -> None:
        """The name of the file that is being read, or ""."""
        self.reading = name
        self.reading_changed.emit()

    def tell(self, notice: Notice | None) -> None:
        self.notice = notice
        self.notice_changed.emit()

    def set_fit(self, fit: Fit) -> None:
        """How the chosen prior suits the open scan."""
        if fit != self.fit:
            self.fit = fit
            self.fit_changed.emit()
