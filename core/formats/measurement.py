"""What the readers of scanner files gather, and the scan that is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from core.formats.encoding import Encoding
from core.formats.noise import NoiseScan, edge_noise, whitening_matrix
from core.formats.patient import SlicePlaces, stack_slices
from core.formats.readouts import Gathered, Lines, gather
from core.scan import BoolArray, Complex64Array, KSpace, Provenance, sampled_centre

_LEAST_CALIBRATION = 4


@dataclass(frozen=True)
class Measurement:
    """A scan as its file has it.

    imaging: readouts that belong into the image; calibration: readouts for coil maps (they may be among `imaging` too),
    or None; both number their slices as `places` does. encoding holds all imaging lines. field_of_view: (x, y, z) mm
    without oversampling. done, not_understood: sentences of the reader.
    """

    imaging: Lines
    encoding: Encoding
    calibration: Lines | None = None
    noise: NoiseScan | None = None
    places: SlicePlaces | None = None
    field_of_view: tuple[float, float, float] | None = None
    simulated: bool = False
    done: list[str] = field(default_factory=list)
    not_understood: list[str] = field(default_factory=list)


def to_kspace(measured: Measurement, provenance: Provenance) -> KSpace:
    """Sort, whiten, remove the oversampling, average and place. provenance: without done and not_understood."""
    lines, e = measured.imaging, measured.encoding
    matrix = (e.nz, e.ny, e.nx)
    done, odd = measured.done, measured.not_understood
    frames = tuple(int(getattr(lines, a).max()) + 1 for a in ("contrast", "repetition", "slice"))
    whitening = _whitening(measured)
    order = tuple(range(frames[2]))
    affine = None
    if measured.places is not None:
        stack = stack_slices(measured.places, matrix, measured.field_of_view, slab=e.nz > 1)
        order, affine = stack.order, stack.affine
        odd.extend([stack.note] if stack.note else [])
        if order != tuple(sorted(order)):
            done.append("Slices sorted by their position.")
    gathered = gather(lines, e, (frames[0], frames[1], frames[2]), whitening)
    if e.nx < e.nx_full:
        done.append(f"Readout oversampling removed ({e.nx_full} to {e.nx}).")
    averages = _averages(gathered, done, odd)
    calibration = _calibration(measured, frames[2], whitening)
    picked = list(order)
    data, mask = gathered.data, gathered.count > 0
    if order != tuple(range(frames[2])):
        data, mask = data[:, :, picked], mask[:, :, picked]
        calibration = None if calibration is None else calibration[picked]
    mask = compact(mask)
    noise_std = float(np.sqrt(0.5 / averages)) if whitening is not None else edge_noise(data, mask)
    if measured.field_of_view is None:
        odd.append("The field of view is not given.")
    told = Provenance(
        **{**provenance.__dict__, "done": tuple(done), "not_understood": tuple(odd)},
    )
    return KSpace(
        data,
        mask,
        matrix,
        told,
        calibration=calibration,
        field_of_view_mm=measured.field_of_view,
        affine=affine,
        averages=averages,
        whitened=whitening is not None,
        simulated=measured.simulated,
        noise_std=noise_std,
    )


def compact(mask: BoolArray) -> BoolArray:
    """The same pattern with contrast, repetition, slice and kx of size 1 where it does not change along them."""
    for axis in (0, 1, 2, 5):
        first = mask.take([0], axis=axis)
        if mask.shape[axis] > 1 and (mask == first).all():
            mask = first
    return mask


def _whitening(measured: Measurement) -> npt.NDArray[np.complex128] | None:
    if measured.noise is None:
        return None
    matrix = None
    if len(measured.noise.samples) == measured.imaging.coils:
        matrix = whitening_matrix(measured.noise)
    if matrix is None:
        measured.not_understood.append("The noise scan could not be used: it has other coils or too few samples.")
        return None
    count = measured.noise.samples.shape[1]
    measured.done.append(f"Coils whitened by the noise scan ({count} samples).")
    return matrix


def _averages(gathered: Gathered, done: list[str], odd: list[str]) -> int:
    """The usual number of measurements of a place that was measured at all."""
    measured = gathered.count[gathered.count > 0]
    if not measured.size:
        return 1
    usual = int(np.median(measured))
    if usual > 1:
        done.append(f"{usual} averages averaged.")
    if measured.min() != measured.max():
        odd.append(f"Places of k-space were measured {measured.min()} to {measured.max()} times; each was averaged.")
    return usual


def _calibration(
    measured: Measurement, slices: int, whitening: npt.NDArray[np.complex128] | None
) -> Complex64Array | None:
    """The fully sampled centre of the calibration lines, (slice, coil, kz, ky, kx) with k = 0 at n // 2."""
    lines, e = measured.calibration, measured.encoding
    if lines is None:
        return None
    own, image = _places_of(lines), _places_of(measured.imaging)
    y, z = e.ky(lines.ky), e.kz(lines.kz)
    inside = (y >= 0) & (y < e.ny) & (z >= 0) & (z < e.nz)
    lines = lines.where(inside & (lines.contrast == 0))
    single = np.zeros_like(lines.rows)
    centre = None
    if len(lines):
        gathered = gather(replace(lines, contrast=single, repetition=single), e, (1, 1, slices), whitening)
        centre = cut_centre(gathered.data[0, 0], np.logical_and.reduce(gathered.count[0, 0] > 0, axis=0))
    if centre is None:
        measured.not_understood.append("The calibration lines do not cover the centre of k-space; they were not used.")
        return None
    measured.done.append(
        f"{len(own)} calibration lines kept apart for the coil maps; {len(own - image)} of them are not in the image."
    )
    return centre


def _places_of(lines: Lines) -> set[tuple[int, int]]:
    """(kz, ky) of the lines of the first slice, repetition and contrast."""
    first = (lines.slice == lines.slice[0]) & (lines.repetition == 0) & (lines.contrast == 0)
    chosen = lines.where(first)
    return {(int(z), int(y)) for z, y in zip(chosen.kz, chosen.ky, strict=True)}


def cut_centre(data: Complex64Array, measured: BoolArray) -> Complex64Array | None:
    """The fully sampled block around k = 0, cut so that k = 0 lies at its n // 2; None when it has under 4 lines.

    data: (slice, coil, kz, ky, kx). measured: (kz, ky, kx or 1).
    """
    z, y = sampled_centre(np.logical_or.reduce(measured, axis=-1))
    if y.stop - y.start < _LEAST_CALIBRATION:
        return None
    columns = np.broadcast_to(measured[z, y].all(axis=(0, 1)), data.shape[-1:])
    _, x = sampled_centre(columns[None])
    box = [_balanced(part, n) for part, n in zip((z, y, x), data.shape[2:], strict=True)]
    if box[2].stop - box[2].start < _LEAST_CALIBRATION:
        return None
    return np.ascontiguousarray(data[:, :, box[0], box[1], box[2]])


def _balanced(part: slice, n: int) -> slice:
    """The largest part of a range around n // 2 whose own middle, length // 2, is that place."""
    below, above = n // 2 - part.start, part.stop - n // 2 - 1
    below, above = (below, min(above, below)) if below <= above else (min(below, above + 1), above)
    return slice(n // 2 - below, n // 2 + above + 1)
