"""Maps as DICOM: the numbers as they are, where they lie, with their unit, of nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from core.export import ExportError, dicom_map, dicom_series, save_spread
from core.export.dicom_about import about_volume
from core.formats.identity import Identity
from core.formats.volumes import open_volume

DOE = Identity(patient_name="Doe^Jane", patient_id="4711", study_uid="1.2.3.4")


@pytest.mark.parametrize("kind", ["even", "oblique", "oblique sheared", "sagittal"])
def test_numbers_and_places_are_kept(build, tmp_path: Path, kind: str) -> None:
    volume = build(kind)
    paths = dicom_map.write(volume, tmp_path / "m.dcm", about=about_volume(volume), shows=dicom_map.SPREAD)
    assert paths == (tmp_path / "m.dcm",)
    found = open_volume(paths[0]).volume
    assert np.array_equal(found.array, volume.array)
    assert np.allclose(found.affine, volume.affine, atol=1e-9)


@pytest.mark.parametrize(
    ("shows", "unit", "code"),
    [
        (dicom_map.SPREAD, "HU", "[hnsf'U]"),
        (dicom_map.DIFFERENCE, "a.u.", "[arb'U]"),
        (dicom_map.DIFFERENCE, "1/mm", "/mm"),
        (dicom_map.SUPPORT, "HU", "1"),
    ],
)
def test_it_says_what_it_shows_in_which_unit(build, tmp_path: Path, shows: object, unit: str, code: str) -> None:
    volume = build(unit=unit)
    (path,) = dicom_map.write(volume, tmp_path / "m.dcm", about=about_volume(volume, simulated=True), shows=shows)
    dataset = pydicom.dcmread(path)
    assert dataset.SOPClassUID.name == "Parametric Map Storage"
    mapping = dataset.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == code
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1, 0)
    assert dataset.ContentLabel == shows.label
    assert "Research use only" in dataset.ImageComments
    assert "Simulated" in dataset.ImageComments
    assert dataset.ContentQualification == "RESEARCH"


def test_nobody_can_be_found_and_no_image_that_nobody_has(build, tmp_path: Path) -> None:
    volume = build()
    (path,) = dicom_map.write(
        volume, tmp_path / "m.dcm", about=about_volume(volume, identity=DOE), shows=dicom_map.SPREAD
    )
    held = path.read_bytes().lower()
    assert not [text for text in (b"doe", b"jane", b"4711", b"1.2.3.4\0", b"/data") if text in held]
    dataset = pydicom.dcmread(path)
    assert dataset.PatientIdentityRemoved == "YES"
    assert not [e for e in dataset.iterall() if e.keyword == "ReferencedSOPInstanceUID"]


def test_identity_is_kept_when_asked(build, tmp_path: Path) -> None:
    volume = build()
    about = about_volume(volume, identity=DOE, keep_identity=True)
    dataset = pydicom.dcmread(dicom_map.write(volume, tmp_path / "m.dcm", about=about, shows=dicom_map.SPREAD)[0])
    assert (dataset.PatientName, dataset.PatientID, dataset.StudyInstanceUID) == ("Doe^Jane", "4711", "1.2.3.4")


def test_it_joins_the_series_that_it_belongs_to(build, tmp_path: Path) -> None:
    volume = build("oblique")
    about = about_volume(volume)
    series = dicom_series.write(volume, tmp_path / "x.dcm", about=about)
    (path,) = dicom_map.write(volume, tmp_path / "m.dcm", about=about, shows=dicom_map.SPREAD, sources=series)
    image, dataset = pydicom.dcmread(series[0]), pydicom.dcmread(path)
    for name in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientID"):
        assert dataset[name].value == image[name].value
    referred = {e.value for e in dataset.iterall() if e.keyword == "ReferencedSOPInstanceUID"}
    assert referred == {pydicom.dcmread(p).SOPInstanceUID for p in series}
    with pytest.raises(ExportError, match="does not fit"):
        dicom_map.write(volume, tmp_path / "n.dcm", about=about, shows=dicom_map.SPREAD, sources=series[:2])


def test_several_stacks_are_several_files(build, tmp_path: Path) -> None:
    volume = build()
    twice = replace(volume, array=np.concatenate([volume.array, 2 * volume.array]))
    paths = dicom_map.write(twice, tmp_path / "m.dcm", about=about_volume(twice), shows=dicom_map.SPREAD)
    assert [path.name for path in paths] == ["stack-1.dcm", "stack-2.dcm"]
    assert np.array_equal(open_volume(paths[1]).volume.array, 2 * volume.array)


def test_one_slice_and_a_flat_map(build, tmp_path: Path) -> None:
    volume = build()
    for name, array in (("one", volume.array[:1]), ("flat", np.zeros_like(volume.array))):
        some = replace(volume, array=array, slices=len(array))
        (path,) = dicom_map.write(some, tmp_path / f"{name}.dcm", about=about_volume(some), shows=dicom_map.SPREAD)
        assert np.array_equal(pydicom.dcmread(path).pixel_array.reshape(array.shape), array)


def test_a_map_without_a_place_is_refused(build, tmp_path: Path) -> None:
    volume = build(affine=None)
    with pytest.raises(ExportError, match="cannot be written as DICOM"):
        dicom_map.write(volume, tmp_path / "m.dcm", about=about_volume(volume), shows=dicom_map.SPREAD)
    assert not list(tmp_path.iterdir())


def test_save_spread_writes_a_map(build, tmp_path: Path) -> None:
    volume = build()
    save_spread(replace(volume, spread=0.1 * volume.array), tmp_path / "s.dcm")
    assert np.allclose(open_volume(tmp_path / "s.dcm").volume.array, 0.1 * volume.array)


def test_a_full_disk_leaves_nothing(build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pydicom.dataset.Dataset.save_as", full)
    volume = build()
    with pytest.raises(ExportError, match="No space left"):
        dicom_map.write(volume, tmp_path / "m.dcm", about=about_volume(volume), shows=dicom_map.SPREAD)
    assert not list(tmp_path.iterdir())
