"""L1-wavelet and total variation: transforms that are what they say, known answers, agreement with sigpy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import pywt
import torch

from core.operators.linear import LinearOperator
from core.operators.masks import Undersampling, sampling_mask
from core.operators.sense import Sense
from core.priors.phantoms_simple import coil_maps, shepp_logan
from core.quality import compare
from core.solvers import wavelet
from core.solvers.baselines import cg_sense
from core.solvers.l1_wavelet import iterates, l1_wavelet, shrunk
from core.solvers.total_variation import total_variation


class Diagonal(LinearOperator):
    """A scales every pixel."""

    def __init__(self, scale: torch.Tensor) -> None:
        self.scale, self.domain_shape, self.range_shape = scale, tuple(scale.shape), tuple(scale.shape)
        self.dtype, self.device = scale.dtype, scale.device

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale * x

    adjoint = forward


class Identity(LinearOperator):
    """A = 1: then reconstruction is denoising."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype = torch.float64) -> None:
        self.domain_shape = self.range_shape = shape
        self.dtype, self.device = dtype, torch.device("cpu")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x

    adjoint = forward


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128, torch.complex64])
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_the_wavelets_are_orthogonal(dtype: torch.dtype, levels: int) -> None:
    x = torch.randn(2, 64, 96, dtype=dtype, generator=torch.Generator().manual_seed(0))
    details = wavelet.forward(x, levels)
    tolerance = 1e-5 if dtype == torch.complex64 else 1e-12
    assert float(abs(details.norm() / x.norm() - 1)) < tolerance
    assert float((wavelet.inverse(details, levels) - x).norm() / x.norm()) < tolerance


def test_the_wavelets_are_those_of_pywavelets() -> None:
    """It counts places from another pixel on, so it sees the image moved by one."""
    x = torch.randn(1, 32, 48, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    ours = wavelet.forward(x, 1)[0].numpy()
    low, (third, second, high) = pywt.dwt2(np.roll(x[0].numpy(), 1, (0, 1)), "db4", mode="periodization")
    blocks = {"low": ours[:16, :24], "high": ours[16:, 24:], "second": ours[:16, 24:], "third": ours[16:, :24]}
    for name, theirs in (("low", low), ("high", high), ("second", second), ("third", third)):
        np.testing.assert_allclose(np.sort(abs(blocks[name]).ravel()), np.sort(abs(theirs).ravel()), atol=1e-10)


def test_smooth_images_have_no_details() -> None:
    """Four vanishing moments: a cubic along both axes, away from where it wraps."""
    t = torch.linspace(-1, 1, 64, dtype=torch.float64)
    x = (t**3)[:, None] * (1 - t**2)[None]
    details = wavelet.forward(x[None], 1)[0]
    assert details[32:-4, :28].abs().max() < 1e-12
    assert details[:28, 32:-4].abs().max() < 1e-12


@pytest.mark.parametrize("shape", [(17, 30), (64, 50), (8, 8)])
def test_any_size_is_padded_and_comes_back(shape: tuple[int, int]) -> None:
    x = torch.randn(1, *shape, dtype=torch.complex64)
    operator = Identity((1, *shape), torch.complex64)
    assert l1_wavelet(operator, x, 1e-9, iterations=4).shape == x.shape
    torch.testing.assert_close(l1_wavelet(operator, x, 1e-9, iterations=8), x, rtol=1e-3, atol=1e-3)


def test_total_variation_lowers_a_disc_by_its_perimeter_over_its_area() -> None:
    """Denoising a step of height 1 and length n by TV: each side moves by lam / n (Strong and Chan 2003)."""
    y = torch.zeros(1, 4, 40, dtype=torch.float64)
    y[:, :, 20:] = 1.0
    x = total_variation(Identity(y.shape), y, 2.0, iterations=400, peak=torch.ones(1, 1, 1, dtype=torch.float64))
    torch.testing.assert_close(x[0, :, :20], torch.full((4, 20), 0.1, dtype=torch.float64), rtol=0, atol=2e-3)
    torch.testing.assert_close(x[0, :, 20:], torch.full((4, 20), 0.9, dtype=torch.float64), rtol=0, atol=2e-3)


def test_an_image_stays_above_its_floor() -> None:
    y = torch.randn(1, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    free = total_variation(Identity(y.shape), y, 1e-3, iterations=50)
    held = total_variation(Identity(y.shape), y, 1e-3, iterations=50, lowest=0.0)
    assert free.min() < -0.5
    assert held.min() == 0
    torch.testing.assert_close(held, free.clamp(min=0), rtol=0, atol=0.02)


@pytest.mark.parametrize("method", [l1_wavelet, total_variation])
def test_items_of_a_batch_do_not_mix(method) -> None:
    """Each has its own peak: a bright neighbour changes nothing."""
    operator, y, *_ = problem(batch=1)
    alone = method(operator, y, 2e-3, iterations=6)
    double, pair, *_ = problem(batch=2)
    pair[0], pair[1] = y[0], 50 * y[0]
    together = method(double, pair, 2e-3, iterations=6)
    torch.testing.assert_close(together[0], alone[0], rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(together[1] / 50, alone[0], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("method", [l1_wavelet, total_variation])
def test_no_weight_is_least_squares(method) -> None:
    operator, y, *_ = problem()
    torch.testing.assert_close(method(operator, y, 0.0), cg_sense(operator, y))


@pytest.mark.parametrize("name", ["l1-wavelet", "tv"])
def test_the_result_is_as_good_as_that_of_sigpy(name: str) -> None:
    """For the same weight, to 0.3 dB: sigpy scales nothing, so it gets the weight times the peak."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sigpy = pytest.importorskip("sigpy.mri.app")
    operator, y, truth, maps, mask = problem()
    peak = float(cg_sense(operator, y).abs().max())
    lam = {"l1-wavelet": 3e-3, "tv": 4e-3}[name]
    ours = (l1_wavelet if name == "l1-wavelet" else total_variation)(operator, y, lam)
    app, options = {
        "l1-wavelet": (sigpy.L1WaveletRecon, {"max_iter": 100}),
        "tv": (sigpy.TotalVariationRecon, {"max_iter": 300}),
    }[name]
    theirs = app(
        y[0].numpy(),
        maps[0].numpy(),
        lam * peak,
        weights=mask[0].float().numpy(),
        show_pbar=False,
        **options,
    ).run()
    qualities = [compare(np.asarray(image)[None], truth[None])["psnr"] for image in (ours[0], theirs)]
    start = compare(cg_sense(operator, y).numpy(), truth[None])["psnr"]
    assert qualities[0] > start + 1
    assert qualities[0] > qualities[1] - 0.3


def problem(batch: int = 1) -> tuple[Sense, torch.Tensor, np.ndarray, torch.Tensor, torch.Tensor]:
    """A Shepp-Logan head, 4 coils, R = 3, a little noise; A has unit norm because the maps have."""
    truth = shepp_logan(64).astype(np.complex64)
    maps = coil_maps(4, (64, 64))
    maps = maps / np.linalg.norm(maps, axis=0)
    mask = torch.from_numpy(sampling_mask(Undersampling("gaussian1d", 3), 64, 64))[None]
    operator_maps = torch.from_numpy(maps)[None]
    operator = Sense(operator_maps, mask, batch)
    noise = torch.randn(operator.range_shape, dtype=torch.complex64, generator=torch.Generator().manual_seed(3))
    x = torch.from_numpy(truth)[None].expand(batch, -1, -1)
    return operator, operator.forward(x) + 0.01 * noise * mask, truth, operator_maps, mask


def test_wavelet_details_are_shortened_on_the_shifted_grid() -> None:
    """All but those of the coarsest block, each over both of its parts."""
    x = torch.randn(2, 32, 48, dtype=torch.complex128, generator=torch.Generator().manual_seed(4))
    levels, shift = 2, (3, 1)
    threshold = torch.tensor([0.5, 5.0], dtype=torch.float64).reshape(2, 1, 1)
    details = wavelet.forward(x.roll(shift, (1, 2)), levels)
    size = details.abs()
    expected = torch.where(size > threshold, details * (1 - threshold / size), 0)
    expected[:, :8, :12] = details[:, :8, :12]
    found = wavelet.forward(shrunk(x, threshold, levels, shift).roll(shift, (1, 2)), levels)
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)


def test_l1_wavelet_goes_with_momentum_then_without_and_ends_with_a_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of least squares, the shrinkage taken out: 8 accelerated steps of 12, and the mean of the last 3 of all."""
    monkeypatch.setattr("core.solvers.l1_wavelet.shrunk", lambda x, *_: x)
    scale = torch.linspace(0.1, 1, 64, dtype=torch.float64).reshape(1, 8, 8)
    operator = Diagonal(scale)
    y = torch.randn(1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    found = list(iterates(operator, y, 1e-3, iterations=12))
    x = ahead = cg_sense(operator, y)
    t, expected = 1.0, [x]
    for k in range(12):
        new = ahead - scale * (scale * ahead - y)
        following = 0.5 + (0.25 + t * t) ** 0.5
        ahead = new + (t - 1) / following * (new - x) if k < 8 else new
        x, t = new, following
        expected.append(new)
    expected[-1] = sum(expected[-3:]) / 3
    assert len(found) == 13
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("shape", "levels"), [((8, 64), 0), ((15, 15), 0), ((16, 40), 1), ((64, 70), 3), ((999, 640), 5)]
)
def test_sides_are_halved_while_they_hold_the_filter(shape: tuple[int, int], levels: int) -> None:
    assert wavelet.levels_of(*shape) == levels
