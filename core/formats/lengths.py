"""Lengths as HDF5 files store them, with their unit as an attribute."""

from __future__ import annotations

from typing import Any

import numpy as np

_MILLIMETRES = {
    "m": 1e3,
    "meter": 1e3,
    "metre": 1e3,
    "meters": 1e3,
    "metres": 1e3,
    "cm": 10.0,
    "mm": 1.0,
    "um": 1e-3,
    "µm": 1e-3,
    "μm": 1e-3,
    "micron": 1e-3,
    "microns": 1e-3,
    "micrometer": 1e-3,
    "nm": 1e-6,
}


def millimetres(dataset: Any) -> float:
    """The first number of a dataset in mm; without a unit in metres (SI); 0 where it is absent or makes no length."""
    value = first_number(dataset)
    if not np.isfinite(value) or value <= 0:
        return 0.0
    unit = dataset.attrs.get("units", b"m")
    words = unit.decode("utf-8", "replace") if isinstance(unit, bytes) else str(unit)
    return value * _MILLIMETRES.get(words.strip().lower(), 0.0)


def first_number(dataset: Any) -> float:
    """The first number of a dataset, NaN where there is none."""
    if dataset is None or not hasattr(dataset, "dtype") or dataset.dtype.kind not in "fiu" or not dataset.size:
        return float("nan")
    return float(np.asarray(dataset[()]).ravel()[0]) if dataset.size < 2**20 else float("nan")
