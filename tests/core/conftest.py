"""A small asymmetric scan that tests of the core share, and a prior that knows the answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from core.scan import KSpace, Provenance


def phantom(ny: int, nx: int) -> np.ndarray:
    """An object that no flip, shift or turn maps to itself: a tilted ellipse with three different marks."""
    y, x = np.mgrid[:ny, :nx]
    v, u = (y - ny / 2) / ny, (x - nx / 2) / nx
    image = 1.0 * (((u + 0.3 * v) / 0.38) ** 2 + (v / 0.42) ** 2 < 1)
    image += 0.5 * ((u + 0.15) ** 2 + (v + 0.2) ** 2 < 0.006) - 0.4 * ((u - 0.18) ** 2 + (v - 0.05) ** 2 < 0.004)
    return image + 0.3 * (abs(u - 0.05) < 0.03) * (abs(v - 0.25) < 0.06)


def smooth_maps(coils: int, ny: int, nx: int) -> np.ndarray:
    """Smooth complex coil maps of unit root-sum-of-squares, (coils, ny, nx)."""
    y, x = np.mgrid[-1 : 1 : ny * 1j, -1 : 1 : nx * 1j]
    angles = 2 * np.pi * np.arange(coils) / coils
    maps = [np.exp(-((x - np.cos(a)) ** 2 + (y - np.sin(a)) ** 2) / 2 + 1j * (a + 0.6 * x - 0.4 * y)) for a in angles]
    stack = np.stack(maps)
    return stack / np.sqrt((abs(stack) ** 2).sum(0))


def centred_fft(image: np.ndarray, axes: tuple[int, ...] = (-2, -1)) -> np.ndarray:
    shifted = np.fft.fftn(np.fft.ifftshift(image, axes=axes), axes=axes, norm="ortho")
    return np.fft.fftshift(shifted, axes=axes)


def build_scan(
    ny: int = 48,
    nx: int = 40,
    coils: int = 4,
    slices: int = 1,
    repetitions: int = 1,
    noise: float = 0.0,
    scale: float = 1.0,
) -> KSpace:
    rng = np.random.default_rng(0)
    stack = np.stack([phantom(ny, nx) * (1 + 0.2 * s) for s in range(slices)])
    k_space = centred_fft(smooth_maps(coils, ny, nx) * stack[:, None])
    k_space = k_space + noise * (rng.standard_normal(k_space.shape) + 1j * rng.standard_normal(k_space.shape))
    data = np.repeat(k_space[None, None, :, :, None], repetitions, axis=1) * scale
    return KSpace(
        data.astype(np.complex64),
        np.ones((1, 1, 1, 1, ny, 1), dtype=bool),
        (1, ny, nx),
        Provenance("synthetic.h5", "test", sha256="0" * 64),
    )


@pytest.fixture
def make_scan() -> Callable[..., KSpace]:
    return build_scan


@pytest.fixture
def phantom_image() -> Callable[[int, int], np.ndarray]:
    return phantom


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
