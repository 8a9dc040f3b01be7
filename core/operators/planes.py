"""A Cartesian scan taken apart into 2-D planes that can be reconstructed on their own, and put together again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.scan import BoolArray, Complex64Array, KSpace, sampled_centre

CALIBRATION_WIDTH = 32
"""Coil maps are smooth: a wider centre than this only costs time."""


@dataclass(frozen=True)
class Planes:
    """k-space planes (a, b) of a scan.

    data: complex64 (n, coils, a, b). mask: bool (n or 1, a, b or 1). calibration: complex64 (positions, coils, ca, cb),
    the fully sampled centre at each position. position_of: (n,) which of them belongs to a plane. keys: a number for
    each plane that stays the same when fewer are chosen. names: one for each frame of the final image. sagittal: the
    planes are (z, y) at fixed x and have to be turned at the end. readout_down: x and y change places in the image.
    """

    data: Complex64Array
    mask: BoolArray
    calibration: tuple[Complex64Array, ...]
    position_of: npt.NDArray[np.int64]
    keys: tuple[int, ...]
    names: tuple[str, ...]
    sagittal: bool = False
    readout_down: bool = False

    def to_frames(self, images: npt.NDArray[np.complex64]) -> npt.NDArray[np.complex64]:
        """Images of the planes (n, a, b) as frames (n', y, x), slices fastest, then repetitions, then contrasts."""
        if self.sagittal:
            stacks = images.reshape(-1, len(self.calibration), *images.shape[1:])
            images = stacks.transpose(0, 2, 3, 1).reshape(-1, images.shape[2], stacks.shape[1])
        return np.ascontiguousarray(images.swapaxes(1, 2) if self.readout_down else images)


def to_planes(scan: KSpace, slices: tuple[int, int] | None = None) -> Planes:
    """Take a scan apart: by slices, by z where every kz was measured alike (3-D), else by x (3-D, full readouts).

    slices: (first, one past the last). Raises ScanError when there are no such slices or the centre of k-space is not
    fully sampled.
    """
    if not scan.every_kz_alike:
        return _by_readout(scan, slices)
    if scan.is_3d:
        scan = _transform_kz(scan)
    contrasts, repetitions, total = _frame_axes(scan)
    chosen = range(*slices) if slices else range(total)
    scan = _choose(scan, slices)
    sizes = scan.sizes
    frames = contrasts * repetitions * len(chosen)
    mask = np.broadcast_to(scan.mask, (*_frame_axes(scan), 1, *scan.mask.shape[-2:]))
    mask = mask.reshape(frames, *mask.shape[-2:])
    mask = mask[:1] if (mask == mask[:1]).all() else mask
    data = scan.data.reshape(-1, sizes["coil"], sizes["ky"], sizes["kx"])
    own = scan.calibration
    calibration = tuple(
        own[s, :, 0] if own is not None else _centre_of(data[s], mask[s % len(mask)]) for s in range(len(chosen))
    )
    keys = tuple(f * total + s for f in range(contrasts * repetitions) for s in chosen)
    names = frame_names(contrasts, repetitions, total, chosen)
    positions = np.arange(frames) % len(chosen)
    return Planes(data, mask, calibration, positions, keys, names, readout_down=scan.readout_down)


def frame_names(contrasts: int, repetitions: int, slices: int, chosen: range | None = None) -> tuple[str, ...]:
    """The name of every frame, such as "slice 2, repetition 1", counted from 1; axes of length 1 are not named.

    chosen: the slices that are there, if not all.
    """
    names = []
    for contrast in range(contrasts):
        for repetition in range(repetitions):
            for number in chosen or range(slices):
                parts = (
                    ("slice", number, slices),
                    ("repetition", repetition, repetitions),
                    ("contrast", contrast, contrasts),
                )
                names.append(", ".join(f"{axis} {i + 1}" for axis, i, size in parts if size > 1) or "slice 1")
    return tuple(names)


def _frame_axes(scan: KSpace) -> tuple[int, int, int]:
    sizes = scan.sizes
    return sizes["contrast"], sizes["repetition"], sizes["slice"]


def _choose(scan: KSpace, slices: tuple[int, int] | None) -> KSpace:
    if slices is None:
        return scan
    count = scan.sizes["slice"]
    first, last = slices
    if not 0 <= first < last <= count:
        raise ScanError(
            f"There are no slices {first}:{last}.", f"The scan has {count}, counted from 0.", f"Use 0:{count} or less."
        )
    part = slice(first, last)
    return scan.with_changes(
        data=scan.data[:, :, part],
        mask=scan.mask[:, :, part] if scan.mask.shape[2] > 1 else scan.mask,
        calibration=None if scan.calibration is None else scan.calibration[part],
    )


def centred_ifft(data: Complex64Array, axis: int) -> Complex64Array:
    """Centred orthonormal inverse Fourier transform along one axis."""
    from scipy import fft

    shifted = fft.ifft(fft.ifftshift(data, axes=axis), axis=axis, norm="ortho")
    centred: Complex64Array = fft.fftshift(shifted, axes=axis).astype(np.complex64, copy=False)
    return centred


def _transform_kz(scan: KSpace) -> KSpace:
    """A 3-D scan with kz transformed to z, as a stack of slices."""
    stack = np.moveaxis(centred_ifft(scan.data, axis=4), 4, 2)[:, :, :, 0]
    own = scan.calibration
    if own is not None:
        padded = _pad_kz(own, scan.sizes["kz"])
        own = np.moveaxis(centred_ifft(padded, axis=2)[0], 1, 0)[:, :, None]
    return scan.with_changes(
        data=stack[:, :, :, :, None],
        mask=scan.mask[:, :, :, :1],
        matrix=(1, *scan.matrix[1:]),
        calibration=own,
    )


def _pad_kz(calibration: Complex64Array, nz: int) -> Complex64Array:
    have = calibration.shape[2]
    before = nz // 2 - have // 2
    return np.pad(calibration, ((0, 0), (0, 0), (before, nz - have - before), (0, 0), (0, 0)))


def _by_readout(scan: KSpace, slices: tuple[int, int] | None) -> Planes:
    """A 3-D scan undersampled in (kz, ky), with kx transformed to x: a plane for every x."""
    if slices is not None:
        raise ScanError(
            "This scan cannot be reconstructed slice by slice.",
            "It is undersampled in both phase-encoding directions, which ties all slices together.",
            "Reconstruct all slices.",
        )
    if scan.mask.shape[-1] > 1 and not (scan.mask == scan.mask[..., :1]).all():
        raise ScanError(
            "This sampling pattern is not supported.",
            "It is undersampled in all three directions of k-space.",
            "Use a scan with complete readouts.",
        )
    sizes = scan.sizes
    data = np.moveaxis(centred_ifft(scan.data, axis=6), 6, 3)[:, :, 0]
    frames = sizes["contrast"] * sizes["repetition"]
    planes = data.reshape(frames * sizes["kx"], sizes["coil"], sizes["kz"], sizes["ky"])
    mask = np.broadcast_to(scan.mask[..., 0], (*_frame_axes(scan), sizes["kz"], sizes["ky"]))
    mask = mask.reshape(frames, sizes["kz"], sizes["ky"])
    mask = mask[:1] if (mask == mask[:1]).all() else np.repeat(mask, sizes["kx"], axis=0)
    if scan.calibration is not None:
        own = np.moveaxis(centred_ifft(_pad_kx(scan.calibration, sizes["kx"]), axis=4)[0], 3, 0)
        calibration = tuple(own)
    else:
        calibration = tuple(_centre_of(plane, mask[0]) for plane in planes[: sizes["kx"]])
    names = frame_names(sizes["contrast"], sizes["repetition"], sizes["kz"])
    keys = tuple(range(len(planes)))
    positions = np.arange(len(planes)) % sizes["kx"]
    return Planes(planes, mask, calibration, positions, keys, names, sagittal=True, readout_down=scan.readout_down)


def _pad_kx(calibration: Complex64Array, nx: int) -> Complex64Array:
    have = calibration.shape[-1]
    before = nx // 2 - have // 2
    return np.pad(calibration, [(0, 0)] * 4 + [(before, nx - have - before)])


def _centre_of(plane: Complex64Array, mask: BoolArray) -> Complex64Array:
    """The fully sampled centre of a plane (coils, a, b), at most CALIBRATION_WIDTH wide, centred on k = 0."""
    pattern = np.broadcast_to(mask, plane.shape[-2:])
    box = []
    for part, n in zip(sampled_centre(pattern), plane.shape[-2:], strict=True):
        centre = n // 2
        half = min(centre - part.start, part.stop - centre, CALIBRATION_WIDTH // 2)
        box.append(slice(centre - half, centre + half))
    return plane[:, box[0], box[1]]
