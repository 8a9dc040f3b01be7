"""Figures of merit, with the data range named and nothing rescaled."""

from __future__ import annotations

import numpy as np
import pytest

from core.quality import compare


@pytest.fixture
def reference(phantom_image) -> np.ndarray:
    return phantom_image(48, 48)[None] * np.exp(1j)


def test_equal_images(reference: np.ndarray) -> None:
    found = compare(reference, reference)
    assert found["psnr"] == float("inf")
    assert found["ssim"] == pytest.approx(1)
    assert found["nrmse"] == 0
    assert found["data_range"] == pytest.approx(abs(reference).max())


def test_psnr_follows_its_definition(reference: np.ndarray) -> None:
    noisy = abs(reference) + 0.1
    assert compare(noisy, reference)["psnr"] == pytest.approx(20 * np.log10(abs(reference).max() / 0.1))
    assert compare(noisy * 7, reference * 7)["psnr"] == pytest.approx(compare(noisy, reference)["psnr"])


def test_nothing_is_rescaled(reference: np.ndarray) -> None:
    assert compare(reference * 2, reference)["nrmse"] == pytest.approx(1)
    assert compare(reference * 0.5, reference)["ssim"] < 0.99
