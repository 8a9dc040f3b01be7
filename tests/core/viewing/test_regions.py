"""Masks against their areas, statistics against numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.viewing.regions import ellipse_mask, polygon_mask, rectangle_mask, statistics_of

places = st.tuples(st.floats(-5, 20), st.floats(-5, 20))


def is_within(x: float, y: float, points: list[tuple[float, float]]) -> bool:
    """By the even-odd rule, one ray to the left."""
    crossings = 0
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
        if (y0 <= y) != (y1 <= y):
            crossings += x >= x0 + (y - y0) / (y1 - y0) * (x1 - x0)
    return crossings % 2 == 1


def test_a_rectangle_holds_the_middles_within() -> None:
    mask = rectangle_mask((8, 9), (6.0, 1.5), (2.5, 4.0))
    assert mask.shape == (8, 9)
    assert np.array_equal(np.argwhere(mask).min(axis=0), (2, 3))
    assert np.array_equal(np.argwhere(mask).max(axis=0), (4, 6))
    assert mask.sum() == 3 * 4


def test_an_ellipse_has_its_area_and_its_symmetry() -> None:
    mask = ellipse_mask((200, 300), (20.0, 150.0), (280.0, 30.0))
    assert mask.sum() == pytest.approx(math.pi * 130 * 60, rel=2e-3)
    assert np.array_equal(mask[30:151, 20:281], mask[30:151, 20:281][::-1, ::-1])
    assert not mask[:30].any()
    assert not ellipse_mask((20, 20), (3, 3), (3, 9)).any()


@settings(max_examples=60, deadline=None)
@given(st.lists(places, min_size=3, max_size=9))
def test_a_polygon_is_that_of_the_even_odd_rule(points: list[tuple[float, float]]) -> None:
    mask = polygon_mask((14, 16), points)
    for y in range(14):
        for x in range(16):
            near = min(_gap(x, y, a, b) for a, b in zip(points, points[1:] + points[:1], strict=True))
            assert near < 1e-9 or mask[y, x] == is_within(x, y, points)


def _gap(x: float, y: float, a: tuple[float, float], b: tuple[float, float]) -> float:
    """From a pixel to a side."""
    p, start, way = np.array([x, y]), np.array(a), np.subtract(b, a)
    along = np.clip((p - start) @ way / (way @ way), 0, 1) if (way @ way) > 0 else 0.0
    return float(np.linalg.norm(p - start - along * way))


def test_neighbouring_polygons_share_no_pixel_and_leave_none_out() -> None:
    middle, ring = (7.0, 6.0), [(-3.0, -3.0), (20.0, -3.0), (20.0, 20.0), (-3.0, 20.0)]
    masks = [polygon_mask((14, 16), [middle, a, b]) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)]
    assert (np.sum(masks, axis=0) == 1).all()


def test_a_star_is_hollow_and_bad_points_hold_nothing() -> None:
    turns = [math.tau * 2 * i / 5 for i in range(5)]
    star = [(50 + 40 * math.sin(t), 50 - 40 * math.cos(t)) for t in turns]
    mask = polygon_mask((100, 100), star)
    assert not mask[50, 50]
    assert mask[15, 50]
    assert not polygon_mask((9, 9), [(1, 1), (5, 5)]).any()
    assert not polygon_mask((9, 9), []).any()
    assert not polygon_mask((9, 9), [(1, 1), (5, 5), (np.nan, 0)]).any()
    assert polygon_mask((9, 9), [(-1e12, -1e12), (1e12, -1e12), (0, 1e12)]).all()


def test_area_and_mean_of_a_disc_in_a_ramp() -> None:
    y, x = np.mgrid[:160, :200]
    plane = (3.0 * x - 2.0 * y + 5).astype(np.float32)
    mask = ellipse_mask(plane.shape, (60, 40), (140, 120))
    found = statistics_of(plane, (0.5, 0.8), mask)
    assert found.area_mm2 == pytest.approx(math.pi * (40 * 0.5) * (40 * 0.8), rel=3e-3)
    assert found.area_mm2 == pytest.approx(found.pixels * 0.4)
    assert found.mean == pytest.approx(3 * 100 - 2 * 80 + 5, abs=1e-3)
    # Along an axis of a disc of radius r the variance of the place is r^2 / 4.
    assert found.sd == pytest.approx(math.sqrt(13 * 40**2 / 4), rel=3e-3)
    assert (found.minimum, found.maximum) == pytest.approx((145 - 40 * math.sqrt(13), 145 + 40 * math.sqrt(13)), abs=4)
    assert found.counts.sum() == found.pixels
    assert found.edges[0] == pytest.approx(found.minimum)


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_statistics_are_those_of_numpy(dtype: type) -> None:
    plane = np.random.default_rng(2).normal(20000, 3000, (40, 50)).astype(dtype)
    mask = rectangle_mask(plane.shape, (3, 4), (30, 20))
    found, picked = statistics_of(plane, (1.0, 2.0), mask), plane[4:21, 3:31].astype(np.float64)
    assert found.pixels == picked.size
    assert found.mean == pytest.approx(picked.mean(), rel=1e-9)
    assert found.sd == pytest.approx(picked.std(ddof=1), rel=1e-9)
    assert (found.minimum, found.maximum) == (picked.min(), picked.max())


def test_pixels_without_a_number_do_not_count() -> None:
    plane = np.array([[1, 2], [np.nan, 6]], np.float32)
    found = statistics_of(plane, (2.0, 2.0), np.ones((2, 2), bool))
    assert (found.pixels, found.area_mm2, found.mean) == (3, 12.0, 3.0)
    nothing = statistics_of(plane, (2.0, 2.0), np.zeros((2, 2), bool))
    assert (nothing.pixels, nothing.area_mm2, nothing.counts.sum()) == (0, 0.0, 0)
    assert math.isnan(nothing.mean)
    single = statistics_of(plane, (2.0, 2.0), np.array([[False, True], [True, False]]))
    assert (single.mean, single.sd, single.pixels) == (2.0, 0.0, 1)
