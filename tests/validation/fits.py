"""How a cost grows with a size: the exponent p of cost = c * size ** p, with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class PowerLaw:
    """exponent: with the half-width of its 95 % interval (Student's t), infinite for two points."""

    exponent: float
    uncertainty: float
    factor: float

    def __call__(self, size: float) -> float:
        return float(self.factor * size**self.exponent)

    def __str__(self) -> str:
        return f"{self.exponent:.2f} ± {self.uncertainty:.2f}"


def power_law(sizes: Sequence[float], costs: Sequence[float]) -> PowerLaw:
    """The straight line of least squares through the logarithms. Raises ValueError for fewer than three points."""
    if len(sizes) < 3:
        raise ValueError("An exponent with its uncertainty takes three points.")
    found = stats.linregress(np.log(sizes), np.log(costs))
    wide = float(stats.t.ppf(0.975, len(sizes) - 2))
    return PowerLaw(float(found.slope), float(wide * found.stderr), float(np.exp(found.intercept)))
