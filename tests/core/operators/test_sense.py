"""The SENSE operator is what it says, and its adjoint is the adjoint."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.operators.linear import LinearOperator, Scaled, dot_test, operator_norm
from core.operators.masks import MASKS, Undersampling, sampling_mask
from core.operators.sense import Sense

SIZES = [(32, 32), (33, 32), (32, 27), (31, 45)]


def build(kind: str, ny: int, nx: int, dtype: torch.dtype, batch: int = 3, masks: int = 1) -> Sense:
    generator = torch.Generator().manual_seed(1)
    maps = torch.randn(batch, 5, ny, nx, dtype=dtype, generator=generator)
    maps = maps / torch.linalg.vector_norm(maps, dim=1, keepdim=True)
    patterns = [sampling_mask(Undersampling(kind, 3, 0.1, seed), ny, nx) for seed in range(masks)]
    return Sense(maps, torch.from_numpy(np.stack(patterns)), batch)


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("masks", [1, 3])
def test_adjoint(kind: str, size: tuple[int, int], masks: int) -> None:
    assert dot_test(build(kind, *size, torch.complex64, masks=masks)) < 1e-5
    assert dot_test(build(kind, *size, torch.complex128, masks=masks)) < 1e-11


def test_the_dot_test_sees_a_wrong_adjoint() -> None:
    class Wrong(Scaled):
        def adjoint(self, y: torch.Tensor) -> torch.Tensor:
            return super().adjoint(y.conj())

    assert dot_test(Wrong(build("gaussian1d", 16, 16, torch.complex128), 1.0)) > 1e-3


@pytest.mark.parametrize("kind", ["gaussian1d", "poisson2d"])
@pytest.mark.parametrize("size", SIZES)
def test_forward_is_the_centred_transform_of_the_coil_images(kind: str, size: tuple[int, int]) -> None:
    operator = build(kind, *size, torch.complex128)
    x = torch.randn(operator.domain_shape, dtype=torch.complex128)
    generator = torch.Generator().manual_seed(1)
    maps = torch.randn(3, 5, *size, dtype=torch.complex128, generator=generator)
    maps = maps / torch.linalg.vector_norm(maps, dim=1, keepdim=True)
    mask = sampling_mask(Undersampling(kind, 3, 0.1, 0), *size)
    shifted = np.fft.fft2(np.fft.ifftshift((maps * x[:, None]).numpy(), axes=(-2, -1)), norm="ortho")
    expected = np.fft.fftshift(shifted, axes=(-2, -1)) * mask
    assert np.allclose(operator.forward(x).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("kind", ["equispaced1d", "gaussian2d"])
@pytest.mark.parametrize("size", SIZES)
def test_the_short_normal_operator_is_forward_then_adjoint(kind: str, size: tuple[int, int]) -> None:
    operator = build(kind, *size, torch.complex128, masks=3)
    x = torch.randn(operator.domain_shape, dtype=torch.complex128)
    assert torch.allclose(operator.normal(x), operator.adjoint(operator.forward(x)), atol=1e-12)


def test_one_set_of_maps_serves_many_masks() -> None:
    maps = torch.randn(1, 4, 16, 16, dtype=torch.complex128)
    masks = torch.from_numpy(np.stack([sampling_mask(Undersampling("uniform1d", 2, 2, s), 16, 16) for s in range(3)]))
    operator = Sense(maps, masks)
    assert operator.domain_shape == (3, 16, 16)
    assert dot_test(operator) < 1e-11


def test_the_norm_is_the_largest_singular_value() -> None:
    class Matrix(LinearOperator):
        def __init__(self, matrix: torch.Tensor) -> None:
            self.matrix = matrix
            self.domain_shape, self.range_shape = (1, matrix.shape[1]), (1, matrix.shape[0])
            self.dtype, self.device = matrix.dtype, matrix.device

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x @ self.matrix.T

        def adjoint(self, y: torch.Tensor) -> torch.Tensor:
            return y @ self.matrix.conj()

    matrix = torch.randn(9, 6, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    operator = Matrix(matrix)
    assert dot_test(operator) < 1e-12
    largest = float(torch.linalg.matrix_norm(matrix, 2))
    assert operator_norm(operator, 200, tolerance=0) == pytest.approx(largest, rel=1e-6)
    assert operator_norm(Scaled(operator, 0.0)) == 0


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="does not match"):
        Sense(torch.ones(1, 2, 8, 8, dtype=torch.complex64), torch.ones(1, 9, 1, dtype=torch.bool))
