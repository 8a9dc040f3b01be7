"""An object without symmetry, seen by a few coils, for files that the tests write themselves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ComplexArray = npt.NDArray[np.complex64]


def blob(shape: tuple[int, ...], at: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """A body in the middle and one bright voxel at `at`."""
    image = np.zeros(shape)
    middle = tuple(slice(n // 4, max(3 * n // 4, n // 4 + 1)) for n in shape)
    image[middle] = 0.3
    image[at] = 5.0
    return image


def coil_images(image: npt.NDArray[np.float64], coils: int = 3) -> ComplexArray:
    """(coil, ...) images of the object under smooth, complex sensitivities."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in image.shape), indexing="ij")
    maps = []
    for coil in range(coils):
        angle = 2 * np.pi * coil / coils
        far = (axes[-1] - np.cos(angle)) ** 2 + (axes[-2] - np.sin(angle)) ** 2
        maps.append(np.exp(-far / 3 + 1j * (0.5 * axes[-1] * np.cos(angle) + coil)))
    return (np.stack(maps) * image).astype(np.complex64)


def centred_fft(image: npt.NDArray[np.complexfloating], axes: tuple[int, ...]) -> ComplexArray:
    shifted = np.fft.fftn(np.fft.ifftshift(image, axes=axes), axes=axes, norm="ortho")
    return np.fft.fftshift(shifted, axes=axes).astype(np.complex64)


def centred_ifft(kspace: npt.NDArray[np.complexfloating], axes: tuple[int, ...]) -> ComplexArray:
    shifted = np.fft.ifftn(np.fft.ifftshift(kspace, axes=axes), axes=axes, norm="ortho")
    return np.fft.fftshift(shifted, axes=axes).astype(np.complex64)


def oversampled_kspace(images: ComplexArray, factor: int = 2, sign: int = 1) -> ComplexArray:
    """k-space (coil, ky, kx) or (coil, kz, ky, kx) of images whose readout covers `factor` times their width.

    sign -1 uses the opposite Fourier kernel, as Siemens scanners do.
    """
    nx = images.shape[-1]
    before = nx * factor // 2 - nx // 2
    pad = [(0, 0)] * (images.ndim - 1) + [(before, nx * factor - nx - before)]
    wide = np.pad(images, pad)
    axes = tuple(range(1, images.ndim))
    return centred_fft(wide, axes) if sign > 0 else centred_fft(wide.conj(), axes).conj()


def root_sum_of_squares(kspace: npt.NDArray[np.complexfloating]) -> npt.NDArray[np.float64]:
    """Image (contrast, repetition, slice, z, y, x) of a KSpace array."""
    images = centred_ifft(kspace, (4, 5, 6))
    return np.sqrt(np.square(np.abs(images).astype(np.float64)).sum(axis=3))


def brightest(image: npt.NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(image.argmax()), image.shape))
