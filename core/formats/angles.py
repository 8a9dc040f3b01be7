"""Projection angles in radians, and whether the numbers agree with the unit that a file claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError

FloatArray = npt.NDArray[np.float64]

DEGREES, RADIANS = "degrees", "radians"
_NAMES = {
    DEGREES: ("degrees", "degree", "deg", "°"),
    RADIANS: ("radians", "radian", "rad"),
}
_FEWEST = 8
_LIKE = 0.04
_MOST_TURNS = 2.1


def unit_named(words: Any) -> str:
    """ "degrees" or "radians" for what a file says, which may be bytes; "" for anything else."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return next((unit for unit, names in _NAMES.items() if text.strip().lower() in names), "")


def radians_of(values: npt.ArrayLike, unit: str, views: int) -> tuple[FloatArray, list[str]]:
    """(the angles in radians, sentences on what contradicts the unit).

    values: one for each view. unit: "degrees", "radians", or "" where the file does not say, and then the numbers
    decide. "Radians" of more than two turns are degrees, and "degrees" that fill half a turn or a whole one of radians
    are radians. Raises ScanError for angles that are missing, too many or no numbers.
    """
    angles = np.asarray(values, dtype=np.float64).ravel()
    _check_count(angles, views)
    span = _filled_arc(angles)
    if not unit:
        unit = RADIANS if np.abs(angles).max() <= _MOST_TURNS * np.pi else DEGREES
        return _converted(angles, unit), [f"The file does not say the unit of its angles; {unit} were assumed."]
    if unit == RADIANS and span > 2 * _MOST_TURNS * np.pi:
        return _converted(angles, DEGREES), [
            f"The angles are said to be radians but run over {span:.4g}, more than two turns; degrees were assumed."
        ]
    if unit == DEGREES and views >= _FEWEST and np.abs(angles).max() <= _MOST_TURNS * np.pi:
        if any(abs(span / turn - 1) < _LIKE for turn in (np.pi, 2 * np.pi)):
            return _converted(angles, RADIANS), [
                f"The angles are said to be degrees but fill {span / np.pi:.2f} pi; radians were assumed."
            ]
        odd = f"All angles lie within {span:.3g} degrees; if they are radians, the file names the wrong unit."
        return _converted(angles, DEGREES), [odd]
    return _converted(angles, unit), []


def arc_of(angles: FloatArray) -> float:
    """From the first to the last angle that is reached, radians."""
    return float(np.ptp(angles))


def _check_count(angles: FloatArray, views: int) -> None:
    if angles.size == 0:
        raise ScanError(
            "The angles of the projections are missing.",
            "Without them no image can be made.",
            "Add one angle for each projection.",
        )
    if angles.size != views:
        raise ScanError(
            "The angles do not match the projections.",
            f"There are {angles.size} angles and {views} projections.",
            "Check that none is missing, and the order of the axes.",
        )
    if not np.isfinite(angles).all():
        raise ScanError("Some angles are no numbers.", "They are NaN or infinite.", "Export the scan again.")


def _filled_arc(angles: FloatArray) -> float:
    """The arc with one step more, as the view that would close it is often left out."""
    span = float(np.ptp(angles))
    return span * len(angles) / (len(angles) - 1) if len(angles) > 1 else span


def _converted(angles: FloatArray, unit: str) -> FloatArray:
    return np.radians(angles) if unit == DEGREES else angles
