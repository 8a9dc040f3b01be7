"""The geometry.toml that lies beside TIFF projections; what may stand in it is told in core.formats.tiff_stack."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.angles import RADIANS, radians_of, unit_named
from core.formats.files import check_readable, head_of
from core.geometry import ConeBeam, FanBeam, ParallelBeam

FloatArray = npt.NDArray[np.float64]

NAME = "geometry.toml"
_KINDS = {"parallel": ParallelBeam, "fan": FanBeam, "cone": ConeBeam}
_WHAT = ("counts", "attenuation")
_KNOWN = (
    *("geometry", "angles", "unit", "what", "pictures", "flat", "dark"),
    *("pixel_mm", "source_mm", "detector_mm", "centre"),
)
_LONGEST = 2**24
_MOST_VIEWS = 10**6


@dataclass(frozen=True)
class TiffGeometry:
    """What a geometry.toml says. kind: of beam. angles: in `unit`. pixel_mm: (row, column), 1 where pixel_known is not.

    pictures, flat, dark: patterns of file names, "" where there are none. source_mm, detector_mm, centre: None where
    they are not told. strange: keys that mean nothing here.
    """

    kind: type[ParallelBeam] | type[FanBeam] | type[ConeBeam]
    angles: FloatArray
    unit: str
    attenuation: bool
    pictures: str
    flat: str
    dark: str
    pixel_mm: tuple[float, float]
    pixel_known: bool
    source_mm: float | None
    detector_mm: float | None
    centre: float | None
    strange: tuple[str, ...]

    def angles_for(self, views: int) -> tuple[FloatArray, list[str]]:
        """Radians, and sentences on what is odd. Raises ScanError where they do not match the views."""
        angles, odd = radians_of(self.angles, self.unit, views)
        if self.strange:
            odd = [*odd, f"geometry.toml has {', '.join(self.strange)}, which mean nothing here."]
        return angles, odd

    def distances(self) -> tuple[float, float]:
        """(source, detector) from the axis, mm. Raises ScanError where one is not told."""
        if self.source_mm is None or self.detector_mm is None:
            absent = "source_mm" if self.source_mm is None else "detector_mm"
            raise _wrong(f"A fan or cone beam needs {absent}.", f"Add {absent} = ... in mm from the rotation axis.")
        return self.source_mm, self.detector_mm


def read_geometry(path: Path) -> TiffGeometry:
    """Raises ScanError for a file that is missing, no TOML, or says what cannot be."""
    check_readable(path)
    if path.stat().st_size > _LONGEST:
        raise _wrong(f"{path.name} is too long to be one.", "Check that it is the right file.")
    try:
        told = tomllib.loads(head_of(path, _LONGEST).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(f"{path.name} is no valid TOML ({error}).", "Correct it.") from error
    kind = told.get("geometry")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise _wrong(f"geometry is {kind!r}.", f"Say geometry = one of {', '.join(_KINDS)}.")
    what = told.get("what", "counts")
    if what not in _WHAT:
        raise _wrong(f"what is {what!r}.", f"Say what = one of {', '.join(_WHAT)}.")
    unit = unit_named(told.get("unit", "degrees"))
    if not unit:
        raise _wrong(f"unit is {told['unit']!r}.", f'Say unit = "degrees" or "{RADIANS}".')
    return TiffGeometry(
        kind=_KINDS[kind],
        angles=_angles(told.get("angles")),
        unit=unit,
        attenuation=what == _WHAT[1],
        pictures=_pattern(told, "pictures"),
        flat=_pattern(told, "flat"),
        dark=_pattern(told, "dark"),
        pixel_mm=_pixel(told.get("pixel_mm", 1.0)),
        pixel_known="pixel_mm" in told,
        source_mm=_optional(told, "source_mm"),
        detector_mm=_optional(told, "detector_mm"),
        centre=_optional(told, "centre"),
        strange=tuple(key for key in told if key not in _KNOWN),
    )


def _wrong(why: str, try_this: str) -> ScanError:
    return ScanError("The geometry of the TIFF pictures cannot be read.", why, try_this)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and bool(np.isfinite(float(value)))


def _angles(told: Any) -> FloatArray:
    if isinstance(told, list) and all(_is_number(a) for a in told):
        return np.asarray(told, dtype=np.float64)
    if isinstance(told, dict) and all(_is_number(told.get(k)) for k in ("start", "step", "count")):
        count = told["count"]
        if isinstance(count, int) and 0 < count <= _MOST_VIEWS:
            return float(told["start"]) + float(told["step"]) * np.arange(count, dtype=np.float64)
    if told is None:
        raise _wrong("The angles are missing.", "Add angles = a list, or { start = 0, step = 0.5, count = 720 }.")
    raise _wrong("angles is neither a list of numbers nor start, step and count.", "Correct it.")


def _pattern(told: dict[str, Any], name: str) -> str:
    value = told.get(name, "")
    if not isinstance(value, str) or Path(value).is_absolute() or ".." in Path(value).parts:
        raise _wrong(f"{name} is {value!r}.", f'Give a pattern within the folder, such as {name} = "{name}/*.tif".')
    return value


def _pixel(value: Any) -> tuple[float, float]:
    pair = value if isinstance(value, list) else [value, value]
    if len(pair) != 2 or not all(_is_number(v) and v > 0 for v in pair):
        raise _wrong(f"pixel_mm is {value!r}.", "Give a size above 0, or [row, column].")
    return float(pair[0]), float(pair[1])


def _optional(told: dict[str, Any], name: str) -> float | None:
    value = told.get(name)
    if value is None:
        return None
    if not _is_number(value):
        raise _wrong(f"{name} is {value!r}.", "Give a number.")
    return float(value)
