"""Counts to line integrals, and detector pixels that cannot be trusted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ScanError
from core.formats.flat_field import line_integrals
from core.formats.rings import without_stripes
from tests.core.formats.projections_writer import counts, integrals, parallel

DATA = integrals(parallel(), rows=2)


def test_exact_counts_give_the_integrals_back() -> None:
    made = line_integrals(*counts(DATA))
    np.testing.assert_allclose(made.integrals, DATA, atol=1e-5)
    assert made.integrals.dtype == np.float32
    assert made.valid is None
    assert made.not_understood == ()
    assert len(made.done) == 2


def test_integers_do_not_wrap_below_the_dark_level() -> None:
    views, white, dark = (a.astype(np.uint16) for a in counts(DATA))
    views[3, 0, 40] = 20
    made = line_integrals(views, white, dark)
    assert not made.valid[0, 3, 40]
    assert np.isfinite(made.integrals).all()
    assert any(s.startswith("1 intensities") for s in made.not_understood)


def test_nothing_or_less_is_counted_and_filled() -> None:
    views, white, dark = counts(DATA)
    views[5, 1, 30:32] = 0
    views[9, 0, 10] = 100.0
    made = line_integrals(views, white, dark)
    assert made.valid.shape == made.integrals.shape
    assert (~made.valid).sum() == 3
    assert not made.valid[1, 5, 30]
    assert any("3 intensities" in s and "0 or below" in s for s in made.not_understood)
    np.testing.assert_allclose(made.integrals, DATA, atol=0.15)


@pytest.mark.parametrize("value", [0.0, 700.0])
def test_dead_columns(value: float) -> None:
    """Dark in the flat field, or stuck at one number in all views."""
    views, white, dark = counts(DATA, noise=True)
    views[:, 0, 50] = value
    if value == 0:
        white[:, 0, 50] = dark[:, 0, 50]
    made = line_integrals(views, white, dark)
    assert made.valid.shape == (2, 1, 96)
    np.testing.assert_array_equal(np.argwhere(~made.valid), [[0, 0, 50]])
    assert any("1 of 192 detector pixels are dead" in s for s in made.not_understood)
    np.testing.assert_allclose(made.integrals[0, :, 50], DATA[0, :, 50], atol=0.2)


def test_saturated_pixels() -> None:
    views, white, dark = (a.astype(np.uint16) for a in counts(DATA))
    views[2, 1, 7] = 65535
    made = line_integrals(views, white, dark)
    assert not made.valid[1, 2, 7]
    assert any("1 intensities are saturated" in s for s in made.not_understood)


def test_a_still_object_is_not_taken_for_stuck_pixels() -> None:
    still = np.broadcast_to(DATA[:, :1], DATA.shape)
    assert line_integrals(*counts(still)).valid is None


def test_an_even_flat_field_is_named() -> None:
    views, _, dark = counts(DATA)
    made = line_integrals(views, np.full((1, 2, 96), 4100.0, np.float32), dark)
    assert any("flat field is the same everywhere" in s for s in made.not_understood)


def test_without_a_flat_field() -> None:
    made = line_integrals(np.moveaxis(np.exp(-DATA), 0, 1), None, None)
    np.testing.assert_allclose(made.integrals, DATA, atol=1e-6)
    assert any("divided by it already" in s for s in made.not_understood)
    made = line_integrals(np.moveaxis(5000 * np.exp(-DATA), 0, 1), None, None)
    np.testing.assert_allclose(made.integrals, DATA, atol=1e-6)
    assert any("brightest intensity" in s for s in made.not_understood)


def test_fields_that_do_not_fit() -> None:
    views, white, dark = counts(DATA)
    for bad in (white[:, :1], white[:0], white[0, 0]):
        with pytest.raises(ScanError, match="flat field does not fit"):
            line_integrals(views, bad, dark)
    with pytest.raises(ScanError, match="dark field does not fit"):
        line_integrals(views, white, dark[:, :, :5])
    with pytest.raises(ScanError, match="no brighter than the dark"):
        line_integrals(views, dark, white)
    with pytest.raises(ScanError, match="NaN"):
        line_integrals(views, white * np.nan, dark)


def test_attenuation_taken_for_counts_is_refused() -> None:
    noise = np.random.default_rng(0).normal(size=DATA.shape).astype(np.float32)
    with pytest.raises(ScanError, match="line integrals already"):
        line_integrals(np.moveaxis(noise - 0.5, 0, 1), None, None)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 5)),
    kind=st.sampled_from(["u1", "u2", "i4", "f4", "f8"]),
    value=st.sampled_from([0, 1, 7, 100]),
)
def test_any_shape_gives_finite_numbers_or_words(shape: tuple[int, int, int], kind: str, value: int) -> None:
    views = (np.random.default_rng(0).integers(0, value + 1, shape)).astype(kind)
    if value == 0:
        with pytest.raises(ScanError, match="no brighter"):
            line_integrals(views, np.full(shape[1:], value, kind), None)
        return
    if (views == 0).mean() > 0.5:
        with pytest.raises(ScanError, match="0 or below"):
            line_integrals(views, np.full(shape[1:], value, kind), None)
        return
    made = line_integrals(views, np.full(shape[1:], value, kind), None)
    assert np.isfinite(made.integrals).all()
    assert made.integrals.shape == (shape[1], shape[0], shape[2])


class TestStripes:
    def test_a_wrong_gain_is_taken_out(self) -> None:
        rng = np.random.default_rng(0)
        noise = 0.01 * rng.normal(size=DATA.shape)
        striped = (DATA + noise).astype(np.float32)
        striped[0, :, 33] += 0.08
        striped[1, :, 60] -= 0.06
        cleaned, count = without_stripes(striped)
        assert 2 <= count <= 12
        assert abs((cleaned - DATA)[0, :, 33].mean()) < 0.02
        assert abs((cleaned - DATA)[1, :, 60].mean()) < 0.02
        assert np.abs(cleaned - striped)[:, :, 70:90].max() < 0.02

    def test_what_has_none_is_left_nearly_alone(self) -> None:
        data = DATA.astype(np.float32)
        cleaned, count = without_stripes(data)
        assert count < 0.05 * 192
        assert np.abs(cleaned - data).max() < 0.01

    def test_few_views_tell_nothing(self) -> None:
        few = DATA[:, :8].astype(np.float32)
        assert without_stripes(few) == (few, 0)
