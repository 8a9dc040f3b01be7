"""Measurements that count unequally."""

from __future__ import annotations

import pytest
import torch

from core.geometry import ConeBeam, Grid, ParallelBeam, evenly_spread
from core.operators.linear import dot_test
from core.operators.tomography import projector
from core.operators.weighted import Weighted
from core.solvers.cg import conjugate_gradient


@pytest.mark.parametrize("shape", [(2, 9, 21), (1, 21), (2, 9, 1), ()])
def test_the_adjoint_is_one(shape: tuple[int, ...]) -> None:
    operator = projector(ParallelBeam(evenly_spread(9), 21, 1.0), Grid((2, 12, 10), (1.0, 1.0, 1.0)), 2)
    weighted = Weighted(operator, torch.rand(shape, generator=torch.Generator().manual_seed(1)))
    assert dot_test(weighted) < 1e-5
    x = torch.rand(operator.domain_shape)
    torch.testing.assert_close(weighted.forward(x), weighted.weights * operator.forward(x))


def test_slices_stay_tied() -> None:
    geometry = ConeBeam.circular(evenly_spread(4), 3, 5, (1.0, 1.0), 50.0, 10.0)
    assert Weighted(projector(geometry, Grid((6, 8, 8), (1.0, 1.0, 1.0)), 3), torch.tensor(2.0)).joint == 6


def test_what_has_no_weight_does_not_count() -> None:
    """Half of the measurements are ruined, and their weight is 0: the solution is that of the other half."""
    grid = Grid((1, 8, 8), (1.0, 1.0, 1.0))
    operator = projector(ParallelBeam(evenly_spread(24), 13, 0.9), grid, 1, dtype=torch.float64)
    x = torch.rand(grid.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    y = operator.forward(x)
    y[:, ::2] = 1e3
    weights = torch.ones_like(y)
    weights[:, ::2] = 0
    weighted = Weighted(operator, weights)
    found = conjugate_gradient(weighted.normal, weighted.adjoint(weights * y), iterations=400, tolerance=1e-12)
    torch.testing.assert_close(found, x, atol=1e-5, rtol=0)
