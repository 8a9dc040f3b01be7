"""The figures of runs and cells: in words, as curves over a setting, as points over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.engine.sweep_plan import Axis, worded

FIGURES = {
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "nrmse": "NRMSE",
    "hfen": "HFEN",
    "residual": "Residual",
    "seconds": "Seconds",
}
OF_REFERENCE = ("psnr", "ssim", "nrmse", "hfen")
"""Known only where there is something to compare with."""


@dataclass(frozen=True)
class Series:
    """A figure over the values of a setting. name: which value the other setting has, or "".

    places: numbers along x, or the places 0, 1, ... of values in words. cells: the number of each point's cell.
    """

    name: str
    places: tuple[float, ...]
    values: tuple[float, ...]
    cells: tuple[int, ...]


def figure_of(record: dict[str, Any], figure: str) -> float | None:
    """One of FIGURES of a record; None where it is not known."""
    found = record["metrics"].get(figure) if figure in OF_REFERENCE else record.get(figure)
    return float(found) if isinstance(found, (int, float)) and math.isfinite(found) else None


def said(figure: str, value: float | None) -> str:
    """A figure as it is written in tables."""
    if value is None:
        return ""
    return f"{value:.2f}" if figure in ("psnr", "seconds") else f"{value:.3g}"


def is_numeric(axis: Axis) -> bool:
    """Its values are numbers, which have their places along a line."""
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in axis.values)


def is_logarithmic(axis: Axis) -> bool:
    """Its values spread so far that they are drawn by their logarithms."""
    return is_numeric(axis) and min(axis.values) > 0 and max(axis.values) / min(axis.values) >= 50


def place_of(axis: Axis, value: Any) -> float:
    """Where a value stands along x; a logarithm to base 10 where the axis is logarithmic."""
    if not is_numeric(axis):
        return float(axis.values.index(value))
    return math.log10(value) if is_logarithmic(axis) else float(value)


def series_of(axes: Sequence[Axis], records: Sequence[tuple[int, dict[str, Any]]], figure: str) -> tuple[Series, ...]:
    """The curves over the last setting, one for each value of the first where there are two.

    records: with the numbers of their cells.
    """
    along, others = axes[-1], (axes[0].values if len(axes) > 1 else (None,))
    found = []
    for other in others:
        mine = [
            (place_of(along, record["values"][along.name]), value, number)
            for number, record in records
            if (value := figure_of(record, figure)) is not None
            and (len(axes) == 1 or record["values"][axes[0].name] == other)
        ]
        if mine:
            places, values, cells = zip(*sorted(mine), strict=True)
            name = "" if len(axes) == 1 else f"{axes[0].label} {worded(other)}"
            found.append(Series(name, places, values, cells))
    return tuple(found)


def lines_of(record: dict[str, Any]) -> list[tuple[str, str]]:
    """The figures of a record in words, (label, value); the data range is named where there is a reference."""
    lines = [(FIGURES[name], said(name, figure_of(record, name))) for name in FIGURES]
    found = [(label, value) for label, value in lines if value]
    data_range = record["metrics"].get("data_range")
    if data_range is not None:
        found.append(("Data range", f"{data_range:.4g} {record.get('unit', '')}".strip()))
    if record.get("reference"):
        found.append(("Compared with", str(record["reference"])))
    return found
