"""A DICOM series tells what was reconstructed, where it lies, and of nobody who was scanned."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import fields, replace
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest

import core
from core.export import ExportError, card_path, dicom_series, save
from core.export.dicom_about import About, about_scan, about_volume
from core.export.dicom_headers import PRIVATE_CREATOR, PRIVATE_GROUP
from core.formats.identity import Identity
from core.formats.volumes import open_volume
from core.orientation import edge_letters, lps_to_ras
from core.scan import Volume

PLACES = ("even", "anisotropic", "oblique", "sheared", "oblique sheared", "sagittal")
LEFT_HANDED = "left-handed"
DOE = Identity(
    patient_name="Doe^Jane",
    patient_id="4711",
    birth_date="1970-01-02",
    sex="F",
    study_uid="1.2.3.4",
    study_id="S9",
    study_date="20200102",
    study_time="101112.5",
    accession_number="ACC5",
    referring_physician="House^Greg",
    frame_of_reference_uid="1.2.3.5",
)


def files_of(folder: Path) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in sorted(folder.rglob("*.dcm")) if path.is_file()]


def values_of(dataset: pydicom.Dataset) -> np.ndarray:
    return dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)


def corner_of(dataset: pydicom.Dataset, x: int, y: int) -> np.ndarray:
    """Where a pixel lies, by the equation of PS3.3 C.7.6.2.1.1."""
    row, column = np.array(dataset.ImageOrientationPatient[:3]), np.array(dataset.ImageOrientationPatient[3:])
    down, right = dataset.PixelSpacing
    return np.array(dataset.ImagePositionPatient) + row * right * x + column * down * y


@pytest.mark.parametrize("kind", [*PLACES, LEFT_HANDED])
def test_every_corner_of_every_slice_lies_where_it_did(build, tmp_path: Path, kind: str) -> None:
    volume = build(kind)
    paths = dicom_series.write(volume, tmp_path / "x.dcm", about=about_volume(volume))
    assert [path.name for path in paths] == ["0001.dcm", "0002.dcm", "0003.dcm", "0004.dcm", "0005.dcm"]
    for z, dataset in enumerate(map(pydicom.dcmread, paths)):
        assert dataset.InstanceNumber == z + 1
        for x, y in ((0, 0), (23, 0), (0, 19), (23, 19)):
            assert np.allclose(corner_of(dataset, x, y), (volume.affine @ [x, y, z, 1])[:3], atol=1e-9)
        assert all(len(str(text).strip()) <= 16 for text in dataset.ImageOrientationPatient)


@pytest.mark.parametrize("kind", PLACES)
def test_our_reader_gives_it_back(build, tmp_path: Path, kind: str) -> None:
    volume = build(kind)
    dicom_series.write(volume, tmp_path / "x.dcm", about=about_volume(volume))
    found = open_volume(tmp_path / "x.dcm").volume
    assert np.allclose(found.affine, volume.affine, atol=1e-9)
    assert edge_letters(found.affine) == edge_letters(volume.affine)
    assert np.abs(found.array - volume.array).max() < np.ptp(volume.array) / 65535


def test_ct_is_in_whole_hu(build, tmp_path: Path) -> None:
    volume = build(unit="HU")
    dicom_series.write(volume, tmp_path / "x.dcm", about=about_volume(volume))
    datasets = files_of(tmp_path / "x.dcm")
    assert {d.SOPClassUID.name for d in datasets} == {"CT Image Storage"}
    assert {(float(d.RescaleSlope), float(d.RescaleIntercept), d.RescaleType) for d in datasets} == {(1, -1024, "HU")}
    assert np.abs(np.stack([values_of(d) for d in datasets]) - volume.array).max() <= 0.5
    assert open_volume(tmp_path / "x.dcm").volume.unit == "HU"


@pytest.mark.parametrize(
    ("low", "high", "most"), [(-1000, 60000, 0.5), (-9e4, 3e5, 3.0), (20.0, 21.0, 1e-4), (7.0, 7.0, 1e-9)]
)
def test_unusual_hu_take_a_slope_that_fits(build, tmp_path: Path, low: float, high: float, most: float) -> None:
    volume = build(unit="HU")
    ramp = np.linspace(low, high, volume.array.size, dtype=np.float32).reshape(volume.array.shape)
    dicom_series.write(replace(volume, array=ramp), tmp_path / "x.dcm", about=about_volume(volume))
    found = np.stack([values_of(d) for d in files_of(tmp_path / "x.dcm")])
    assert np.abs(found - ramp).max() <= most


@pytest.mark.parametrize("size", [1e-12, 1e-3, 1.0, 1e9])
@pytest.mark.parametrize("unit", ["a.u.", "1/mm"])
def test_other_numbers_use_all_16_bits(build, tmp_path: Path, size: float, unit: str) -> None:
    volume = build(unit=unit)
    array = (volume.array - (volume.array.mean() if unit == "1/mm" else 0)) * size
    array[0, 0, :3] = 0
    volume = replace(volume, array=array.astype(np.float32))
    dicom_series.write(volume, tmp_path / "x.dcm", about=about_volume(volume))
    datasets = files_of(tmp_path / "x.dcm")
    found = np.stack([values_of(d) for d in datasets])
    assert np.abs(found - volume.array).max() < np.ptp(volume.array) / 65535
    mapping = datasets[0].RealWorldValueMappingSequence[0]
    assert mapping.RealWorldValueSlope == float(datasets[0].RescaleSlope)
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == {"a.u.": "[arb'U]", "1/mm": "/mm"}[unit]
    if unit == "a.u.":
        assert (found[0, 0, :3] == 0).all()


def test_complex_images_become_their_magnitude(build, tmp_path: Path) -> None:
    volume = build()
    dicom_series.write(
        replace(volume, array=(volume.array * np.exp(1.3j)).astype(np.complex64)),
        tmp_path / "x.dcm",
        about=about_volume(volume),
    )
    assert np.allclose(open_volume(tmp_path / "x.dcm").volume.array, volume.array, atol=1e-4)


def test_headers_say_what_it_is(build, tmp_path: Path) -> None:
    volume = build()
    about = about_volume(volume, anatomy="brain", simulated=True)
    dicom_series.write(volume, tmp_path / "x.dcm", about=about)
    for dataset in files_of(tmp_path / "x.dcm"):
        assert list(dataset.ImageType) == ["DERIVED", "SECONDARY", "OTHER"]
        assert "Research use only" in dataset.ImageComments
        assert "Simulated" in dataset.ImageComments
        assert dataset.BurnedInAnnotation == "NO"
        assert dataset.BodyPartExamined == "BRAIN"
        assert dataset.SoftwareVersions == core.__version__
        assert dataset.DerivationDescription.startswith("dds reconstruction, nfe 20, prior p")
        equipment = dataset.ContributingEquipmentSequence[0]
        assert equipment.ManufacturerModelName == "DDS Viewer"
        card = json.loads(dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR)[0x01].value)
        assert card["job"]["settings"] == volume.card["job"]["settings"] | {"prior": "removed"}
        assert card["outcome"]["notes"][1] == "Plain."


def test_uids_are_valid_and_each_image_has_its_own(build, tmp_path: Path) -> None:
    volume = build()
    for name in ("a.dcm", "b.dcm"):
        dicom_series.write(volume, tmp_path / name, about=about_volume(volume))
    datasets = files_of(tmp_path)
    uids = [d.SOPInstanceUID for d in datasets]
    assert len(set(uids)) == len(uids) == 10
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        assert len({d[name].value for d in datasets}) == 2
        assert all(d[name].value.is_valid for d in datasets)
    assert all(d.file_meta.MediaStorageSOPInstanceUID == d.SOPInstanceUID for d in datasets)
    assert all(uid.is_valid for uid in uids)
    assert len({d.PatientID for d in datasets}) == 2


def test_nobody_can_be_found_in_any_file(build, tmp_path: Path) -> None:
    volume = build()
    about = about_volume(volume, identity=DOE, description="dds of Jane DOE, 4711", anatomy="Doe")
    dicom_series.write(volume, tmp_path / "x.dcm", about=about)
    told = [str(getattr(DOE, f.name)) for f in fields(DOE)] + [
        "Doe",
        "Jane",
        "House",
        "/data",
        "2021-03-04",
        "19700102",
    ]
    for path in (tmp_path / "x.dcm").rglob("*"):
        held = path.read_bytes().lower()
        assert not [text for text in told if len(text) > 1 and text.lower().encode() in held]
    dataset = files_of(tmp_path / "x.dcm")[0]
    assert dataset.PatientIdentityRemoved == "YES"
    assert dataset.DeidentificationMethod
    assert dataset.PatientName == "Anonymous"
    assert not dataset.StudyDate
    assert not [e for e in dataset.iterall() if e.VR in ("DA", "DT", "TM") and e.value]
    assert "Jane" not in repr(about)


def test_identity_is_kept_when_asked(build, tmp_path: Path) -> None:
    volume = build()
    dicom_series.write(volume, tmp_path / "x.dcm", about=about_volume(volume, identity=DOE, keep_identity=True))
    for dataset in files_of(tmp_path / "x.dcm"):
        assert dataset.PatientName == "Doe^Jane"
        assert (dataset.PatientID, dataset.PatientBirthDate, dataset.PatientSex) == ("4711", "19700102", "F")
        assert (dataset.StudyInstanceUID, dataset.FrameOfReferenceUID) == ("1.2.3.4", "1.2.3.5")
        assert (dataset.StudyDate, dataset.StudyTime, dataset.AccessionNumber) == ("20200102", "101112.5", "ACC5")
        assert dataset.PatientIdentityRemoved == "NO"
        assert dataset.SeriesInstanceUID.startswith("2.25.")


def test_a_strange_identity_still_makes_valid_files(build, tmp_path: Path) -> None:
    odd = Identity(
        patient_name="Ä\\n^\x00" + "x" * 99, study_uid="1.02.no", birth_date="yesterday", sex="?", study_time="9"
    )
    volume = build()
    dicom_series.write(volume, tmp_path / "x.dcm", about=about_volume(volume, identity=odd, keep_identity=True))
    dataset = files_of(tmp_path / "x.dcm")[0]
    assert str(dataset.PatientName).startswith("Ä n^ x")
    assert dataset.StudyInstanceUID.is_valid
    assert (dataset.PatientBirthDate, dataset.PatientSex, dataset.StudyTime) == ("", "", "")


def test_an_unknown_position_is_not_made_up(build, tmp_path: Path) -> None:
    volume = build(affine=None)
    dicom_series.write(volume, tmp_path / "x.dcm", about=about_volume(volume))
    for dataset in files_of(tmp_path / "x.dcm"):
        assert dataset.SOPClassUID.name == "Secondary Capture Image Storage"
        for name in ("ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID"):
            assert name not in dataset
        assert "unknown" in dataset.ImageComments
    found = open_volume(tmp_path / "x.dcm").volume
    assert found.affine is None
    assert np.allclose(found.spacing_mm, volume.spacing_mm)
    assert np.abs(found.array - volume.array).max() < np.ptp(volume.array) / 65535


def test_each_stack_is_a_series_of_its_own(build, tmp_path: Path) -> None:
    volume = build()
    twice = replace(volume, array=np.concatenate([volume.array, 2 * volume.array]))
    paths = dicom_series.write(twice, tmp_path / "x.dcm", about=about_volume(twice))
    assert len(paths) == 10
    datasets = [pydicom.dcmread(path) for path in paths]
    assert len({d.SeriesInstanceUID for d in datasets}) == len({d.SeriesNumber for d in datasets}) == 2
    assert len({d.StudyInstanceUID for d in datasets}) == len({d.FrameOfReferenceUID for d in datasets}) == 1
    second = open_volume(tmp_path / "x.dcm" / "stack-2").volume
    assert np.allclose(second.array, 2 * volume.array, atol=1e-4)
    assert np.allclose(second.affine, volume.affine)


def test_one_slice(build, tmp_path: Path) -> None:
    volume = build()
    save(replace(volume, array=volume.array[:1], slices=1), tmp_path / "x.dcm")
    assert np.allclose(open_volume(tmp_path / "x.dcm").volume.affine, volume.affine)


def test_save_writes_the_run_card_beside_it(build, tmp_path: Path) -> None:
    save(build(), tmp_path / "x.dcm")
    assert {path.name for path in tmp_path.iterdir()} == {"x.dcm", "x.card.json"}
    assert card_path(tmp_path / "x.dcm").name == "x.card.json"


def test_an_older_export_is_replaced_and_nothing_else(build, tmp_path: Path) -> None:
    volume, folder = build(), tmp_path / "x.dcm"
    save(volume, folder)
    save(replace(volume, array=volume.array[:2], slices=2), folder)
    assert len(list(folder.iterdir())) == 2
    (folder / "letter.txt").write_text("mine")
    with pytest.raises(ExportError, match="there already"):
        save(volume, folder)
    (folder / "letter.txt").unlink()
    stranger = pydicom.dcmread(folder / "0001.dcm")
    del stranger[PRIVATE_GROUP, 0x0010]
    stranger.save_as(folder / "0001.dcm")
    with pytest.raises(ExportError, match="there already"):
        save(volume, folder)
    assert len(list(folder.iterdir())) == 2
    (tmp_path / "file.dcm").write_bytes(b"")
    with pytest.raises(ExportError, match="there already"):
        save(volume, tmp_path / "file.dcm")


@pytest.mark.parametrize("fault", ["third file", "first move", "second move"])
def test_a_full_disk_leaves_the_older_export_and_nothing_else(
    build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    volume, folder = build(), tmp_path / "x.dcm"
    dicom_series.write(volume, folder, about=about_volume(volume))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    place = "pydicom.dataset.Dataset.save_as" if fault == "third file" else "os.replace"
    real = pydicom.dataset.Dataset.save_as if fault == "third file" else __import__("os").replace
    calls = []

    def full(*args: object, **kwargs: object) -> None:
        calls.append(args)
        if len(calls) == {"third file": 3, "first move": 1, "second move": 2}[fault]:
            raise OSError(28, "No space left on device")
        real(*args, **kwargs)

    monkeypatch.setattr(place, full)
    with pytest.raises(ExportError, match="No space left"):
        dicom_series.write(volume, folder, about=about_volume(volume))
    assert list(tmp_path.iterdir()) == [folder]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_dicom_cannot_hold_is_refused(build, tmp_path: Path) -> None:
    volume = build()
    skewed = volume.affine.copy()
    skewed[:3, 1] += 0.1 * skewed[:3, 0]
    broken = volume.array.copy()
    broken[0, 0, 0] = np.nan
    flat = volume.affine.copy()
    flat[:3, 0] = 0
    for bad in (replace(volume, affine=skewed), replace(volume, array=broken), replace(volume, affine=flat)):
        with pytest.raises(ExportError):
            dicom_series.write(bad, tmp_path / "x.dcm", about=about_volume(bad))
    with pytest.raises(ExportError, match="not written as DICOM"):
        dicom_series.write(volume, tmp_path / "x.dcm", about=About(modality="US"))
    with pytest.raises(ExportError, match="does not exist"):
        dicom_series.write(volume, tmp_path / "no" / "x.dcm", about=about_volume(volume))
    assert not list(tmp_path.iterdir())


def test_the_modality_is_that_of_the_scan(make_scan, make_projections, build) -> None:
    assert about_scan(make_scan(), build()).modality == "MR"
    told = about_scan(make_projections(), build(unit="HU"))
    assert (told.modality, told.simulated) == ("CT", True)
    assert about_volume(build(unit="1/mm")).modality == "CT"


def world(affine: np.ndarray, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of all voxels, (patient point, value), in the order of the points."""
    voxels = np.stack(np.meshgrid(*(np.arange(n) for n in array.shape), indexing="ij"), -1).reshape(-1, 3)
    points = nibabel.affines.apply_affine(affine, voxels)
    order = np.lexsort(np.round(points, 2).T)
    return points[order], array.reshape(-1)[order]


@pytest.mark.skipif(shutil.which("dcm2niix") is None, reason="the program dcm2niix is not installed")
@pytest.mark.parametrize("unit", ["a.u.", "HU"])
@pytest.mark.parametrize("kind", ["even", "anisotropic", "oblique", "left-handed", "sagittal"])
def test_dcm2niix_puts_every_value_where_it_was(build, tmp_path: Path, kind: str, unit: str) -> None:
    volume = build(kind, unit)
    dicom_series.write(volume, tmp_path / "x.dcm", about=about_volume(volume))
    image, said = converted(tmp_path)
    warnings = [line for line in said.splitlines() if "Warning" in line and "manufacturer" not in line]
    assert not warnings
    points, values = world(image.affine, image.get_fdata())
    expected_points, expected = world(lps_to_ras(volume.affine), volume.array.transpose(2, 1, 0))
    assert np.abs(points - expected_points).max() < 1e-3
    assert np.abs(values - expected).max() < (0.51 if unit == "HU" else np.ptp(volume.array) / 60000)


@pytest.mark.skipif(shutil.which("dcm2niix") is None, reason="the program dcm2niix is not installed")
@pytest.mark.parametrize("kind", ["sheared", "oblique sheared"])
def test_dcm2niix_knows_the_first_slice_of_a_leaning_stack(build, tmp_path: Path, kind: str) -> None:
    """It tells a gantry's tilt only by a warning and a resampled copy, so the slices themselves are compared."""
    volume = build(kind)
    dicom_series.write(volume, tmp_path / "x.dcm", about=about_volume(volume))
    image, _ = converted(tmp_path)
    data = image.get_fdata()
    step = image.affine[:3, 1] * (data.shape[1] - 1)
    first = image.affine[:3, 3] + step
    assert np.allclose(first, lps_to_ras(volume.affine)[:3, 3], atol=1e-3)
    assert np.allclose(data[:, ::-1], volume.array.transpose(2, 1, 0), atol=1e-4)


def converted(folder: Path) -> tuple[nibabel.Nifti1Image, str]:
    out = folder / "nii"
    out.mkdir()
    words = ["dcm2niix", "-b", "n", "-z", "n", "-f", "x", "-o", str(out), str(folder / "x.dcm")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    return nibabel.load(out / "x.nii"), done.stdout


def test_a_volume_keeps_its_type() -> None:
    assert about_volume(Volume(np.ones((1, 2, 2)))).modality == "MR"
