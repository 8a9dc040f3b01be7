"""The parallel-beam operator: its adjoint, known integrals, agreement with scikit-image, and which way is which."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.transform import radon

from core.errors import ScanError
from core.geometry import Grid, ParallelBeam, evenly_spread
from core.hounsfield import hu_from_mu, mu_from_hu
from core.operators import slicewise, tomography
from core.operators.joseph import system_matrix
from core.operators.linear import dot_test
from core.operators.parallel import Parallel
from core.operators.photons import counted
from core.operators.tomography import memory_bytes, projector
from tests.core.operators.exact import chords, ellipsoid, ends, gap


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("shape", [(24, 24), (17, 30)])
def test_the_adjoint_is_one(dtype: torch.dtype, limit: float, shape: tuple[int, int]) -> None:
    geometry = ParallelBeam(np.linspace(-0.3, 4, 11), 37, 0.9, offset_mm=1.3)
    assert dot_test(Parallel(geometry, shape, (1.2, 0.8), slices=3, dtype=dtype)) < limit


def test_line_integrals_of_an_ellipse() -> None:
    """Off the middle, of unequal radii, in pixels of unequal sides, image and axis shifted: 1.1 % off at 128 pixels.

    The sum of each view tells the area far better.
    """
    grid, centre, radii = Grid((1, 128, 128), (0.7, 1.1, 1.0), (6.0, -4.0, 0.0)), (-9.0, 14.0), (17.0, 30.0)
    geometry = ParallelBeam(evenly_spread(36), 190, 0.8, offset_mm=2.0)
    seen = projector(geometry, grid, 1).forward(ellipsoid(grid, centre, radii))[0]
    assert gap(seen, chords(*ends(geometry), centre, radii)) < 0.012
    np.testing.assert_allclose(seen.sum(dim=1) * 0.8, np.pi * 17 * 30, rtol=2e-3)


def test_it_agrees_with_scikit_image() -> None:
    """Whose angles run the other way, y pointing up; both sample lines, in another manner: 1.2 % apart."""
    grid = Grid((1, 97, 97), (1.0, 1.0, 1.0))
    image = ellipsoid(grid, (-14, 10), (13, 24)) + 0.5 * ellipsoid(grid, (12, -20), (15, 9))
    angles = evenly_spread(24)
    seen = Parallel(ParallelBeam(-angles, 97, 1.0), (97, 97), (1.0, 1.0)).forward(image)[0]
    assert gap(seen, radon(image[0].numpy(), theta=np.degrees(angles), circle=True).T) < 0.02


def test_which_way_is_which() -> None:
    """One bright pixel to the right of the middle and below it: views from 0 and 90 degrees tell its x and its y."""
    image = torch.zeros(1, 21, 21)
    image[0, 10 + 3, 10 + 6] = 1.0
    seen = Parallel(ParallelBeam(np.array([0.0, np.pi / 2]), 21, 1.0), (21, 21), (1.0, 1.0)).forward(image)[0]
    assert int(seen[0].argmax()) == 10 + 6
    assert int(seen[1].argmax()) == 10 + 3


def test_slices_do_not_mix() -> None:
    operator = Parallel(ParallelBeam(evenly_spread(5), 20, 1.0), (16, 16), (1.0, 1.0), slices=2)
    x = torch.rand(2, 16, 16)
    x[1] = 0
    y = operator.forward(x)
    assert not y[1].any()
    alone = Parallel(operator.geometry, (16, 16), (1.0, 1.0))
    torch.testing.assert_close(y[:1], alone.forward(x[:1]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("slices", [1, 3, 20, 70])
def test_any_number_of_slices_gives_the_same(slices: int, dtype: torch.dtype) -> None:
    """The product is made in different ways for one, few and many slices."""
    geometry, one = ParallelBeam(evenly_spread(6), 20, 1.1), Grid((1, 12, 15), (1.0, 1.0, 1.0))
    x = torch.rand(slices, 12, 15, dtype=dtype)
    y = projector(geometry, Grid((slices, 12, 15), one.spacing_mm), slices, dtype=dtype).forward(x)
    single = projector(geometry, one, 1, dtype=dtype)
    torch.testing.assert_close(y, torch.cat([single.forward(part[None]) for part in x]), rtol=1e-5, atol=1e-5)


def test_a_matrix_beyond_the_budget_is_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slicewise, "STREAMED", 3000)
    geometry = ParallelBeam(np.linspace(-0.3, 4, 11), 37, 0.9, offset_mm=1.3)
    kept = Parallel(geometry, (17, 30), (1.2, 0.8), slices=3)
    streamed = Parallel(geometry, (17, 30), (1.2, 0.8), slices=3, budget=1000)
    assert streamed.streamed
    assert not kept.streamed
    assert len(streamed._parts) > 2
    x = torch.rand(kept.domain_shape)
    torch.testing.assert_close(streamed.forward(x), kept.forward(x))
    torch.testing.assert_close(streamed.normal(x), kept.normal(x))
    assert dot_test(streamed) < 1e-5


@pytest.mark.parametrize("offset", [0.0, 9.0, 500.0])
def test_memory_is_told_in_advance(offset: float) -> None:
    """Within 5 %, and next to nothing where the rays miss the image."""
    geometry = ParallelBeam(np.linspace(0.1, 3, 40), 60, 0.9, offset_mm=offset)
    grid = Grid((4, 47, 30), (0.8, 1.2, 1.0))
    entries = system_matrix(geometry, grid).nnz
    assert memory_bytes(geometry, grid) == pytest.approx(16 * entries, rel=0.05, abs=100)


def test_rows_that_are_no_slices_are_refused() -> None:
    with pytest.raises(ScanError, match="do not fit"):
        projector(ParallelBeam(evenly_spread(5), 20, 1.0), Grid((3, 8, 8), (1.0, 1.0, 1.0)), 4)


def test_rays_that_miss_the_image_measure_nothing() -> None:
    operator = Parallel(ParallelBeam(evenly_spread(4), 5, 1.0, offset_mm=1e9), (8, 8), (1.0, 1.0))
    assert not operator.forward(torch.ones(1, 8, 8)).any()
    assert not operator.adjoint(torch.ones(1, 4, 5)).any()


@pytest.mark.parametrize(
    "change", [{"angles": np.array([])}, {"angles": np.array([np.nan])}, {"detectors": 0}, {"pitch_mm": -1.0}]
)
def test_nonsense_is_refused(change: dict[str, object]) -> None:
    good: dict[str, object] = {"angles": np.zeros(3), "detectors": 4, "pitch_mm": 1.0}
    with pytest.raises(ScanError, match="makes no sense"):
        ParallelBeam(**(good | change))  # type: ignore[arg-type]


def test_hounsfield_units_and_attenuation_are_inverse() -> None:
    hu = np.array([-1000.0, 0.0, 1000.0])
    np.testing.assert_allclose(hu_from_mu(mu_from_hu(hu)), hu, atol=1e-9)
    assert mu_from_hu(-1000.0) == 0
    assert mu_from_hu(0.0) == pytest.approx(0.0193, abs=2e-4)


def test_photons_scatter_as_they_should() -> None:
    """The logarithm of a Poisson count of mean N has a variance of about 1 / N."""
    noisy, arrived = counted(np.full(20_000, 2.0, np.float32), 1e4)
    assert noisy.mean() == pytest.approx(2.0, abs=0.005)
    assert noisy.var() == pytest.approx(np.exp(2.0) / 1e4, rel=0.05)
    assert arrived.mean() == pytest.approx(1e4 * np.exp(-2.0), rel=0.01)
    starved, _ = counted(np.full(10, 60.0, np.float32), 1e4)
    assert np.isfinite(starved).all()


def test_a_matrix_beyond_the_budget_counts_as_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    geometry, grid = ParallelBeam(evenly_spread(6), 20, 2.0), Grid((1, 16, 16), (2.0, 2.0, 2.0))
    whole = memory_bytes(geometry, grid)
    monkeypatch.setattr(tomography, "STREAMED", 10)
    block = slicewise.matrix_bytes(10, torch.float32)
    assert block < whole
    for budget, expected in ((whole + 1, whole), (whole, whole), (whole - 1, block), (1, block)):
        monkeypatch.setattr(tomography, "default_budget", lambda budget=budget: budget)
        assert memory_bytes(geometry, grid) == expected
