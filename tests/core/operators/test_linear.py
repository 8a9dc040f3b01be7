"""What every operator is judged by, on matrices whose numbers are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from core.operators.linear import LinearOperator, Scaled, dot_test, in_place, inner, operator_norm


class Matrix(LinearOperator):
    """A matrix, and an adjoint that may be wrong by a factor."""

    def __init__(self, matrix: Tensor, wrong: complex = 1.0) -> None:
        self.matrix, self.wrong = matrix, wrong
        self.domain_shape, self.range_shape = (1, matrix.shape[1]), (1, matrix.shape[0])
        self.dtype = matrix.dtype
        self.device = matrix.device

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.matrix.T

    def adjoint(self, y: Tensor) -> Tensor:
        return self.wrong * (y @ self.matrix.conj())


def matrix(*values: float) -> Tensor:
    """Of these singular values, between two random orthogonal bases."""
    generator = torch.Generator().manual_seed(3)
    left, right = (torch.linalg.qr(torch.randn(n, n, dtype=torch.float64, generator=generator))[0] for n in (7, 5))
    middle = torch.zeros(7, 5, dtype=torch.float64)
    middle[range(len(values)), range(len(values))] = torch.tensor(values, dtype=torch.float64)
    return left @ middle @ right.T


def test_the_norm_is_the_largest_singular_value_and_no_more() -> None:
    found = operator_norm(Matrix(matrix(3.0, 2.9, 1.0, 0.5)), iterations=200, tolerance=1e-9)
    assert found == pytest.approx(3.0, rel=1e-6)
    for iterations in (2, 5, 20):
        assert 1.0 < operator_norm(Matrix(matrix(3.0, 2.9, 1.0, 0.5)), iterations) <= 3.0


def test_the_norm_rises_until_the_tolerance_is_reached() -> None:
    close = Matrix(matrix(3.0, 2.98, 2.96, 2.94))
    rough, fine = operator_norm(close, 500, tolerance=0.5), operator_norm(close, 500, tolerance=1e-10)
    assert rough < fine - 1e-3
    assert fine == pytest.approx(3.0, rel=1e-4)


@pytest.mark.parametrize(("wrong", "gap"), [(1.0, 0.0), (2.0, 0.5), (0.5, 0.5), (-1.0, 2.0)])
def test_the_gap_of_a_wrong_adjoint_is_relative(wrong: float, gap: float) -> None:
    assert dot_test(Matrix(matrix(3.0, 2.0, 1.0), wrong)) == pytest.approx(gap, abs=1e-12)
    assert dot_test(Matrix(100 * matrix(3.0, 2.0, 1.0), wrong)) == pytest.approx(gap, abs=1e-12)


def test_a_missing_conjugation_is_a_gap() -> None:
    turned = Matrix(matrix(3.0, 2.0, 1.0) * torch.tensor(1j, dtype=torch.complex128), -1.0)
    assert dot_test(turned) == pytest.approx(2.0)


def test_the_inner_product_conjugates_its_first() -> None:
    one, other = torch.tensor([1 + 1j, 2.0]), torch.tensor([3 - 1j, 1j])
    assert inner(one, other) == pytest.approx((1 - 1j) * (3 - 1j) + 2 * 1j)


def test_scaling_squares_in_the_normal_operator() -> None:
    whole, x = Matrix(matrix(3.0, 2.0, 1.0)), torch.ones(1, 5, dtype=torch.float64)
    torch.testing.assert_close(Scaled(whole, 0.5).normal(x), 0.25 * whole.normal(x))
    assert torch.equal(x, torch.ones_like(x))


def test_what_is_not_ones_own_is_copied() -> None:
    x = torch.ones(3)
    assert in_place(x.view(3), x).data_ptr() != x.data_ptr()
    for other in (torch.ones(3), torch.ones(3)):
        assert in_place(other, x) is other
