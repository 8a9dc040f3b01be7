"""What a CT file of this program tells beside its counts, as plain values: geometry, grid, place, and what it is."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from core.errors import ScanError
from core.formats.files import require_memory
from core.geometry import ConeBeam, FanBeam, Geometry, Grid, ParallelBeam
from core.hounsfield import MU_WATER
from core.orientation import Affine
from core.projections import Projections

FORMAT = 1
_KINDS: dict[str, type[ParallelBeam] | type[FanBeam] | type[ConeBeam]] = {
    "parallel": ParallelBeam,
    "fan": FanBeam,
    "cone": ConeBeam,
}

_COUNTS = ("detectors", "rows", "columns")


def to_record(scan: Projections) -> dict[str, Any]:
    """Everything of a scan but its data, mask and provenance, ready for JSON."""
    return {
        "format": FORMAT,
        "geometry": geometry_record(scan.geometry),
        "grid": dataclasses.asdict(scan.grid),
        "affine": None if scan.affine is None else scan.affine.tolist(),
        "photons": scan.photons,
        "hounsfield": scan.hounsfield,
        "mu_water": scan.mu_water,
        "simulated": scan.simulated,
        "undersampled": scan.undersampled,
        "contrast": scan.contrast,
        "anatomy": scan.anatomy,
    }


def from_record(record: dict[str, Any]) -> dict[str, Any]:
    """The fields of Projections that a record tells. Raises ScanError where it is damaged or of a later version."""
    try:
        if record["format"] != FORMAT:
            raise ScanError("The scan was written by a later version of this program.", "", "Update the program.")
        photons = record["photons"]
        return {
            "geometry": geometry_from(record["geometry"]),
            "grid": _grid_from(record["grid"]),
            "affine": _affine_from(record["affine"]),
            "photons": None if photons is None else _above_zero("photons", photons),
            "hounsfield": bool(record["hounsfield"]),
            "mu_water": _above_zero("mu_water", record.get("mu_water", MU_WATER)),
            **{name: bool(record[name]) for name in ("simulated",)},
            **{name: str(record[name]) for name in ("undersampled", "contrast", "anatomy")},
        }
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ScanError(
            "What the file tells of its geometry is damaged.", str(error), "Make the file again."
        ) from error


def geometry_record(geometry: Geometry) -> dict[str, Any]:
    """A geometry as plain values: its kind and its fields."""
    kind = next(name for name, made in _KINDS.items() if isinstance(geometry, made))
    values = {f.name: getattr(geometry, f.name) for f in dataclasses.fields(geometry)}
    return {"kind": kind} | {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in values.items()}


def geometry_from(record: dict[str, Any]) -> Geometry:
    """The inverse of geometry_record. Raises ScanError for numbers that make no scanner, ValueError for no numbers."""
    values = dict(record)
    kind = values.pop("kind", None)
    if kind not in _KINDS:
        raise ScanError(f"There is no geometry {kind!r}.", "", f"It can be {', '.join(_KINDS)}.")
    _require_whole({k: v for k, v in values.items() if k in _COUNTS})
    arrays = {k: np.asarray(v, dtype=np.float64) if isinstance(v, list) else v for k, v in values.items()}
    made: Geometry = _KINDS[kind](**arrays)  # type: ignore[arg-type]
    return made


def _grid_from(record: dict[str, Any]) -> Grid:
    shape, spacing, centre = (tuple(record[name]) for name in ("shape", "spacing_mm", "centre_mm"))
    _require_whole(dict(zip(("slices", "rows", "columns"), shape, strict=True)))
    require_memory(4.0 * float(np.prod(shape, dtype=np.float64)), "The image of this scan")
    return Grid(shape, spacing, centre)


def _affine_from(rows: Any) -> Affine | None:
    if rows is None:
        return None
    affine = np.asarray(rows, dtype=np.float64).reshape(4, 4)
    if not np.isfinite(affine).all() or np.linalg.det(affine[:3, :3]) == 0:
        raise ValueError("The affine spans no space.")
    return affine


def _above_zero(name: str, value: Any) -> float:
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value}.")
    return float(value)


def _require_whole(counts: dict[str, Any]) -> None:
    for name, count in counts.items():
        if type(count) is not int:
            raise ValueError(f"{name} is {count!r}.")
