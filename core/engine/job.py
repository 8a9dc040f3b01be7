"""What a run is: which scan, read how, reconstructed with which settings."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from core.engine.reference_source import ReferenceSource
from core.engine.settings import ReconSettings
from core.errors import JobError
from core.scan import Scan

MOST_BRANCHES = 16
"""One upon the other. All of them may have to be walked again."""


@dataclass(frozen=True)
class ScanSource:
    """How to get the scan from its file again.

    axes and domain are for plain arrays (see core.formats). undersample: "KIND:R[:ACS[:SEED]]" for an undersampling on
    purpose of MRI, "every:N" and its like for CT (see core.operators.thinning), else "". slices: (first, one past the
    last) of the slices to reconstruct, or None for all. center: detector column of the rotation axis, or None for what
    the reader found. size: pixels a side of a CT image, 0 for what suits the scan.
    """

    path: str
    axes: str = ""
    domain: str = "kspace"
    undersample: str = ""
    slices: tuple[int, int] | None = None
    center: float | None = None
    size: int = 0


@dataclass(frozen=True)
class Branch:
    """Where a run leaves another: after `step` steps of every sample that `job` draws; see core.engine.branch."""

    job: JobSpec
    step: int

    def to_dict(self) -> dict[str, Any]:
        return {"job": self.job.to_dict(), "step": self.step}


@dataclass(frozen=True)
class JobSpec:
    """One run.

    scan: the file's scan if it is open already (before undersampling and slices), else it is read. threads: of the
    processor, 0 for all. keep_at: end after this step and keep what there is, or None; so a kept run can be made again.
    keep_image: the classical image to end with, for one that was kept before its method began, else "".
    samples_at_once: samples that are drawn side by side, 0 for as many as fit into memory. start: the run that this one
    branches from, or None; the settings hold from there on. reference: what its image is compared with.
    """

    source: ScanSource
    settings: ReconSettings = field(default_factory=ReconSettings)
    scan: Scan | None = field(default=None, repr=False, compare=False)
    threads: int = 0
    keep_at: int | None = None
    keep_image: str = ""
    samples_at_once: int = 0
    start: Branch | None = None
    reference: ReferenceSource = field(default_factory=ReferenceSource)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the scan itself, ready for JSON."""
        branch = {} if self.start is None else {"start": self.start.to_dict()}
        usual = self.reference == ReferenceSource()
        against = {} if usual else {"reference": self.reference.to_dict()}
        return {
            "source": dataclasses.asdict(self.source),
            "settings": self.settings.to_dict(),
            "threads": self.threads,
            "keep_at": self.keep_at,
            "keep_image": self.keep_image,
            "samples_at_once": self.samples_at_once,
            **branch,
            **against,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any], depth: int = 0) -> JobSpec:
        """The inverse of to_dict. Raises JobError when something is missing or wrong.

        depth: how many runs branch from this one.
        """
        if depth > MOST_BRANCHES:
            raise JobError("The job cannot be read.", f"It branches more than {MOST_BRANCHES} times.")
        try:
            source = dict(values["source"])
            if source.get("slices") is not None:
                source["slices"] = tuple(source["slices"])
            settings = ReconSettings.from_dict(values["settings"])
            return cls(
                ScanSource(**source),
                settings,
                threads=values["threads"],
                keep_at=values["keep_at"],
                keep_image=str(values.get("keep_image", "")),
                samples_at_once=int(values.get("samples_at_once", 0)),
                start=cls._branch(values.get("start"), depth + 1),
                reference=ReferenceSource.from_dict(values.get("reference", {})),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise JobError("The job cannot be read.", f"Something is missing or wrong: {error}.") from error

    @classmethod
    def _branch(cls, values: dict[str, Any] | None, depth: int) -> Branch | None:
        return None if values is None else Branch(cls.from_dict(values["job"], depth), int(values["step"]))
