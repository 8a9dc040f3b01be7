"""A scan's record refuses what cannot be, and knows its sampling."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ScanError
from core.scan import sampled_centre


def test_true_acceleration_counts_the_phase_encoded_places(make_scan) -> None:
    scan = make_scan()
    assert scan.acceleration == 1
    assert scan.fully_sampled
    mask = scan.mask.copy()
    mask[..., ::2, :] = False
    assert scan.with_changes(mask=mask).acceleration == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: {"data": s.data[..., 0]}, "seven named axes"),
        (lambda s: {"data": s.data[:, :, :, :0]}, "no coil"),
        (lambda s: {"mask": s.mask[..., :7, :]}, "sampling pattern"),
        (lambda s: {"matrix": (1, 2, 3)}, "matrix"),
        (lambda s: {"data": s.data * np.float32("nan")}, "NaN"),
        (lambda s: {"data": np.where(s.data == s.data.max(), np.complex64(np.inf), s.data)}, "NaN"),
        (lambda s: {"data": s.data * 0}, "no signal"),
        (lambda s: {"mask": s.mask & False}, "no signal"),
    ],
)
def test_what_cannot_be_is_refused(make_scan, change, words: str) -> None:
    scan = make_scan()
    with pytest.raises(ScanError, match=words):
        scan.with_changes(**change(scan))


def test_identity_does_not_show(make_scan) -> None:
    scan = make_scan()
    named = scan.with_changes(provenance=type(scan.provenance)("x", "y", identifiers={"name": "Doe^Jane"}))
    assert "Doe" not in repr(named)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (np.ones((6, 5), bool), (slice(0, 6), slice(0, 5))),
        (np.zeros((6, 5), bool), (slice(3, 3), slice(2, 2))),
        (np.pad(np.ones((3, 1), bool), ((2, 3), (0, 0))), (slice(2, 5), slice(0, 1))),
    ],
)
def test_the_sampled_centre(pattern: np.ndarray, expected: tuple[slice, slice]) -> None:
    assert sampled_centre(pattern) == expected


def test_the_sampled_centre_ends_at_the_first_gap() -> None:
    mask = np.ones((20, 8), bool)
    mask[[4, 16]] = False
    assert sampled_centre(mask) == (slice(5, 16), slice(0, 8))
