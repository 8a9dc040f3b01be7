"""What is cut is what the voxels hold there: against plain indexing, numpy and map_coordinates, point by point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from core.viewing.cut import Slab, cut
from core.viewing.sampling import sampled_grid
from core.viewing.sheet import Sheet
from core.viewing.standard import Orientation, standard_sheet, steps_of
from core.viewing.whole_voxels import Lattice
from tests.core.viewing.placement import AFFINES, SHAPE, SPACING, affines, block_of, placed, turned

REDUCED = {Slab.MEAN: np.nanmean, Slab.MIP: np.nanmax, Slab.MINIP: np.nanmin}


def noise(dtype: type = np.float32, shape: tuple = SHAPE) -> np.ndarray:
    return np.random.default_rng(5).normal(0, 1000, shape).astype(dtype)


def brute(values: np.ndarray, affine: np.ndarray, sheet: Sheet) -> np.ndarray:
    """Pixel by pixel, in the plainest words."""
    plane = np.full(sheet.shape, np.nan)
    back = np.linalg.inv(affine)
    for y in range(sheet.shape[0]):
        for x in range(sheet.shape[1]):
            i, j, k = (back @ [*sheet.point_at(x, y), 1])[:3]
            sizes = values.shape[::-1]
            if all(-0.500001 <= n <= size - 0.499999 for n, size in zip((i, j, k), sizes, strict=True)):
                at = [[np.clip(n, 0, size - 1)] for n, size in zip((k, j, i), values.shape, strict=True)]
                plane[y, x] = map_coordinates(values.astype(np.float64), at, order=1)[0]
    return plane


def a_sheet(across: np.ndarray, down: np.ndarray, middle: tuple, spacing: tuple, shape: tuple) -> Sheet:
    half = (shape[1] - 1) / 2 * spacing[0] * across + (shape[0] - 1) / 2 * spacing[1] * down
    return Sheet(np.array(middle) - half, across, down, spacing, shape)


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_an_oblique_cut_is_that_of_map_coordinates(affine: np.ndarray, dtype: type) -> None:
    values = noise(dtype)
    directions = turned(35, -50)
    sheet = a_sheet(directions[:, 0], directions[:, 2], (11, -6, 32), (0.9, 1.4), (19, 23))
    plane = cut(values, affine, sheet)
    assert plane.dtype == np.float32
    expected = brute(values, affine, sheet)
    assert 0 < np.isnan(expected).sum() < expected.size
    np.testing.assert_allclose(plane, expected, rtol=1e-5, atol=0.02)


@settings(max_examples=15, deadline=None)
@given(affines(), st.floats(-180, 180), st.floats(-180, 180), st.floats(0.4, 3), st.floats(0.4, 3))
def test_any_cut_is_that_of_map_coordinates(
    affine: np.ndarray, one: float, other: float, right: float, down: float
) -> None:
    values = noise()
    directions = turned(one, other)
    sheet = a_sheet(directions[:, 1], directions[:, 0], (12.1, -7.2, 33.3), (right, down), (7, 9))
    np.testing.assert_allclose(cut(values, affine, sheet), brute(values, affine, sheet), rtol=1e-4, atol=0.1)


@pytest.mark.parametrize("orientation", list(Orientation))
@pytest.mark.parametrize("grown", [(0, 0), (3, -2), (-4, 5)])
def test_planes_of_voxels_are_the_same_on_both_ways(
    affine: np.ndarray, orientation: Orientation, grown: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, place = block_of(affine)
    sheet = standard_sheet(SHAPE, affine, orientation, place)
    height, width = sheet.shape
    sheet = replace(
        sheet, origin=sheet.point_at(-grown[0], -grown[1]), shape=(height + 2 * grown[1], width + 2 * grown[0])
    )
    fast = cut(values, affine, sheet)
    monkeypatch.setattr(Lattice, "coincides", False)
    np.testing.assert_allclose(fast, cut(values, affine, sheet), rtol=1e-5, atol=0.01)


@pytest.mark.parametrize("mode", list(Slab))
@pytest.mark.parametrize("orientation", list(Orientation))
@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_slabs_are_those_of_numpy(
    affine: np.ndarray, orientation: Orientation, mode: Slab, dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = noise(dtype)
    sheet = standard_sheet(SHAPE, affine, orientation, (affine @ [2, 10, 7, 1])[:3])
    step = steps_of(SHAPE, affine, sheet)[1]
    planes = np.stack([cut(values, affine, sheet.moved(k * step)).astype(np.float64) for k in range(-3, 4)])
    whole = np.isnan(planes).all(axis=0)
    expected = REDUCED[mode](np.where(whole, 0, planes), axis=0)
    expected[whole] = np.nan
    plane = cut(values, affine, sheet, slab_mm=6.01 * step, mode=mode)
    np.testing.assert_allclose(plane, expected, rtol=1e-4, atol=0.05)
    monkeypatch.setattr(Lattice, "coincides", False)
    slow = cut(values, affine, sheet, slab_mm=6.01 * step, mode=mode)
    np.testing.assert_allclose(slow, expected, rtol=1e-4, atol=0.05)


@pytest.mark.parametrize(("slab_mm", "sheets"), [(0, 1), (-3, 1), (np.nan, 1), (9.9, 1), (10, 3), (15, 3), (20, 5)])
def test_a_slab_holds_the_sheets_within_its_thickness(slab_mm: float, sheets: int) -> None:
    affine = placed(SPACING)
    values = noise()
    sheet = standard_sheet(SHAPE, affine, Orientation.AXIAL, (12, -7, 33))
    first = SHAPE[0] // 2 - sheets // 2
    expected = values[first : first + sheets].mean(axis=0)
    np.testing.assert_allclose(cut(values, affine, sheet, slab_mm=slab_mm), expected, rtol=1e-4, atol=0.01)


@pytest.mark.parametrize("slab_mm", [1e12, np.inf])
def test_a_slab_beyond_all_bounds_holds_the_volume(slab_mm: float) -> None:
    affine = placed(turned(20, 20) @ SPACING)
    values = noise(np.int16)
    sheet = standard_sheet(SHAPE, affine, Orientation.STORED, (12, -7, 33))
    plane = cut(values, affine, sheet, slab_mm=slab_mm, mode=Slab.MIP)
    assert plane.dtype == np.int16
    assert np.array_equal(plane, values.max(axis=0))
    oblique = standard_sheet(SHAPE, affine, Orientation.CORONAL, (12, -7, 33), patient_axes=True)
    assert 0 < np.nanmax(cut(values, affine, oblique, slab_mm=slab_mm, mode=Slab.MIP)) <= values.max()


@pytest.mark.parametrize("mode", list(Slab))
def test_voxels_without_a_number_are_left_out_of_slabs(mode: Slab) -> None:
    affine = placed(np.eye(3))
    values = noise()
    values[4, 2, 3] = np.nan
    values[:, 0, 0] = np.nan
    sheet = standard_sheet(SHAPE, affine, Orientation.STORED, (12, -7, 33))
    plane = cut(values, affine, sheet, slab_mm=4, mode=mode)
    assert np.isnan(plane[0, 0])
    assert plane[2, 3] == pytest.approx(REDUCED[mode](values[3:8, 2, 3]), rel=1e-5)
    assert np.isnan(plane).sum() == 1


def test_voxels_reach_half_a_voxel_beyond_their_middles() -> None:
    affine = placed(SPACING)
    values = noise()
    sheet = standard_sheet(SHAPE, affine, Orientation.AXIAL, (affine @ [0, 0, 10, 1])[:3])
    np.testing.assert_allclose(cut(values, affine, sheet.moved(2.49)), values[10], rtol=1e-5)
    np.testing.assert_allclose(cut(values, affine, sheet.moved(2.5)), values[10], rtol=1e-5)
    assert np.isnan(cut(values, affine, sheet.moved(2.51))).all()


@pytest.mark.parametrize("steps", [SPACING, turned(15, 10) @ SPACING])
def test_a_single_slice_is_as_thick_as_a_voxel(steps: np.ndarray) -> None:
    shape = (1, 9, 8)
    affine = placed(steps, shape=shape)
    values = noise(np.int16, shape)
    stored = standard_sheet(shape, affine, Orientation.STORED, (12, -7, 33))
    assert steps_of(shape, affine, stored)[0] == 1
    assert np.array_equal(cut(values, affine, stored), values[0])
    np.testing.assert_allclose(cut(values, affine, stored.moved(2.4)), values[0], rtol=1e-5)
    assert np.isnan(cut(values, affine, stored.moved(2.6))).all()
    np.testing.assert_allclose(cut(values, affine, stored, slab_mm=50), values[0], rtol=1e-5)
    across = standard_sheet(shape, affine, Orientation.CORONAL, (12, -7, 33))
    assert cut(values, affine, across).shape == (1, 8)


def test_a_sheet_beside_the_volume_is_empty() -> None:
    affine = placed(SPACING)
    sheet = standard_sheet(SHAPE, affine, Orientation.AXIAL, (12, -7, 33))
    beside = replace(sheet, origin=sheet.point_at(1000, 0))
    plane = cut(noise(np.int16), affine, beside, slab_mm=30)
    assert plane.dtype == np.float32
    assert plane.shape == sheet.shape
    assert np.isnan(plane).all()


def test_rounded_directions_of_a_file_still_meet_the_voxels() -> None:
    affine = placed(turned(20, 10).round(5) @ SPACING)
    values = noise(np.int16)
    for orientation in Orientation:
        assert np.shares_memory(cut(values, affine, standard_sheet(SHAPE, affine, orientation, (12, -7, 33))), values)


def test_a_large_volume_of_whole_numbers_is_not_copied() -> None:
    import tracemalloc

    affine = AFFINES["oblique"]
    values = np.zeros((128, 128, 128), np.int16)
    sheet = standard_sheet(values.shape, affine, Orientation.AXIAL, affine[:3, 3] + 20, patient_axes=True)
    cut(values, affine, sheet)
    tracemalloc.start()
    cut(values, affine, sheet)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < values.nbytes / 3


def test_turned_and_foreign_arrays_are_cut_alike() -> None:
    values = noise()
    steps = turned(20, 10)
    start = np.array([2.0, 3.0, 4.0])
    expected = sampled_grid(values, start, steps, (3, 4, 5))
    turned_round = np.ascontiguousarray(values.T).T
    np.testing.assert_array_equal(sampled_grid(turned_round, start, steps, (3, 4, 5)), expected)
    np.testing.assert_array_equal(sampled_grid(values.astype(">f4"), start, steps, (3, 4, 5)), expected)
