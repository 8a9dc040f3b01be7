"""Where the rays of a CT scan run. Millimetres and radians."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import ScanError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ParallelBeam:
    """Parallel rays in one plane.

    angles: radians, (views,). At angle t the detector's axis is (cos t, sin t) in (x, y), x along the columns and y
    along the rows of the image (downwards), and the rays run along (-sin t, cos t). detectors: bins of pitch_mm, the
    middle of bin i at (i - (detectors - 1) / 2) pitch_mm + offset_mm from the ray through the middle of the image,
    about which everything turns. Raises ScanError for numbers that make no scanner.
    """

    angles: FloatArray
    detectors: int
    pitch_mm: float
    offset_mm: float = 0.0

    def __post_init__(self) -> None:
        angles = np.asarray(self.angles, dtype=np.float64)
        object.__setattr__(self, "angles", angles)
        good = angles.ndim == 1 and angles.size > 0 and bool(np.isfinite(angles).all())
        if (
            not good
            or self.detectors < 1
            or not self.pitch_mm > 0
            or not np.isfinite([self.pitch_mm, self.offset_mm]).all()
        ):
            raise ScanError(
                "The geometry of the scan makes no sense.",
                f"{angles.size} angles, {self.detectors} detectors of {self.pitch_mm:g} mm.",
                "Give finite angles, and detectors of a size above 0 mm.",
            )

    @property
    def views(self) -> int:
        return len(self.angles)

    @property
    def bins_mm(self) -> FloatArray:
        """The middle of each detector bin, mm from the axis of rotation, (detectors,)."""
        bins = np.arange(self.detectors, dtype=np.float64)
        return (bins - (self.detectors - 1) / 2) * self.pitch_mm + self.offset_mm


def evenly_spread(views: int, arc: float = np.pi) -> FloatArray:
    """The angles of so many views over an arc in radians, the end left out."""
    return np.arange(views, dtype=np.float64) * (arc / views)
