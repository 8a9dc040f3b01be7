"""The residual against the noise: verdicts at injected noise levels, its shape, and what it makes one doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.engine.job import JobSpec, ScanSource
from core.engine.settings import ReconSettings
from core.engine.trust.doubts import doubts
from core.engine.trust.expected_noise import EDGE, NOISE_SCAN, PHOTONS, SIMULATION, UNKNOWN
from core.engine.trust.posed import pose, result_of
from core.engine.trust.residual import FITS_NOISE, WORSE, Residual, residual_of
from core.engine.trust.support import support_of
from core.engine.trust.whiteness import EDGES, whiteness_of
from core.hounsfield import mu_from_hu
from core.operators.planes import to_planes
from core.operators.tomography import projector
from core.scan import KSPACE_AXES, KSpace, Volume

NOISE = 0.02


def job_of(scan: object, method: str, undersample: str = "") -> JobSpec:
    return JobSpec(ScanSource("x", undersample=undersample), ReconSettings(method=method, device="cpu"), scan)


def truth_of(clean: KSpace) -> np.ndarray:
    """Of one coil."""
    (posed,) = [result_of(pose(Volume(np.zeros((1, 96, 80), np.complex64)), job_of(clean, "zero-filled")))]
    return posed.problem.combine(to_planes(clean))


def mri(make_scan: Callable[..., KSpace], told: float | None, undersample: str = "", **changes: object) -> Residual:
    """Of the true image; the scan has NOISE in each part, and tells of `told`."""
    clean = make_scan(ny=96, nx=80, coils=1)
    noisy = make_scan(ny=96, nx=80, coils=1, noise=NOISE).with_changes(noise_std=told, **changes)
    return residual_of(result_of(pose(Volume(truth_of(clean)), job_of(noisy, "zero-filled", undersample))))


@pytest.mark.parametrize("undersample", ["", "gaussian1d:3"])
@pytest.mark.parametrize(
    ("factor", "verdict"), [(0.5, "worse"), (0.9, "consistent"), (1.1, "consistent"), (2.0, "fits noise")]
)
def test_mri_is_judged_by_its_noise(make_scan, factor: float, verdict: str, undersample: str) -> None:
    found = mri(make_scan, NOISE * factor, undersample, simulated=True)
    assert found.ratio == pytest.approx(1 / factor, rel=0.03)
    assert found.verdict == verdict
    assert found.noise.source == SIMULATION
    assert found.whiteness.white
    assert found.ratios == pytest.approx((found.ratio,))
    assert f"{found.ratio:.2f} times" in found.sentence


def test_the_source_of_the_noise_is_told(make_scan) -> None:
    edge = mri(make_scan, None)
    assert edge.noise.source == EDGE
    assert edge.noise.upper_bound
    # The sharp rims of the phantom reach the edge: what is found there is no proof that noise was fitted.
    assert edge.ratio < FITS_NOISE
    assert edge.verdict == "unknown"
    assert "edge" in edge.sentence
    assert mri(make_scan, NOISE).noise.source == EDGE  # a reader's own guess
    whitened = mri(make_scan, 0.5**0.5, whitened=True)
    assert whitened.noise.source == NOISE_SCAN
    assert not whitened.noise.upper_bound


def test_noise_below_rounding_is_not_known(make_scan) -> None:
    clean = make_scan(ny=96, nx=80, coils=1)
    y, x = np.ogrid[-48:48, -40:40]
    smooth = clean.with_changes(data=(clean.data * np.exp(-(x**2 + y**2) / 100)).astype(np.complex64))
    found = residual_of(result_of(pose(Volume(truth_of(smooth)), job_of(smooth, "zero-filled"))))
    assert found.noise.source == UNKNOWN
    assert found.verdict == "unknown"
    assert found.ratio is None
    assert "not known" in found.sentence


def test_the_residual_has_the_axes_of_the_scan(make_scan) -> None:
    scan = make_scan(slices=3, repetitions=2, coils=16, noise=0.01)
    job = job_of(scan, "zero-filled", "gaussian1d:2")
    posed = result_of(pose(Volume(np.zeros((6, 48, 40), np.complex64)), job))
    found = residual_of(posed)
    assert found.axes == KSPACE_AXES
    assert found.array.shape == (1, 2, 3, len(posed.problem.y[0]), 1, 48, 40)
    assert found.relative == pytest.approx(1)
    assert len(found.ratios) == 6
    lines = np.broadcast_to(posed.scan.mask[:, :, :, None], (1, 2, 3, 1, 1, 48, 40))
    assert not (found.array != 0)[np.broadcast_to(~lines, found.array.shape)].any()
    planes = -posed.problem.planes.data.reshape(found.array.shape)
    np.testing.assert_allclose(found.array, planes, rtol=1e-4, atol=1e-4 * abs(planes).max())


def test_places_that_were_filled_with_zeros_are_no_measurements(make_scan) -> None:
    """Half of them would hide half of the residual."""
    clean, noisy = make_scan(ny=96, nx=80, coils=1), make_scan(ny=96, nx=80, coils=1, noise=NOISE)
    data = noisy.data.copy()
    data[..., :40] = 0
    scan = noisy.with_changes(data=data, noise_std=NOISE, simulated=True)
    found = residual_of(result_of(pose(Volume(truth_of(clean)), job_of(scan, "zero-filled"))))
    assert found.ratio == pytest.approx(1, rel=0.03)
    assert found.verdict == "consistent"


def ct(make_projections, hu_image, photons: float, told: float | None, kind: str = "parallel", **changes) -> Residual:
    slices = 2
    scan = make_projections(kind, slices=slices, photons=photons).with_changes(photons=told, **changes)
    method = "fdk" if kind == "cone" else "fbp"
    return residual_of(result_of(pose(Volume(hu_image(slices, 32, 28), "HU"), job_of(scan, method))))


@pytest.mark.parametrize("kind", ["parallel", "fan", "cone"])
def test_ct_is_judged_by_its_photons(make_projections, hu_image, kind: str) -> None:
    found = ct(make_projections, hu_image, 1e4, 1e4, kind)
    assert found.ratio == pytest.approx(1, rel=0.05)
    assert found.verdict == "consistent"
    assert found.noise.source == PHOTONS
    assert found.axes == ("row", "view", "column")
    assert len(found.ratios) == (0 if kind == "cone" else 2)


def test_ct_is_judged_against_other_photons(make_projections, hu_image) -> None:
    assert ct(make_projections, hu_image, 1e4, 1e5).verdict == "worse"
    assert ct(make_projections, hu_image, 1e4, 1e5).ratio == pytest.approx(10**0.5, rel=0.05)
    assert ct(make_projections, hu_image, 1e4, 1e3).verdict == "fits noise"
    nothing_known = ct(make_projections, hu_image, 1e4, None)
    assert nothing_known.verdict == "unknown"
    assert nothing_known.whiteness.beyond < 0.5


def test_dead_columns_do_not_count(make_projections, hu_image) -> None:
    scan = make_projections(slices=2, photons=1e4)
    data, valid = scan.data.copy(), np.ones((1, 1, scan.columns), bool)
    data[..., 20], valid[..., 20] = 50, False
    broken = scan.with_changes(data=data, valid=valid)
    found = residual_of(result_of(pose(Volume(hu_image(2, 32, 28), "HU"), job_of(broken, "fbp"))))
    assert found.ratio == pytest.approx(1, rel=0.05)
    assert not found.array[..., 20].any()
    assert found.relative < 0.1


def test_the_residual_is_in_the_unit_of_the_sinogram(make_projections, hu_image) -> None:
    scan = make_projections(slices=1)
    hu = hu_image(1, 32, 28)
    hu[0, 10, 10] += 100
    found = residual_of(result_of(pose(Volume(hu, "HU"), job_of(scan, "fbp"))))
    seen = projector(scan.geometry, scan.grid, 1).forward(torch.from_numpy(mu_from_hu(hu))).numpy()
    np.testing.assert_allclose(found.array, seen - scan.data, atol=1e-4)
    assert not found.whiteness.white


def test_noise_is_white_and_structure_is_not() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((3, 60, 80)) + 1j * rng.standard_normal((3, 60, 80))
    everywhere = np.ones(noise.shape, bool)
    white = whiteness_of(noise, everywhere)
    assert white.white
    assert white.beyond == pytest.approx(0.0027, abs=0.001)
    assert white.counts.sum() == noise.size * 2
    assert white.expected.sum() == pytest.approx(noise.size * 2)
    assert len(white.counts) == len(EDGES) - 1
    middle = slice(20, 40)
    np.testing.assert_allclose(white.counts[middle], white.expected[middle], rtol=0.15)
    for axis, place in ((1, 0), (2, 1)):
        alike = whiteness_of(noise + np.roll(noise, 1, axis=axis), everywhere)
        assert not alike.white
        assert alike.correlation[place] == pytest.approx(0.5, abs=0.05)
        assert alike.correlation[1 - place] == pytest.approx(0, abs=0.05)
        assert "correlated" in alike.sentence
    heavy = noise * np.where(rng.random(noise.shape) < 0.05, 6, 1)
    assert not whiteness_of(heavy, everywhere).white
    assert "farther" in whiteness_of(heavy, everywhere).sentence


def test_a_residual_of_nothing_is_no_error() -> None:
    nothing = whiteness_of(np.zeros((2, 5, 5)), np.zeros((2, 5, 5), bool))
    assert nothing.white
    assert all(np.isnan(c) for c in nothing.correlation)
    assert whiteness_of(np.zeros((2, 5, 5)), np.ones((2, 5, 5), bool)).counts.sum() == 50


def test_lines_between_others_that_were_left_out_have_no_neighbours() -> None:
    rng = np.random.default_rng(0)
    noise, mask = rng.standard_normal((1, 40, 40)), np.zeros((1, 40, 40), bool)
    mask[:, ::2] = True
    found = whiteness_of(noise * mask, mask)
    assert np.isnan(found.correlation[0])
    assert found.white


def test_doubts_are_told_only_where_there_are_any(make_scan) -> None:
    good = mri(make_scan, NOISE)
    assert doubts() == ()
    assert doubts(good) == ()
    assert doubts(good, ["The prior does not fit."]) == ("The prior does not fit.",)
    told = mri(make_scan, NOISE, simulated=True)
    for ratio in (0.5 * FITS_NOISE, 2 * WORSE):
        changed = replace(told, ratio=ratio)
        assert doubts(changed) == (changed.sentence,)
    assert doubts(replace(told, ratio=None)) == ()
    odd = replace(told, ratio=3.0, whiteness=replace(good.whiteness, beyond=0.5))
    assert doubts(odd) == (odd.sentence, odd.whiteness.sentence)


@pytest.mark.parametrize("alike", [True, False])
def test_three_dimensional_scans_are_told_in_the_planes_they_come_apart_into(make_scan, alike: bool) -> None:
    """Slices along z where every kz was measured alike, else planes along x."""
    flat = make_scan(ny=16, nx=12, coils=2)
    data = np.repeat(flat.data, 8, axis=4) * np.linspace(1, 2, 8, dtype=np.float32).reshape(8, 1, 1)
    mask = np.ones((1, 1, 1, 8, 16, 1), bool)
    if not alike:
        mask[0, 0, 0, 0, 0] = False
    volume = flat.with_changes(data=data * mask[:, :, :, None], mask=mask, matrix=(8, 16, 12))
    posed = result_of(pose(Volume(np.zeros((8, 16, 12), np.complex64)), job_of(volume, "zero-filled")))
    found = residual_of(posed)
    assert found.array.shape == ((1, 1, 8, 2, 1, 16, 12) if alike else (1, 1, 1, 2, 8, 16, 12))
    assert found.measured.shape[-3:] == found.array.shape[-3:]
    moved = np.fft.fftshift(
        np.fft.ifft(np.fft.ifftshift(volume.data, axes=4 if alike else 6), axis=4 if alike else 6, norm="ortho"),
        axes=4 if alike else 6,
    )
    expected = -np.moveaxis(moved[:, :, 0], 3, 2)[:, :, :, :, None] if alike else -moved
    np.testing.assert_allclose(found.array, expected, atol=1e-5 * abs(expected).max())
    assert len(found.ratios) in ((0, 8) if alike else (0,))
    assert np.isfinite(result_of(support_of(posed)).unseen.array).all()
