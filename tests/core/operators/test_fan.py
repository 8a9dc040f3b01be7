"""The fan-beam operator: its adjoint, exact chords on flat and curved detectors, and which way is which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.geometry import FanBeam, Grid, ParallelBeam, evenly_spread
from core.operators.linear import dot_test
from core.operators.tomography import projector
from tests.core.operators.exact import chords, ellipsoid, ends, gap

TURN = 2 * np.pi


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("curved", [False, True])
@pytest.mark.parametrize("shape", [(3, 24, 24), (1, 17, 30), (20, 9, 8)])
def test_the_adjoint_is_one(dtype: torch.dtype, limit: float, curved: bool, shape: tuple[int, int, int]) -> None:
    geometry = FanBeam(np.linspace(-0.3, 4, 11), 37, 1.4, 60.0, 35.0, offset_mm=2.3, curved=curved)
    grid = Grid(shape, (0.8, 1.2, 3.0), (1.5, -2.0, 0.0))
    assert dot_test(projector(geometry, grid, shape[0], dtype=dtype)) < limit


@pytest.mark.parametrize("curved", [False, True])
def test_line_integrals_of_an_ellipse(curved: bool) -> None:
    """Off the middle, in pixels of unequal sides, image and detector shifted: 1.1 % off at 128 pixels."""
    grid, centre, radii = Grid((1, 128, 128), (0.7, 1.1, 1.0), (6.0, -4.0, 0.0)), (-9.0, 14.0), (17.0, 30.0)
    geometry = FanBeam(evenly_spread(35, TURN), 190, 1.3, 140.0, 90.0, offset_mm=4.0, curved=curved)
    seen = projector(geometry, grid, 1).forward(ellipsoid(grid, centre, radii))[0]
    assert gap(seen, chords(*ends(geometry), centre, radii)) < 0.012


def test_a_far_source_is_a_parallel_beam() -> None:
    grid = Grid((1, 40, 31), (1.1, 0.9, 1.0), (2.0, 1.0, 0.0))
    parallel = ParallelBeam(evenly_spread(20), 50, 1.0, offset_mm=0.4)
    fan = FanBeam(parallel.angles, 50, 1.0, 1e6, 0.0, offset_mm=0.4)
    x = ellipsoid(grid, (3, -4), (9, 12))
    there, here = (projector(g, grid, 1).forward(x) for g in (parallel, fan))
    assert gap(here, there) < 1e-3
    assert gap(projector(replace(fan, curved=True), grid, 1).forward(x), there) < 1e-3


@pytest.mark.parametrize("curved", [False, True])
def test_which_way_is_which(curved: bool) -> None:
    """A dot right of the middle and below it. At 0 degrees the source is above: the dot falls to the right, magnified
    by where it lies on the way. At 90 degrees the source is at the right and what is below falls to the right."""
    grid = Grid((1, 41, 41), (1.0, 1.0, 1.0))
    dot = torch.zeros(grid.shape)
    dot[0, 20 + 7, 20 + 11] = 1.0
    geometry = FanBeam(np.array([0.0, np.pi / 2]), 101, 0.5, 100.0, 60.0, curved=curved)
    seen = projector(geometry, grid, 1).forward(dot)[0]
    places = [(k * geometry.bins_mm).sum() / k.sum() for k in seen.double().numpy()]
    reach = np.array([11 / (100 + 7), 7 / (100 - 11)])
    expected = 160 * (np.arctan(reach) if curved else reach)
    np.testing.assert_allclose(places, expected, atol=0.3)


def test_nothing_is_seen_behind_the_source() -> None:
    """The source inside of the image, and all that there is behind it."""
    grid = Grid((1, 41, 41), (1.0, 1.0, 1.0))
    x = torch.zeros(grid.shape)
    x[:, :10] = 1.0
    operator = projector(FanBeam(np.array([0.0]), 21, 1.0, 8.0, 8.0), grid, 1)
    assert not operator.forward(x).any()
    assert operator.forward(x.flip(1)).any()
