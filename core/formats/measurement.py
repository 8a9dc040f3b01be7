"""What the readers of scanner files gather, and the scan that is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from core.formats.encoding import Encoding
from core.formats.noise import NoiseScan, edge_noise, whitening_matrix
from core.formats.patient import SlicePlaces, stack_slices
from core.formats.readouts import Gathered, Lines, gather
from core.orientation import Affine
from core.scan import BoolArray, Complex64Array, KSpace, Provenance, sampled_centre

_LEAST_CALIBRATION = 4
_NOISE_TOLERANCE = 1.4


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
    contrasts, repetitions, slices = (int(getattr(lines, a).max()) + 1 for a in ("contrast", "repetition", "slice"))
    whitening = _whitening(measured)
    gathered = gather(lines, e, (contrasts, repetitions, slices), whitening)
    if e.nx < e.nx_full:
        measured.done.append(f"Readout oversampling removed ({e.nx_full} to {e.nx}).")
    averages = _averages(gathered, measured)
    calibration = _calibration(measured, slices, whitening)
    order, affine = _stack(measured, slices)
    data, mask = gathered.data, gathered.count > 0
    if order != list(range(slices)):
        measured.done.append("Slices sorted by their position.")
        data, mask = data[:, :, order], mask[:, :, order]
        calibration = None if calibration is None else calibration[order]
    mask = compact(mask)
    noise_std = _noise_level(measured, edge_noise(data, mask), whitening is not None, averages)
    if measured.field_of_view is None:
        measured.not_understood.append("The field of view is not given.")
    return KSpace(
        data,
        mask,
        (e.nz, e.ny, e.nx),
        replace(provenance, done=_once(measured.done), not_understood=_once(measured.not_understood)),
        calibration=calibration,
        field_of_view_mm=measured.field_of_view,
        affine=affine,
        averages=averages,
        whitened=whitening is not None,
        simulated=measured.simulated,
        noise_std=noise_std,
    )


def _once(sentences: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentences))


def _stack(measured: Measurement, slices: int) -> tuple[list[int], Affine | None]:
    """The order of the slices in space and the affine of the stack."""
    if measured.places is None:
        return list(range(slices)), None
    e = measured.encoding
    stack = stack_slices(measured.places, (e.nz, e.ny, e.nx), measured.field_of_view, slab=e.nz > 1)
    if stack.note:
        measured.not_understood.append(stack.note)
    return list(stack.order), stack.affine


def _noise_level(measured: Measurement, at_edge: float | None, whitened: bool, averages: int) -> float | None:
    """Standard deviation per real and imaginary part: as whitening makes it, unless the data plainly say otherwise."""
    if not whitened:
        return at_edge
    level = float(np.sqrt(0.5 / averages))
    if at_edge is None or 1 / _NOISE_TOLERANCE < at_edge / level < _NOISE_TOLERANCE:
        return level
    measured.not_understood.append(
        f"The noise at the edge of k-space is {at_edge / level:.2g} times what the noise scan tells."
    )
    return at_edge


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
    matrix = whitening_matrix(measured.noise)
    if matrix is None:
        measured.not_understood.append("The noise scan was not used: it has too few samples, or a silent coil.")
        return None
    count = measured.noise.samples.shape[1]
    measured.done.append(f"Coils whitened by the noise scan ({count} samples).")
    return matrix


def _averages(gathered: Gathered, measured: Measurement) -> int:
    """The usual number of measurements of a place that was measured at all."""
    counts = gathered.count[gathered.count > 0]
    if not counts.size:
        return 1
    usual, least, most = int(np.median(counts)), int(counts.min()), int(counts.max())
    if usual > 1:
        measured.done.append(f"{usual} averages averaged.")
    if least != most:
        measured.not_understood.append(f"Places of k-space were measured {least} to {most} times; each was averaged.")
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
