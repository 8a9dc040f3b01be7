"""Differences with free ends, and the total variation that ties slices: it solves what it says it solves."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from core.operators.linear import LinearOperator
from core.solvers.differences import AXES, gradient, gradient_adjoint, shrink
from core.solvers.slice_tie import SliceTie
from core.solvers.total_variation import total_variation


class Matrix(LinearOperator):
    """The same dense matrix for every item."""

    def __init__(self, matrix: Tensor, batch: int, shape: tuple[int, int]) -> None:
        self.matrix = matrix
        self.domain_shape, self.range_shape = (batch, *shape), (batch, len(matrix))
        self.dtype, self.device = matrix.dtype, matrix.device

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.matrix.T

    def adjoint(self, y: Tensor) -> Tensor:
        return (y @ self.matrix).reshape(len(y), *self.domain_shape[1:])


def measured(batch: int = 4, shape: tuple[int, int] = (3, 4)) -> tuple[Matrix, Tensor]:
    generator = torch.Generator().manual_seed(3)
    matrix = torch.randn(8, shape[0] * shape[1], dtype=torch.float64, generator=generator)
    operator = Matrix(matrix / torch.linalg.matrix_norm(matrix, 2), batch, shape)
    truth = torch.randn(operator.domain_shape, dtype=torch.float64, generator=generator)
    return operator, operator.forward(truth)


@pytest.mark.parametrize("along", list(AXES))
@pytest.mark.parametrize("slices", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_the_gradient_and_its_adjoint_belong_together(along: str, slices: int, dtype: torch.dtype) -> None:
    axes = AXES[along]
    x = torch.randn(6, 5, 7, dtype=dtype)
    slopes = torch.randn(len(axes), 6, 5, 7, dtype=dtype)
    left = torch.sum(gradient(x, slices, axes).conj() * slopes)
    right = torch.sum(x.conj() * gradient_adjoint(slopes, slices, axes))
    assert abs(left - right) < 1e-12 * max(abs(left), 1)


def test_nothing_wraps_and_volumes_do_not_touch() -> None:
    x = torch.arange(6, dtype=torch.float64).square()[:, None, None].expand(6, 2, 2)
    along_z = gradient(x, 3, AXES["z"])[0, :, 0, 0]
    assert along_z.tolist() == [1.0, 3.0, 0.0, 7.0, 9.0, 0.0]


def test_shrinking_is_isotropic() -> None:
    slopes = torch.tensor([3.0, 0.3]).reshape(1, 2, 1, 1), torch.tensor([4.0, 0.4]).reshape(1, 2, 1, 1)
    short = shrink(torch.cat(slopes), torch.tensor(1.0))[:, :, 0, 0]
    assert torch.allclose(short[:, 0], torch.tensor([2.4, 3.2]))
    assert short[:, 1].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("along", list(AXES))
@pytest.mark.parametrize("gamma", [2.0, float("inf")])
def test_many_rounds_reach_the_minimum(along: str, gamma: float) -> None:
    """No small change in any direction makes the objective smaller than at the tie's solution."""
    operator, y = measured()
    lam, axes = 0.05, AXES[along]
    generator = torch.Generator().manual_seed(5)
    start = torch.randn(operator.domain_shape, dtype=torch.float64, generator=generator)
    tie = SliceTie(4, rho=0.3, lam=lam, along=along, rounds=4000)

    def objective(x: Tensor) -> float:
        length = torch.sqrt((gradient(x, 4, axes) ** 2).sum(dim=0)).sum()
        data = (operator.forward(x) - y).square().sum() / 2 + lam * length
        return float(data if gamma == float("inf") else (x - start).square().sum() / 2 + gamma * data)

    x = tie.consistent(operator, operator.adjoint(y), start, gamma, 30, 1e-12)
    least = objective(x)
    for _ in range(200):
        away = torch.randn(x.shape, dtype=torch.float64, generator=generator)
        assert objective(x + 1e-3 * away) > least - 1e-9


def test_the_variables_are_carried_from_step_to_step() -> None:
    """Two calls of one round are one call of two rounds, where the estimate is no part of the objective."""
    operator, y = measured()
    start = torch.zeros(operator.domain_shape, dtype=torch.float64)
    twice, once = SliceTie(4, 0.3, 0.05, rounds=2), SliceTie(4, 0.3, 0.05)
    gamma = float("inf")
    expected = twice.consistent(operator, operator.adjoint(y), start, gamma, 3, 0.0)
    first = once.consistent(operator, operator.adjoint(y), start, gamma, 3, 0.0)
    again = once.consistent(operator, operator.adjoint(y), first.clone(), gamma, 3, 0.0)
    assert torch.allclose(again, expected, atol=1e-13)
    assert not torch.allclose(again, first)


def test_a_heavy_tie_makes_all_slices_alike_and_none_keeps_them_apart() -> None:
    operator, y = measured()
    backprojection = operator.adjoint(y)
    start = torch.zeros(operator.domain_shape, dtype=torch.float64)
    tied = SliceTie(4, 1.0, 1e3, rounds=300).consistent(operator, backprojection, start, 10.0, 20, 0.0)
    free = SliceTie(4, 1.0, 0.0, rounds=300).consistent(operator, backprojection, start, 10.0, 20, 0.0)
    assert (tied - tied.mean(dim=0)).abs().max() < 1e-3
    assert (free - free.mean(dim=0)).abs().max() > 0.1


def test_total_variation_of_a_volume_is_lower_along_z() -> None:
    operator, y = measured(batch=6)
    apart = total_variation(operator, y, 0.02, iterations=150)
    together = total_variation(operator, y, 0.02, iterations=150, slices=3, along="z")

    def roughness(x: Tensor) -> float:
        return float(gradient(x, 3, AXES["z"]).abs().sum())

    assert roughness(together) < 0.7 * roughness(apart)


def test_the_first_step_keeps_the_slopes_of_its_estimate() -> None:
    """Without a penalty to speak of, the pace of the splitting changes nothing where the estimate fits already."""
    operator, y = measured()
    truth = torch.linalg.lstsq(operator.matrix, y.T).solution.T.reshape(operator.domain_shape)
    tie = SliceTie(4, rho=50.0, lam=1e-9)
    kept = tie.consistent(operator, operator.adjoint(y), truth, 5.0, 50, 0.0)
    assert torch.allclose(kept, truth, atol=1e-6)


@pytest.mark.parametrize("along", list(AXES))
@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_a_few_slices_at_a_time_change_no_bit(along: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of two volumes, neither of which is a whole number of pieces."""
    generator = torch.Generator().manual_seed(2)
    matrix = torch.randn(8, 12, dtype=dtype, generator=generator)
    operator = Matrix(matrix / 8, 14, (3, 4))
    y, start = operator.forward(torch.randn(14, 3, 4, dtype=dtype)), torch.randn(14, 3, 4, dtype=dtype)

    def solved(pieces: int) -> list[Tensor]:
        monkeypatch.setattr("core.solvers.slice_tie.SLICES_AT_ONCE", pieces)
        tie, x = SliceTie(7, 0.3, 0.05, along, rounds=2), start
        for _ in range(3):
            x = tie.consistent(operator, operator.adjoint(y), x.clone(), 3.0, 4, 0.0)
        assert tie.carried is not None
        return [x, tie.carried]

    whole = solved(7)
    for pieces in (1, 3, 100):
        assert all(torch.equal(a, b) for a, b in zip(solved(pieces), whole, strict=True))


@pytest.mark.parametrize(("along", "expected"), [("z", [9.0]), ("slice", [3.0, 1.0]), ("volume", [9.0, 3.0, 1.0])])
def test_the_names_of_the_directions(along: str, expected: list[float]) -> None:
    z, y, x = torch.meshgrid(*(torch.arange(3.0) for _ in range(3)), indexing="ij")
    assert gradient(9 * z + 3 * y + x, 3, AXES[along])[:, 0, 0, 0].tolist() == expected
