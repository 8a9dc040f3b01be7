"""DICOM series: order, place, units, and what must be refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, RLELossless

from core.errors import ScanError
from core.formats.volumes import open_volume
from tests.core.formats.dicom_writer import CORONAL, IDENTITY, Series, write_enhanced, write_series

SHUFFLED = [3, 0, 4, 1, 2]


def numbers(slices: int = 5, rows: int = 6, columns: int = 7) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2000, (slices, rows, columns)).astype(np.int16)


def said(path: Path) -> str:
    return " ".join(open_volume(path).notes)


def test_slices_are_sorted_and_in_hu(tmp_path: Path) -> None:
    array = numbers()
    write_series(tmp_path, Series(array, slope=2.0, intercept=-1000.0), SHUFFLED)
    found = open_volume(tmp_path)
    np.testing.assert_array_equal(found.volume.array, array.astype(np.float32) * 2 - 1000)
    assert found.volume.array.dtype == np.int16
    assert found.volume.unit == "HU"
    assert found.volume.slices == 5
    assert found.anatomy == "chest"
    assert found.volume.spacing_mm == pytest.approx((1.2, 1.5, 3.0))
    expected = [[1.2, 0, 0, -20], [0, 1.5, 0, -30], [0, 0, 3, 40], [0, 0, 0, 1]]
    np.testing.assert_allclose(found.volume.affine, expected, atol=1e-9)


def test_mr_has_no_hounsfield_units(tmp_path: Path) -> None:
    write_series(tmp_path, Series(numbers(), modality="MR", intercept=0.0))
    assert open_volume(tmp_path).volume.unit == "a.u."


@pytest.mark.parametrize(("counts", "unit"), [("HU", "HU"), ("HU_MOD", "HU"), ("US", "a.u."), ("", "HU")])
def test_ct_in_other_units_than_hounsfields_is_told_by_its_rescale_type(tmp_path: Path, counts: str, unit: str) -> None:
    write_series(tmp_path, Series(numbers()))
    for file in tmp_path.iterdir():
        dataset = pydicom.dcmread(file)
        if counts:
            dataset.RescaleType = counts
        dataset.save_as(file)
    assert open_volume(tmp_path).volume.unit == unit


OBLIQUE = (0.8, 0.6, 0.0, 0.0, 0.0, -1.0)


@pytest.mark.parametrize(
    ("direction", "step"),
    [(CORONAL, (0.0, 4.0, 0.0)), (CORONAL, (0.0, -4.0, 0.0)), (OBLIQUE, (-1.8, 2.4, 0.0)), (OBLIQUE, (1.8, -2.4, 0.0))],
)
def test_every_voxel_of_any_plane_keeps_its_place(tmp_path: Path, direction: tuple, step: tuple) -> None:
    series = Series(numbers(), direction=direction, step=step)
    write_series(tmp_path, series, SHUFFLED)
    volume = open_volume(tmp_path).volume
    normal = np.cross(direction[:3], direction[3:])
    assert volume.affine[:3, 2] @ normal > 0
    for index, row, column in ((0, 0, 0), (3, 4, 1), (4, 5, 6)):
        place = np.array(series.place(index)) + np.multiply(direction[:3], 1.2 * column)
        place = place + np.multiply(direction[3:], 1.5 * row)
        x, y, z = np.round(np.linalg.solve(volume.affine, [*place, 1]))[:3].astype(int)
        assert volume.array[z, y, x] == series.array[index, row, column] - 1024


def test_a_tilted_gantry_is_sheared_not_straightened(tmp_path: Path) -> None:
    lean = np.radians(20)
    direction = (1.0, 0.0, 0.0, 0.0, float(np.cos(lean)), float(-np.sin(lean)))
    write_series(tmp_path, Series(numbers(), direction=direction, step=(0.0, 0.0, 5.0)))
    volume = open_volume(tmp_path).volume
    np.testing.assert_allclose(volume.affine[:3, 2], [0, 0, 5], atol=1e-9)
    assert volume.spacing_mm[2] == pytest.approx(5.0)
    assert "lean by 20.0 degrees" in said(tmp_path)


def test_missing_double_and_uneven_slices_are_told(tmp_path: Path) -> None:
    write_series(tmp_path / "missing", Series(numbers(), places=[0, 1, 3, 4, 5]))
    assert "1 slice is missing, the first after slice 2" in said(tmp_path / "missing")
    write_series(tmp_path / "uneven", Series(numbers(), places=[0, 1, 2, 2.6, 4]))
    assert "not evenly spaced (1.80 to 4.20 mm)" in said(tmp_path / "uneven")
    series = Series(numbers(), places=[0, 1, 1, 2, 3])
    write_series(tmp_path / "double", series)
    found = open_volume(tmp_path / "double")
    np.testing.assert_array_equal(found.volume.array, series.array[[0, 1, 3, 4]] - 1024)
    assert "1 slice lies where others do" in " ".join(found.notes)
    assert said(tmp_path / "double").count("evenly") == 0


def test_series_are_not_mixed(tmp_path: Path) -> None:
    one, two = Series(numbers()), Series(numbers(3) + 1)
    write_series(tmp_path, one)
    chosen = write_series(tmp_path, two)
    with pytest.raises(ScanError, match="holds 2 series"):
        open_volume(tmp_path)
    np.testing.assert_array_equal(open_volume(chosen[1]).volume.array, two.array - 1024.0)


def test_patients_and_directions_are_not_mixed_either(tmp_path: Path) -> None:
    one = Series(numbers())
    write_series(tmp_path / "p", one)
    write_series(tmp_path / "p", Series(numbers(), uid=one.uid, extra={"PatientID": "4712"}), SHUFFLED[:2])
    write_series(tmp_path / "d", Series(numbers(2), direction=CORONAL, uid=one.uid))
    write_series(tmp_path / "d" / "deeper", Series(numbers(2), uid=one.uid))
    for name in ("p", "d"):
        with pytest.raises(ScanError, match="series"):
            open_volume(tmp_path / name)


def test_enhanced_frames_are_sorted_too(tmp_path: Path) -> None:
    series = Series(numbers(), slope=0.5)
    path = write_enhanced(tmp_path / "e.dcm", series, SHUFFLED)
    volume = open_volume(path).volume
    np.testing.assert_array_equal(volume.array, series.array * np.float32(0.5) - 1024)
    np.testing.assert_allclose(volume.affine[:3, 3], series.corner)
    assert volume.spacing_mm == pytest.approx((1.2, 1.5, 3.0))
    dataset = pydicom.dcmread(path)
    dataset.PerFrameFunctionalGroupsSequence.pop()
    dataset.save_as(path)
    with pytest.raises(ScanError, match="damaged"):
        open_volume(path)


def test_packed_pixels_are_unpacked_or_refused_by_name(tmp_path: Path) -> None:
    series = Series(numbers(1))
    path = write_series(tmp_path, series)[0]
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(path)
    np.testing.assert_array_equal(open_volume(path).volume.array, series.array - 1024.0)
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.save_as(path)
    with pytest.raises(ScanError, match=r"JPEG 2000|damaged"):
        open_volume(path)


def test_padding_is_air(tmp_path: Path) -> None:
    array = numbers(2)
    array[0, 0, 0] = -2000
    write_series(tmp_path, Series(array, extra={"PixelPaddingValue": -2000}))
    found = open_volume(tmp_path)
    assert found.volume.array[0, 0, 0] == -1000
    assert any("Padding" in note for note in found.notes)


def test_without_a_place_the_numbers_give_the_order(tmp_path: Path) -> None:
    series = Series(numbers())
    for path in write_series(tmp_path, series, SHUFFLED):
        dataset = pydicom.dcmread(path)
        del dataset.ImagePositionPatient
        dataset.save_as(path)
    found = open_volume(tmp_path)
    assert found.volume.affine is None
    assert found.volume.spacing_mm == pytest.approx((1.2, 1.5, 5.0))
    np.testing.assert_array_equal(found.volume.array, series.array[SHUFFLED] - 1024.0)
    assert "where the patient lies" in " ".join(found.notes)


def test_nobody_is_named(tmp_path: Path) -> None:
    extra = {"SeriesDescription": IDENTITY, "BodyPartExamined": "HEAD"}
    write_series(tmp_path, Series(numbers(), extra=extra))
    told = repr(open_volume(tmp_path))
    assert "Doe" not in told
    assert "4711" not in told


def test_damage_is_refused_in_words(tmp_path: Path) -> None:
    paths = write_series(tmp_path, Series(numbers()))
    whole = paths[2].read_bytes()
    for length in (60, 140, 300, len(whole) // 2 + 200, len(whole) - 5):
        paths[2].write_bytes(whole[:length])
        for path in (paths[2], tmp_path):
            if length == 60 and path == tmp_path:
                continue  # Without DICOM's mark it is some other file in the folder.
            with pytest.raises(ScanError) as refused:
                open_volume(path)
            assert refused.value.what


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("Rows", 60000), ("NumberOfFrames", 2_000_000_000), ("NumberOfFrames", -1), ("SamplesPerPixel", 3), ("Rows", 0)],
)
def test_headers_that_promise_too_much_allocate_nothing(tmp_path: Path, keyword: str, value: int) -> None:
    path = write_series(tmp_path, Series(numbers(1), extra={keyword: value}))[0]
    with pytest.raises(ScanError):
        open_volume(path)


def test_folders_without_images(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="no DICOM images"):
        open_volume(tmp_path)
    (tmp_path / "notes.txt").write_text("words")
    with pytest.raises(ScanError, match="no DICOM images"):
        open_volume(tmp_path)


def test_other_files_beside_a_series_do_no_harm(tmp_path: Path) -> None:
    path = write_series(tmp_path, Series(numbers()))[0]
    (tmp_path / "notes.txt").write_text("words")
    (tmp_path / "empty").touch()
    assert len(open_volume(tmp_path).volume.array) == 5
    assert len(open_volume(path).volume.array) == 5


def test_real_series(real_data: Path) -> None:
    folder = real_data / "volumes"
    head = open_volume(folder / "ct_head_dicom")
    assert head.volume.array.shape == (28, 512, 512)
    assert head.volume.unit == "HU"
    assert "lean by 18.5 degrees" in " ".join(head.notes)
    assert "not evenly spaced" in " ".join(head.notes)
    np.testing.assert_allclose(head.volume.affine[:2, 2], 0, atol=1e-9)
    with pytest.raises(ScanError, match="10 series"):
        open_volume(folder / "ct_body_dicom")
    single = sorted((folder / "ct_body_dicom").glob("*.dcm"))[0]
    assert open_volume(single).volume.array.shape == (1, 512, 512)


def test_dicom_and_nifti_of_one_real_head_agree(real_data: Path) -> None:
    slices = open_volume(real_data / "volumes" / "t1_head_dicom").volume
    whole = open_volume(real_data / "volumes" / "t1_head.nii.gz").volume
    moved = np.linalg.inv(whole.affine) @ slices.affine
    np.testing.assert_allclose(moved[:3, :3], np.eye(3), atol=1e-4)
    first = np.round(moved[:3, 3]).astype(int)
    np.testing.assert_allclose(moved[:3, 3], first, atol=1e-2)
    assert (first[:2] == 0).all()
    np.testing.assert_array_equal(whole.array[first[2] : first[2] + 48], slices.array)
