"""Filtered back-projection, the classical image of a CT slice."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.operators.parallel import Parallel


def fbp(operator: Parallel, sinogram: Tensor, window: str = "hann") -> Tensor:
    """Attenuation (slices, h, w) in 1/mm from line integrals (slices, views, detectors).

    Ramp filter in its band-limited form (Kak and Slaney 1988, eq. 3.61) times a window: "hann" or "ramp" (none). Views
    may be unevenly spread over any arc; each counts by the arc that it stands for, opposite views as the same one.
    """
    geometry = operator.geometry
    filtered = _ramp_filtered(sinogram, geometry.pitch_mm, window)
    weights = torch.from_numpy(arc_weights(geometry.angles)).to(sinogram)
    # The adjoint adds, for every ray, the length within a pixel: a pixel's area over the pitch, for every view.
    dy, dx = operator.spacing_mm
    return operator.adjoint(filtered * weights[:, None]) * (geometry.pitch_mm / (dy * dx))


def arc_weights(angles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Half the arc to both neighbours of each view, modulo half a turn, float64 (views,); they add up to pi."""
    turned = np.mod(angles, np.pi)
    order = np.argsort(turned, kind="stable")
    ahead = np.diff(np.append(turned[order], turned[order][0] + np.pi))
    weights = np.empty(len(angles))
    weights[order] = (ahead + np.roll(ahead, 1)) / 2
    return weights


def _ramp_filtered(sinogram: Tensor, pitch_mm: float, window: str) -> Tensor:
    detectors = sinogram.shape[-1]
    size = 2 ** math.ceil(math.log2(2 * detectors))
    place = torch.fft.fftfreq(size, d=1 / size, dtype=torch.float64)
    odd = place.long() % 2 != 0
    kernel = torch.zeros(size, dtype=torch.float64)
    kernel[odd] = -1 / (math.pi * place[odd]) ** 2
    kernel[0] = 0.25
    response = torch.fft.rfft(kernel).real / pitch_mm
    if window == "hann":
        response = response * torch.cos(math.pi * torch.fft.rfftfreq(size, dtype=torch.float64)) ** 2
    spectrum = torch.fft.rfft(sinogram, n=size) * response.to(sinogram)
    filtered: Tensor = torch.fft.irfft(spectrum, n=size)[..., :detectors]
    return filtered
