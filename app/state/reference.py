"""What the images of the next runs are compared with, as it is chosen in the window."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from psygnal import Signal

from app.state.runs import Run, Runs
from core.engine.reference_source import ReferenceSource


class Against(Enum):
    """What kind of reference is chosen."""

    NOTHING = "nothing"
    OWN_SCAN = "own scan"
    RUN = "run"
    FILE = "file"


class ReferenceChoice:
    """A reference, a mask, and whether they may be resampled. Another scan begins as usual: with the fully sampled
    scan, where some of it is left out on purpose."""

    changed = Signal()

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.against = Against.OWN_SCAN
        self.run: Run | None = None
        self.path = ""
        self.mask = ""
        self.resample = False

    def start_over(self) -> None:
        """Another scan was opened."""
        self._clear()
        self.changed.emit()

    def choose(self, against: Against, run: Run | None = None, path: str = "") -> None:
        """run, path: of the kinds that have one. The path of a file that was chosen before is kept to be offered."""
        self.against, self.run = against, run
        self.path = path or self.path
        self.changed.emit()

    def set_mask(self, path: str) -> None:
        self.mask = path
        self.changed.emit()

    def set_resample(self, resample: bool) -> None:
        self.resample = resample
        self.changed.emit()

    def compares(self, undersample: str) -> bool:
        """Something will be compared. undersample: what a run leaves out on purpose."""
        return self.against in (Against.RUN, Against.FILE) or (self.against is Against.OWN_SCAN and bool(undersample))

    def source(self, undersample: str) -> ReferenceSource:
        """For a job that leaves this out on purpose. The image of a run stays in memory and goes with it."""
        if not self.compares(undersample):
            return ReferenceSource(use=self.against is Against.OWN_SCAN)
        run = self.run if self.against is Against.RUN else None
        return ReferenceSource(
            path=self.path if self.against is Against.FILE else "",
            name=run.name if run is not None else "",
            image=run.volume if run is not None else None,
            mask=self.mask,
            resample=self.resample and bool(self.mask or self.against is not Against.OWN_SCAN),
        )

    def words(self, undersample: str) -> str:
        """What will be compared with, for a person; "" for nothing."""
        if not self.compares(undersample):
            return ""
        named = {Against.FILE: Path(self.path).name, Against.RUN: self.run.name if self.run is not None else ""}
        return named.get(self.against, "the fully sampled scan")

    def follow(self, runs: Runs) -> None:
        """A run that has gone is no reference any more."""
        if self.against is Against.RUN and self.run not in list(runs):
            self.choose(Against.OWN_SCAN)


def offered_runs(runs: Runs) -> list[Run]:
    """The runs that others can be compared with: those with an image, the last one first."""
    return [run for run in reversed(list(runs)) if run.volume is not None]
