"""What a CT scanner measured: line integrals of the attenuation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.geometry import ConeBeam, Geometry, Grid
from core.hounsfield import MU_WATER
from core.orientation import Affine, spacing_of
from core.provenance import Provenance

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Projections:
    """Line integrals as they were measured, after the logarithm.

    data: float32 (row, view, column), without unit. For parallel and fan beams each row is a slice of the image; for
    cone beams it is a row of the panel. geometry: whose views and detectors fit the data. grid: the image to make; of
    as many slices as rows unless the beam is a cone.
    affine: LPS mm of the grid's voxel indices (x, y, z), or None when the file does not tell where the patient lies.
    photons: sent along each ray, when known. valid: bool, broadcast over data; False where nothing can be trusted (dead
    columns, saturated pixels), None when all can. hounsfield: attenuations can be told in HU, with mu_water in 1/mm.
    simulated: no scanner made this. undersampled: words for views left out on purpose after the measurement, else "".
    """

    data: FloatArray = field(repr=False)
    geometry: Geometry
    grid: Grid
    provenance: Provenance
    affine: Affine | None = None
    photons: float | None = None
    valid: BoolArray | None = field(default=None, repr=False)
    hounsfield: bool = False
    mu_water: float = MU_WATER
    simulated: bool = False
    undersampled: str = ""
    contrast: str = ""
    anatomy: str = ""

    def __post_init__(self) -> None:
        check_projections(self)

    @property
    def rows(self) -> int:
        return int(self.data.shape[0])

    @property
    def views(self) -> int:
        return int(self.data.shape[1])

    @property
    def columns(self) -> int:
        return int(self.data.shape[2])

    @property
    def is_volume(self) -> bool:
        """The slices cannot be reconstructed one by one, because each ray crosses several."""
        return isinstance(self.geometry, ConeBeam)

    @property
    def fully_sampled(self) -> bool:
        """Views may be left out on purpose."""
        return self.views > 1 and not self.undersampled

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        """(nz, ny, nx) of the image that is made of this scan."""
        return self.grid.shape

    @property
    def picture_affine(self) -> Affine | None:
        """The affine of the image; None when the patient's position is unknown."""
        return self.affine

    @property
    def picture_spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size (x, y, z) of the image in mm."""
        return self.grid.spacing_mm if self.affine is None else spacing_of(self.affine)

    def with_changes(self, **changes: Any) -> Projections:
        """A copy with other fields; checked like a new one."""
        return replace(self, **changes)


def check_projections(scan: Projections) -> None:
    """Raise ScanError if the parts do not hang together or hold numbers that no scanner measured."""
    data, geometry = scan.data, scan.geometry
    rows = geometry.rows if isinstance(geometry, ConeBeam) else scan.grid.shape[0]
    expected = (rows, geometry.views, geometry.detectors)
    if data.shape != expected:
        raise ScanError(
            "The projections do not match the geometry.",
            f"There are {data.shape} rows, views and columns; the geometry has {expected}.",
            "Check that there is an angle for every projection, and the order of the axes.",
        )
    if not np.isfinite(data).all():
        raise ScanError(
            "The projections hold NaN or infinite numbers.",
            "A damaged file or a failed conversion leaves such values.",
            "Export the scan again from its source.",
        )


def require_signal(scan: Projections) -> None:
    """Raise ScanError for a whole scan in which nothing was seen; single slices of a scan may well be air."""
    if not scan.data.any():
        raise ScanError(
            "The scan holds no signal.",
            "Every line integral is zero: nothing lay in the beam.",
            "Check that the file is complete and its flat field is no copy of the data.",
        )
    if scan.valid is not None and not scan.valid.any():
        raise ScanError(
            "No measurement of this scan can be trusted.",
            "All its detector columns are dead or saturated.",
            "Check the flat and dark fields.",
        )
