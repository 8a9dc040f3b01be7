"""Figures of merit, with the data range named and nothing rescaled."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ScanError
from core.quality import FIGURES, compare


@pytest.fixture
def reference(phantom_image) -> np.ndarray:
    return phantom_image(48, 48)[None] * np.exp(1j)


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    """Two frames of an image and of a reference that share no symmetry, (2, 24, 31)."""
    rng = np.random.default_rng(3)
    return rng.normal(1.0, 0.4, (2, 24, 31)), rng.normal(1.1, 0.5, (2, 24, 31))


def test_equal_images(reference: np.ndarray) -> None:
    found = compare(reference, reference)
    assert found["psnr"] == float("inf")
    assert found["ssim"] == pytest.approx(1)
    assert found["nrmse"] == found["hfen"] == 0
    assert found["data_range"] == pytest.approx(abs(reference).max())


def test_psnr_follows_its_definition(reference: np.ndarray) -> None:
    noisy = abs(reference) + 0.1
    assert compare(noisy, reference)["psnr"] == pytest.approx(20 * np.log10(abs(reference).max() / 0.1))
    assert compare(noisy * 7, reference * 7)["psnr"] == pytest.approx(compare(noisy, reference)["psnr"])


def test_nothing_is_rescaled(reference: np.ndarray) -> None:
    assert compare(reference * 2, reference)["nrmse"] == pytest.approx(1)
    assert compare(reference * 2, reference)["hfen"] == pytest.approx(1)
    assert compare(reference * 0.5, reference)["ssim"] < 0.99


def test_all_figures_are_the_same_in_another_scale(pair) -> None:
    small, large = compare(*pair), compare(*(each * 1000 for each in pair))
    for name in FIGURES:
        assert large[name] == pytest.approx(small[name])
    assert large["data_range"] == pytest.approx(1000 * small["data_range"])


def test_air_is_what_is_counted_from(pair) -> None:
    moved = compare(*(each - 1000 for each in pair), air=-1000.0)
    assert moved == pytest.approx(compare(*pair))


def laplacian_by_hand(frame: np.ndarray, sigma: float = 1.5, radius: int = 7) -> np.ndarray:
    """The 15 x 15 kernel of the second derivatives of a sampled Gaussian of sum 1, applied pixel by pixel, mirrored."""
    u = np.arange(-radius, radius + 1)
    bell = np.exp(-(u**2) / (2 * sigma**2))
    bell /= bell.sum()
    second = (u**2 / sigma**4 - 1 / sigma**2) * bell
    kernel = np.outer(second, bell) + np.outer(bell, second)
    padded = np.pad(frame, radius, mode="symmetric")
    found = np.zeros_like(frame)
    for y, x in np.ndindex(*frame.shape):
        found[y, x] = (padded[y : y + 2 * radius + 1, x : x + 2 * radius + 1] * kernel).sum()
    return found


def test_hfen_is_that_of_a_kernel_applied_by_hand(pair) -> None:
    ours, theirs = (np.stack([laplacian_by_hand(frame) for frame in each]) for each in pair)
    assert compare(*pair)["hfen"] == pytest.approx(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


def test_hfen_sees_lost_edges_and_no_offset(reference: np.ndarray) -> None:
    from scipy.ndimage import gaussian_filter

    true = abs(reference)
    blurred = np.stack([gaussian_filter(frame, 1.5) for frame in true])
    assert compare(true + 0.1, true)["hfen"] == pytest.approx(0, abs=1e-4)
    assert compare(blurred, true)["hfen"] > 2 * compare(blurred, true)["nrmse"]


def test_figures_within_a_mask_are_those_of_its_voxels_alone(pair) -> None:
    a, b = pair
    mask = np.zeros(a.shape, dtype=bool)
    mask[0, 3:9, 20:27], mask[1, 10:12, :5] = True, True
    a, b = a.copy(), b.copy()
    b[1, 20, 20] = 99.0  # outside: no data range
    found = compare(a, b, mask=mask)
    gaps, values = (a - b)[mask], b[mask]
    assert found["data_range"] == values.max()
    assert found["psnr"] == pytest.approx(10 * np.log10(values.max() ** 2 / np.mean(gaps**2)))
    assert found["nrmse"] == pytest.approx(np.sqrt((gaps**2).sum() / (values**2).sum()))
    ours, theirs = (np.stack([laplacian_by_hand(frame) for frame in each])[mask] for each in (a, b))
    assert found["hfen"] == pytest.approx(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


def ssim_by_hand(a: np.ndarray, b: np.ndarray, data_range: float, y: int, x: int) -> float:
    """At one place of one frame, from its 11 x 11 window with Gaussian weights."""
    u = np.arange(-5, 6)
    bell = np.exp(-(u**2) / (2 * 1.5**2))
    weights = np.outer(bell, bell) / bell.sum() ** 2
    p, q = (each[y - 5 : y + 6, x - 5 : x + 6] for each in (a, b))
    mean_p, mean_q = (weights * p).sum(), (weights * q).sum()
    var_p, var_q = (weights * p**2).sum() - mean_p**2, (weights * q**2).sum() - mean_q**2
    both = (weights * p * q).sum() - mean_p * mean_q
    c, d = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    return (2 * mean_p * mean_q + c) * (2 * both + d) / ((mean_p**2 + mean_q**2 + c) * (var_p + var_q + d))


def test_ssim_within_a_mask_is_the_mean_of_its_map(pair) -> None:
    a, b = pair
    mask = np.zeros(a.shape, dtype=bool)
    places = [(0, 8, 9), (0, 12, 20), (1, 10, 10)]
    for place in places:
        mask[place] = True
    largest = b[mask].max()
    expected = np.mean([ssim_by_hand(a[k], b[k], largest, y, x) for k, y, x in places])
    assert compare(a, b, mask=mask)["ssim"] == pytest.approx(expected)


def test_a_mask_hides_the_only_error(reference: np.ndarray) -> None:
    wrong, mask = reference.copy(), np.ones(reference.shape, dtype=bool)
    wrong[0, 5:9, 5:9] += 3.0
    mask[0, :25, :25] = False
    assert compare(wrong, reference)["nrmse"] > 0.1
    found = compare(wrong, reference, mask=mask)
    assert (found["psnr"], found["nrmse"], found["hfen"]) == (float("inf"), 0, 0)
    assert found["ssim"] == pytest.approx(1)
    shown = compare(wrong, reference, mask=~mask)
    assert shown["nrmse"] > compare(wrong, reference)["nrmse"]


def test_a_mask_of_everything_changes_only_the_edge_of_ssim(pair) -> None:
    whole, masked = compare(*pair), compare(*pair, mask=np.ones(pair[0].shape, dtype=bool))
    assert {**whole, "ssim": 0} == pytest.approx({**masked, "ssim": 0})


@pytest.mark.parametrize(
    ("mask", "words"),
    [(np.zeros((2, 24, 31)), "mask is empty"), (np.ones((2, 31, 24)), "31 x 24 x 2|24 x 31 x 2")],
)
def test_a_mask_that_cannot_be_used_is_refused_in_words(pair, mask: np.ndarray, words: str) -> None:
    with pytest.raises(ScanError, match=words):
        compare(*pair, mask=mask)


def test_an_empty_reference_is_refused_in_words(pair) -> None:
    with pytest.raises(ScanError, match="reference is empty"):
        compare(pair[0], np.zeros_like(pair[1]))
    half = pair[1].copy()
    half[0] = 0
    mask = np.zeros(half.shape, dtype=bool)
    mask[0] = True
    with pytest.raises(ScanError, match="empty inside the mask"):
        compare(pair[0], half, mask=mask)


def test_frames_smaller_than_the_window_have_no_ssim_but_the_rest() -> None:
    a, b = np.full((1, 8, 8), 1.0), np.full((1, 8, 8), 2.0)
    found = compare(a, b)
    assert np.isnan(found["ssim"])
    assert found["nrmse"] == pytest.approx(0.5)
