"""Left is left."""

from __future__ import annotations

import numpy as np
import pytest

from core.orientation import affine_from_directions, edge_letters, letter, lps_to_ras, spacing_of


@pytest.mark.parametrize(
    ("direction", "expected"),
    [((1, 0, 0), "L"), ((-1, 0, 0), "R"), ((0, 1, 0), "P"), ((0, -2, 0), "A"), ((0, 0, 3), "H"), ((0, 0, -1), "F")],
)
def test_letters(direction: tuple, expected: str) -> None:
    assert letter(direction) == expected


def test_oblique_directions_have_two_letters_the_main_one_first() -> None:
    assert letter((0.9, 0, 0.44)) == "LH"
    assert letter((-0.2, -0.98, 0)) == "A"
    assert letter((0, 0, 0)) == ""


def test_edges_of_an_axial_image() -> None:
    axial = affine_from_directions((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 5), (0, 0, 0), (3, 64, 64))
    assert edge_letters(axial) == ("R", "L", "A", "P")


def test_the_centre_is_where_it_was_said() -> None:
    affine = affine_from_directions((0, 1, 0), (0, 0, -1), (1, 0, 0), (0.7, 1.1, 4), (5, 6, 7), (5, 64, 48))
    assert np.allclose(affine @ [24, 32, 2, 1], [5, 6, 7, 1])
    assert spacing_of(affine) == pytest.approx((0.7, 1.1, 4))


def test_nifti_is_a_mirror_in_x_and_y() -> None:
    affine = np.eye(4)
    assert np.array_equal(np.diag(lps_to_ras(affine)), [-1, -1, 1, 1])
    assert np.array_equal(lps_to_ras(lps_to_ras(affine)), affine)
