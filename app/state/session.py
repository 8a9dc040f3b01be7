"""Everything that the window shows, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from psygnal import Signal

from app.state.choice import Choice
from app.state.display import Display
from app.state.kinds import on_the_way
from app.state.measured import Measured
from app.state.naming import public_name, undersampling_words
from app.state.notice import Notice
from app.state.picture import COMPONENTS, VALUE
from app.state.planes import Section, Voxel, resized, sections
from app.state.reference import ReferenceChoice
from app.state.room.room import Room
from app.state.runs import Run, Runs, Shown
from app.state.shelf import Shelf
from app.state.simulation import Simulation
from app.state.undo import History
from app.words import later, tr
from core.engine.job import ScanSource
from core.engine.offers import slices_in, unit_of
from core.formats.axes import AxesGuess
from core.formats.folder import Entry
from core.formats.identity import identity_from
from core.orientation import Affine
from core.scan import Scan

_NAMELESS = later("scan")
THICK = 12
"""Slices from which on the planes across them are worth a look."""


@dataclass(frozen=True)
class OpenScan:
    """A scan that has been read.

    facts: what was found in it, (label, value) in words. fully_sampled: it may be undersampled on purpose. slices: how
    many can be reconstructed one by one. measured: pictures of the measurement itself, by view.
    """

    source: ScanSource
    scan: Scan = field(repr=False)
    facts: tuple[tuple[str, str], ...] = ()
    fully_sampled: bool = False
    slices: int = 1
    measured: dict[str, Measured] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return Path(self.source.path).name

    @property
    def public_name(self) -> str:
        """Its name for titles and names of other files: that of its own, unless it tells who was scanned."""
        return public_name(self.name, identity_from(self.scan.provenance.identifiers), tr(_NAMELESS))

    @property
    def spacing_mm(self) -> tuple[float, float, float] | None:
        """Voxel size (x, y, z), or None if the file does not tell."""
        return self.scan.picture_spacing_mm

    @property
    def affine(self) -> Affine | None:
        """Of the images, or None where the patient's position is not known."""
        return self.scan.picture_affine

    def spacing_of(self, shown: Shown) -> tuple[float, float, float] | None:
        """Of the voxels of a picture, which may have been made with another size."""
        return self._placed(shown)[1]

    def affine_of(self, shown: Shown) -> Affine | None:
        """Of a picture, likewise."""
        return self._placed(shown)[0]

    def _placed(self, shown: Shown) -> tuple[Affine | None, tuple[float, float, float] | None]:
        size = shown.run.job.source.size if shown.run else 0
        if not size or self.spacing_mm is None:
            return self.affine, self.spacing_mm
        return resized(self.affine, self.spacing_mm, self.scan.picture_shape, size)

    @property
    def stack(self) -> int:
        """How many slices lie over one another."""
        return slices_in(self.scan)

    @property
    def is_thick(self) -> bool:
        """The planes across the slices show something; such a stack is opened in its middle."""
        return self.stack >= THICK

    @property
    def marks(self) -> tuple[str, ...]:
        """What must stand in every image of this scan."""
        marks = ("Simulated scan",) if self.scan.simulated else ()
        return (*marks, f"Undersampled on purpose: {self.scan.undersampled}") if self.scan.undersampled else marks

    def marks_of(self, shown: Shown) -> tuple[str, ...]:
        """What must stand in a picture of this scan."""
        left_out = shown.run.job.source.undersample if shown.run else ""
        return (*self.marks, f"Undersampled on purpose: {undersampling_words(left_out)}") if left_out else self.marks


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


@dataclass(frozen=True)
class FolderQuestion:
    """A folder that holds more than one thing that can be opened."""

    path: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Stack:
    """A stack of slices within the frames of a picture, and the voxel where its three planes meet.

    first_frame: of the picture. size: (x, y, z). first_slice: the scan's slice that its first one is.
    """

    first_frame: int
    size: Voxel
    first_slice: int
    at: Voxel
    planes: tuple[Section, Section, Section]
    spacing_mm: tuple[float, float, float]


class Session:
    """The open scan, its runs, how they are shown, the settings chosen, the priors, the scan to simulate, and
    what there is to say."""

    opened = Signal()
    reading_changed = Signal()
    notice_changed = Signal()
    axes_asked = Signal(AxesQuestion)
    folder_asked = Signal(FolderQuestion)
    viewed = Signal(str)
    """A volume of a file has come into the room; its item's key."""
    saved = Signal(str)
    fit_changed = Signal()

    def __init__(self) -> None:
        self.scan: OpenScan | None = None
        self.reading = ""
        self.reading_share: float | None = None
        self.notice: Notice | None = None
        self.runs = Runs()
        self.display = Display()
        self.choice = Choice()
        self.shelf = Shelf()
        self.fit = Fit()
        self.reference = ReferenceChoice()
        self.simulation = Simulation()
        self.history = History()
        self.room = Room()

    def open(self, scan: OpenScan) -> None:
        """Replace what is open."""
        self.scan = scan
        self.runs.clear()
        components = COMPONENTS if unit_of(scan.scan) == "a.u." else (VALUE,)
        self.display.start_over(on_the_way(scan.scan), components, scan.stack // 2 if scan.is_thick else 0)
        self.display.offer_levels({view: m.levels for view, m in scan.measured.items()})
        self.choice.open(scan.scan)
        self.reference.start_over()
        self.opened.emit()

    def shown(self) -> Shown | None:
        """What to show: the picture asked for, or the best there is."""
        view = self.display.view
        measured = self.scan.measured.get(view) if self.scan else None
        return measured.shown(view) if measured else self.runs.shown(view)

    @property
    def shown_slice(self) -> int:
        """Index of the slice on view, counted from 0 in the scan."""
        if self.scan is None:
            return 0
        first, count = self._slices(self.runs.front)
        return first + self.display.frame_of_image % count

    def stack_shown(self, shown: Shown) -> Stack | None:
        """The stack of slices that the frame on view belongs to; None for what is no image, or a single slice."""
        if self.scan is None or shown.run is None:
            return None
        first, count = self._slices(shown.run)
        if count < 2 or shown.picture.frames % count:
            return None
        frame = min(self.display.frame, shown.picture.frames - 1)
        height, width = shown.picture.size
        x, y = self.display.point or (width // 2, height // 2)
        at = (min(x, width - 1), min(y, height - 1), frame % count)
        spacing = self.scan.spacing_of(shown) or (1.0, 1.0, 1.0)
        return Stack(frame - frame % count, (width, height, count), first, at, sections(self.scan.affine), spacing)

    def _slices(self, run: Run | None) -> tuple[int, int]:
        """The first slice of a run's stack, and how many there are."""
        assert self.scan is not None
        chosen = run.job.source.slices if run else None
        first, end = chosen or (0, self.scan.stack)
        return first, end - first

    def set_reading(self, name: str, share: float | None = None) -> None:
        """The name of the file that is being read, or "". share: how much of it has been, None if that is not known."""
        self.reading, self.reading_share = name, share
        self.reading_changed.emit()

    def tell(self, notice: Notice | None) -> None:
        self.notice = notice
        self.notice_changed.emit()

    def set_fit(self, fit: Fit) -> None:
        """How the chosen prior suits the open scan."""
        if fit != self.fit:
            self.fit = fit
            self.fit_changed.emit()
