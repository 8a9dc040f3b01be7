"""From a job to its scan: read, with the axis and the image size that the user asked for, undersampled on purpose."""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from core.engine.job import JobSpec, ScanSource
from core.errors import ScanError
from core.formats import open_scan
from core.geometry import Grid
from core.operators.masks import parse_undersampling
from core.operators.thinning import thinned
from core.operators.undersample import undersample
from core.projections import Projections
from core.scan import KSpace, Scan


def load_scan(job: JobSpec) -> Scan:
    """The scan of a job, as its file has it."""
    if job.scan is not None:
        return job.scan
    return open_scan(job.source.path, axes=job.source.axes, domain=job.source.domain)


@singledispatch
def as_asked(scan: Scan, source: ScanSource) -> Scan:
    """The scan with the rotation axis and the image size of a source. Raises ScanError where that cannot be."""
    raise TypeError(type(scan))


@as_asked.register
def _(scan: KSpace, source: ScanSource) -> KSpace:
    if source.center is not None or source.size:
        raise ScanError(
            "Rotation axis and image size are for CT.", "This is an MRI scan.", "Leave out --center and --size."
        )
    return scan


@as_asked.register
def _(scan: Projections, source: ScanSource) -> Projections:
    if source.center is not None:
        from core.formats.rotation_centre import recentred

        scan = recentred(scan, source.center)
    return resized(scan, source.size) if source.size else scan


@singledispatch
def undersampled(scan: Scan, text: str) -> Scan:
    """The scan with what a text leaves out on purpose; see core.operators.masks and core.operators.thinning."""
    raise TypeError(type(scan))


@undersampled.register
def _(scan: KSpace, text: str) -> KSpace:
    return undersample(scan, parse_undersampling(text)) if text else scan


@undersampled.register
def _(scan: Projections, text: str) -> Projections:
    return thinned(scan, text) if text else scan


def resized(scan: Projections, size: int) -> Projections:
    """The scan with an image of size x size pixels over the same extent. Raises ScanError for no such size."""
    depth, height, width = scan.grid.shape
    if not 8 <= size <= 8192:
        raise ScanError(f"An image of {size} x {size} pixels cannot be made.", "", "Use 8 to 8192.")
    dx, dy, dz = scan.grid.spacing_mm
    factors = np.array([width / size, height / size, 1.0])
    grid = Grid((depth, size, size), (dx * factors[0], dy * factors[1], dz), scan.grid.centre_mm)
    affine = scan.affine
    if affine is not None:
        affine = affine.copy()
        affine[:3, 3] += affine[:3, :3] @ ((factors - 1) / 2)
        affine[:3, :3] = affine[:3, :3] * factors
    return scan.with_changes(grid=grid, affine=affine)
