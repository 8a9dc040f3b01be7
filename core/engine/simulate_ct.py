"""A CT scan of an image volume that no scanner made: line integrals through it, and photons counted behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import singledispatch

import numpy as np
import numpy.typing as npt

from core.engine.simulated_beams import GEOMETRIES, CtSettings, beam
from core.engine.simulated_volume import affine_of_pixels, check_size, cut_slices, lean_degrees, resampled
from core.errors import JobError
from core.formats.files import require_memory
from core.formats.volume_parts import Opened
from core.geometry import ConeBeam, FanBeam, Geometry, Grid, ParallelBeam
from core.hounsfield import mu_from_hu
from core.operators.photons import counted
from core.projections import Projections
from core.provenance import Provenance
from core.scan import Volume

__all__ = ["GEOMETRIES", "CtSettings", "simulate_ct"]

FloatArray = npt.NDArray[np.float32]
Report = Callable[[int, int], None]

FINER = 2
"""Pixels of the projected image along one of the reconstructed, so that no reconstruction can undo its own sums."""

_SLICES_AT_ONCE = 32
_ENTRIES_AT_ONCE = 1 << 23


def simulate_ct(found: Opened, settings: CtSettings, report: Report | None = None) -> Projections:
    """The scan of a volume in HU: float32 line integrals (row, view, column), marked as simulated.

    Attenuations are those of core.hounsfield, air where the volume says less. Pixels of the volume are projected from a
    grid that is finer than the one to reconstruct, which has the volume's extent and place in the patient. Each slice
    is projected in its own plane; a cone sees slices that lie straight above each other. report(done, of) is called as
    the work goes on. Raises JobError for a volume that is not in HU or settings that make no scan, ScanError where the
    memory does not suffice.
    """
    check_size(settings.size)
    _check(found, settings)
    volume = cut_slices(found.volume, settings.slices)
    old = volume.array.shape[1], volume.array.shape[2]
    new = (settings.size, settings.size) if settings.size else old
    dx, dy, dz = volume.spacing_mm
    spacing = dx * old[1] / new[1], dy * old[0] / new[0], dz
    grid = Grid((len(volume.array), *new), spacing)
    geometry = beam(grid, settings)
    notes = _notes(found, volume, geometry, settings)
    fine = _fine_grid(grid, old)
    _require_memory(geometry, fine)
    data = integrals(geometry, fine, np.asarray(volume.array, dtype=np.float32), report or (lambda done, of: None))
    if settings.photons is not None:
        data, _ = counted(data, settings.photons, settings.seed)
    return Projections(
        data,
        geometry,
        grid,
        Provenance(found.path, "simulated", done=notes),
        affine=None if volume.affine is None else affine_of_pixels(volume.affine, old, new),
        photons=settings.photons,
        hounsfield=True,
        simulated=True,
        contrast=found.contrast,
        anatomy=found.anatomy,
    )


@singledispatch
def integrals(geometry: Geometry, grid: Grid, hu: FloatArray, report: Report) -> FloatArray:
    """Line integrals float32 (row, view, column) through slices in HU (nz, ny, nx), resampled to the grid's pixels."""
    raise TypeError(type(geometry))


@integrals.register(ParallelBeam)
@integrals.register(FanBeam)
def _(geometry: ParallelBeam | FanBeam, grid: Grid, hu: FloatArray, report: Report) -> FloatArray:
    from core.operators.joseph import system_matrix

    nz, ny, nx = grid.shape
    data = np.empty((nz, geometry.views, geometry.detectors), dtype=np.float32)
    for first in range(0, nz, _SLICES_AT_ONCE):
        part = _attenuation(hu[first : first + _SLICES_AT_ONCE], (ny, nx))
        columns = np.ascontiguousarray(part.reshape(len(part), -1).T)
        for views in _view_blocks(geometry, max(ny, nx)):
            sums = system_matrix(geometry, grid, views) @ columns
            data[first : first + len(part), views] = sums.T.reshape(len(part), -1, geometry.detectors)
            report(first * geometry.views + views.stop * len(part), nz * geometry.views)
    return data


@integrals.register
def _(geometry: ConeBeam, grid: Grid, hu: FloatArray, report: Report) -> FloatArray:
    import torch

    from core.operators.tomography import projector

    operator = projector(geometry, grid, geometry.rows, dtype=torch.float32, device="cpu")
    seen = operator.forward(torch.from_numpy(_attenuation(hu, (grid.shape[1], grid.shape[2]))))
    report(geometry.views, geometry.views)
    return np.asarray(seen.numpy(), dtype=np.float32)


def _attenuation(hu: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """1/mm, never below nothing."""
    mu: FloatArray = np.maximum(mu_from_hu(resampled(hu, shape)), np.float32(0)).astype(np.float32)
    return mu


def _view_blocks(geometry: ParallelBeam | FanBeam, side: int) -> Iterator[slice]:
    """So many views at once that their matrix stays small."""
    step = max(1, _ENTRIES_AT_ONCE // (2 * side * geometry.detectors))
    for first in range(0, geometry.views, step):
        yield slice(first, min(first + step, geometry.views))


def _fine_grid(grid: Grid, old: tuple[int, int]) -> Grid:
    """The grid that is projected: the volume's own pixels where they are fine enough, else FINER for each new one."""
    nz, ny, nx = grid.shape
    fine = tuple(o if o >= FINER * n else FINER * n for o, n in zip(old, (ny, nx), strict=True))
    dx, dy, dz = grid.spacing_mm
    return Grid((nz, fine[0], fine[1]), (dx * nx / fine[1], dy * ny / fine[0], dz))


def _require_memory(geometry: Geometry, fine: Grid) -> None:
    """Raise ScanError if projections (in double precision while photons are counted) and image do not fit."""
    nz, ny, nx = fine.shape
    rows, at_once = (geometry.rows, nz) if isinstance(geometry, ConeBeam) else (nz, min(nz, _SLICES_AT_ONCE))
    needed = 24.0 * rows * geometry.views * geometry.detectors + 16.0 * at_once * ny * nx
    require_memory(needed, "The simulated scan")


def _notes(found: Opened, volume: Volume, geometry: Geometry, settings: CtSettings) -> tuple[str, ...]:
    notes = [*found.notes, "Simulated: no scanner made this."]
    lean = lean_degrees(volume.affine)
    if lean:
        kept = (
            "they were taken to lie straight above each other"
            if isinstance(geometry, ConeBeam)
            else ("each was projected in its own plane")
        )
        notes.append(f"The slices lean by {lean:.1f} degrees against their stack; {kept}.")
    if settings.photons is None:
        notes.append("Without noise.")
    return tuple(notes)


def _check(found: Opened, settings: CtSettings) -> None:
    if found.volume.unit != "HU":
        raise JobError(
            "A CT scan cannot be simulated from this volume.",
            "Its voxels are not in Hounsfield units.",
            "Choose a CT volume, or name a number of coils for an MRI scan.",
        )
    if settings.photons is not None and not 1 <= settings.photons <= 1e12:
        raise JobError(f"{settings.photons:g} photons cannot be sent.", "", "Choose from 1 to 1e12 for each ray.")
    if settings.seed < 0:
        raise JobError(f"The seed {settings.seed} is negative.", "", "Choose 0 or more.")
