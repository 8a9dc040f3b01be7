"""Masks deliver what they name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ScanError
from core.operators.masks import MASKS, Undersampling, parse_undersampling, sampling_mask
from core.operators.undersample import undersample


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("acceleration", [2, 4, 8])
@pytest.mark.parametrize("shape", [(320, 320), (256, 218), (255, 181)])
def test_the_acceleration_is_the_named_one_with_the_acs_counted_in(kind: str, acceleration: int, shape: tuple) -> None:
    mask = sampling_mask(Undersampling(kind, acceleration, 0.06, 3), *shape)
    assert mask.shape == (shape if kind.endswith("2d") else (shape[0], 1))
    assert mask.size / mask.sum() == pytest.approx(acceleration, rel=0.02)
    centre = [slice(n // 2 - round(0.06 * n) // 2, n // 2 - round(0.06 * n) // 2 + round(0.06 * n)) for n in shape]
    assert mask[centre[0], centre[1] if kind.endswith("2d") else slice(None)].all()


@pytest.mark.parametrize("kind", MASKS)
def test_a_seed_gives_the_same_mask_again_and_another_one_another(kind: str) -> None:
    masks = [sampling_mask(Undersampling(kind, 4, 0.08, seed), 96, 80) for seed in (1, 1, 2)]
    assert (masks[0] == masks[1]).all()
    assert (masks[0] != masks[2]).any()


def test_poisson_disc_keeps_its_distances_outside_the_centre() -> None:
    poisson = sampling_mask(Undersampling("poisson2d", 8, 0.04, 0), 128, 128)
    random = sampling_mask(Undersampling("uniformrandom2d", 8, 0.04, 0), 128, 128)

    def touching(mask: np.ndarray) -> int:
        edge = mask[:30]
        return int((edge[:, 1:] & edge[:, :-1]).sum() + (edge[1:] & edge[:-1]).sum())

    assert touching(poisson) < 0.2 * touching(random)


def test_equispaced_lines_are_equally_far_apart() -> None:
    lines = np.flatnonzero(sampling_mask(Undersampling("equispaced1d", 4, 0.08, 0), 320, 320)[:, 0])
    outside = lines[lines < 320 // 2 - 20]
    assert set(np.diff(outside)) <= {
        int(np.diff(outside)[0]),
        int(np.diff(outside)[0]) + 1,
        int(np.diff(outside)[0]) - 1,
    }


def test_gaussian_lines_are_denser_in_the_middle() -> None:
    mask = sampling_mask(Undersampling("gaussian1d", 4, 0.0, 0), 400, 10)[:, 0]
    assert mask[100:300].sum() > 2 * (mask[:100].sum() + mask[300:].sum())


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        pattern = parse_undersampling(text)
    except ScanError as error:
        assert error.try_this  # noqa: PT017
    else:
        assert pattern.kind in MASKS


@pytest.mark.parametrize(
    "text",
    [
        "gauss:4",
        "gaussian1d",
        "gaussian1d:0",
        "gaussian1d:4:x",
        "gaussian1d:4:0.1:0:0",
        "poisson2d:nan",
        "uniform1d:4:-1",
    ],
)
def test_wrong_words_are_refused(text: str) -> None:
    with pytest.raises(ScanError):
        parse_undersampling(text)


def test_the_words_come_back() -> None:
    assert parse_undersampling(str(parse_undersampling("poisson2d:8:24:7"))) == Undersampling("poisson2d", 8, 24, 7)


def test_an_acs_that_uses_up_everything_is_refused() -> None:
    with pytest.raises(ScanError, match="nothing to undersample"):
        sampling_mask(Undersampling("gaussian1d", 8, 0.5, 0), 64, 64)


def test_undersampling_marks_the_scan_and_keeps_what_was_measured(make_scan) -> None:
    scan = make_scan()
    less = undersample(scan, parse_undersampling("gaussian1d:3:0.1:0"))
    assert less.undersampled == "gaussian1d:3:0.1:0"
    assert less.acceleration == pytest.approx(3, rel=0.02)
    kept = np.broadcast_to(less.mask[:, :, :, None], less.data.shape)
    assert (less.data[kept] == scan.data[kept]).all()
    assert not less.data[~kept].any()
    with pytest.raises(ScanError, match="already"):
        undersample(less, parse_undersampling("gaussian1d:3"))
