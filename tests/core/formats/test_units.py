"""The small parts: grids, patterns, noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.formats.acs import measure_acs
from core.formats.encoding import kept_range, whole
from core.formats.fourier import remove_oversampling, to_image, to_kspace
from core.formats.measurement import compact, cut_centre
from core.formats.noise import NoiseScan, bandwidth_ratio, edge_noise, whitening_matrix
from core.scan import KSpace, Provenance
from tests.core.formats.phantom import blob, centred_fft, coil_images


def mask_of(lines: np.ndarray) -> np.ndarray:
    return np.asarray(lines, dtype=bool)[None, None, None, None, :, None]


@given(n=st.integers(1, 300), low=st.integers(-300, 0), high=st.integers(0, 300))
def test_whole_is_the_smallest_that_holds(n: int, low: int, high: int) -> None:
    def holds(size: int) -> bool:
        return size >= n and size // 2 + low >= 0 and size // 2 + high < size

    found = whole(n, low, high)
    assert holds(found)
    assert found == n or not holds(found - 1)


@pytest.mark.parametrize(
    ("first", "last", "full", "kept", "expected"),
    [
        (0, 64, 64, 32, (0, 32)),
        (16, 64, 64, 32, (8, 32)),
        (17, 64, 64, 32, (9, 32)),
        (0, 63, 64, 32, (0, 32)),
        (0, 62, 64, 32, (0, 31)),
        (30, 30, 64, 32, (15, 15)),
        (5, 65, 65, 65, (5, 65)),
    ],
)
def test_kept_range(first: int, last: int, full: int, kept: int, expected: tuple[int, int]) -> None:
    assert kept_range(first, last, full, kept) == expected


@pytest.mark.parametrize("n", [31, 32])
def test_transforms_are_centred_and_invert(n: int) -> None:
    image = np.zeros((2, n), np.complex64)
    image[:, n // 2] = 1
    kspace = to_kspace(image, (1,))
    np.testing.assert_allclose(kspace, np.full((2, n), n**-0.5), atol=1e-6)
    np.testing.assert_allclose(to_image(kspace, (1,)), image, atol=1e-6)
    assert kspace.dtype == np.complex64


@pytest.mark.parametrize(("full", "kept"), [(64, 32), (63, 32), (64, 31), (48, 40)])
def test_oversampling_keeps_the_middle(full: int, kept: int) -> None:
    rng = np.random.default_rng(0)
    image = (rng.normal(size=(3, full)) + 1j * rng.normal(size=(3, full))).astype(np.complex64)
    left = to_image(remove_oversampling(to_kspace(image, (1,)), kept), (1,))
    start = full // 2 - kept // 2
    np.testing.assert_allclose(left, image[:, start : start + kept], atol=1e-5)


def test_acs_is_what_every_frame_has() -> None:
    mask = np.zeros((1, 2, 1, 1, 32, 1), bool)
    mask[0, 0, :, :, 10:22] = True
    mask[0, 1, :, :, 12:26] = True
    mask[..., ::4, :] = True
    assert measure_acs(mask) == (10, 1)
    assert measure_acs(mask_of(np.arange(32) % 2 == 1)) == (0, 0)
    assert measure_acs(mask_of(np.ones(32))) == (32, 1)


def test_acs_in_three_dimensions() -> None:
    mask = np.random.default_rng(0).random((1, 1, 1, 16, 24, 1)) < 0.2
    mask[..., 5:11, 8:17, :] = True
    mask[..., 4, 12, :] = mask[..., 11, 12, :] = mask[..., 8, 7, :] = mask[..., 8, 17, :] = False
    assert measure_acs(mask) == (9, 6)


def scan_with(mask: np.ndarray, shape: tuple[int, int, int]) -> KSpace:
    data = np.ones((1, 1, 1, 1, *shape), np.complex64)
    return KSpace(data, mask, shape, Provenance("a", "test"))


def test_acceleration_counts_the_readout_only_in_a_plane_pattern() -> None:
    lines = np.arange(32) % 4 == 0
    assert scan_with(mask_of(lines), (1, 32, 16)).acceleration == 4
    echo = mask_of(lines) & (np.arange(16) > 4)
    assert scan_with(echo, (1, 32, 16)).acceleration == 4
    plane = np.random.default_rng(0).random((1, 1, 1, 1, 32, 16)) < 0.25
    assert scan_with(plane, (1, 32, 16)).acceleration == pytest.approx(plane.size / plane.sum())


def test_compact_patterns_say_the_same() -> None:
    mask = np.zeros((2, 3, 4, 1, 8, 5), bool)
    mask[..., ::2, :] = True
    small = compact(mask)
    assert small.shape == (1, 1, 1, 1, 8, 1)
    np.testing.assert_array_equal(np.broadcast_to(small, mask.shape), mask)
    mask[1, 0, 0, 0, 1] = True
    assert compact(mask).shape == (2, 3, 4, 1, 8, 1)


@pytest.mark.parametrize(("low", "high", "expected"), [(4, 13, 9), (4, 12, 8), (4, 16, 9), (6, 12, 5), (0, 16, 16)])
def test_centre_is_cut_about_its_own_middle(low: int, high: int, expected: int) -> None:
    data = np.zeros((1, 2, 1, 16, 16), np.complex64)
    data[..., 8, 8] = 7
    measured = np.zeros((1, 16, 1), bool)
    measured[:, low:high] = True
    cut = cut_centre(data, measured)
    assert cut is not None
    assert cut.shape == (1, 2, 1, expected, 16)
    assert (cut[:, :, 0, expected // 2, 8] == 7).all()


def test_a_centre_of_too_few_lines_is_none() -> None:
    measured = np.zeros((1, 16, 1), bool)
    measured[:, 7:10] = True
    assert cut_centre(np.zeros((1, 2, 1, 16, 16), np.complex64), measured) is None


def noise_of(shape: tuple[int, ...], level: float = 1.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return ((rng.normal(size=shape) + 1j * rng.normal(size=shape)) * level).astype(np.complex64)


@pytest.mark.parametrize("level", [1e-8, 1.0, 1e14])
def test_noise_at_the_edge_is_measured(level: float) -> None:
    kspace = centred_fft(coil_images(blob((64, 64), (20, 30)), 4), (1, 2)) * 0.01
    kspace[:, 30:34, 30:34] *= 1e4
    data = (kspace * level + noise_of((4, 64, 64), level, 1))[None, None, None, :, None].astype(np.complex64)
    assert edge_noise(data, mask_of(np.ones(64))) == pytest.approx(level, rel=0.15)


def test_signal_at_the_edge_is_no_noise() -> None:
    y, x = np.meshgrid(np.arange(64) - 32, np.arange(64) - 32, indexing="ij")
    decaying = 1e4 * np.exp(1j * 0.3 * (x + y)) / (1 + x**2 + y**2) ** 2
    data = decaying[None, None, None, None, None].astype(np.complex64)
    assert edge_noise(data, mask_of(np.ones(64))) is None
    assert edge_noise(np.ones((1, 1, 1, 1, 1, 8, 8), np.complex64), mask_of(np.ones(8))) is None


def test_whitening_matrix() -> None:
    mixing = np.array([[1, 0], [0.7j, 0.5]])
    samples = (mixing @ noise_of((2, 20000))).astype(np.complex64)
    matrix = whitening_matrix(NoiseScan(samples))
    assert matrix is not None
    white = matrix @ samples
    np.testing.assert_allclose(white @ white.conj().T / 20000, np.eye(2), atol=1e-3)
    halved = whitening_matrix(NoiseScan(samples, power_scale=4.0))
    assert halved is not None
    np.testing.assert_allclose(halved, matrix / 2, rtol=1e-5)


@pytest.mark.parametrize(
    "samples", [np.zeros((2, 100)), noise_of((4, 6)), np.full((2, 100), np.nan), np.ones((2, 100))]
)
def test_useless_noise_gives_no_matrix(samples: np.ndarray) -> None:
    assert whitening_matrix(NoiseScan(samples.astype(np.complex64))) is None


def test_bandwidth() -> None:
    assert bandwidth_ratio(5.0, 20.0) == 0.25
    assert bandwidth_ratio(5.0, 5.0, 0.5) == 2.0
    assert bandwidth_ratio(5.0, 0.0) == 1.0
    assert bandwidth_ratio(5.0, 1e-9) == 1.0
