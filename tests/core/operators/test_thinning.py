"""Views left out on purpose: the right ones, their angles with them, and nothing that cannot be read."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from core.errors import ScanError
from core.operators.thinning import chosen_views, thinned


@pytest.mark.parametrize(
    ("text", "views"),
    [
        ("every:6", [0, 6, 12, 18]),
        ("views:5", [0, 4, 9, 14, 19]),
        ("arc:0:30", [0, 1, 2, 3]),
        ("arc:45:60", [6, 7]),
        ("keep:7,3,3", [3, 7]),
        ("arc:0:90+views:4", [0, 3, 6, 9]),
    ],
)
def test_what_is_kept(make_projections, text: str, views: list[int]) -> None:
    scan = make_projections(slices=2, views=24)
    assert chosen_views(scan, text).tolist() == views
    less = thinned(scan, text)
    assert np.array_equal(less.data, scan.data[:, views])
    assert np.allclose(less.geometry.angles, scan.geometry.angles[views])
    assert text in less.undersampled
    assert not less.fully_sampled


@pytest.mark.parametrize("kind", ["fan", "cone"])
def test_every_geometry_keeps_its_views(make_projections, kind: str) -> None:
    scan = make_projections(kind, slices=3, views=12)
    less = thinned(scan, "arc:0:180")
    assert less.views == less.geometry.views == 6
    assert np.allclose(less.geometry.angles, scan.geometry.angles[:6])


@pytest.mark.parametrize(
    ("text", "views"),
    [
        ("views:1", [0]),
        ("views:6", [0, 1, 2, 3, 4, 5]),
        ("arc:0:90", [0, 1, 2]),
        ("arc:30:91", [1, 2, 3]),
        ("keep:0", [0]),
        ("keep:5,0", [0, 5]),
    ],
)
def test_ends_belong_to_it_or_not(make_projections, text: str, views: list[int]) -> None:
    """Six views 30 degrees apart, the first of which looks from somewhere else than 0."""
    scan = make_projections(views=6)
    turned = dataclasses.replace(scan.geometry, angles=scan.geometry.angles + 1.0)
    assert chosen_views(scan.with_changes(geometry=turned), text).tolist() == views


@pytest.mark.parametrize("text", ["views:0", "views:7", "keep:-1", "keep:6", "keep:-1,2"])
def test_just_beyond_the_ends_is_refused(make_projections, text: str) -> None:
    with pytest.raises(ScanError):
        chosen_views(make_projections(views=6), text)


def test_a_mask_goes_with_its_views(make_projections) -> None:
    valid = np.ones((1, 24, 52), dtype=bool)
    valid[0, 6, 3] = False
    less = thinned(make_projections(valid=valid), "every:6")
    assert not less.valid[0, 1, 3]
    assert less.valid.sum() == 4 * 52 - 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "often",
        "every:0",
        "every:x",
        "views:0",
        "views:25",
        "arc:90:0",
        "arc:200:300",
        "arc:nan:3",
        "keep:24",
        "keep:",
    ],
)
def test_what_cannot_be_read_is_said(make_projections, text: str) -> None:
    with pytest.raises(ScanError) as caught:
        thinned(make_projections(), text)
    assert "every:N" in caught.value.try_this
