"""The noise that a scan's own record lets one expect in each of its measurements."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

import numpy as np
import numpy.typing as npt

from core.engine.noise_level import LEAST_LEVEL, noise_level
from core.engine.problem import Problem
from core.engine.problem_ct import TomoProblem
from core.engine.problem_mri import SenseProblem, intensity_scale
from core.engine.trust.local import BRIGHT_PERCENTILE
from core.engine.trust.posed import Posed
from core.scan import KSpace, Scan

NOISE_SCAN, SIMULATION, EDGE, PHOTONS, UNKNOWN = "noise scan", "simulation", "edge of k-space", "photon count", ""
"""Where the noise is known from. At the edge of k-space there may be signal: what is found there is an upper bound."""
WHITE = 0.5**0.5
"""What whitening by a noise scan makes of the noise in a real or imaginary part, before averages."""


@dataclass(frozen=True, eq=False)
class ExpectedNoise:
    """std: standard deviation per real number, broadcast over the measurement in its own unit; None where not known."""

    source: str
    std: npt.NDArray[Any] | None = field(default=None, repr=False)

    @property
    def upper_bound(self) -> bool:
        return self.source == EDGE


def expected_noise(posed: Posed) -> ExpectedNoise:
    """The noise of the measurement that a run was made from."""
    return _noise_of(posed.problem, posed)


@singledispatch
def _noise_of(problem: Problem, posed: Posed) -> ExpectedNoise:
    raise TypeError(type(problem))


@_noise_of.register
def _(problem: SenseProblem, posed: Posed) -> ExpectedNoise:
    """As the runner weighs the data by; a level so low that it may be rounding is not known."""
    scale = intensity_scale(posed.x, BRIGHT_PERCENTILE)
    level = noise_level(posed.scan, problem, scale)
    if level <= LEAST_LEVEL:
        return ExpectedNoise(UNKNOWN)
    std = level * scale * problem.norm
    return ExpectedNoise(_source(posed.scan, std), np.asarray(std, dtype=np.float32))


@_noise_of.register
def _(problem: TomoProblem, posed: Posed) -> ExpectedNoise:
    """sqrt(1 / photons that arrived), the deviation of a line integral (Sauer and Bouman 1993, 10.1109/78.193196)."""
    scan = problem.scan
    if scan.photons is None:
        return ExpectedNoise(UNKNOWN)
    with np.errstate(over="ignore"):
        return ExpectedNoise(PHOTONS, np.exp(scan.data / 2) / np.float32(np.sqrt(scan.photons)))


def _source(scan: Scan, std: float) -> str:
    """Where a level comes from: readers that find no noise scan, or one that contradicts the data, take the edge."""
    assert isinstance(scan, KSpace)
    if scan.noise_std is None or not np.isclose(scan.noise_std, std, rtol=1e-3):
        return EDGE
    if scan.simulated:
        return SIMULATION
    whitened = scan.whitened and np.isclose(std, WHITE / np.sqrt(scan.averages), rtol=1e-3)
    return NOISE_SCAN if whitened else EDGE
