"""What is written is what was shown, whole or not at all, with its place in the patient."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from core.export import ExportError, card_path, save
from core.orientation import affine_from_directions, lps_to_ras
from core.scan import Volume


@pytest.fixture
def volume(phantom_image) -> Volume:
    stack = np.stack([phantom_image(40, 30) * (1 + s) for s in range(3)])
    image = (stack * np.exp(0.7j)).astype(np.complex64)
    affine = affine_from_directions((1, 0, 0), (0, 1, 0), (0, 0, 1), (0.8, 1.2, 5.0), (3, -4, 20), image.shape)
    card = {"format": 1, "job": {}}
    return Volume(image, affine=affine, spacing_mm=(0.8, 1.2, 5.0), slices=3, frame_names=("a", "b", "c"), card=card)


def test_npy_is_the_complex_image(volume: Volume, tmp_path: Path) -> None:
    save(volume, tmp_path / "x.npy")
    assert np.array_equal(np.load(tmp_path / "x.npy"), volume.array)
    assert json.loads((tmp_path / "x.card.json").read_text()) == volume.card
    assert {path.name for path in tmp_path.iterdir()} == {"x.npy", "x.card.json"}


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_nifti_keeps_left_and_right(volume: Volume, tmp_path: Path, ending: str) -> None:
    save(volume, tmp_path / f"x{ending}")
    read = nibabel.load(tmp_path / f"x{ending}")
    assert np.allclose(read.get_fdata(), abs(volume.array).transpose(2, 1, 0), rtol=1e-6)
    voxel = np.array([7, 11, 2, 1])
    lps = volume.affine @ voxel
    assert np.allclose(read.affine @ voxel, lps * [-1, -1, 1, 1], atol=1e-4)
    assert nibabel.aff2axcodes(read.affine) == ("L", "P", "S")
    assert int(read.header["sform_code"]) == 1


def test_nifti_of_an_unknown_position_says_so(volume: Volume, tmp_path: Path) -> None:
    lost = Volume(volume.array, spacing_mm=volume.spacing_mm, slices=3)
    save(lost, tmp_path / "x.nii")
    header = nibabel.load(tmp_path / "x.nii").header
    assert int(header["sform_code"]) == int(header["qform_code"]) == 0
    assert np.allclose(header.get_zooms(), volume.spacing_mm)


def test_repetitions_become_the_fourth_axis(volume: Volume, tmp_path: Path) -> None:
    twice = Volume(np.concatenate([volume.array, 2 * volume.array]), affine=volume.affine, slices=3)
    save(twice, tmp_path / "x.nii")
    data = nibabel.load(tmp_path / "x.nii").get_fdata()
    assert data.shape == (30, 40, 3, 2)
    assert np.allclose(data[..., 1], 2 * data[..., 0])


def test_png_has_square_pixels_the_right_way_round_and_the_mark(volume: Volume, tmp_path: Path) -> None:
    single = Volume(volume.array[:1], spacing_mm=volume.spacing_mm)
    save(single, tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as picture:
        assert "Research use only" in picture.text["Comment"]
        pixels = np.asarray(picture)
    height = round(40 * 1.2 / 0.8)
    assert pixels.shape == (height + 18, 30)
    assert pixels[height:].max() > 100
    shown = np.asarray(Image.fromarray(pixels[:height]).resize((30, 40)))
    flips = {
        name: np.corrcoef(shown.ravel(), turned.ravel())[0, 1] for name, turned in _turns(abs(single.array[0])).items()
    }
    assert max(flips, key=flips.get) == "as it is"
    assert flips["as it is"] > 0.97


def _turns(image: np.ndarray) -> dict[str, np.ndarray]:
    return {"as it is": image, "left-right": image[:, ::-1], "up-down": image[::-1], "both": image[::-1, ::-1]}


def test_a_constant_or_broken_image_is_still_a_picture(tmp_path: Path) -> None:
    for name, value in (("zero", 0), ("nan", np.nan)):
        save(Volume(np.full((1, 8, 8), value, np.complex64)), tmp_path / f"{name}.png")
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.size == (8, 26)


@pytest.mark.parametrize("name", ["x.doc", "x", "x.npz"])
def test_an_unknown_format_is_refused(volume: Volume, tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportError, match="not known"):
        save(volume, tmp_path / name)


def test_a_missing_folder_is_refused(volume: Volume, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="does not exist"):
        save(volume, tmp_path / "nowhere" / "x.npy")


@pytest.mark.parametrize("ending", [".npy", ".nii.gz", ".png"])
def test_a_full_disk_leaves_the_older_file_and_nothing_else(
    volume: Volume, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"x{ending}"
    path.write_bytes(b"older")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(ExportError, match="No space left"):
        save(volume, path)
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_card_path() -> None:
    assert card_path(Path("a/b.nii.gz")) == Path("a/b.card.json")


def test_leaning_slices_have_no_qform(volume: Volume, tmp_path: Path) -> None:
    leaning = volume.affine.copy()
    leaning[:3, 2] += 0.5 * leaning[:3, 1]
    save(replace(volume, affine=leaning), tmp_path / "x.nii.gz")
    image = nibabel.load(tmp_path / "x.nii.gz")
    assert image.header["qform_code"] == 0
    assert np.allclose(image.affine, lps_to_ras(leaning), atol=1e-4)
