"""One operator for several samples."""

from __future__ import annotations

import torch

from core.operators.linear import dot_test
from core.operators.repeated import Repeated
from core.operators.sense import Sense


def two_planes() -> Sense:
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(2, 3, 10, 9, dtype=torch.complex128, generator=generator)
    return Sense(maps, torch.rand(2, 10, 9, generator=generator) < 0.5)


def test_the_adjoint_is_the_adjoint() -> None:
    assert dot_test(Repeated(two_planes(), 3)) < 1e-12


def test_every_sample_goes_through_the_same_operator() -> None:
    sense = two_planes()
    repeated = Repeated(sense, 3)
    x = torch.randn(repeated.domain_shape, dtype=repeated.dtype, generator=torch.Generator().manual_seed(1))
    assert repeated.domain_shape == (6, 10, 9)
    for k in range(3):
        own = slice(2 * k, 2 * k + 2)
        assert torch.equal(repeated.forward(x)[own], sense.forward(x[own]))
        assert torch.equal(repeated.normal(x)[own], sense.normal(x[own]))


def test_a_measurement_given_once_stands_for_every_sample() -> None:
    sense = two_planes()
    y = torch.randn(sense.range_shape, dtype=sense.dtype, generator=torch.Generator().manual_seed(2))
    repeated = Repeated(sense, 3)
    assert torch.equal(repeated.adjoint(y), repeated.adjoint(torch.cat([y, y, y])))
