"""Measurements as plain data for project files, and as the rows of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.state.room.figure import Figure, Measurement, Points
from app.state.room.item import Item, Kind
from app.state.room.measurements import LONGEST_NAME, Measurements
from core.errors import ScanError
from core.export.measurements import Row
from core.viewing.cut import Slab
from core.viewing.sheet import Sheet

VERSION = 1
MOST = 10_000
FARTHEST_MM = 1e6
_SQUARE = 1e-3


def to_dict(measurements: Measurements) -> dict[str, Any]:
    """What from_dict makes them of again: text, numbers and lists, for JSON."""
    return {"version": VERSION, "measurements": [_record(m) for m in measurements]}


def from_dict(measurements: Measurements, data: Mapping[str, Any]) -> None:
    """These in place of all. Raises ScanError, and changes nothing, for data that is damaged or of a later version."""
    records = data.get("measurements") if isinstance(data, Mapping) else None
    if not isinstance(records, list) or data.get("version") != VERSION:
        raise ScanError("The measurements cannot be read.", "They were written by another version.")
    if len(records) > MOST:
        raise ScanError("The measurements cannot be read.", f"There are {len(records)}, more than {MOST}.")
    try:
        made = [_measurement(record) for record in records]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ScanError("The measurements cannot be read.", "They are damaged.") from error
    measurements.put_all(made)


def rows_of(measurements: Measurements) -> list[Row]:
    """A row for each. Images that were reconstructed here go by method and settings; those of files by what they are,
    since the name of a file may be that of a patient."""
    return [_row(measurements, m) for m in measurements]


def _record(m: Measurement) -> dict[str, Any]:
    return {
        "name": m.name,
        "kind": m.figure.value,
        "item": m.item,
        "placed": m.placed,
        "slab_mm": m.slab_mm,
        "slab": m.slab.value,
        "plane": {
            "point": m.plane.origin.tolist(),
            "normal": m.plane.normal.tolist(),
            "across": m.plane.across.tolist(),
        },
        "points": m.points.tolist(),
    }


def _measurement(record: Mapping[str, Any]) -> Measurement:
    plane = record["plane"]
    point, normal, across = (_points([plane[name]])[0] for name in ("point", "normal", "across"))
    down = np.cross(normal, across)
    if any(abs(float(np.linalg.norm(v)) - 1) > _SQUARE for v in (normal, across, down)):
        raise ValueError("no plane")
    item, slab_mm = record["item"], float(record["slab_mm"])
    if not isinstance(item, str) or not 0 <= slab_mm <= FARTHEST_MM:
        raise ValueError("no item, or no slab")
    sheet = Sheet(point, across / np.linalg.norm(across), down / np.linalg.norm(down), (1.0, 1.0))
    name = " ".join(str(record["name"]).split())[:LONGEST_NAME]
    figure, slab = Figure(record["kind"]), Slab(record["slab"])
    bare = Measurement(figure, item, sheet, _points(record["points"]), name, "", bool(record["placed"]), slab_mm, slab)
    made = bare.shifted((0.0, 0.0, 0.0))
    if not made.complete:
        raise ValueError("too few points, or too many")
    return made


def _points(data: Any) -> Points:
    points = np.asarray(data, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or not (np.abs(points) <= FARTHEST_MM).all():
        raise ValueError("no points")
    return points


def _row(measurements: Measurements, m: Measurement) -> Row:
    found, moment = measurements.reading(m), measurements.moment_of(m)
    assert found is not None
    values: dict[str, float | int | None] = {
        "length_mm": found.length_mm,
        "angle_deg": found.angle_deg,
        "value": found.value,
    }
    if found.statistics is not None:
        s = found.statistics
        values |= {"mean": s.mean, "sd": s.sd, "minimum": s.minimum, "maximum": s.maximum}
        values |= {"pixels": s.pixels, "area_mm2": s.area_mm2}
    if found.curve is not None:
        known = found.curve.values[np.isfinite(found.curve.values)]
        values |= {"mean": float(known.mean()), "minimum": float(known.min())} if known.size else {}
        values |= {"maximum": float(known.max())} if known.size else {}
    item = measurements.room.item(m.item)
    shown = {name: v for name, v in values.items() if v is not None and math.isfinite(v)}
    return Row(
        name=m.name,
        kind=m.figure.value,
        image=_public_name(measurements, item),
        frame=f"{moment + 1}" if item is not None and len(item.stacks) > 1 else "",
        slab=f"{m.slab.value} of {m.slab_mm:g} mm" if m.slab_mm else "",
        unit=found.unit,
        values=shown,
        space="LPS mm" if m.placed else "mm from the first voxel",
        normal=_tuple(m.plane.normal),
        point=_tuple(m.middle),
        points=tuple(_tuple(p) for p in m.points),
    )


def _public_name(measurements: Measurements, item: Item | None) -> str:
    if item is None:
        return "closed"
    if item.kind in (Kind.RESULT, Kind.CLASSICAL, Kind.SPREAD, Kind.SUPPORT):
        return item.title
    number = 1 + [other.key for other in measurements.room if other.kind is item.kind].index(item.key)
    z, y, x = item.shape
    return f"{item.kind.value} {number}, {x} x {y} x {z} voxels"


def _tuple(point: Sequence[float] | Any) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in point)
    return x, y, z
