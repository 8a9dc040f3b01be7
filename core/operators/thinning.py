"""Views left out on purpose, to see what a scan with fewer of them would have given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.projections import Projections

IndexArray = npt.NDArray[np.int64]

_HOW = "Write every:N, views:N, arc:FROM:TO (degrees from the first view), keep:LIST, or some of them joined by +."


def thinned(scan: Projections, text: str) -> Projections:
    """The scan with only some of its views, marked as undersampled on purpose.

    text: "every:6" (each sixth view), "views:30" (so many, evenly spread), "arc:0:90" (an arc in degrees from the first
    view, its end left out), "keep:0,6,12" (by number from 0), or several joined by "+", taken one after the other.
    Raises ScanError for a text that cannot be read or leaves no view.
    """
    chosen = chosen_views(scan, text)
    valid = scan.valid
    if valid is not None and valid.shape[1] > 1:
        valid = valid[:, chosen]
    return scan.with_changes(
        data=np.ascontiguousarray(scan.data[:, chosen]),
        geometry=scan.geometry.keep(chosen),
        valid=valid,
        undersampled=f"{text} ({len(chosen)} of {scan.views} views)",
    )


def chosen_views(scan: Projections, text: str) -> IndexArray:
    """The numbers of the views that a text keeps, in order."""
    chosen: IndexArray = np.arange(scan.views)
    for part in text.split("+"):
        kind, _, rest = part.strip().partition(":")
        rule = _RULES.get(kind)
        if rule is None:
            raise ScanError(f"The choice of views {part!r} is not known.", "", _HOW)
        try:
            chosen = rule(chosen, rest, np.unwrap(scan.geometry.angles))
        except (ValueError, IndexError) as error:
            raise ScanError(f"The choice of views {part!r} cannot be used.", str(error), _HOW) from error
        if not len(chosen):
            raise ScanError(f"The choice of views {text!r} leaves none.", f"The scan has {scan.views}.", _HOW)
    return chosen


def _every(chosen: IndexArray, rest: str, angles: npt.NDArray[np.float64]) -> IndexArray:
    step = int(rest)
    if step < 1:
        raise ValueError(f"There is no every {step}th view.")
    return chosen[::step]


def _views(chosen: IndexArray, rest: str, angles: npt.NDArray[np.float64]) -> IndexArray:
    count = int(rest)
    if not 1 <= count <= len(chosen):
        raise ValueError(f"There are {len(chosen)} views.")
    return chosen[np.arange(count) * len(chosen) // count]


def _arc(chosen: IndexArray, rest: str, angles: npt.NDArray[np.float64]) -> IndexArray:
    first, last = (float(v) for v in rest.split(":"))
    if not (np.isfinite([first, last]).all() and first < last):
        raise ValueError("An arc runs from a smaller to a larger angle.")
    degrees = np.degrees(np.abs(angles - angles[0]))[chosen]
    kept: IndexArray = chosen[(degrees >= first - 1e-6) & (degrees < last - 1e-6)]
    return kept


def _keep(chosen: IndexArray, rest: str, angles: npt.NDArray[np.float64]) -> IndexArray:
    wanted = np.unique([int(v) for v in rest.split(",")])
    if wanted.min() < 0 or wanted.max() >= len(chosen):
        raise ValueError(f"Views are numbered 0 to {len(chosen) - 1}.")
    kept: IndexArray = chosen[wanted]
    return kept


_RULES: dict[str, Callable[[IndexArray, str, npt.NDArray[np.float64]], IndexArray]] = {
    "every": _every,
    "views": _views,
    "arc": _arc,
    "keep": _keep,
}
