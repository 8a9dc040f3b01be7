"""The block on the patient's left, in front and towards the head is seen there in every standard plane."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from core.errors import ScanError
from core.orientation import edge_letters
from core.viewing.cut import cut
from core.viewing.standard import Orientation, is_oblique, standard_sheet, steps_of
from tests.core.viewing.placement import AFFINES, SHAPE, SHEAR, SPACING, affines, block_of, placed, turned

PLANES = (Orientation.AXIAL, Orientation.CORONAL, Orientation.SAGITTAL)
LETTERS = {Orientation.AXIAL: "RLAP", Orientation.CORONAL: "RLHF", Orientation.SAGITTAL: "APHF"}
SIDES = {Orientation.AXIAL: (1, -1), Orientation.CORONAL: (1, -1), Orientation.SAGITTAL: (-1, -1)}
"""Where the block is seen from the middle: to the right (1) or left, below (1) or above."""
RIGID = [name for name in AFFINES if "sheared" not in name]


def is_rigid(affine: np.ndarray) -> bool:
    inner = affine[:3, :3].T @ affine[:3, :3]
    return bool(np.allclose(inner, np.diag(np.diag(inner))))


def brightest(plane: np.ndarray) -> tuple[int, int]:
    """(x, y)."""
    y, x = np.unravel_index(np.nanargmax(plane), plane.shape)
    return int(x), int(y)


@pytest.mark.parametrize("patient_axes", [False, True])
@pytest.mark.parametrize("orientation", PLANES)
def test_the_block_is_seen_on_its_side(affine: np.ndarray, orientation: Orientation, patient_axes: bool) -> None:
    values, place = block_of(affine)
    sheet = standard_sheet(SHAPE, affine, orientation, place, patient_axes=patient_axes)
    plane = cut(values, affine, sheet)
    x, y = brightest(plane)
    assert plane[y, x] > 900
    middle = sheet.pixel_of((12, -7, 33))
    seen = np.sign(x - middle[0]), np.sign(y - middle[1])
    # Across sheared voxels what lies in front of the middle may belong to a voxel behind its index.
    if is_rigid(affine):
        assert seen == SIDES[orientation]
    elif patient_axes:
        left, back, head = np.sign(place - (12, -7, 33))
        expected = {Orientation.AXIAL: (left, back), Orientation.CORONAL: (left, -head)}
        assert seen == expected.get(orientation, (back, -head))
    assert [word[0] for word in sheet.letters] == list(LETTERS[orientation])
    assert np.linalg.norm(sheet.point_at(x, y) - place) < np.linalg.norm(affine[:3, :3], axis=0).max()


@settings(max_examples=80, deadline=None)
@given(affines())
def test_the_block_is_seen_at_its_place_wherever_the_volume_lies(affine: np.ndarray) -> None:
    values, place = block_of(affine)
    for orientation in PLANES:
        sheet = standard_sheet(SHAPE, affine, orientation, place)
        assert [word[0] for word in sheet.letters] == list(LETTERS[orientation])
        plane = cut(values, affine, sheet)
        x, y = sheet.pixel_of(place)
        assert abs(sheet.depth_of(place)) < 1e-6
        # Within the pixel, on the row or column that follows the voxels where they are sheared.
        assert plane[round(y), round(x)] > 1000
        assert np.allclose(sheet.across @ sheet.down, 0, atol=1e-9)
        square = standard_sheet(SHAPE, affine, orientation, place, patient_axes=True)
        assert abs(square.depth_of(place)) < 1e-6
        if is_oblique(affine):
            assert "".join(square.letters) == LETTERS[orientation]
            # Pixels may be far larger than the thinnest voxel: one is laid on the very place.
            x, y = square.pixel_of(place)
            laid = replace(square, origin=square.point_at(x - round(x), y - round(y)))
            assert cut(values, affine, laid)[round(y), round(x)] == pytest.approx(2000, abs=0.1)


@pytest.mark.parametrize("name", RIGID)
@pytest.mark.parametrize("orientation", list(Orientation))
def test_a_plane_of_voxels_is_shown_whole_and_untouched(name: str, orientation: Orientation) -> None:
    affine = AFFINES[name]
    values, place = block_of(affine)
    values = values.astype(np.int16)
    plane = cut(values, affine, standard_sheet(SHAPE, affine, orientation, place))
    assert np.shares_memory(plane, values)
    assert plane.dtype == np.int16
    planes = [np.sort(np.take(values, i, axis).ravel()) for axis in range(3) for i in range(SHAPE[axis])]
    assert any(np.array_equal(np.sort(plane.ravel()), each) for each in planes)


def test_slices_are_shown_as_they_are_stored(affine: np.ndarray) -> None:
    values, _ = block_of(affine)
    for z in range(len(values)):
        place = (affine @ [3, 4, z, 1])[:3]
        sheet = standard_sheet(SHAPE, affine, Orientation.STORED, place)
        assert np.array_equal(cut(values, affine, sheet), values[z])
        assert sheet.letters == edge_letters(affine)


@pytest.mark.parametrize("name", RIGID)
@pytest.mark.parametrize("orientation", list(Orientation))
def test_scrolling_meets_every_plane_once(name: str, orientation: Orientation) -> None:
    affine = AFFINES[name]
    values, place = block_of(affine)
    sheet = standard_sheet(SHAPE, affine, orientation, place)
    count, step, index = steps_of(SHAPE, affine, sheet)
    seen = [cut(values, affine, sheet.moved((i - index) * step)) for i in range(count)]
    assert np.array_equal(np.sort(np.stack(seen).ravel()), np.sort(values.ravel()))
    assert np.array_equal(seen[index], cut(values, affine, sheet))
    assert np.isnan(cut(values, affine, sheet.moved((count - index) * step))).all()
    assert np.isnan(cut(values, affine, sheet.moved((-1 - index) * step))).all()
    assert [steps_of(SHAPE, affine, sheet.moved((i - index) * step))[2] for i in range(count)] == list(range(count))


def test_steps_between_sheared_slices_are_measured_across_them() -> None:
    affine = placed(SHEAR @ SPACING)
    sheet = standard_sheet(SHAPE, affine, Orientation.AXIAL, (12, -7, 33))
    assert steps_of(SHAPE, affine, sheet)[:2] == (SHAPE[0], pytest.approx(5.0))
    moved = standard_sheet(SHAPE, affine, Orientation.AXIAL, np.array([12, -7, 33]) + 5.0 * sheet.normal)
    assert steps_of(SHAPE, affine, moved)[2] == steps_of(SHAPE, affine, sheet)[2] + 1
    assert moved.depth_of(sheet.origin) == pytest.approx(-5.0)


def test_rows_of_a_tilted_stack_lie_on_those_of_the_slices() -> None:
    affine = placed(SHEAR @ SPACING)
    values, place = block_of(affine)
    sheet = standard_sheet(SHAPE, affine, Orientation.SAGITTAL, place)
    # The slices lie 5 mm apart, 1.75 mm askew from one to the next.
    assert sheet.spacing == pytest.approx((1.3, 5.0))
    assert sheet.shape == (SHAPE[0], np.ceil((SHAPE[1] - 1) + 1.75 * (SHAPE[0] - 1) / 1.3) + 1)
    plane = cut(values, affine, sheet)
    for row in range(SHAPE[0]):
        k = SHAPE[0] - 1 - row
        x = round(np.linalg.inv(affine)[0] @ [*place, 1])
        line = plane[row][~np.isnan(plane[row])]
        assert values[k, :, x].min() - 1e-2 <= line.min()
        assert line.max() <= values[k, :, x].max() + 1e-2
        assert len(line) in (SHAPE[1], SHAPE[1] + 1)


def test_a_volume_without_a_place_is_cut_along_its_own_axes() -> None:
    affine = np.diag([0.5, 0.5, 3.0, 1.0])
    values, _ = block_of(affine)
    centre = (4.0, 3.0, 15.0)
    axial = standard_sheet(SHAPE, affine, Orientation.AXIAL, centre)
    coronal = standard_sheet(SHAPE, affine, Orientation.CORONAL, centre, patient_axes=True)
    sagittal = standard_sheet(SHAPE, affine, Orientation.SAGITTAL, centre)
    assert np.array_equal(cut(values, affine, axial), values[5])
    assert np.array_equal(cut(values, affine, coronal), values[::-1, 6])
    assert np.array_equal(cut(values, affine, sagittal), values[::-1, :, 8])


def test_a_point_outside_is_met_by_the_outermost_plane() -> None:
    affine = placed(turned(20, 20) @ SPACING)
    values, _ = block_of(affine)
    for place, z in (((0, 0, 1e6), SHAPE[0] - 1), ((0, 0, -1e6), 0), ((np.nan, 0, 0), SHAPE[0] // 2)):
        sheet = standard_sheet(SHAPE, affine, Orientation.STORED, place)
        assert np.array_equal(cut(values, affine, sheet), values[z])


def test_planes_along_the_patient_hold_the_whole_volume() -> None:
    affine = placed(turned(20, 20) @ SPACING)
    ones = np.ones(SHAPE, np.float32)
    for orientation in PLANES:
        sheet = standard_sheet(SHAPE, affine, orientation, (12, -7, 33), patient_axes=True)
        plane = cut(ones, affine, sheet)
        assert set(np.abs(sheet.normal).round(9)) == {0.0, 1.0}
        # No row or column that the volume could still reach is missing: one more all round is empty.
        count, step, index = steps_of(SHAPE, affine, sheet)
        seen = [~np.isnan(cut(ones, affine, sheet.moved((i - index) * step))) for i in range(-1, count + 1)]
        any_sheet = np.any(seen, axis=0)
        assert any_sheet.any(axis=0).mean() > 0.9
        assert any_sheet.any(axis=1).mean() > 0.9
        assert plane[plane.shape[0] // 2, plane.shape[1] // 2] == 1
    assert sheet.spacing == pytest.approx((1.3, 1.3))


def test_sheets_stay_of_a_size_that_can_be_shown() -> None:
    affine = placed(turned(20, 20) @ np.diag([1e-3, 1e-3, 100.0]))
    sheet = standard_sheet(SHAPE, affine, Orientation.CORONAL, (12, -7, 33), patient_axes=True)
    assert max(sheet.shape) <= 4097


@pytest.mark.parametrize("steps", [np.zeros((3, 3)), np.ones((3, 3)), np.full((3, 3), np.nan)])
def test_an_affine_that_spans_no_space_is_refused(steps: np.ndarray) -> None:
    with pytest.raises(ScanError, match="no shape in space"):
        standard_sheet(SHAPE, placed(steps), Orientation.AXIAL, (0, 0, 0))


def test_oblique_is_what_leans_away_from_the_patient() -> None:
    assert not is_oblique(AFFINES["permuted"])
    assert not is_oblique(AFFINES["anisotropic, permuted and flipped"])
    assert not is_oblique(placed(turned(0.01, 0)))
    assert is_oblique(placed(turned(1, 0)))
    assert is_oblique(AFFINES["sheared"])
