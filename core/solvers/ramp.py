"""The ramp filter of filtered back-projection, along the columns of a detector."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

WINDOWS: dict[str, Callable[[Tensor], Tensor]] = {
    "ramp": torch.ones_like,
    "hann": lambda f: torch.cos(math.pi * f) ** 2,
    "cosine": lambda f: torch.cos(math.pi * f),
    "shepp-logan": torch.sinc,
}
"""What each window leaves of a frequency f in cycles per bin, from 0 to 1/2."""


def ramp_filtered(lines: Tensor, pitch: float, window: str = "hann", curved: bool = False) -> Tensor:
    """Lines (..., columns), pitch mm apart, under the band-limited ramp (Kak and Slaney 1988, eq. 3.61) and a window.

    curved: the bins are apart in radians as seen from the source, which bends the ramp (eq. 3.112, without its half).
    Raises KeyError for a window that is not in WINDOWS.
    """
    columns = lines.shape[-1]
    # Twice the width: what the ramp carries over one end must not come back at the other.
    size = 2 ** math.ceil(math.log2(max(2 * columns, 2)))
    place = torch.fft.fftfreq(size, d=1 / size, dtype=torch.float64)
    odd = place.long() % 2 != 0
    kernel = torch.zeros(size, dtype=torch.float64)
    kernel[odd] = -1 / (math.pi * place[odd]) ** 2
    kernel[0] = 0.25
    if curved:
        kernel = kernel / torch.sinc((place * pitch).clamp(-3, 3) / math.pi) ** 2
    response = torch.fft.rfft(kernel).real / pitch
    response = response * WINDOWS[window](torch.fft.rfftfreq(size, dtype=torch.float64))
    filtered: Tensor = torch.fft.irfft(torch.fft.rfft(lines, n=size) * response.to(lines), n=size)[..., :columns]
    return filtered
