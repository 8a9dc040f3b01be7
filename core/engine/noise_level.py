"""How strong the noise of a measurement is, and the weight of the data that follows from it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from core.engine.problem import Problem
from core.engine.problem_mri import SenseProblem
from core.engine.settings import ReconSettings
from core.errors import JobError
from core.operators.planes import Planes
from core.scan import KSpace, Scan

LEAST_LEVEL = 1e-4
"""Of an image scaled to 1: below it rounding errors are the noise."""
HEAVIEST = 1e6
"""In single precision a larger weight of the data leaves nothing of the estimate that it is weighed against."""

_ROUNDING = 1e-6
_EDGE_SHARE = 10
_PLANES = 8
_MEDIAN_TO_STD = 1.4826


def noise_level(scan: Scan, problem: Problem, scale: float) -> float:
    """sigma_y: the noise per real and imaginary part (standard deviation) for A of unit norm and a scaled image.

    scale: the intensity that becomes 1. From scan.noise_std where the reader knows it: all that happens to the data
    afterwards (Fourier transforms along kz or kx, coil compression) is orthonormal and keeps it. Otherwise from the
    edge of k-space, which is an upper bound where the signal reaches that far. Never below LEAST_LEVEL. Raises JobError
    for a scan that is no k-space.
    """
    if not (isinstance(scan, KSpace) and isinstance(problem, SenseProblem)):
        raise JobError("The noise of this scan is not known.", "It has no k-space.", "Use the constant gamma rule.")
    data = problem.planes.data
    rounding = _ROUNDING * float(abs(data[len(data) // 2]).max())
    level = scan.noise_std
    if level is None or level < rounding:
        level = edge_level(problem.planes)
    return max(level / problem.norm / scale, LEAST_LEVEL)


def edge_level(planes: Planes) -> float:
    """The noise per real and imaginary part in the units of the planes' data, root mean square over the coils.

    By the median of the tenth of the measured samples that is farthest from k = 0, which single strong ones do not
    move. Zero-filled places do not count, also where a transform has left rounding errors in them, so that neither
    interpolated scans nor partial Fourier seem free of noise.
    """
    count = len(planes.data)
    chosen = np.unique(np.linspace(0, count - 1, min(count, _PLANES)).round().astype(int))
    levels = [_edge_of(planes.data[i], planes.mask[i % len(planes.mask)]) for i in chosen]
    return float(np.median(levels))


def _edge_of(plane: npt.NDArray[np.complex64], mask: npt.NDArray[np.bool_]) -> float:
    """plane: (coils, a, b). mask: (a, b or 1)."""
    size = abs(plane).max(axis=0)
    measured = np.broadcast_to(mask, size.shape) & (size > _ROUNDING * size.max())
    a, b = (np.arange(n) - n // 2 for n in size.shape)
    distance = np.hypot(a[:, None] / max(len(a) // 2, 1), b / max(len(b) // 2, 1))[measured]
    values = plane[:, measured]
    values = values[:, distance >= np.quantile(distance, 1 - 1 / _EDGE_SHARE)] if distance.size else values
    if not values.size:
        return 0.0
    parts = np.concatenate([values.real, values.imag], axis=1)
    stds = _MEDIAN_TO_STD * np.median(abs(parts), axis=1)
    return float(np.sqrt(np.mean(stds**2)))


def data_weight(settings: ReconSettings, sigma_y: float | None) -> float | Callable[[float], float]:
    """gamma as the sampler takes it: a number, or for the rule "noise" a function of the noise level of a step.

    That is gamma sigma_t^2 / sigma_y^2: the estimate and the measurement are weighed as two sources of information
    with noise sigma_t and sigma_y. sigma_y: for the rule "noise".
    """
    if settings.noiseless:
        return float("inf")
    if settings.gamma_rule == "constant" or sigma_y is None:
        return settings.gamma
    return lambda sigma_t: min(settings.gamma * (sigma_t / sigma_y) ** 2, HEAVIEST)
