"""Shapes for made-up anatomy: signed distances in mm (positive inside) and random fields, evaluated at points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.ndimage as ndi

FloatArray = npt.NDArray[np.float32]

LATTICE = 112
LATTICE_MM = 2.2
"""The random fields repeat after LATTICE * LATTICE_MM mm, which is longer than a head."""


def once_per_plane(method: Callable[[Any, Any], FloatArray]) -> Callable[[Any, Any], FloatArray]:
    """Let a method of (points) keep its last answer for as long as it is asked about the same points object."""
    name = f"_last_{method.__name__}"

    @wraps(method)
    def remembering(self: Any, points: Any) -> FloatArray:
        last = self.__dict__.get(name)
        if last is None or last[0] is not points:
            last = self.__dict__[name] = (points, method(self, points))
        answer: FloatArray = last[1]
        return answer

    return remembering


class NoiseField:
    """A smooth random field of unit standard deviation whose waves are about `wavelength_mm` long.

    bandwidth: relative width of the band of wave numbers; 1 and more gives a low-pass field.
    """

    def __init__(self, rng: np.random.Generator, wavelength_mm: float, bandwidth: float) -> None:
        white = rng.standard_normal((LATTICE,) * 3, dtype=np.float32)
        spectrum = scipy.fft.rfftn(white)
        line = scipy.fft.fftfreq(LATTICE, LATTICE_MM)
        half = scipy.fft.rfftfreq(LATTICE, LATTICE_MM)
        wave = np.sqrt(line[:, None, None] ** 2 + line[None, :, None] ** 2 + half[None, None] ** 2) * wavelength_mm
        if bandwidth < 1:
            spectrum *= np.exp(-0.5 * ((wave - 1) / bandwidth) ** 2)
        else:
            spectrum *= np.exp(-0.5 * wave**2)
        field = scipy.fft.irfftn(spectrum, s=white.shape).astype(np.float32)
        self.values: FloatArray = field / np.float32(field.std())

    def slope(self) -> FloatArray:
        """Length of the gradient per mm on the lattice."""
        wrapped = np.pad(self.values, 1, mode="wrap")
        squares = np.zeros_like(self.values)
        for axis in range(3):
            squares += np.asarray(np.gradient(wrapped, LATTICE_MM, axis=axis))[1:-1, 1:-1, 1:-1] ** 2
        length: FloatArray = np.sqrt(squares)
        return length

    @once_per_plane
    def at(self, points: Sequence[FloatArray]) -> FloatArray:
        """The field at points (x, y, z) in mm, each an array of the same shape."""
        return sample(self.values, points)


class Sheets:
    """Thin winding surfaces: the zeros of a band-limited random field."""

    def __init__(self, rng: np.random.Generator, wavelength_mm: float) -> None:
        field = NoiseField(rng, wavelength_mm, 0.16)
        self.reach_mm = np.float32(wavelength_mm / (2 * np.pi))
        self.values = field.values
        self.slopes = field.slope() * self.reach_mm

    def distance(self, points: Sequence[FloatArray]) -> FloatArray:
        """Distance in mm to the nearest sheet: the phase of the wave there, at most a quarter wave."""
        values, slopes = sample(self.values, points), sample(self.slopes, points)
        result: FloatArray = np.arctan2(np.abs(values), slopes + np.float32(1e-4)) * self.reach_mm
        return result


def sample(lattice: FloatArray, points: Sequence[FloatArray]) -> FloatArray:
    """A periodic lattice at points (x, y, z) in mm, linearly interpolated."""
    places = [p / LATTICE_MM for p in points]
    result: FloatArray = ndi.map_coordinates(lattice, places, order=1, mode="grid-wrap", output=np.float32)
    return result


def ellipsoid(points: Sequence[FloatArray], centre: Sequence[float], radii: Sequence[float]) -> FloatArray:
    """Signed distance to an ellipsoid along the ray from its centre, positive inside."""
    offsets = [p - np.float32(c) for p, c in zip(points, centre, strict=True)]
    scaled = np.sqrt(sum((o / np.float32(r)) ** 2 for o, r in zip(offsets, radii, strict=True)))
    length = np.sqrt(sum(o**2 for o in offsets))
    result: FloatArray = np.where(
        scaled > 1e-3, length * (1 / np.maximum(scaled, 1e-3) - 1), np.float32(min(radii))
    ).astype(np.float32)
    return result


def chain(points: Sequence[FloatArray], knots: Sequence[Sequence[float]]) -> FloatArray:
    """Signed distance to a bent tube, positive inside. knots: (x, y, z, radius) in mm."""
    best = np.full(np.broadcast_shapes(*(p.shape for p in points)), -1e3, np.float32)
    for start, end in pairwise(knots):
        a, b = np.asarray(start, np.float32), np.asarray(end, np.float32)
        along = b[:3] - a[:3]
        share = sum((p - a[i]) * along[i] for i, p in enumerate(points)) / max(float(along @ along), 1e-6)
        share = np.clip(share, 0, 1)
        away = np.sqrt(sum((p - a[i] - share * along[i]) ** 2 for i, p in enumerate(points)))
        np.maximum(best, a[3] + share * (b[3] - a[3]) - away, out=best)
    return best


def union(*distances: FloatArray, softness: float = 2.0) -> FloatArray:
    """Smooth union of signed distances (a soft maximum), rounded over about `softness` mm."""
    result = distances[0]
    for other in distances[1:]:
        apart = np.clip(0.5 + 0.5 * (other - result) / softness, 0, 1)
        result = result + apart * (other - result) + softness * apart * (1 - apart) * np.float32(0.5)
    return result
