"""Conjugate gradients: right for complex systems, one step size for each item, safe at the solution."""

from __future__ import annotations

import pytest
import torch

from core.operators.linear import LinearOperator
from core.operators.masks import Undersampling, sampling_mask
from core.operators.sense import Sense
from core.solvers.baselines import cg_sense, zero_filled
from core.solvers.cg import conjugate_gradient


def systems(dtype: torch.dtype, batch: int = 3, n: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(batch, n, n, dtype=dtype, generator=generator)
    matrix = root @ root.mH + 0.5 * torch.eye(n, dtype=dtype)
    return matrix, torch.randn(batch, n, dtype=dtype, generator=generator)


def times(matrix: torch.Tensor):
    return lambda x: (matrix @ x[..., None])[..., 0]


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize("warm", [False, True])
def test_it_solves_hermitian_systems(dtype: torch.dtype, warm: bool) -> None:
    matrix, b = systems(dtype)
    start = torch.ones_like(b) if warm else None
    x = conjugate_gradient(times(matrix), b, start, iterations=40)
    assert torch.allclose(times(matrix)(x), b, atol=1e-8)


def test_items_do_not_mix() -> None:
    matrix, b = systems(torch.complex128)
    together = conjugate_gradient(times(matrix), b, iterations=4)
    alone = [conjugate_gradient(times(matrix[i : i + 1]), b[i : i + 1], iterations=4) for i in range(3)]
    assert torch.allclose(together, torch.cat(alone), atol=1e-12)


def test_nothing_happens_at_the_solution() -> None:
    matrix, b = systems(torch.complex64)
    solution = torch.linalg.solve(matrix, b)
    b = times(matrix)(solution)
    b[1] = 0
    start = solution.clone()
    start[1] = 0
    x = conjugate_gradient(times(matrix), b, start, iterations=30)
    assert torch.isfinite(torch.view_as_real(x)).all()
    assert torch.allclose(x, start, atol=1e-3)
    assert not x[1].any()


def test_it_stops_when_every_item_is_good_enough() -> None:
    matrix, b = systems(torch.complex128)
    calls = []

    def counted(x: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return times(matrix)(x)

    x = conjugate_gradient(counted, b, iterations=500, tolerance=1e-3)
    gaps = torch.linalg.vector_norm(times(matrix)(x) - b, dim=1) / torch.linalg.vector_norm(b, dim=1)
    assert len(calls) < 40
    assert (gaps < 1e-3).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_residual_falls_on_eight_coils_where_an_unconjugated_product_diverges(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    maps = torch.randn(1, 8, 48, 48, dtype=torch.complex128, generator=generator)
    maps = maps / torch.linalg.vector_norm(maps, dim=1, keepdim=True)
    mask = torch.from_numpy(sampling_mask(Undersampling("gaussian1d", 6, 4, seed), 48, 48))[None]
    operator = Sense(maps, mask)
    b = operator.adjoint(torch.randn(operator.range_shape, dtype=torch.complex128, generator=generator))

    def gap(iterations: int) -> float:
        x = conjugate_gradient(operator.normal, b, iterations=iterations)
        return float(torch.linalg.vector_norm(operator.normal(x) - b) / torch.linalg.vector_norm(b))

    assert gap(50) < 0.2 * gap(5)
    assert gap(50) < 1e-2


def test_cg_sense_recovers_what_zero_filling_does_not() -> None:
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(1, 4, 32, 32, dtype=torch.complex128, generator=generator)
    maps = maps / torch.linalg.vector_norm(maps, dim=1, keepdim=True)
    truth = torch.randn(1, 32, 32, dtype=torch.complex128, generator=generator)
    full = Sense(maps, torch.ones(1, 32, 1, dtype=torch.bool))
    assert torch.allclose(zero_filled(full, full.forward(truth)), truth, atol=1e-10)
    half = Sense(maps, torch.from_numpy(sampling_mask(Undersampling("equispaced1d", 2, 4, 0), 32, 32))[None])
    y = half.forward(truth)
    good, poor = cg_sense(half, y, iterations=100, lam=1e-6), zero_filled(half, y)
    assert torch.linalg.vector_norm(good - truth) < 0.05 * torch.linalg.vector_norm(poor - truth)


def test_joint_items_are_one_system() -> None:
    """A matrix over six numbers, given as three items of two, takes the steps that it takes as one item of six."""
    matrix, b = systems(torch.float64, batch=2, n=6)

    def normal(x: torch.Tensor) -> torch.Tensor:
        return times(matrix)(x.reshape(2, 6)).reshape(6, 2)

    whole = conjugate_gradient(times(matrix), b, iterations=3)
    parts = conjugate_gradient(normal, b.reshape(6, 2), iterations=3, joint=3)
    assert torch.allclose(parts.reshape(2, 6), whole, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_what_may_be_used_up_gives_the_same_and_what_may_not_stays(dtype: torch.dtype) -> None:
    matrix, b = systems(dtype)
    start = torch.ones_like(b)
    kept = b.clone(), start.clone()
    x = conjugate_gradient(times(matrix), b, start, iterations=4)
    assert torch.equal(b, kept[0])
    assert torch.equal(start, kept[1])
    used = conjugate_gradient(times(matrix), b, start, iterations=4, overwrite=True)
    assert torch.equal(used, x)
    assert used.data_ptr() == start.data_ptr()


class Nothing(LinearOperator):
    """A = 1 of some images, for what a solver adds to it."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.domain_shape = self.range_shape = shape
        self.dtype, self.device = torch.complex128, torch.device("cpu")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x

    adjoint = forward


def test_cg_sense_is_held_back_by_its_weight() -> None:
    """(1 + lam) x = y."""
    y = torch.randn(2, 5, 4, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(cg_sense(Nothing(y.shape), y, lam=0.5), y / 1.5)
    torch.testing.assert_close(cg_sense(Nothing(y.shape), y), y / 1.003, rtol=1e-6, atol=1e-9)


def test_an_item_that_is_good_enough_rests_while_others_go_on() -> None:
    matrix, b = systems(torch.complex128)
    start = torch.zeros_like(b)
    start[0] = torch.linalg.solve(matrix[0], b[0]) * (1 + 1e-6)
    x = conjugate_gradient(times(matrix), b, start, iterations=8, tolerance=1e-4)
    assert torch.equal(x[0], start[0])
    assert not torch.equal(x[1], start[1])


@pytest.mark.parametrize("curvature", [0.0, -1.0])
def test_what_cannot_be_solved_stays_finite(curvature: float) -> None:
    """Items of which nothing is measured, or whose system is no longer positive for rounding, take no step."""
    x = conjugate_gradient(lambda v: curvature * v, torch.ones(2, 3), iterations=3)
    assert not x.any()


def test_five_steps_are_taken_where_none_are_named() -> None:
    matrix, b = systems(torch.complex128)
    assert torch.equal(conjugate_gradient(times(matrix), b), conjugate_gradient(times(matrix), b, iterations=5))
