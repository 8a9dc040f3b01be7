"""How much each ray of a CT scan counts: by its photons, and not at all where it cannot be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.engine.settings import ReconSettings, used_by
from core.errors import JobError
from core.projections import Projections

FloatArray = npt.NDArray[np.float32]

BEHIND, HEAVIEST = 0.1, 2.0
"""Rays whose line integral is above this share of the largest count as behind the object; the largest weight's root."""


def statistical_weights(scan: Projections, settings: ReconSettings, device: torch.device) -> Tensor | None:
    """Square roots of the statistical weights of the rays, 0 where nothing can be trusted; None if all are 1.

    With photons: one over the variance of each line integral, which is the photons that arrived (Sauer and Bouman 1993,
    doi 10.1109/78.193196), times the mean variance behind the object, so that gamma and lambda mean what they mean
    without weights; at most HEAVIEST, since rays beside the object only tell of air. Raises JobError where they are
    asked for and the scan does not tell how many photons were sent.
    """
    weights: npt.NDArray[Any] | None = None
    if settings.weight == "photons" and "weight" in used_by(settings.method):
        if scan.photons is None:
            raise JobError(
                "The rays cannot be weighed by their photons.",
                "The scan does not tell how many were sent.",
                "Set the weight to none.",
            )
        known = scan.data if scan.valid is None else scan.data[np.broadcast_to(scan.valid, scan.data.shape)]
        behind = known[known > BEHIND * known.max()]
        variance = float(np.exp(behind, dtype=np.float64).mean()) if behind.size else 1.0
        weights = np.minimum(np.exp(-scan.data / 2) * np.sqrt(variance), HEAVIEST)
    if scan.valid is not None and not scan.valid.all():
        weights = scan.valid if weights is None else weights * scan.valid
    if weights is None:
        return None
    return torch.from_numpy(np.ascontiguousarray(weights, dtype=np.float32)).to(device)


def without_holes(scan: Projections) -> FloatArray:
    """The line integrals with what cannot be trusted filled in from the valid columns beside it."""
    if scan.valid is None or scan.valid.all():
        return np.ascontiguousarray(scan.data)
    filled = scan.data.copy()
    columns = np.arange(scan.columns)
    valid = np.broadcast_to(scan.valid, scan.data.shape)
    for row, view in zip(*np.nonzero(~valid.all(axis=2)), strict=True):
        good = valid[row, view]
        if good.any():
            filled[row, view, ~good] = np.interp(columns[~good], columns[good], filled[row, view, good])
        else:
            filled[row, view] = 0
    return filled
