"""Geometries as the ASTRA toolbox counts them (astra-toolbox.com, "2d geometries"), told in our frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from core.geometry import FanBeam, ParallelBeam

Data = TypeVar("Data", bound=npt.NDArray[np.float32])


def parallel_as_ours(theirs: ParallelBeam) -> ParallelBeam:
    """ASTRA counts angles counter-clockwise, its y axis pointing up. Made so, images come out as ASTRA shows them."""
    return replace(theirs, angles=-theirs.angles)


def fan_as_ours(theirs: FanBeam, data: Data) -> tuple[FanBeam, Data]:
    """(geometry, data (row, view, column) with its columns reversed) for ASTRA's "fanflat" angles.

    With y up, the source stands at (sin, -cos) of the angle and the detector runs along (cos, sin). Seen with y down,
    that is our angle pi less theirs, the detector running the other way.
    """
    ours = replace(theirs, angles=np.pi - theirs.angles, offset_mm=-theirs.offset_mm)
    reversed_data: Data = np.ascontiguousarray(data[..., ::-1])  # type: ignore[assignment]
    return ours, reversed_data
