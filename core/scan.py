"""What was measured: the frozen records that readers make and operators are built from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.hounsfield import MU_WATER
from core.orientation import Affine, spacing_of
from core.projections import Projections
from core.provenance import Provenance as Provenance

KSPACE_AXES = ("contrast", "repetition", "slice", "coil", "kz", "ky", "kx")
"""The order of a KSpace array's axes, always all seven. Averages have been averaged; `averages` says how many."""

MASK_AXES = ("contrast", "repetition", "slice", "kz", "ky", "kx")

Complex64Array = npt.NDArray[np.complex64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class KSpace:
    """Cartesian multi-coil k-space as it was measured.

    data: complex64, axes KSPACE_AXES. k = 0 lies at index n // 2 of kz, ky and kx; places not measured hold 0.
    mask: bool, axes MASK_AXES: what was measured. A size-1 axis stands for all (same for every kx, say).
    matrix: (nz, ny, nx), the size of the image to make; k-space has the same size once the reader has placed it.
    calibration: complex64 (slice, coil, kz, ky, kx), a small fully sampled centre measured on its own, or None.
    field_of_view_mm: (x, y, z), or None if the file does not say. z is the extent of the slab (3-D) or one slice (2-D).
    affine: LPS mm (see core.orientation) of the stack of slices or of the slab; None when the file does not tell where
    the patient lies, and then no view shows letters.
    whitened: the coils' noise has been decorrelated to unit variance. simulated: no scanner made this.
    undersampled: words for an undersampling done on purpose after the measurement, else "".
    readout_down: pictures show the readout from top to bottom (x and y change places in the image), as their makers do.
    noise_std: standard deviation of the noise per real and imaginary part in the units of data, when known.
    """

    data: Complex64Array
    mask: BoolArray
    matrix: tuple[int, int, int]
    provenance: Provenance
    calibration: Complex64Array | None = None
    field_of_view_mm: tuple[float, float, float] | None = None
    affine: Affine | None = None
    averages: int = 1
    whitened: bool = False
    simulated: bool = False
    undersampled: str = ""
    noise_std: float | None = None
    contrast: str = ""
    anatomy: str = ""
    readout_down: bool = False

    def __post_init__(self) -> None:
        check_kspace(self)

    @property
    def sizes(self) -> dict[str, int]:
        """Length of each named axis."""
        return dict(zip(KSPACE_AXES, self.data.shape, strict=True))

    @property
    def coils(self) -> int:
        return self.sizes["coil"]

    @property
    def is_3d(self) -> bool:
        """Phase-encoded in two directions (kz is longer than 1)."""
        return self.sizes["kz"] > 1

    @property
    def every_kz_alike(self) -> bool:
        """The pattern is the same for every kz, so that a 3-D scan comes apart into slices; True for 2-D scans."""
        return bool((self.mask == self.mask[:, :, :, :1]).all())

    @property
    def acceleration(self) -> float:
        """True acceleration R: places in k-space per place measured.

        The readout counts only where the pattern differs along it from line to line, as in a 2-D pattern within the
        slice; an echo that is cut short alike in every line does not.
        """
        lines: BoolArray = np.asarray(self.mask.any(axis=-1))
        readout = self.mask.any(axis=tuple(range(self.mask.ndim - 1)))
        if (self.mask == (lines[..., None] & readout)).all():
            return float(lines.size / lines.sum())
        return float(self.mask.size / self.mask.sum())

    @property
    def fully_sampled(self) -> bool:
        return bool(self.mask.all())

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        """(nz, ny, nx) of the images that are made of this scan."""
        nz, ny, nx = self.matrix
        return (nz, nx, ny) if self.readout_down else (nz, ny, nx)

    @property
    def picture_affine(self) -> Affine | None:
        """The affine of the images that are made of this scan; None when the patient's position is unknown."""
        if self.affine is None or not self.readout_down:
            return self.affine
        return self.affine[:, [1, 0, 2, 3]]

    @property
    def picture_spacing_mm(self) -> tuple[float, float, float] | None:
        """Voxel size (x, y, z) of the images in mm, or None if the file does not tell."""
        if self.picture_affine is not None:
            return spacing_of(self.picture_affine)
        if self.field_of_view_mm is None:
            return None
        nz, ny, nx = self.matrix
        x, y, z = (extent / n for extent, n in zip(self.field_of_view_mm, (nx, ny, nz), strict=True))
        return (y, x, z) if self.readout_down else (x, y, z)

    def with_changes(self, **changes: Any) -> KSpace:
        """A copy with other fields; checked like a new one."""
        return replace(self, **changes)


Scan = KSpace | Projections
"""Any scan that can be opened; code tells the kinds apart by type."""


def check_kspace(scan: KSpace) -> None:
    """Raise ScanError if the arrays do not hang together or hold numbers that no scanner measured."""
    data, mask = scan.data, scan.mask
    if data.ndim != len(KSPACE_AXES) or mask.ndim != len(MASK_AXES):
        raise ScanError(
            "The k-space array does not have the seven named axes.",
            f"It has shape {data.shape}.",
            "Name its axes, for example --axes coil,ky,kx.",
        )
    if 0 in data.shape:
        empty = KSPACE_AXES[data.shape.index(0)]
        raise ScanError(
            f"The scan has no {empty}.", f"Its k-space has shape {data.shape}.", "Check that the file is complete."
        )
    expected = tuple(scan.sizes[a] for a in MASK_AXES)
    if any(m not in (1, e) for m, e in zip(mask.shape, expected, strict=True)):
        raise ScanError(
            "The sampling pattern does not match the k-space.",
            f"Pattern {mask.shape}, k-space {expected}.",
            "Check the order of the axes.",
        )
    if scan.matrix != (scan.sizes["kz"], scan.sizes["ky"], scan.sizes["kx"]):
        raise ScanError(
            "The image matrix does not match the k-space.",
            f"Matrix {scan.matrix}, k-space {data.shape[-3:]}.",
            "Check the order of the axes.",
        )
    if not np.isfinite(data).all():
        raise ScanError(
            "The k-space holds NaN or infinite numbers.",
            "A damaged file or a failed conversion leaves such values.",
            "Export the scan again from its source.",
        )
    if not mask.any() or not data.any():
        raise ScanError(
            "The scan holds no signal.",
            "Every measured value is zero.",
            "Check that the file is complete and the axes are right.",
        )


@dataclass(frozen=True)
class Volume:
    """What was reconstructed.

    array: (frame, y, x), complex64 for MRI, float32 for CT. Frames run over slices, then repetitions, then contrasts.
    slices: how many frames make one stack. affine: LPS mm of a stack, or None when the patient's position is unknown.
    spacing_mm: (x, y, z). unit: of the numbers, "a.u.", "HU" or "1/mm". mu_water: 1/mm, what 0 HU stands for. card: the
    run card as a plain dict. spread: float32 (frame, y, x), the standard deviation of the samples of which array is the
    mean, in the same unit; None where there is one sample.
    """

    array: npt.NDArray[Any]
    unit: str = "a.u."
    affine: Affine | None = None
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    slices: int = 1
    frame_names: tuple[str, ...] = ()
    card: dict[str, Any] = field(default_factory=dict)
    spread: npt.NDArray[np.float32] | None = None
    mu_water: float = MU_WATER


def sampled_centre(mask: BoolArray) -> tuple[slice, slice]:
    """The fully sampled rectangle around k = 0 of a 2-D pattern (a, b), grown evenly until a line is missing.

    Empty slices when k = 0 itself was not measured.
    """
    low = [n // 2 for n in mask.shape]
    high = [c + 1 for c in low]
    if not mask[low[0], low[1]]:
        return slice(low[0], low[0]), slice(low[1], low[1])
    growing = True
    while growing:
        growing = False
        for axis, ends, step in ((0, low, -1), (0, high, 1), (1, low, -1), (1, high, 1)):
            edge = ends[axis] - 1 if step < 0 else ends[axis]
            lines = mask if axis == 0 else mask.T
            across = slice(low[1 - axis], high[1 - axis])
            if 0 <= edge < len(lines) and lines[edge, across].all():
                ends[axis] += step
                growing = True
    return slice(low[0], high[0]), slice(low[1], high[1])
