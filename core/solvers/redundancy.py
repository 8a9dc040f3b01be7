"""How much each ray of a scan counts where lines are measured once, twice or not at all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

GAP = 3.0
"""A gap between views counts as an arc that was not measured when it is so many times as long as any other."""

ONE_SIDED = 0.1
"""A detector counts as centred while its sides differ by less than this share of the shorter one."""

LEAST_TAPER = np.pi / 36


def arc_weights(angles: FloatArray, period: float = np.pi) -> FloatArray:
    """Half the arc to both neighbours of each view, modulo the period, float64 (views,); they add up to the period.

    Across an arc that was not measured the neighbours count as near as they are on the average, and the sum is less.
    """
    order, ahead, _ = _gaps(angles, period)
    weights = np.empty(len(angles))
    weights[order] = (ahead + np.roll(ahead, 1)) / 2
    return weights


def ray_weights(angles: FloatArray, fan: FloatArray, edge: FloatArray | None = None) -> FloatArray:
    """The weight of each ray, (views, columns), by which the weights of the same line seen twice add up to 1.

    angles: of the views, a turn being 2 pi. fan: of each column, so that the view at angle b sees in its column g the
    same line as the view at b + pi - 2 g in column -g; zeros for parallel beams. edge: what tells how far out a column
    is, with the same sign, by default the fan. The ends of the arc and the short side of a detector that is off the
    middle fade out (Noo et al. 2002, doi 10.1088/0031-9155/47/14/311; Wang 2002, doi 10.1118/1.1489043).
    """
    edge = fan if edge is None else edge
    own = _of_view(angles, angles[:, None]) * _of_column(edge, edge)
    again = _of_view(angles, angles[:, None] + np.pi - 2 * fan) * _of_column(edge, -edge)
    both = own + again
    return np.where(both > 1e-12, own / np.maximum(both, 1e-12), 0.5)


def centred(edge: FloatArray) -> bool:
    """The columns reach about equally far to both sides."""
    left, right = _sides(edge)
    return abs(left - right) <= ONE_SIDED * max(min(left, right), 0.0)


def blank_columns(edge: FloatArray) -> tuple[int, int]:
    """How many columns to add before and after, so that a detector off the middle reaches equally far to both sides.

    The filter carries what the longer side saw over there, and the views from the other end need it. Never more than
    the detector has.
    """
    if len(edge) < 2:
        return 0, 0
    left, right = _sides(edge)
    missing = min(round(abs(right - left) / abs(edge[1] - edge[0])), len(edge))
    return (missing, 0) if (right > left) == (edge[1] > edge[0]) else (0, missing)


def _gaps(angles: FloatArray, period: float) -> tuple[npt.NDArray[np.int64], FloatArray, float | None]:
    """The order of the views, the arc from each to the next, and where the measured arc begins if it has an end."""
    turned = np.mod(angles, period)
    order = np.argsort(turned, kind="stable")
    turned = turned[order]
    ahead = np.diff(np.append(turned, turned[0] + period))
    if len(angles) < 3:
        return order, ahead, None
    widest = int(ahead.argmax())
    others = float(np.delete(ahead, widest).max())
    # Views that all stand in one place are one view, which counts for the whole period.
    if ahead[widest] <= GAP * others or others == 0:
        return order, ahead, None
    ahead[widest] = (period - ahead[widest]) / (len(angles) - 1)
    return order, ahead, float(turned[(widest + 1) % len(angles)] - ahead[widest] / 2)


def _of_view(angles: FloatArray, at: FloatArray) -> FloatArray:
    """How much views at some angles are relied on, 0 to 1: 1 all round a full turn, fading at the ends of an arc."""
    _, ahead, begin = _gaps(angles, 2 * np.pi)
    if begin is None:
        return np.ones_like(at)
    arc = float(ahead.sum())
    taper = min(max(arc - np.pi, LEAST_TAPER), arc / 2)
    inside = np.mod(at - begin, 2 * np.pi)
    depth = np.minimum(inside, arc - inside).clip(0, taper)
    return np.sin(np.pi / 2 * depth / taper) ** 2


def _of_column(edge: FloatArray, at: FloatArray) -> FloatArray:
    """How much columns at some places are relied on, 0 to 1; 0 beyond the detector."""
    left, right = _sides(edge)
    inside = (at >= -left) & (at <= right)
    if centred(edge) or min(left, right) <= 0:
        return inside.astype(np.float64)
    both = min(left, right)
    longer = np.sign(right - left)
    return np.where(inside, (1 + np.sin(np.pi / 2 * np.clip(longer * at / both, -1, 1))) / 2, 0.0)


def _sides(edge: FloatArray) -> tuple[float, float]:
    """How far the columns reach to the left and to the right of the axis, half a column beyond their middles."""
    half = abs(float(edge[-1] - edge[0])) / max(len(edge) - 1, 1) / 2
    return half - float(edge.min()), half + float(edge.max())
