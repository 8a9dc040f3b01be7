"""Dead leaves: repeatable, different in every slice, tissues where they should be, edges of every size."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import JobError
from core.priors.phantoms_leaves import leaves

SMALL = (2, 96, 80)


def test_a_seed_gives_the_same_slices_and_another_does_not() -> None:
    assert np.array_equal(leaves(3, SMALL), leaves(3, SMALL))
    assert not np.array_equal(leaves(3, SMALL), leaves(4, SMALL))
    first, second = leaves(3, SMALL)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.5


def test_all_tissues_occur_within_the_range_of_ct() -> None:
    image = leaves(5, (4, 128, 128))
    assert image.shape == (4, 128, 128)
    assert image.dtype == np.float32
    assert -1024 <= image.min() < -900
    assert 500 < image.max() < 3000
    assert ((image > -20) & (image < 120)).mean() > 0.1


def test_there_are_large_shapes_and_small_ones() -> None:
    """An even image would have no steps, noise would have one at every pixel."""
    image = leaves(6, (4, 160, 160))
    steps = np.abs(np.diff(image, axis=2)) > 60
    assert 0.02 < steps.mean() < 0.45
    runs = [np.diff(np.flatnonzero(row)).max(initial=0) for row in steps.reshape(-1, steps.shape[-1]) if row.any()]
    assert max(runs) > 40


def test_too_much_is_refused() -> None:
    with pytest.raises(JobError, match="cannot be made"):
        leaves(0, (10_000, 10_000, 10))
