"""Lengths in mm whatever the voxels, values along a line, and regions against each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.viewing.lengths import (
    angle_deg,
    contrast,
    contrast_to_noise,
    distance_mm,
    profile,
    signal_to_noise,
    value_at,
)
from core.viewing.regions import Statistics, statistics_of
from tests.core.viewing.placement import AFFINES, SHAPE
from tests.core.viewing.test_onto import RAMP, ramp


def statistics(*values: float) -> Statistics:
    return statistics_of(np.array([values], np.float32), (1.0, 1.0), np.ones((1, len(values)), bool))


def test_a_known_triangle() -> None:
    assert distance_mm((1, 2, 3), (4, 6, 3)) == 5
    assert angle_deg((1, 0, 0), (0, 0, 0), (0, 0, 7)) == pytest.approx(90)
    assert angle_deg((1, 0, 5), (0, 0, 5), (2, 0, 5)) == 0
    assert angle_deg((-3, 0, 0), (0, 0, 0), (2, 0, 0)) == pytest.approx(180)
    assert angle_deg((1, 0, 0), (0, 0, 0), (1, math.tan(1e-6), 0)) == pytest.approx(math.degrees(1e-6))
    assert math.isnan(angle_deg((0, 0, 0), (0, 0, 0), (2, 0, 0)))


def test_distances_between_voxels_are_in_mm() -> None:
    affine = AFFINES["anisotropic and oblique"]
    p, q = (affine @ [2, 3, 1, 1])[:3], (affine @ [5, 7, 3, 1])[:3]
    assert distance_mm(p, q) == pytest.approx(math.hypot(3 * 0.7, 4 * 1.3, 2 * 5))


def test_a_profile_across_a_ramp_is_straight(affine: np.ndarray) -> None:
    p, q = (affine @ [1, 2, 1, 1])[:3], (affine @ [14, 11, 9, 1])[:3]
    along, values = profile(ramp(affine), affine, p, q, samples=31)
    assert along[-1] == pytest.approx(distance_mm(p, q))
    assert len(along) == len(values) == 31
    slope = RAMP @ (q - p) / distance_mm(p, q)
    np.testing.assert_allclose(values, p @ RAMP + slope * along, atol=0.01)


def test_a_profile_that_leaves_the_volume_says_so() -> None:
    affine = np.diag([1.0, 1.0, 4.0, 1.0])
    values = np.arange(10, dtype=np.int16).reshape(1, 1, 10)
    along, found = profile(values, affine, (-2, 0, 0), (12, 0, 0))
    np.testing.assert_allclose(along, np.arange(15))
    expected = [np.nan, np.nan, *range(10), np.nan, np.nan, np.nan]
    np.testing.assert_allclose(found, expected)
    ends = profile(values, affine, (-0.5, 0.5, 2), (9.5, 0.5, 2), samples=2)[1]
    np.testing.assert_allclose(ends, [0, 9])
    assert len(profile(values, affine, (3, 0, 0), (3, 0, 0))[0]) == 2
    assert len(profile(values, affine, (0, 0, 0), (1e9, 0, 0))[0]) == 4096
    assert len(profile(values, affine, (0, 0, 0), (9, 0, 0), samples=10**9)[0]) == 4096
    assert np.isnan(profile(values, affine, (0, 0, 0), (np.nan, 0, 0))[1]).any()


def test_the_value_at_a_point_is_that_of_its_voxel(affine: np.ndarray) -> None:
    values = np.random.default_rng(1).integers(-1000, 3000, SHAPE).astype(np.int16)
    for x, y, z in ((0, 0, 0), (16, 13, 10), (4, 9, 3)):
        for beside in (-0.45, 0, 0.45):
            assert value_at(values, affine, (affine @ [x + beside, y - beside, z + beside, 1])[:3]) == values[z, y, x]
    assert math.isnan(value_at(values, affine, (affine @ [-0.55, 3, 3, 1])[:3]))
    assert math.isnan(value_at(values, affine, (affine @ [3, 3, 10.55, 1])[:3]))
    assert math.isnan(value_at(values, affine, (np.nan, 0, 0)))


def test_regions_against_each_other() -> None:
    bright, dark, noise = statistics(90, 110), statistics(49, 51), statistics(-2, 0, 2)
    assert noise.sd == 2
    assert signal_to_noise(bright, noise) == 50
    assert contrast(bright, dark) == pytest.approx(1 / 3)
    assert contrast(dark, bright) == pytest.approx(-1 / 3)
    assert contrast_to_noise(dark, bright, noise) == 25


def test_what_has_no_meaning_is_no_number() -> None:
    flat, air, nothing = statistics(0, 0), statistics(-1000, -990), statistics()
    assert math.isnan(signal_to_noise(air, flat))
    assert math.isnan(contrast(air, flat))
    assert math.isnan(contrast(flat, flat))
    assert math.isnan(contrast_to_noise(air, flat, flat))
    assert math.isnan(contrast(nothing, air))
    assert math.isnan(signal_to_noise(air, nothing))
