"""The noise of the coils: pre-whitening by a noise scan, and an estimate where there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.scan import BoolArray, Complex64Array

ComplexMatrix = npt.NDArray[np.complex128]

_MAD_TO_STD = 1.4826
_LEAST_SAMPLES = 64
_ALIKE = 0.75
_GAUSSIAN = (0.85, 1.18)


@dataclass(frozen=True)
class NoiseScan:
    """Samples taken without excitation, complex64 (coils, n) of the coils of the image.

    power_scale: noise power of an imaging readout per noise power of these samples: the ratio of their bandwidths.
    """

    samples: Complex64Array
    power_scale: float = 1.0


def whitening_matrix(noise: NoiseScan) -> ComplexMatrix | None:
    """The (coils, coils) matrix that makes the coils' noise uncorrelated with variance 1 (complex) each.

    Inverse Cholesky factor of the noise covariance (Pruessmann 2001, doi 10.1002/mrm.1241, appendix A).
    None if there are too few samples, or a coil is silent.
    """
    samples = noise.samples.astype(np.complex128)
    coils, n = samples.shape
    if n < 4 * coils or not np.isfinite(samples).all():
        return None
    samples = samples - samples.mean(axis=1, keepdims=True)
    covariance = samples @ samples.conj().T / (n - 1) * noise.power_scale
    powers = covariance.diagonal().real
    if powers.min() <= 1e-10 * powers.max():
        return None
    try:
        return np.asarray(np.linalg.inv(np.linalg.cholesky(covariance)), dtype=np.complex128)
    except np.linalg.LinAlgError:
        return None


def bandwidth_ratio(noise_dwell: float, imaging_dwell: float, relative_bandwidth: float = 1.0) -> float:
    """power_scale of a NoiseScan: noise power grows with the bandwidth, the inverse of the dwell time (any unit).

    relative_bandwidth: of the receiver's filter at the noise scan. A dwell time of 0 is unknown: then 1.
    """
    if noise_dwell <= 0 or imaging_dwell <= 0 or relative_bandwidth <= 0:
        return 1.0
    ratio = noise_dwell / imaging_dwell / relative_bandwidth
    return ratio if 1e-3 < ratio < 1e3 else 1.0


def edge_noise(data: Complex64Array, mask: BoolArray) -> float | None:
    """Standard deviation of the noise per real and imaginary part, from the far corners of k-space.

    data: axes KSPACE_AXES. mask: axes MASK_AXES. The outermost lines and, on them, the outermost samples are compared
    with their inner neighbours: None unless both are alike and normally distributed, because then it is not noise.
    """
    frame, pattern = data[0, 0], np.broadcast_to(mask[:1, :1], (1, 1, *data.shape[2:3], *data.shape[4:]))[0, 0]
    outer, inner = [], []
    for which in range(len(frame)):
        lines = _outermost_lines(pattern[which])
        columns = np.flatnonzero(pattern[which].any(axis=(0, 1)))
        width = len(columns) // 10
        if not len(lines) or not width:
            return None
        far = np.concatenate([columns[:width], columns[-width:]])
        near = np.concatenate([columns[width : 2 * width], columns[-2 * width : -width]])
        values = frame[which][:, lines[:, 0], lines[:, 1]]
        outer.append(values[..., far].reshape(len(values), -1))
        inner.append(values[..., near].reshape(len(values), -1))
    return _noise_if_alike(np.concatenate(outer, axis=1), np.concatenate(inner, axis=1))


def _outermost_lines(pattern: BoolArray) -> npt.NDArray[np.int64]:
    """(n, 2) places (kz, ky) of the tenth of the measured lines that is farthest from k = 0."""
    places = np.argwhere(pattern.any(axis=-1))
    centre = np.array(pattern.shape[:2]) // 2
    size = np.maximum(centre, 1)
    far = np.abs((places - centre) / size).max(axis=1) if len(places) else np.zeros(0)
    order = np.argsort(-far, kind="stable")
    return places[order[: max(len(places) // 10, 2)]]


def _noise_if_alike(outer: Complex64Array, inner: Complex64Array) -> float | None:
    if outer.shape[1] < _LEAST_SAMPLES:
        return None
    stds = []
    for coil_outer, coil_inner in zip(outer, inner, strict=True):
        parts = [np.concatenate([c.real, c.imag]).astype(np.float64) for c in (coil_outer, coil_inner)]
        robust = [_robust_std(part) for part in parts]
        plain = float(parts[0].std())
        if min(robust) <= 0 or plain <= 0 or min(robust) / max(robust) < _ALIKE:
            return None
        if not _GAUSSIAN[0] < robust[0] / plain < _GAUSSIAN[1]:
            return None
        stds.append(_robust_std(np.concatenate(parts)))
    return math.sqrt(float(np.mean(np.square(stds))))


def _robust_std(values: npt.NDArray[np.float64]) -> float:
    """Standard deviation of a normal distribution by the median absolute deviation."""
    return _MAD_TO_STD * float(np.median(np.abs(values - np.median(values))))
