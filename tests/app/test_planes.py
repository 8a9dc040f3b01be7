"""How planes are cut, turned and lettered: an asymmetric phantom of which every voxel can be told."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from app.state.planes import Section, sections
from core.orientation import Affine

SIZE = (3, 4, 5)
FRAMES = np.arange(60).reshape(5, 4, 3)
"""(z, y, x), no value twice."""


def placed(x: str, y: str, z: str) -> Affine:
    """An affine whose voxel axes grow towards these sides of the patient."""
    directions = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}
    made = np.eye(4)
    for axis, side in enumerate((x, y, z)):
        made[:3, axis] = np.array(directions[side]) * (1.0 + axis)
    return made


def every_placing() -> list[tuple[str, ...]]:
    """All 48 ways in which a stack can lie along the patient's axes."""
    orders = itertools.permutations(("LR", "PA", "HF"))
    return [sides for order in orders for sides in itertools.product(*order)]


def every_section() -> list[tuple[Affine, Section]]:
    affines = [placed(*sides) for sides in every_placing()]
    return [(affine, section) for affine in affines for section in sections(affine)]


def drawn(
    section: Section, index: int, first: int = 0, frames: npt.NDArray[np.int64] = FRAMES
) -> npt.NDArray[np.int64]:
    return section.turned(frames[section.part(index, first, SIZE[2])])


def test_letters_tell_where_the_voxels_are() -> None:
    """Going to the right, or down, in a drawn plane goes towards the side whose letter stands there."""
    for affine, section in every_section():
        left, right, top, bottom = section.letters(affine)
        here = section.voxel_of((1, 1), 1, SIZE)
        for pixel, (start, end) in (((2, 1), (left, right)), ((1, 2), (top, bottom))):
            there = section.voxel_of(pixel, 1, SIZE)
            moved = affine[:3, :3] @ (np.array(there) - here)
            axis = int(np.argmax(np.abs(moved)))
            ends = (("R", "L"), ("A", "P"), ("F", "H"))[axis]
            assert (start, end) == (ends if moved[axis] > 0 else ends[::-1])


def test_the_planes_across_the_slices_stand_upright() -> None:
    upright = {"Axial": ("R", "A"), "Coronal": ("R", "H"), "Sagittal": ("A", "H")}
    for sides in every_placing():
        affine = placed(*sides)
        for section in sections(affine)[1:]:
            left, _, top, _ = section.letters(affine)
            assert (left, top) == upright[section.name(affine)]
        assert {section.name(affine) for section in sections(affine)} == set(upright)


def test_every_pixel_is_the_voxel_that_it_says() -> None:
    for _, section in every_section():
        for index in range(SIZE[section.fixed]):
            plane = drawn(section, index)
            assert plane.shape == (SIZE[section.down], SIZE[section.across])
            for y, x in np.ndindex(plane.shape):
                vx, vy, vz = section.voxel_of((x, y), index, SIZE)
                assert plane[y, x] == FRAMES[vz, vy, vx]
                assert section.pixel_of((vx, vy, vz), SIZE) == (x, y)


def test_the_slice_is_drawn_as_it_is_stored() -> None:
    for sides in every_placing():
        np.testing.assert_array_equal(drawn(sections(placed(*sides))[0], 2), FRAMES[2])


def test_nothing_is_turned_where_the_patient_is_unknown() -> None:
    stored, rows, columns = sections(None)
    np.testing.assert_array_equal(drawn(stored, 1), FRAMES[1])
    np.testing.assert_array_equal(drawn(rows, 1), FRAMES[:, 1])
    np.testing.assert_array_equal(drawn(columns, 1), FRAMES[:, :, 1])
    assert [s.name(None) for s in (stored, rows, columns)] == ["Plane x, y", "Plane x, z", "Plane y, z"]


def test_a_stack_within_more_frames() -> None:
    """Of two stacks the second."""
    both = np.concatenate((FRAMES + 1000, FRAMES))
    section = sections(placed("L", "P", "H"))[1]
    np.testing.assert_array_equal(drawn(section, 1, 5, both), drawn(section, 1))


def test_pixels_have_the_size_of_the_voxels() -> None:
    coronal, sagittal = sections(placed("L", "P", "H"))[1:]
    assert coronal.spacing((1.0, 2.0, 3.0)) == (1.0, 3.0)
    assert sagittal.spacing((1.0, 2.0, 3.0)) == (2.0, 3.0)


def test_oblique_planes_are_lettered_by_where_they_mainly_run() -> None:
    turned = np.eye(4)
    angle = np.radians(20)
    turned[:3, :3] = [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    coronal = sections(turned)[1]
    assert coronal.name(turned) == "Coronal"
    left, right, top, bottom = coronal.letters(turned)
    assert (left, right) == ("R", "L")
    assert top[0] == "H"
    assert bottom[0] == "F"
