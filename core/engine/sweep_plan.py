"""What a sweep does: one scan, one or two settings over their values, and the cells that come of it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.engine.job import JobSpec, ScanSource
from core.engine.offers import methods_for, settings_of
from core.engine.presets import default_prior, settings_for, usual
from core.engine.reference_source import ReferenceSource, digest_of_source, file_hash
from core.engine.settings import ReconSettings, help_of
from core.engine.settings_text import SOURCE_TYPES
from core.engine.tasks import Task, digest_of
from core.errors import JobError, PriorError
from core.formats.fingerprint import signature_of
from core.priors.catalogue import find_prior
from core.scan import Scan

MOST_AXES = 2
MOST_CELLS = 10_000
"""Of any sweep; those with more than core.engine.sweep.MANY must be asked for."""

_TIES = ("lam", "admm_steps", "along")


@dataclass(frozen=True)
class Axis:
    """A setting that is varied, or "undersample", "center" or "size" of the source, and its values in their order."""

    name: str
    values: tuple[Any, ...]

    @property
    def label(self) -> str:
        """For a person."""
        return _LABELS[self.name] if self.name in SOURCE_TYPES else help_of(self.name).label


@dataclass(frozen=True)
class SweepPlan:
    """A sweep, checked. cells run along the last axis first. scan: as its file has it."""

    source: ScanSource
    axes: tuple[Axis, ...]
    cells: tuple[Task, ...]
    scan: Scan = field(repr=False, compare=False)


def plan_sweep(
    scan: Scan,
    source: ScanSource,
    axes: Sequence[Axis],
    given: Mapping[str, Any] | None = None,
    preset: str = "",
    reference: ReferenceSource | None = None,
    keep_images: bool = False,
    threads: int = 0,
) -> SweepPlan:
    """The cells of a sweep of a scan. Raises JobError or ScanError, in words, for one that cannot be.

    given: settings that stay the same. reference: what to compare with; None for the full scan, where it is
    undersampled on purpose. threads: as in JobSpec.
    """
    _check_axes(axes)
    against = digest_of_source(reference or ReferenceSource())
    cells: list[Task] = []
    for values in itertools.product(*(axis.values for axis in axes)):
        chosen = dict(zip((axis.name for axis in axes), values, strict=True))
        job = job_for(scan, _source(source, chosen), {**(given or {}), **chosen}, preset, threads)
        job = replace(job, reference=reference or ReferenceSource())
        _check_meaning(axes, job.settings, scan)
        name = ", ".join(f"{key} {worded(value)}" for key, value in chosen.items())
        digest = digest_of(job, scan.provenance.sha256, prior_hash(job.settings), against)
        cells.append(Task(len(cells) + 1, name, job, digest, chosen, keep_images))
    return SweepPlan(source, tuple(axes), tuple(cells), scan)


def job_for(scan: Scan, source: ScanSource, given: Mapping[str, Any], preset: str = "", threads: int = 0) -> JobSpec:
    """The job of a scan where some settings are given; the rest is what `dds-viewer recon` would take.

    What `given` holds of the source is left to `source`. Raises JobError.
    """
    named = {name: value for name, value in given.items() if name not in SOURCE_TYPES}
    method = str(named.get("method", ReconSettings.method))
    if method not in methods_for(scan):
        raise JobError(f"The method {method} does not fit this scan.", "", f"Use {', '.join(methods_for(scan))}.")
    settings = settings_for(preset=preset, **{"prior": default_prior(scan), **usual(scan, method), **named})
    return JobSpec(source, settings, scan, threads)


def prior_hash(settings: ReconSettings) -> str:
    """SHA-256 of the prior's weights; "" for methods without one, and where the prior is not on this machine."""
    if settings.method != "dds":
        return ""
    try:
        path = find_prior(settings.prior)
    except PriorError:
        return ""
    return file_hash(str(path), signature_of(path))


def worded(value: Any) -> str:
    """A value of a setting, as short as it can be told."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _source(source: ScanSource, chosen: Mapping[str, Any]) -> ScanSource:
    return replace(source, **{name: value for name, value in chosen.items() if name in SOURCE_TYPES})


def _check_axes(axes: Sequence[Axis]) -> None:
    names = [axis.name for axis in axes]
    if not 1 <= len(names) <= MOST_AXES:
        raise JobError(
            f"A sweep of {len(names)} settings cannot be shown.", "It is a grid.", "Vary one or two, by --vary."
        )
    if len(set(names)) != len(names):
        raise JobError(f"{names[0]} is varied twice.", "", "Give all its values at once.")
    count = 1
    for axis in axes:
        if not axis.values:
            raise JobError(f"{axis.name} has no values.", "", "Give some.")
        count *= len(axis.values)
    if count > MOST_CELLS:
        raise JobError(f"A sweep of {count} cells is too much.", f"The most is {MOST_CELLS}.", "Take fewer values.")


def _check_meaning(axes: Sequence[Axis], settings: ReconSettings, scan: Scan) -> None:
    """Raise JobError for a setting that would change nothing."""
    used, method = settings_of(settings.method, scan), settings.method
    for axis in axes:
        if axis.name in SOURCE_TYPES:
            continue
        if axis.name not in used:
            raise JobError(
                f"{axis.label} has no meaning for {method} on this scan.",
                "",
                f"Vary one of {', '.join(used)}, or another method.",
            )
        if method == "dds" and axis.name in _TIES and settings.rho == 0:
            raise JobError(f"{axis.label} counts in DDS only where rho is above 0.", "It is 0.", "Give --rho too.")
        if axis.name == "gamma" and settings.noiseless:
            raise JobError("Gamma does not count for noiseless data.", "", "Leave out --noiseless.")


_LABELS = {"undersample": "Undersampling", "center": "Axis of rotation", "size": "Image size"}
