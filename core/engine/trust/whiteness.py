"""Whether a residual looks like noise: its histogram, and whether neighbours are alike."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]

EDGES = np.linspace(-6.0, 6.0, 61)
"""Of the histogram, in units of the residual's own root mean square; what lies beyond counts in the last bins."""
CORRELATED = 0.1
"""Between neighbours: above it there is structure that one sees."""
TAILED = 0.01
"""Of the values beyond 3 root mean squares, where noise has 0.27 %."""
_EXTREME = 3.0


@dataclass(frozen=True, eq=False)
class Whiteness:
    """counts: of values between EDGES; expected: of normal noise. correlation: of neighbours along the two last axes of
    the measurement, 0 for noise, NaN where no two neighbours were measured. beyond: share farther than 3 root mean
    squares from 0."""

    counts: npt.NDArray[np.int64] = field(repr=False)
    expected: npt.NDArray[np.float64] = field(repr=False)
    correlation: tuple[float, float]
    beyond: float

    @property
    def white(self) -> bool:
        """Neither tails nor neighbours that are alike."""
        return self.beyond <= TAILED and not any(abs(c) > CORRELATED for c in self.correlation)

    @property
    def sentence(self) -> str:
        """For a person."""
        if self.white:
            return "What is left looks like noise."
        signs = []
        if self.beyond > TAILED:
            signs.append(f"{100 * self.beyond:.1f} % of it is farther out than noise would be")
        worst = max((c for c in self.correlation if math.isfinite(c)), key=abs, default=0.0)
        if abs(worst) > CORRELATED:
            signs.append(f"neighbours are correlated by {worst:.2f}")
        return f"What is left has structure: {', and '.join(signs)}."


def whiteness_of(residual: Array, measured: BoolArray) -> Whiteness:
    """Of a residual (..., a, b), real or complex, where it was measured; best over its expected noise.

    A test of the shape only: values are divided by their own root mean square.
    """
    values = residual[measured]
    parts = np.concatenate([values.real, values.imag]) if np.iscomplexobj(values) else values
    size = float(np.sqrt(np.mean(parts.astype(np.float64) ** 2))) if parts.size else 0.0
    parts = parts / size if size else parts
    counts, _ = np.histogram(np.clip(parts, EDGES[0], EDGES[-1]), EDGES)
    below = np.array([0.0, *(0.5 * (1 + math.erf(e / math.sqrt(2))) for e in EDGES[1:-1]), 1.0])
    beyond = float(np.mean(np.abs(parts) > _EXTREME)) if parts.size else 0.0
    correlation = (_correlation(residual, measured, -2), _correlation(residual, measured, -1))
    return Whiteness(counts, np.diff(below) * parts.size, correlation, beyond)


def _correlation(residual: Array, measured: BoolArray, axis: int) -> float:
    """Of neighbours along an axis that both were measured."""
    a, b = (np.moveaxis(residual, axis, -1)[..., part] for part in (slice(None, -1), slice(1, None)))
    both = np.moveaxis(measured, axis, -1)
    pairs = both[..., :-1] & both[..., 1:]
    a, b = a[pairs], b[pairs]
    size = math.sqrt(float(np.vdot(a, a).real) * float(np.vdot(b, b).real)) if a.size else 0.0
    return float(np.vdot(a, b).real) / size if size else float("nan")
