"""A volume on the grid of another keeps every value at its place in the patient."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from core.viewing import onto
from core.viewing.grid import corners, indices_at
from core.viewing.onto import difference, resampled, same_grid
from tests.core.viewing.placement import AFFINES, SHAPE, affines, placed, turned

RAMP = np.array([2.0, -3.0, 0.5])
"""Per mm along L, P and H."""


def ramp(affine: np.ndarray, shape: tuple = SHAPE) -> np.ndarray:
    """Values that grow evenly through the patient, which trilinear sampling keeps exactly."""
    z, y, x = np.indices(shape)
    places = np.stack([x, y, z], axis=-1) @ affine[:3, :3].T + affine[:3, 3]
    return (places @ RAMP).astype(np.float32)


def is_between_middles(affine: np.ndarray, shape: tuple, onto_affine: np.ndarray, onto_shape: tuple) -> np.ndarray:
    z, y, x = np.indices(onto_shape)
    places = np.stack([x, y, z], axis=-1) @ onto_affine[:3, :3].T + onto_affine[:3, 3]
    there = indices_at(affine, places)
    return ((there >= 0) & (there <= np.array(shape[::-1]) - 1)).all(axis=-1)


@settings(max_examples=40, deadline=None)
@given(affines(), affines())
def test_a_ramp_through_the_patient_is_the_same_on_every_grid(one: np.ndarray, other: np.ndarray) -> None:
    found = resampled(ramp(one), one, (9, 8, 10), other)
    assert found.dtype == np.float32
    within = is_between_middles(one, SHAPE, other, (9, 8, 10))
    np.testing.assert_allclose(found[within], ramp(other, (9, 8, 10))[within], atol=0.01)


def test_parts_of_a_grid_fit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = AFFINES["anisotropic and oblique"], AFFINES["sheared"]
    values = np.random.default_rng(3).normal(size=SHAPE).astype(np.float32)
    whole = resampled(values, one, SHAPE, other)
    for at_once in (1, 40, 3 * 14 * 17):
        monkeypatch.setattr(onto, "_AT_ONCE", at_once)
        np.testing.assert_allclose(resampled(values, one, SHAPE, other), whole, atol=1e-5)


def test_there_and_back_a_smooth_volume_is_the_same() -> None:
    shape = (24, 25, 26)
    one = placed(np.eye(3), shape=shape)
    there = (60, 50, 55)
    other = placed(turned(20, -15) @ np.diag([0.8, 0.9, 0.7]), shape=there)
    z, y, x = np.indices(shape)
    values = (100 * np.exp(-((x - 15) ** 2 + (y - 11) ** 2 + (z - 12) ** 2) / 50)).astype(np.float32)
    back = resampled(resampled(values, one, there, other), other, shape, one)
    # Next to what lies outside there is no number to sample from, on the way back.
    assert np.isfinite(back[2:-2, 2:-2, 2:-2]).all()
    # Trilinear sampling takes up to h^2 / 8 of the curvature (4 at the top, along each of three axes), here twice.
    assert np.nanmax(np.abs(back - values)) < 3 * 4 / 8 + 3 * 4 / 8 * 0.9**2
    assert np.unravel_index(np.nanargmax(back), shape) == (12, 11, 15)


def test_the_same_grid_gives_the_same_numbers(affine: np.ndarray) -> None:
    values = np.random.default_rng(3).integers(-1000, 3000, SHAPE).astype(np.int16)
    assert np.array_equal(resampled(values, affine, SHAPE, affine + 1e-7), values)
    assert not difference(values, affine, values, affine).any()


def test_outside_there_is_no_number() -> None:
    affine = placed(np.eye(3))
    far = affine.copy()
    far[0, 3] += 1000
    assert np.isnan(resampled(np.ones(SHAPE, np.int16), affine, SHAPE, far)).all()
    half = affine.copy()
    half[0, 3] += 3.25
    found = resampled(np.ones(SHAPE, np.int16), affine, SHAPE, half)
    assert np.isnan(found).all(axis=(0, 1)).tolist() == [False] * 14 + [True] * 3
    assert (found[..., :14] == 1).all()


def test_a_difference_lies_on_the_first_grid() -> None:
    one, other = AFFINES["identity"], AFFINES["oblique"]
    found = difference(ramp(one) + 7, one, ramp(other), other)
    assert found.shape == SHAPE
    within = is_between_middles(other, SHAPE, one, SHAPE)
    assert 0.3 < within.mean() < 1
    np.testing.assert_allclose(found[within], 7, atol=0.01)
    assert np.isnan(found).any()


def test_a_grid_is_the_same_only_where_all_corners_are() -> None:
    affine = AFFINES["anisotropic and oblique"]
    assert same_grid(SHAPE, affine, SHAPE, affine.copy())
    assert not same_grid(SHAPE, affine, (11, 14, 16), affine)
    scaled, moved = affine.copy(), affine.copy()
    scaled[:3, 0] *= 1.005
    moved[:3, 3] += affine[:3, 1] * 0.02
    assert not same_grid(SHAPE, affine, SHAPE, scaled)
    assert not same_grid(SHAPE, affine, SHAPE, moved)
    assert len(corners(SHAPE, affine)) == 8
