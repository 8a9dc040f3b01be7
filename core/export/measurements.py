"""Measurements as a table of comma-separated values (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.export import writing
from core.export.whole import write_whole

Place = tuple[float, float, float]
"""(x, y, z) mm."""

VALUES = ("length_mm", "angle_deg", "area_mm2", "pixels", "value", "mean", "sd", "minimum", "maximum")
"""The columns of numbers; the last five are in the unit of the row."""
COLUMNS = ("name", "kind", "image", "frame", "slab", *VALUES, "unit", "space", "plane_normal", "plane_point", "points")
NOTE = "Research use only"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Row:
    """A measurement. image: by method and settings, never by a patient's name. frame: which of several stacks, from 1,
    or "". values: by the names in VALUES, those that it has. unit: of value, mean, sd, minimum and maximum. space: what
    the coordinates are. normal, point: of its plane. points: that fix it."""

    name: str
    kind: str
    image: str
    frame: str = ""
    slab: str = ""
    unit: str = ""
    values: Mapping[str, float | int] = field(default_factory=dict)
    space: str = "LPS mm"
    normal: Place = (0.0, 0.0, 1.0)
    point: Place = (0.0, 0.0, 0.0)
    points: tuple[Place, ...] = ()


def as_csv(rows: Sequence[Row]) -> str:
    """The table with its header. Numbers have a point and seven digits; points are "x y z", parted by semicolons."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow((*COLUMNS, "note"))
    for row in rows:
        numbers = [_number(row.values.get(name)) for name in VALUES]
        places = [" ".join(f"{v:.4f}" for v in place) for place in (row.normal, row.point)]
        outline = "; ".join(" ".join(f"{v:.4f}" for v in place) for place in row.points)
        words = [_plain(text) for text in (row.name, row.kind, row.image, row.frame, row.slab)]
        table.writerow((*words, *numbers, row.unit, row.space, *places, outline, NOTE))
    return text.getvalue()


def write(rows: Sequence[Row], path: Path) -> None:
    """Write the table, UTF-8 with a byte order mark, by which spreadsheets know it. Raises ExportError."""
    text = as_csv(rows).encode("utf-8-sig")

    def put(part: Path) -> None:
        part.write_bytes(text)

    with writing(path):
        write_whole(path, ".csv", put)


def _number(value: float | int | None) -> str:
    return "" if value is None else f"{value:.7g}"


def _plain(text: str) -> str:
    """No spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
