"""Lengths and angles in the patient, values along a line, and how regions compare."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from core.orientation import Affine, spacing_of
from core.viewing.grid import indices_at, is_inside
from core.viewing.regions import Statistics
from core.viewing.sampling import Sampled, sampled

Values = npt.NDArray[Any]

_MOST_SAMPLES = 4096


def distance_mm(p: npt.ArrayLike, q: npt.ArrayLike) -> float:
    """Between two points (3,) in LPS mm."""
    return float(np.linalg.norm(np.asarray(q, dtype=np.float64) - np.asarray(p, dtype=np.float64)))


def angle_deg(p: npt.ArrayLike, vertex: npt.ArrayLike, q: npt.ArrayLike) -> float:
    """At the vertex between two arms, 0 to 180 degrees, points (3,) in LPS mm; NaN where an arm has no length.

    atan2(|a x b|, a . b), which unlike the arc cosine stays exact near 0 and 180 degrees.
    """
    middle = np.asarray(vertex, dtype=np.float64)
    a, b = np.asarray(p, dtype=np.float64) - middle, np.asarray(q, dtype=np.float64) - middle
    if not (a.any() and b.any()):
        return float("nan")
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))


def profile(
    values: Values, affine: Affine, p: npt.ArrayLike, q: npt.ArrayLike, samples: int | None = None
) -> tuple[npt.NDArray[np.float64], Sampled]:
    """(mm along the line, values) from p to q, points (3,) in LPS mm: trilinear, NaN outside the volume (z, y, x).

    samples: at even distances, both ends included, 2 to 4096; None takes one at least for every smallest side of a
    voxel. Raises ScanError for an affine that spans no space.
    """
    start, end = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    length = distance_mm(start, end)
    if samples is None:
        samples = ceil(min(length / min(spacing_of(affine)), _MOST_SAMPLES)) + 1 if np.isfinite(length) else 2
    along = np.linspace(0.0, 1.0, min(max(samples, 2), _MOST_SAMPLES))
    return along * length, sampled(values, affine, start + along[:, None] * (end - start))


def value_at(values: Values, affine: Affine, point: npt.ArrayLike) -> float:
    """Of the voxel of a volume (z, y, x) that holds a point (3,) in LPS mm; NaN outside.

    Raises ScanError for an affine that spans no space.
    """
    index = indices_at(affine, point)
    if not is_inside(index, values.shape):
        return float("nan")
    x, y, z = np.clip(np.floor(index + 0.5), 0, np.array(values.shape[::-1]) - 1).astype(int)
    return float(values[z, y, x])


def signal_to_noise(signal: Statistics, noise: Statistics) -> float:
    """SNR = mean(signal) / sd(noise); NaN where the noise has no spread.

    Noise in the air of a magnitude image of one coil is Rayleigh-distributed: its sd is 0.655 of the sd within tissue,
    and this ratio too high by 1 / 0.655 (Henkelman, Med. Phys. 12, 1985, 232). With several coils or parallel imaging
    noise differs from place to place (Dietrich et al., JMRI 26, 2007, 375): take both from the same place.
    """
    return _ratio(signal.mean, noise.sd)


def contrast(a: Statistics, b: Statistics) -> float:
    """Michelson's contrast C = (mean(a) - mean(b)) / (mean(a) + mean(b)), -1 to 1 (Studies in Optics, 1927).

    NaN where a mean is below 0, as in Hounsfield units, or both are 0: the ratio means something only for values that
    count from nothing.
    """
    if a.mean < 0 or b.mean < 0:
        return float("nan")
    return _ratio(a.mean - b.mean, a.mean + b.mean)


def contrast_to_noise(a: Statistics, b: Statistics, noise: Statistics) -> float:
    """CNR = |mean(a) - mean(b)| / sd(noise); NaN where the noise has no spread.

    Bushberg et al., The Essential Physics of Medical Imaging, 3rd edition, chapter 4; noise is most often b itself. It
    holds for Hounsfield units too.
    """
    return _ratio(abs(a.mean - b.mean), noise.sd)


def _ratio(of: float, to: float) -> float:
    return of / to if to else float("nan")
