"""The spread of values, told from a part of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.viewing import histogram as module
from core.viewing.histogram import histogram, percentiles


def test_a_histogram_is_that_of_numpy() -> None:
    values = np.random.default_rng(0).normal(size=(9, 20, 21)).astype(np.float32)
    counts, edges = histogram(values, 40)
    expected, their_edges = np.histogram(values, 40)
    assert np.array_equal(counts, expected)
    np.testing.assert_allclose(edges, their_edges, atol=1e-6)


@pytest.mark.parametrize("most", [0, 3, 254, 255, 256, 300, 4095])
def test_every_bin_of_whole_numbers_holds_as_many(most: int) -> None:
    values = np.arange(-100, most - 99, dtype=np.int16).reshape(1, 1, -1)
    counts, edges = histogram(values)
    assert len(edges) == len(counts) + 1 <= 257
    assert counts.sum() == values.size
    assert len(set(counts[:-1])) <= 1
    assert edges[0] == -100.5


def test_the_whole_range_of_int16_fits() -> None:
    values = np.array([[[-32768, 32767, 0, 0]]], np.int16)
    counts, edges = histogram(values)
    assert counts.sum() == 4
    assert (edges[0], edges[-1]) == (-32768.5, 32767.5)
    assert percentiles(np.array([-32768, 32767], np.int16), (0, 50, 100)) == (-32768, -0.5, 32767)


def test_what_is_no_number_does_not_count() -> None:
    values = np.array([[[1, np.nan, np.inf, 3, -np.inf]]], np.float32)
    counts, edges = histogram(values, 2)
    assert counts.tolist() == [1, 1]
    assert edges.tolist() == [1, 2, 3]
    assert percentiles(values, (0, 100)) == (1, 3)
    nothing = np.full((2, 2, 2), np.nan, np.float32)
    assert histogram(nothing)[0].sum() == 0
    assert all(math.isnan(v) for v in percentiles(nothing, (1, 2)))


@pytest.mark.parametrize("value", [0.0, 1000.0, 1e-30, -1e30])
def test_a_flat_volume_has_a_histogram(value: float) -> None:
    counts, edges = histogram(np.full((3, 4, 5), value, np.float32))
    assert counts.sum() == 60
    assert edges[0] < edges[-1]


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_part_of_the_voxels_stands_for_all(axes: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_VOXELS", 5000)
    # Columns differ: were the same ones always picked, the spread would come out wrong.
    values = np.broadcast_to(np.arange(64, dtype=np.int16), (64, 64, 64)).copy().transpose(axes)
    counts, _ = histogram(values, 64)
    assert 2000 < counts.sum() <= 5000
    assert counts.min() > 0.8 * counts.mean()
    assert percentiles(values, (25, 50, 75)) == pytest.approx((15.75, 31.5, 47.25), abs=1.1)
