"""Simulated CT measurements: photons counted behind a patient, and the logarithm taken again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


def counted(line_integrals: FloatArray, photons: float, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """(noisy line integrals, photons that arrived), float32 each, in the shape of the line integrals.

    photons: sent along each ray. Counts are Poisson; where none arrives one is assumed, since the logarithm of nothing
    is not known.
    """
    rng = np.random.default_rng(seed)
    arrived = np.maximum(rng.poisson(photons * np.exp(-line_integrals.astype(np.float64))), 1)
    return -np.log(arrived / photons).astype(np.float32), arrived.astype(np.float32)
