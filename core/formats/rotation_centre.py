"""Finds the column of the detector on which the axis of rotation falls, and sets it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from core.errors import ScanError
from core.formats.angles import arc_of
from core.geometry import ConeBeam
from core.projections import Projections

FloatArray = npt.NDArray[np.float64]
Pairs = list[tuple[int, int]]

_MOST_ROWS = 5
_MOST_PAIRS = 24
_EDGE = 0.1
_WHOLE_TURN = 1.5 * math.pi
_NEAR = 0.1
_STEPS = 4


def find_centre(data: npt.NDArray[np.float32], angles: FloatArray) -> float:
    """The column on which the axis of rotation of a parallel-beam scan falls; 0 is the middle of the first.

    data: line integrals (row, view, column). angles: radians, (views,). Opposite views mirror each other about it; what
    is found from views that are not quite opposite, as at the ends of half a turn, is drawn on as a line to where they
    would be. Where there are none, the centre of mass of a view runs along a sine about it. The outermost tenths of the
    detector are not searched.
    """
    rows = np.linspace(0, len(data) - 1, min(len(data), _MOST_ROWS)).astype(np.int64)
    chosen = np.asarray(data[rows], dtype=np.float64)
    turns = np.asarray(angles, dtype=np.float64)
    if not opposite_views(turns):
        return _by_mass(chosen, turns)
    if _full_arc(turns) >= _WHOLE_TURN:
        return _by_mirroring(chosen, opposite_views(turns))
    return _extrapolated(chosen, turns)


def opposite_views(angles: FloatArray) -> Pairs:
    """Pairs of views half a turn apart, but for one step between views; at most two dozen, evenly chosen."""
    if len(angles) < 2:
        return []
    step = _full_arc(angles) / len(angles)
    off = np.abs(_mismatch(angles))
    other = off.argmin(axis=1)
    gaps = off[np.arange(len(angles)), other]
    near = np.flatnonzero(gaps <= min(1.2 * step, _NEAR)).tolist()
    pairs = sorted({(min(i, int(other[i])), max(i, int(other[i]))) for i in near})
    return pairs[:: max(1, math.ceil(len(pairs) / _MOST_PAIRS))]


def mirror_mismatch(data: npt.NDArray[np.float32], angles: FloatArray, column: float) -> float | None:
    """How much opposite views differ when mirrored about a column, 0 (not at all) to 1; None without such views.

    Of the middle row, smoothed over nine columns so that noise does not count.
    """
    from scipy import ndimage

    pairs = opposite_views(angles)
    if not pairs:
        return None
    smooth = ndimage.uniform_filter1d(np.asarray(data[len(data) // 2], dtype=np.float64), 9, axis=1)
    first, second = smooth[[i for i, _ in pairs]], smooth[[j for _, j in pairs]]
    return float(np.sqrt(_difference(first, second, round(2 * column))))


def recentred(scan: Projections, column: float) -> Projections:
    """The scan with its axis of rotation on a column of the detector.

    Raises ScanError for a column outside the detector, and for cone beams, whose views are each placed in space.
    """
    geometry = scan.geometry
    if isinstance(geometry, ConeBeam):
        raise ScanError(
            "The axis of a cone-beam scan cannot be moved.",
            "Its file places every view in space.",
            "Correct the geometry file.",
        )
    if not 0 <= column <= geometry.detectors - 1:
        raise ScanError(
            "The axis of rotation lies outside the detector.",
            f"Column {column:g} was named; they run from 0 to {geometry.detectors - 1}.",
            "Name a column of the detector.",
        )
    offset = ((geometry.detectors - 1) / 2 - column) * geometry.pitch_mm
    told = scan.provenance
    done = (*told.done, f"Rotation axis set to column {column:.2f}.")
    return scan.with_changes(
        geometry=replace(geometry, offset_mm=offset),
        provenance=replace(told, done=done),
    )


def _full_arc(angles: FloatArray) -> float:
    return arc_of(angles) * len(angles) / max(len(angles) - 1, 1)


def _mismatch(angles: FloatArray) -> FloatArray:
    """How far the second of two views is beyond half a turn from the first, radians, (first, second)."""
    beyond: FloatArray = np.angle(np.exp(1j * (angles[None] - angles[:, None] - np.pi)))
    return beyond


def _extrapolated(data: FloatArray, angles: FloatArray) -> float:
    """From views at both ends of about half a turn: what is found at several mismatches, drawn on to none."""
    step = _full_arc(angles) / len(angles)
    off = _mismatch(angles)
    first, second = np.nonzero(np.triu(np.abs(off) <= max(_NEAR, (_STEPS + 0.5) * step), 1))
    groups = np.round(off[first, second] / step).astype(np.int64)
    known = []
    for group in sorted(set(groups.tolist()), key=abs)[: 2 * _STEPS]:
        chosen = np.flatnonzero(groups == group)[:_MOST_PAIRS]
        pairs = [(int(first[k]), int(second[k])) for k in chosen]
        known.append((off[first[chosen], second[chosen]].mean(), _by_mirroring(data, pairs), len(pairs)))
    places, found, weights = np.array(known).T
    if len(known) < 2 or np.ptp(places) == 0:
        return float(found[0])
    slope, centre = np.polyfit(places, found, 1, w=np.sqrt(weights))
    limit = abs(slope) * np.abs(places).max()
    nearest = float(found[np.abs(places).argmin()])
    return float(np.clip(centre, max(nearest - limit, 0), min(nearest + limit, data.shape[2] - 1)))


def _by_mirroring(data: FloatArray, pairs: Pairs) -> float:
    """The column about which opposite views agree best."""
    first = data[:, [i for i, _ in pairs]].reshape(-1, data.shape[2])
    second = data[:, [j for _, j in pairs]].reshape(-1, data.shape[2])
    last = data.shape[2] - 1
    sums = range(math.ceil(2 * _EDGE * last), math.floor(2 * (1 - _EDGE) * last) + 1)
    if not sums:
        return float(last) / 2
    costs = np.array([_difference(first, second, k) for k in sums])
    best = int(costs.argmin())
    return (sums[best] + _vertex(costs, best)) / 2


def _difference(first: FloatArray, second: FloatArray, k: int) -> float:
    """Energy of first[x] - second[k - x] over the energy of both, where the two overlap."""
    low, high = max(0, k - first.shape[1] + 1), min(first.shape[1] - 1, k)
    a, b = first[:, low : high + 1], second[:, k - high : k - low + 1][:, ::-1]
    energy = float((a**2).sum() + (b**2).sum())
    return float(((a - b) ** 2).sum()) / energy if energy > 0 else 1.0


def _by_mass(data: FloatArray, angles: FloatArray) -> float:
    """The constant part of the path of the centre of mass (the consistency condition of order 1, Helgason 1980)."""
    middle = float(data.shape[2] - 1) / 2
    mass = data.sum(axis=(0, 2))
    moment = (data * (np.arange(data.shape[2]) - middle)).sum(axis=(0, 2))
    if len(angles) < 4 or not (mass > 0).all():
        return middle
    waves = np.stack((np.ones_like(angles), np.cos(angles), np.sin(angles)), axis=1)
    fitted = np.linalg.lstsq(waves, moment / mass, rcond=None)[0]
    limit = (0.5 - _EDGE) * (data.shape[2] - 1)
    return middle + float(np.clip(fitted[0], -limit, limit))


def _vertex(costs: FloatArray, best: int) -> float:
    """Where between its neighbours, -0.5 to 0.5, the parabola through the least cost has its vertex."""
    if not 0 < best < len(costs) - 1:
        return 0.0
    before, here, after = costs[best - 1 : best + 2]
    bend = before - 2 * here + after
    return float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend > 0 else 0.0
