"""CGLS and SIRT against dense algebra, each system by itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from core.geometry import ConeBeam, Grid, ParallelBeam, evenly_spread
from core.operators.linear import LinearOperator
from core.operators.tomography import projector
from core.operators.weighted import Weighted
from core.solvers import cgls, sirt
from tests.core.operators.exact import ellipsoid, gap


class Dense(LinearOperator):
    """A matrix for every item of the batch, or one for all together."""

    def __init__(self, matrix: Tensor, items: int, joint: int = 1) -> None:
        self.matrix, self.joint, self.dtype, self.device = matrix, joint, matrix.dtype, matrix.device
        rows, columns = matrix.shape
        self.domain_shape, self.range_shape = (items, columns // joint), (items, rows // joint)

    def forward(self, x: Tensor) -> Tensor:
        return (x.reshape(-1, self.matrix.shape[1]) @ self.matrix.T).reshape(self.range_shape)

    def adjoint(self, y: Tensor) -> Tensor:
        return (y.reshape(-1, self.matrix.shape[0]) @ self.matrix.conj()).reshape(self.domain_shape)


def random(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(sum(shape)))


def parallel(views: int = 12, slices: int = 1) -> LinearOperator:
    geometry = ParallelBeam(evenly_spread(views), 15, 0.9)
    return projector(geometry, Grid((slices, 9, 10), (1.0, 1.0, 1.0)), slices, dtype=torch.float64)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize("joint", [1, 3])
def test_cgls_finds_the_least_squares_solution(dtype: torch.dtype, joint: int) -> None:
    """Of more equations than unknowns that contradict each other, six items in six or two systems."""
    matrix = random(30, 12, dtype=dtype)
    operator = Dense(matrix, 6, joint)
    y = 10.0 ** torch.arange(6)[:, None] * random(*operator.range_shape, dtype=dtype)
    *_, x = cgls.iterates(operator, y, 30)
    dense = torch.linalg.lstsq(matrix, y.reshape(-1, 30).T).solution.T.reshape(operator.domain_shape)
    torch.testing.assert_close(x, dense, rtol=1e-8, atol=1e-8)


def test_cgls_of_a_scan_is_dense_least_squares() -> None:
    operator = parallel()
    y = operator.forward(random(1, 9, 10)) + 0.1 * random(*operator.range_shape)
    matrix = torch.stack([operator.forward(e.reshape(1, 9, 10)).flatten() for e in torch.eye(90).double()], dim=1)
    *_, x = cgls.iterates(operator, y, 300)
    dense = torch.linalg.lstsq(matrix, y.flatten()).solution
    torch.testing.assert_close(x.flatten(), dense, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("joint", [1, 3])
def test_the_residual_of_cgls_falls_in_every_step(joint: int) -> None:
    if joint == 1:
        operator = parallel(slices=3)
    else:
        geometry = ConeBeam.circular(evenly_spread(12, 2 * np.pi), 5, 17, (1.0, 1.0), 40.0, 10.0)
        operator = projector(geometry, Grid((3, 9, 10), (1.0, 1.0, 1.0)), 5, dtype=torch.float64)
    y = random(*operator.range_shape)
    systems = 3 // operator.joint
    before = y.reshape(systems, -1).norm(dim=1)
    count = 0
    for x in cgls.iterates(operator, y, 25):
        left = (y - operator.forward(x)).reshape(systems, -1).norm(dim=1)
        assert bool((left <= before * (1 + 1e-12)).all())
        before, count = left, count + 1
    assert count == 25


def test_a_solved_system_rests_while_others_go_on() -> None:
    operator = parallel(slices=3)
    y = operator.forward(random(3, 9, 10))
    y[1] = 0
    *_, x = cgls.iterates(operator, y, 20)
    assert bool(x.isfinite().all())
    assert not x[1].any()
    *_, alone = cgls.iterates(parallel(), y[2:], 20)
    torch.testing.assert_close(x[2:], alone)


def test_sirt_goes_to_the_solution() -> None:
    grid = Grid((2, 20, 24), (1.0, 1.0, 1.0))
    operator = projector(ParallelBeam(evenly_spread(40), 36, 0.9), grid, 2)
    x = 0.02 * ellipsoid(grid, (2, -3), (7, 5))
    y = operator.forward(x)
    errors = [gap(found, x) for found in sirt.iterates(operator, y, 150)]
    assert len(errors) == 150
    assert errors[-1] < 0.12 < errors[5]
    assert all(b < a for a, b in pairwise(errors))


def test_sirt_stays_at_or_above_the_lowest() -> None:
    """Where the free iteration goes below, for noise; and it is nearer to the truth for that."""
    grid = Grid((1, 20, 24), (1.0, 1.0, 1.0))
    operator = projector(ParallelBeam(evenly_spread(40), 36, 0.9), grid, 1)
    x = 0.02 * ellipsoid(grid, (2, -3), (7, 5))
    y = operator.forward(x) + 0.01 * random(*operator.range_shape).float()
    *_, free = sirt.iterates(operator, y, 100)
    bound = list(sirt.iterates(operator, y, 100, lowest=0.0))
    assert float(free.min()) < 0
    assert min(float(found.min()) for found in bound) >= 0
    assert gap(bound[-1], x) < gap(free, x)


def test_sirt_leaves_alone_what_no_ray_meets() -> None:
    """The corners of a big image, and measurements without weight."""
    grid = Grid((1, 30, 30), (1.0, 1.0, 1.0))
    operator = projector(ParallelBeam(evenly_spread(2), 11, 1.0), grid, 1)
    weights = torch.ones(1, 2, 11)
    weights[:, :, 3] = 0
    *_, x = sirt.iterates(Weighted(operator, weights), weights * torch.rand(1, 2, 11), 10)
    assert bool(x.isfinite().all())
    assert float(x[0, 0, 0]) == 0
    assert x.any()


def test_sirt_leaves_alone_what_is_next_to_nothing_beside_the_rest() -> None:
    """A share, whatever the unit; and everything, where nothing was measured at all."""
    matrix = torch.diag(torch.tensor([2e3, 1e-4], dtype=torch.float64))
    *_, x = sirt.iterates(Dense(matrix, 1), torch.ones(1, 2, dtype=torch.float64), 3)
    torch.testing.assert_close(x, torch.tensor([[5e-4, 0.0]], dtype=torch.float64))
    *_, x = sirt.iterates(Dense(0 * matrix, 1), torch.ones(1, 2, dtype=torch.float64), 3)
    assert not x.any()


def test_sirt_takes_the_step_that_it_says() -> None:
    """C A* R y, of a matrix whose rows and columns have different sums."""
    matrix = torch.tensor([[1.0, 2.0, 0.0], [0.0, 3.0, 5.0]], dtype=torch.float64)
    y = torch.tensor([[7.0, 11.0]], dtype=torch.float64)
    first = next(sirt.iterates(Dense(matrix, 1), y, 1))
    expected = (matrix.T @ (y[0] / matrix.sum(dim=1))) / matrix.sum(dim=0)
    torch.testing.assert_close(first[0], expected)
