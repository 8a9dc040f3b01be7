"""Centred orthonormal Fourier transforms, and the readout oversampling that is removed with them."""

from __future__ import annotations

import numpy as np

from core.scan import Complex64Array


def to_kspace(image: Complex64Array, axes: tuple[int, ...]) -> Complex64Array:
    """Image to k-space along some axes; x = 0 and k = 0 lie at n // 2. Orthonormal, so noise keeps its level."""
    shifted = np.fft.fftn(np.fft.ifftshift(image, axes=axes), axes=axes, norm="ortho")
    return np.fft.fftshift(shifted, axes=axes).astype(np.complex64, copy=False)


def to_image(kspace: Complex64Array, axes: tuple[int, ...]) -> Complex64Array:
    """The inverse of to_kspace."""
    shifted = np.fft.ifftn(np.fft.ifftshift(kspace, axes=axes), axes=axes, norm="ortho")
    return np.fft.fftshift(shifted, axes=axes).astype(np.complex64, copy=False)


def remove_oversampling(readouts: Complex64Array, nx: int) -> Complex64Array:
    """Keep the middle nx points of the image along the last axis, and go back to k-space.

    readouts: complex64 (..., n) with n >= nx. Both transforms are orthonormal: white noise of a certain standard
    deviation stays so, while the signal grows by sqrt(n / nx).
    """
    n = readouts.shape[-1]
    if nx == n:
        return readouts
    start = n // 2 - nx // 2
    image = to_image(readouts, (-1,))[..., start : start + nx]
    return to_kspace(image, (-1,))
