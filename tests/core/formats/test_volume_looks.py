"""Volumes for a viewer: what is kept small, what is told instead of refused, windows, identity, progress."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import nibabel
import nrrd
import numpy as np
import pydicom
import pytest

from core.engine.simulate_ct import CtSettings, simulate_ct
from core.engine.simulate_mri import MriSettings, simulate_mri
from core.errors import JobError, ScanError
from core.formats.volume_parts import Opened
from core.formats.volumes import open_volume
from tests.core.formats.dicom_writer import IDENTITY, Series, write_enhanced, write_series
from tests.core.formats.test_volume_dicom import numbers, said


def changed(path: Path, **tags: object) -> Path:
    dataset = pydicom.dcmread(path)
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.save_as(path)
    return path


def opens(path: Path, array: np.ndarray, note: str) -> Opened:
    found = open_volume(path)
    np.testing.assert_array_equal(found.volume.array, array)
    assert note in " ".join(found.notes)
    return found


def colour(path: Path, photometric: str, pixels: np.ndarray) -> Path:
    more = {"PlanarConfiguration": 0} if pixels.ndim == 3 else {}
    return changed(
        path,
        PhotometricInterpretation=photometric,
        SamplesPerPixel=3 if pixels.ndim == 3 else 1,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
        PixelData=pixels.astype(np.uint8).tobytes(),
        **more,
    )


def test_dark_is_turned_round_and_so_are_its_windows(tmp_path: Path) -> None:
    array = numbers(1)
    tags = {"PhotometricInterpretation": "MONOCHROME1", "WindowCenter": 300, "WindowWidth": 500}
    path = write_series(tmp_path, Series(array, modality="DX", intercept=0.0, extra=tags))[0]
    ends = int(array.min()) + int(array.max())
    found = opens(path, ends - array, "turned round")
    assert found.windows == (("From the file", 500.0, ends - 300.0),)
    write_series(tmp_path / "ct", Series(array, extra=tags))
    opens(tmp_path / "ct", array - 1024, "shown bright")


def test_colours_become_brightness(tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (6, 7, 3))
    grey = np.rint(rgb @ [0.299, 0.587, 0.114])
    path = colour(write_series(tmp_path, Series(numbers(1), slope=1.0, intercept=0.0))[0], "RGB", rgb)
    found = opens(path, grey[None], "colours were not kept")
    assert found.volume.unit == "a.u."
    index = np.arange(42).reshape(6, 7)
    table = np.stack([np.arange(256)[::-1], np.full(256, 10), np.arange(256)]).astype("<u2") * 257
    path = colour(write_series(tmp_path / "p", Series(numbers(1), intercept=0.0))[0], "PALETTE COLOR", index)
    dataset = pydicom.dcmread(path)
    for element, values in enumerate(table, 1):
        dataset.add_new((0x0028, 0x1100 + element), "US", [256, 0, 16])
        dataset.add_new((0x0028, 0x1200 + element), "OW", values.tobytes())
    dataset.save_as(path)
    expected = np.rint(table.T[index] @ [0.299, 0.587, 0.114])
    np.testing.assert_array_equal(open_volume(path).volume.array[0], expected)
    with pytest.raises(ScanError, match="SECRET"):
        open_volume(changed(path, PhotometricInterpretation="SECRET"))


def test_shapes_of_pixels_and_single_slices(tmp_path: Path) -> None:
    path = write_series(tmp_path, Series(numbers(1), spacing=(-2.0, 0.5)))[0]
    assert open_volume(path).volume.spacing_mm == pytest.approx((0.5, 2.0, 5.0))
    assert open_volume(changed(path, SpacingBetweenSlices=-7)).volume.spacing_mm[2] == pytest.approx(5.0)
    changed(path, SliceThickness=None, SpacingBetweenSlices=None)
    assert "thickness of the slices is not told; 1 mm" in said(path)
    assert open_volume(path).volume.spacing_mm[2] == 1.0


def test_equal_voxels_and_voxels_without_a_number_are_told_and_not_simulated(tmp_path: Path) -> None:
    flat = np.full((2, 6, 7), 5, np.int16)
    write_series(tmp_path / "flat", Series(flat))
    found = opens(tmp_path / "flat", flat - 1024, "All its voxels are equal.")
    with pytest.raises(JobError, match="equal"):
        simulate_ct(found, CtSettings(4))
    array = np.random.default_rng(0).random((3, 8, 8)).astype(np.float32)
    array[1, 2, 3], array[0, 0, 0] = np.nan, np.inf
    np.save(tmp_path / "a.npy", array)
    nibabel.save(nibabel.Nifti1Image(array.T, np.diag([-1, -1, 1, 1.0])), tmp_path / "a.nii.gz")
    array[0, 0, 0] = np.nan
    for name in ("a.npy", "a.nii.gz"):
        found = opens(tmp_path / name, array, "2 of its voxels have no number (NaN).")
        assert "Infinite numbers in 1" in " ".join(found.notes)
        with pytest.raises(JobError, match="NaN"):
            simulate_mri(found, MriSettings(2))


@pytest.mark.parametrize(
    ("slope", "intercept", "kind"),
    [(1.0, -1024.0, "i2"), (2.0, 0.0, "i2"), (0.5, 0.0, "f4"), (1.0, 0.25, "f4"), (40.0, 0.0, "f4")],
)
def test_whole_numbers_stay_small_wherever_they_come_from(
    tmp_path: Path, slope: float, intercept: float, kind: str
) -> None:
    array = numbers()
    array[-1, -1, -1] = 2000
    expected = array * slope + intercept
    write_series(tmp_path / "d", Series(array, slope=slope, intercept=intercept))
    image = nibabel.Nifti1Image(array.T, np.diag([-1, -1, 1, 1.0]))
    image.header.set_slope_inter(slope, intercept)
    nibabel.save(image, tmp_path / "n.nii")
    raw = bytearray((tmp_path / "n.nii").read_bytes())
    raw[112:120] = np.array([slope, intercept], "<f4").tobytes()
    raw[352:] = array.astype("<i2").tobytes()
    (tmp_path / "n.nii").write_bytes(raw)
    for name in ("d", "n.nii"):
        found = open_volume(tmp_path / name).volume.array
        assert found.dtype == np.dtype(kind), name
        np.testing.assert_allclose(found, expected, err_msg=name)


@pytest.mark.parametrize("kind", ["u1", "i2", ">i2", "u2", "i4"])
def test_numbers_of_any_width(tmp_path: Path, kind: str) -> None:
    array = np.random.default_rng(0).integers(0, 200, (3, 4, 5)).astype(kind)
    np.save(tmp_path / "a.npy", array)
    nibabel.save(nibabel.Nifti1Image(array.T, np.diag([-1, -1, 1, 1.0])), tmp_path / "a.nii.gz")
    nrrd.write(str(tmp_path / "a.nrrd"), array.astype(array.dtype.newbyteorder("=")).T)
    for name in ("a.npy", "a.nii.gz", "a.nrrd"):
        found = open_volume(tmp_path / name).volume.array
        assert found.dtype == np.int16
        np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("name", ["series", "e.dcm", "a.nii", "a.nii.gz", "a.nrrd", "z.nrrd"])
def test_the_voxels_lie_in_memory_once(tmp_path: Path, name: str) -> None:
    array = np.random.default_rng(0).integers(-1000, 1000, (64, 128, 128)).astype(np.int16)
    if name == "series":
        write_series(tmp_path / name, Series(array))
    elif name == "e.dcm":
        write_enhanced(tmp_path / name, Series(array), list(range(64)))
    elif name.endswith("nrrd"):
        nrrd.write(
            str(tmp_path / name), array.T, {"encoding": "gzip" if name[0] == "z" else "raw"}, compression_level=1
        )
    else:
        nibabel.save(nibabel.Nifti1Image(array.T, np.eye(4)), tmp_path / name)
    open_volume(tmp_path / name)
    tracemalloc.start()
    try:
        found = open_volume(tmp_path / name)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.volume.array.dtype == np.int16
    assert peak < 2.5 * array.nbytes


def test_fractions_are_filled_in_without_a_second_copy(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(-1000, 1000, (64, 64, 64)).astype(np.int16)
    write_series(tmp_path, Series(array, slope=0.5))
    open_volume(tmp_path)
    tracemalloc.start()
    try:
        found = open_volume(tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * found.volume.array.nbytes


def test_windows_identity_and_names(tmp_path: Path) -> None:
    extra = {
        "WindowCenter": [40, 400, 400, -5],
        "WindowWidth": [80, 1500, 1500, 0],
        "WindowCenterWidthExplanation": ["BRAIN", "BONE", "BONE", "X"],
        "SeriesDescription": "T2 axial",
        "StudyDescription": "Head",
        "AccessionNumber": "A77",
    }
    write_series(tmp_path / "a", Series(numbers(), extra=extra))
    found = open_volume(tmp_path / "a")
    assert found.windows == (("BRAIN", 80.0, 40.0), ("BONE", 1500.0, 400.0))
    assert (found.modality, found.series) == ("CT", "T2 axial")
    told = found.identity
    assert (told.patient_name, told.patient_id, told.accession_number) == (IDENTITY, "4711", "A77")
    assert told.known
    for secret in ("Doe", "4711", "A77", "T2"):
        assert secret not in repr(found)
    write_series(tmp_path / "b", Series(numbers(), extra={"SeriesDescription": "Jane Doe T2"}))
    assert open_volume(tmp_path / "b").series == ""
    assert open_volume(tmp_path / "b").windows == ()


class Stop(Exception):
    pass


@pytest.mark.parametrize("name", ["series", "a.nii.gz"])
def test_progress_is_told_and_can_stop(tmp_path: Path, name: str) -> None:
    if name == "series":
        write_series(tmp_path / name, Series(numbers()))
    else:
        nibabel.save(nibabel.Nifti1Image(numbers().T, np.eye(4)), tmp_path / name)
    told: list[tuple[str, int, int]] = []
    open_volume(tmp_path / name, lambda *state: told.append(state))
    read = [state for state in told if state[0] == "Reading"]
    assert read == [("Reading", done, 5) for done in range(6)]

    def stop(doing: str, done: int, of: int) -> None:
        if doing == "Reading" and done == 3:
            raise Stop

    with pytest.raises(Stop):
        open_volume(tmp_path / name, stop)
