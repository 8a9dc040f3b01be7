"""From an array with named axes to a scan. Shared by the formats that store whole arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.axes import centre_share, in_the_corner
from core.formats.files import require_memory
from core.formats.fourier import remove_oversampling, to_kspace
from core.formats.measurement import compact
from core.formats.noise import edge_noise
from core.scan import KSPACE_AXES, BoolArray, Complex64Array, KSpace, Provenance

_ALL_AXES = ("average", *KSPACE_AXES)
_FILLED = 0.98
_LEAST_SHARE = 0.1
_COPIES = 3


@dataclass(frozen=True)
class Named:
    """An array and what its axes are. names: from KSPACE_AXES and "average". domain: "kspace" or "image".

    keep_x: number of samples along kx to keep by removing readout oversampling, or 0 for all.
    """

    array: npt.NDArray[np.generic]
    names: Sequence[str]
    domain: str = "kspace"
    keep_x: int = 0


def scan_of(named: Named, provenance: Provenance) -> KSpace:
    """Order the axes, transform coil images, average, remove oversampling and find out what was measured.

    Places where every coil holds exactly 0 count as not measured. Raises ScanError.
    """
    data = _ordered(named)
    done, odd = list(provenance.done), list(provenance.not_understood)
    if named.domain == "image":
        data = to_kspace(data, (5, 6, 7))
        done.append("Coil images transformed to k-space.")
        mask = np.ones((1, 1, 1, *data.shape[5:7], 1), dtype=np.bool_)
        averages = data.shape[0]
        data = data.mean(axis=0)
    else:
        data, mask, averages = _average(data)
        _check_centre(data, odd)
    if averages > 1:
        done.append(f"{averages} averages averaged.")
    if 0 < named.keep_x < data.shape[-1]:
        done.append(f"Readout oversampling removed ({data.shape[-1]} to {named.keep_x}).")
        data, mask = _without_oversampling(data, mask, named.keep_x)
    mask = compact(mask)
    nz, ny, nx = data.shape[4:]
    return KSpace(
        data,
        mask,
        (nz, ny, nx),
        replace(provenance, done=tuple(done), not_understood=tuple(odd)),
        averages=averages,
        noise_std=edge_noise(data, mask),
    )


def _ordered(named: Named) -> Complex64Array:
    """The array as complex64 with axes (average, *KSPACE_AXES)."""
    array = named.array
    if array.dtype.kind not in "fciu":
        raise ScanError("The array does not hold numbers.", f"Its type is {array.dtype}.", "Choose another variable.")
    require_memory(_COPIES * 8.0 * array.size, "The array")
    if 0 in array.shape:
        empty = named.names[array.shape.index(0)]
        raise ScanError(f"The scan has no {empty}.", f"The array has shape {array.shape}.", "Check the file.")
    present = [n for n in _ALL_AXES if n in named.names]
    moved = array.transpose([list(named.names).index(n) for n in present])
    sizes = dict(zip(present, moved.shape, strict=True))
    with np.errstate(over="ignore", invalid="ignore"):
        plain = np.ascontiguousarray(moved, dtype=np.complex64)
    if named.domain == "kspace" and array.dtype.kind != "c":
        raise ScanError(
            "The k-space holds real numbers only.",
            "Without its imaginary part no image can be made.",
            "Save complex numbers; or, if these are coil images, say --domain image.",
        )
    if not np.isfinite(plain.view(np.float32)).all():
        raise ScanError(
            "The k-space holds NaN or infinite numbers.",
            "A damaged file or a failed conversion leaves such values.",
            "Export the scan again from its source.",
        )
    return plain.reshape([sizes.get(n, 1) for n in _ALL_AXES])


def _average(data: Complex64Array) -> tuple[Complex64Array, BoolArray, int]:
    """The mean over averages at the places that each has measured, the sampling pattern, and the usual count."""
    measured = (data != 0).any(axis=4)
    if len(data) == 1:
        return data[0], _pattern(measured[0]), 1
    count = measured.sum(axis=0)
    mean = data.sum(axis=0) / np.maximum(count, 1)[:, :, :, None].astype(np.float32)
    usual = int(np.median(count[count > 0])) if count.any() else 1
    return mean.astype(np.complex64, copy=False), _pattern(count > 0), usual


def _pattern(measured: BoolArray) -> BoolArray:
    """Whole lines where nearly all of each measured line was measured, else every place on its own."""
    lines: BoolArray = np.logical_or.reduce(measured, axis=-1, keepdims=True)
    if measured.sum() >= _FILLED * lines.sum() * measured.shape[-1]:
        return lines
    return measured


def _without_oversampling(data: Complex64Array, mask: BoolArray, keep: int) -> tuple[Complex64Array, BoolArray]:
    full = data.shape[-1]
    kept = np.stack([remove_oversampling(contrast, keep) for contrast in data])
    if mask.shape[-1] == 1:
        return kept, mask
    source = np.round((np.arange(keep) - keep // 2) * full / keep).astype(int) + full // 2
    mask = mask[..., np.clip(source, 0, full - 1)]
    return kept * mask[:, :, :, None], mask


def _check_centre(data: Complex64Array, odd: list[str]) -> None:
    """Raise ScanError if k = 0 plainly lies in the corner; note it if this does not look like k-space."""
    middle = data[0, 0, data.shape[2] // 2, :, data.shape[4] // 2]
    energy = np.square(np.abs(middle).astype(np.float64)).sum(axis=0)
    if min(energy.shape) < 16 or not energy.any():
        return
    if in_the_corner(energy):
        raise ScanError(
            "The centre of k-space lies in the corner of the array.",
            "Most of the energy lies there; k = 0 must lie at n // 2.",
            "Save the array after numpy.fft.fftshift over its k-space axes.",
        )
    share = centre_share(energy)
    if share < _LEAST_SHARE:
        odd.append(f"Only {share:.0%} of the energy lies in the middle: this does not look like k-space.")
