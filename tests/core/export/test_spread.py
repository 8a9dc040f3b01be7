"""The spread of the samples in files: the numbers as they are, the picture in colours with words under it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from core.export import ExportError, save_spread
from core.export.spread import caption, colours, samples_of
from core.scan import Volume

CARD = {"job": {"settings": {"samples": 4}}, "outcome": {"samples": 4}}


@pytest.fixture
def volume() -> Volume:
    ramp = np.broadcast_to(np.linspace(0, 2, 200, dtype=np.float32), (2, 50, 200)).copy()
    return Volume((ramp + 5).astype(np.complex64), slices=2, card=CARD, spread=ramp)


def luminance(rgb: np.ndarray) -> np.ndarray:
    """Relative luminance, WCAG 2.2."""
    parts = rgb / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_every_colour_is_lighter_than_the_one_before() -> None:
    table = colours()
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    light = luminance(table)
    assert (np.diff(light) > -1e-3).all()
    assert light[0] == 0
    assert light[-1] > 0.9
    assert np.diff(light[::8]).min() > 0


def test_numbers_are_kept(volume: Volume, tmp_path: Path) -> None:
    save_spread(volume, tmp_path / "s.npy")
    written = np.load(tmp_path / "s.npy")
    assert written.dtype == np.float32
    assert np.array_equal(written, volume.spread)
    save_spread(volume, tmp_path / "s.nii.gz")
    assert np.allclose(nibabel.load(tmp_path / "s.nii.gz").get_fdata(), volume.spread.transpose(2, 1, 0))


def test_the_picture_is_in_colours_and_says_what_it_is(volume: Volume, tmp_path: Path) -> None:
    save_spread(volume, tmp_path / "s.png")
    with Image.open(tmp_path / "s.png") as picture:
        assert picture.mode == "RGB"
        assert all(words in picture.info["Comment"] for words in (*caption(4), "Not for diagnosis."))
        drawn = np.asarray(picture).astype(int)
    image = drawn[:50, :200]
    assert (np.abs(image[25, 2] - colours()[0]) < 20).all()
    assert (np.abs(image[25, -1] - colours()[-1]) < 20).all()
    middle = image[25, 100]
    assert (np.abs(colours().astype(int) - middle).sum(axis=1).min()) < 12, "a colour of the table"
    below = drawn[50:]
    written = [line for line in np.array_split(below[:, :, 0], below.shape[0] // 13) if (line > 100).any()]
    assert len(written) >= 3, "two sentences and the notice, each in a line of its own at least"


@pytest.mark.parametrize("width", [120, 400])
def test_the_words_fit_under_narrow_pictures_too(tmp_path: Path, width: int) -> None:
    spread = np.ones((1, 40, width), np.float32)
    save_spread(Volume(spread.astype(np.complex64), card=CARD, spread=spread), tmp_path / "s.png")
    with Image.open(tmp_path / "s.png") as picture:
        assert picture.width == width
        words = np.asarray(picture)[40:]
    assert (words[:, -4:] == 0).all(), "no letter reaches the edge"


def test_one_sample_has_no_spread(volume: Volume, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no spread"):
        save_spread(replace(volume, spread=None), tmp_path / "s.png")
    assert not list(tmp_path.iterdir())


def test_the_number_of_samples_is_read_from_the_run_card() -> None:
    assert samples_of(CARD) == 4
    assert samples_of({"job": {"settings": {"samples": 6}}}) == 6
    assert samples_of({}) == 1
