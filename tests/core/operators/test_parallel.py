"""The parallel-beam operator: its adjoint, known integrals, agreement with scikit-image, and which way is which."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.transform import radon

from core.errors import ScanError
from core.geometry import ParallelBeam, evenly_spread
from core.hounsfield import hu_from_mu, mu_from_hu
from core.operators.linear import dot_test
from core.operators.parallel import Parallel
from core.operators.photons import counted
from core.solvers.fbp import arc_weights, fbp


def ellipse(
    n: int, spacing: tuple[float, float], centre: tuple[float, float], radii: tuple[float, float]
) -> np.ndarray:
    """How much of each pixel an ellipse covers, from 8 x 8 points in it; mm, (y, x), from the middle of the image."""
    points = (np.arange(8 * n) - (8 * n - 1) / 2) / 8
    y, x = points[:, None] * spacing[0], points[None] * spacing[1]
    inside = ((y - centre[0]) / radii[0]) ** 2 + ((x - centre[1]) / radii[1]) ** 2 < 1
    return inside.reshape(n, 8, n, 8).mean(axis=(1, 3)).astype(np.float32)


def chords(geometry: ParallelBeam, centre: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    """The exact lengths of all rays within an ellipse, (views, detectors) mm (Kak and Slaney 1988, section 3.1)."""
    cos, sin = np.cos(geometry.angles)[:, None], np.sin(geometry.angles)[:, None]
    wide = (radii[1] * cos) ** 2 + (radii[0] * sin) ** 2
    apart = geometry.bins_mm[None] - (centre[1] * cos + centre[0] * sin)
    return 2 * radii[0] * radii[1] * np.sqrt(np.maximum(wide - apart**2, 0)) / wide


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("shape", [(24, 24), (17, 30)])
def test_the_adjoint_is_one(dtype: torch.dtype, limit: float, shape: tuple[int, int]) -> None:
    geometry = ParallelBeam(np.linspace(-0.3, 4, 11), 37, 0.9, offset_mm=1.3)
    assert dot_test(Parallel(geometry, shape, (1.2, 0.8), slices=3, dtype=dtype)) < limit


def test_line_integrals_of_an_ellipse() -> None:
    """Off the middle, of unequal radii, in pixels of unequal sides, with a shifted axis: 1 % off at 128 pixels."""
    spacing, centre, radii = (1.1, 0.7), (14.0, -9.0), (30.0, 17.0)
    geometry = ParallelBeam(evenly_spread(36), 190, 0.8, offset_mm=2.0)
    image = torch.from_numpy(ellipse(128, spacing, centre, radii))[None]
    seen = Parallel(geometry, (128, 128), spacing).forward(image)[0].numpy()
    exact = chords(geometry, centre, radii)
    assert np.linalg.norm(seen - exact) / np.linalg.norm(exact) < 0.012


def test_it_agrees_with_scikit_image() -> None:
    """Whose angles run the other way, y pointing up; both sample lines, in another manner."""
    image = ellipse(97, (1, 1), (10, -14), (24, 13)) + 0.5 * ellipse(97, (1, 1), (-20, 12), (9, 15))
    angles = evenly_spread(24)
    seen = Parallel(ParallelBeam(-angles, 97, 1.0), (97, 97), (1.0, 1.0)).forward(torch.from_numpy(image)[None])
    theirs = radon(image, theta=np.degrees(angles), circle=True).T
    assert np.linalg.norm(seen[0].numpy() - theirs) / np.linalg.norm(theirs) < 0.02


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


@pytest.mark.parametrize("window", ["hann", "ramp"])
@pytest.mark.parametrize("arc", [np.pi, 2 * np.pi])
def test_a_disc_comes_back_at_its_value(window: str, arc: float) -> None:
    spacing = (0.9, 1.1)
    operator = Parallel(ParallelBeam(evenly_spread(180, arc), 160, 0.8), (96, 96), spacing)
    disc = torch.from_numpy(0.02 * ellipse(96, spacing, (8, -6), (25, 25)))[None]
    image = fbp(operator, operator.forward(disc), window)[0].numpy()
    well_inside = ellipse(96, spacing, (8, -6), (15, 15)) == 1
    assert image[well_inside].mean() == pytest.approx(0.02, rel=0.01)
    outside = ellipse(96, spacing, (8, -6), (32, 32)) == 0
    assert abs(image[outside & (ellipse(96, spacing, (0, 0), (40, 40)) == 1)].mean()) < 0.02 * 0.02


def test_views_count_by_the_arc_they_stand_for() -> None:
    np.testing.assert_allclose(arc_weights(evenly_spread(10)), np.pi / 10)
    np.testing.assert_allclose(arc_weights(evenly_spread(10, 2 * np.pi)), np.pi / 10)
    uneven = arc_weights(np.array([0.0, 0.1, 1.0, 2.0]))
    assert uneven.sum() == pytest.approx(np.pi)
    assert uneven[1] == pytest.approx(0.5)


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
