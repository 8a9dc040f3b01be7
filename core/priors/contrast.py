"""Random contrasts: curves that turn the intensities of a T1-weighted head into those of other sequences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

_CODES = np.linspace(0, 1.25, 256)
_TISSUES = (0.0, 0.1, 0.28, 0.47, 0.72, 0.95, 1.25)
"""T1-weighted intensity of air or void, CSF, CSF mixed with cortex, cortex, white matter (a range), vessels."""


@dataclass(frozen=True)
class ContrastCurves:
    """New intensities for the 256 codes of a volume: outside the brain and, where it is known, inside."""

    outside: FloatArray
    inside: FloatArray | None


def random_curves(rng: np.random.Generator, brain_known: bool) -> ContrastCurves:
    """Curves of one random sequence; T2-like is the most frequent where the brain is known."""
    if not brain_known:
        return ContrastCurves(_rising(rng), None)
    kind = rng.random()
    if kind < 0.6:
        return ContrastCurves(_rising(rng) * np.float32(rng.uniform(0.4, 1.1)), _t2(rng))
    if kind < 0.75:
        return ContrastCurves(_rising(rng) * np.float32(rng.uniform(0.5, 1.1)), _flair(rng))
    curve = _rising(rng)
    return ContrastCurves(curve, curve)


def _rising(rng: np.random.Generator) -> FloatArray:
    """A monotone curve near the identity, by a gamma and jittered knots."""
    knots = np.linspace(0, 1.25, 6)
    steps = knots[1] * np.exp(rng.normal(0, 0.3, 5))
    values = np.concatenate(([0.0], np.cumsum(steps)))
    values *= 1.25 / values[-1]
    curve = np.interp(_CODES, knots, values)
    bent: FloatArray = (1.25 * (curve / 1.25) ** np.exp(rng.normal(0, 0.25))).astype(np.float32)
    return bent


def _t2(rng: np.random.Generator) -> FloatArray:
    """Bright CSF, grey cortex, darker white matter, dark vessels."""
    csf = rng.uniform(0.8, 1.2)
    cortex = csf * rng.uniform(0.35, 0.62)
    white = cortex * rng.uniform(0.55, 0.92)
    mixed = cortex + (csf - cortex) * rng.uniform(0.35, 0.6)
    values = (csf * rng.uniform(0.5, 1.05), csf, mixed, cortex, white, 0.95 * white, white * rng.uniform(0.1, 1.0))
    return np.interp(_CODES, _TISSUES, values).astype(np.float32)


def _flair(rng: np.random.Generator) -> FloatArray:
    """Dark CSF, bright cortex, grey white matter."""
    cortex = rng.uniform(0.6, 0.95)
    csf = cortex * rng.uniform(0.05, 0.35)
    white = cortex * rng.uniform(0.6, 0.95)
    mixed = (cortex + csf) / 2
    values = (csf * rng.uniform(0.2, 1.0), csf, mixed, cortex, white, 0.95 * white, white * rng.uniform(0.3, 1.2))
    return np.interp(_CODES, _TISSUES, values).astype(np.float32)
