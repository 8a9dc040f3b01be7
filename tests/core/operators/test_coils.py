"""Coil maps explain the coil images, agree with another implementation, and refuse what cannot work."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.errors import ScanError
from core.operators.coils import compression_matrix, espirit


@pytest.fixture
def k_space(make_scan) -> np.ndarray:
    return make_scan(ny=64, nx=72, coils=6, noise=1e-3).data[0, 0, 0, :, 0]


def centre(k_space: np.ndarray, width: int) -> torch.Tensor:
    ny, nx = (n // 2 for n in k_space.shape[1:])
    half = width // 2
    return torch.from_numpy(k_space[:, ny - half : ny + half, nx - half : nx + half].copy())


def images(k_space: np.ndarray) -> np.ndarray:
    shifted = np.fft.ifft2(np.fft.ifftshift(k_space, axes=(-2, -1)), norm="ortho")
    return np.fft.fftshift(shifted, axes=(-2, -1))


def test_maps_explain_the_coil_images(k_space: np.ndarray) -> None:
    maps = espirit(centre(k_space, 20), (64, 72)).numpy()
    coil_images = images(k_space)
    combined = (maps.conj() * coil_images).sum(0)
    inside = abs(combined) > 0.1 * abs(combined).max()
    gap = (coil_images - maps * combined)[:, inside]
    assert np.linalg.norm(gap) < 0.02 * np.linalg.norm(coil_images[:, inside])
    assert np.allclose(np.linalg.norm(maps[:, inside], axis=0), 1, atol=1e-4)


def test_maps_agree_with_sigpy(k_space: np.ndarray) -> None:
    sigpy_mri = pytest.importorskip("sigpy.mri")
    theirs = sigpy_mri.app.EspiritCalib(k_space, calib_width=20, crop=0.8, show_pbar=False).run()
    ours = espirit(centre(k_space, 20), (64, 72)).numpy()
    inside = (abs(images(k_space)).sum(0) > 0.3) & (abs(theirs).sum(0) > 0) & (abs(ours).sum(0) > 0)
    overlap = abs((ours.conj() * theirs).sum(0)[inside])
    assert inside.mean() > 0.3
    assert overlap.mean() > 0.999


@pytest.mark.parametrize("shape", [(6, 3, 40), (6, 0, 0), (6, 3, 3)])
def test_a_centre_that_is_too_small_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ScanError, match="too small"):
        espirit(torch.zeros(shape, dtype=torch.complex64), (32, 32))


def test_compression_keeps_the_energy_of_dependent_coils() -> None:
    rng = np.random.default_rng(0)
    sources = rng.standard_normal((5, 24, 24)) + 1j * rng.standard_normal((5, 24, 24))
    mixing = rng.standard_normal((20, 5)) + 1j * rng.standard_normal((20, 5))
    coils = np.einsum("cs,sab->cab", mixing, sources).astype(np.complex64)
    matrix = compression_matrix(coils, 5)
    virtual = np.einsum("vc,cab->vab", matrix, coils)
    assert np.allclose(matrix @ matrix.conj().T, np.eye(5), atol=1e-5)
    assert np.linalg.norm(virtual) == pytest.approx(np.linalg.norm(coils), rel=1e-5)
