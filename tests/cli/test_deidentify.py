"""`dds-viewer deidentify`: copies of DICOM series in which nobody is named, and which are the same images."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    RLELossless,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from core.export import ExportError, dicom_series
from core.export.deidentify import Options, deidentify
from core.export.deidentify_profile import Action, actions
from core.export.dicom_about import about_volume
from core.formats.identity import Identity
from core.formats.volumes import open_volume
from core.scan import Volume
from tests.core.formats.dicom_writer import Series, write_enhanced, write_series

CANARY = "ZZCANARYZZ"
FOREIGN = "Ωκαναρινι"
UID = "1.2.826.0.1.3680043.777777.1"
SIZE = 4, 20, 24


def sequence(**values: object) -> list[Dataset]:
    item = Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    return [item]


def canaries() -> dict[str, object]:
    """Who was scanned in all sorts of places, listed and not, shallow and deep."""
    request = Dataset()
    request.RequestingPhysician, request.AccessionNumber = f"{CANARY}^Deep", CANARY
    request.ReferencedStudySequence = sequence(
        ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID=f"{UID}.9", PatientComments=CANARY
    )
    request.add_new(0x00431001, "LO", f"{CANARY} private and deep")
    request.add_new(0x00430010, "LO", "MAKER")
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "PatientName": f"{CANARY}^Jane={FOREIGN}",
        "PatientID": f"{CANARY}4711",
        "PatientBirthDate": "19330303",
        "PatientAddress": f"{CANARY} street",
        "PatientComments": f"{FOREIGN} waited",
        "OtherPatientIDsSequence": sequence(PatientID=f"{CANARY}8", TypeOfPatientID="TEXT"),
        "StudyInstanceUID": f"{UID}.2",
        "FrameOfReferenceUID": f"{UID}.3",
        "StudyDate": "20330401",
        "SeriesDate": "20330401",
        "AcquisitionDateTime": "20330401101112.5",
        "ContentDate": "20330402",
        "ContentTime": "101113",
        "StudyID": CANARY[:16],
        "AccessionNumber": CANARY,
        "ReferringPhysicianName": f"{CANARY}^Greg",
        "OperatorsName": [f"{CANARY}^A", f"{CANARY}^B"],
        "InstitutionName": f"{CANARY} clinic",
        "InstitutionAddress": CANARY,
        "StationName": CANARY,
        "DeviceSerialNumber": CANARY,
        "StudyDescription": f"of {CANARY}",
        "SeriesDescription": f"{CANARY} head",
        "ProtocolName": CANARY,
        "ImageComments": f"see {CANARY}",
        "RequestAttributesSequence": [request],
        "SourceImageSequence": sequence(
            ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID=f"{UID}.8"
        ),
        # Listed in no table: a name in a text that stays.
        "ManufacturerModelName": f"Tube of {FOREIGN}",
    }


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Four slices in a folder, with a second series, a list of files and a letter beside them."""
    rng = np.random.default_rng(1)
    array = rng.integers(-100, 1000, SIZE).astype(np.int16)
    folder = tmp_path / f"in_{CANARY}"
    for name, uid in (("a", f"{UID}.4"), ("b", f"{UID}.5")):
        paths = write_series(folder / name, Series(array, uid=pydicom.uid.UID(uid), extra=canaries()))
        for path in paths:
            dataset = pydicom.dcmread(path)
            dataset.add_new(0x00090010, "LO", "MAKER")
            dataset.add_new(0x00091001, "LO", f"{CANARY} private")
            dataset.add_new(0x60000010, "US", 8)
            dataset.add_new(0x60003000, "OW", CANARY.encode())
            dataset.file_meta.SourceApplicationEntityTitle = CANARY
            dataset.preamble = CANARY.encode().ljust(128, b"\0")
            dataset.save_as(path, enforce_file_format=True)
    (folder / "letter.txt").write_text(f"Dear {CANARY}")
    return folder


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def everything_in(folder: Path) -> bytes:
    names = "\n".join(str(path.relative_to(folder)) for path in folder.rglob("*"))
    return names.encode() + b"".join(path.read_bytes() for path in files_of(folder))


def test_nothing_tells_who_it_was(dds_viewer, series: Path, tmp_path: Path) -> None:
    outcome = dds_viewer("deidentify", series, "--out", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    assert "8 images of 2 series, 1 other files passed over" in outcome.out
    everything = everything_in(tmp_path / "out")
    for secret in (CANARY, UID, "19330303", "203304", "101112", FOREIGN):
        assert secret.encode() not in everything, secret
    assert not any(
        pydicom.dcmread(path).file_meta.get("SourceApplicationEntityTitle") for path in files_of(tmp_path / "out")
    )


def test_it_says_what_was_done(series: Path, tmp_path: Path) -> None:
    deidentify([series], tmp_path / "out")
    dataset = pydicom.dcmread(files_of(tmp_path / "out")[0])
    assert dataset.PatientIdentityRemoved == "YES"
    assert [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence] == ["113100"]
    assert dataset.LongitudinalTemporalInformationModified == "REMOVED"
    assert dataset.PatientID.startswith("DDS-")
    assert "Basic" in dataset.DeidentificationMethod[0]


def test_the_images_are_the_same(series: Path, tmp_path: Path) -> None:
    deidentify([series], tmp_path / "out")
    before, after = open_volume(series / "a").volume, open_volume(tmp_path / "out" / "series-1").volume
    assert np.array_equal(before.array, after.array)
    assert np.array_equal(before.affine, after.affine)
    kept = ("Rows", "PixelSpacing", "SliceThickness", "RescaleSlope", "BodyPartExamined", "InstanceNumber", "Modality")
    for old, new in zip(files_of(series / "a"), files_of(tmp_path / "out" / "series-1"), strict=True):
        old, new = pydicom.dcmread(old), pydicom.dcmread(new)
        assert all(old[name].value == new[name].value for name in kept)
        assert old.PixelData == new.PixelData


def test_references_hold_together_and_a_salt_links_calls(series: Path, tmp_path: Path) -> None:
    for name, salt in (("one", "pepper"), ("two", "pepper"), ("three", "")):
        deidentify([series], tmp_path / name, Options(salt=salt))
    made = {n: [pydicom.dcmread(p) for p in files_of(tmp_path / n)] for n in ("one", "two", "three")}
    for datasets in made.values():
        assert len({d.StudyInstanceUID for d in datasets}) == len({d.FrameOfReferenceUID for d in datasets}) == 1
        assert len({d.SeriesInstanceUID for d in datasets}) == 2
        assert len({d.SOPInstanceUID for d in datasets}) == 8
        assert all(d.SourceImageSequence[0].ReferencedSOPInstanceUID.is_valid for d in datasets)
        assert all(d.SOPInstanceUID == d.file_meta.MediaStorageSOPInstanceUID for d in datasets)
    ids = {name: (made[name][0].StudyInstanceUID, made[name][0].PatientID) for name in made}
    assert ids["one"] == ids["two"] != ids["three"]
    assert ids["one"][1] != ids["three"][1]


def test_a_reference_follows_the_image_that_it_names(series: Path, tmp_path: Path) -> None:
    first, second = files_of(series / "a")[:2]
    dataset = pydicom.dcmread(first)
    dataset.SourceImageSequence[0].ReferencedSOPInstanceUID = pydicom.dcmread(second).SOPInstanceUID
    dataset.save_as(first)
    deidentify([first, second], tmp_path / "out")
    one, other = (pydicom.dcmread(path) for path in files_of(tmp_path / "out"))
    assert one.SourceImageSequence[0].ReferencedSOPInstanceUID == other.SOPInstanceUID


def test_shifted_dates_keep_their_distance(dds_viewer, series: Path, tmp_path: Path) -> None:
    outcome = dds_viewer("deidentify", series, "--out", tmp_path / "out", "--keep-dates-shifted", "--salt", "x")
    assert outcome.code == 0, outcome.err
    dataset = pydicom.dcmread(files_of(tmp_path / "out")[0])
    study, content = (np.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:8]}") for d in (dataset.StudyDate, dataset.ContentDate))
    assert content - study == np.timedelta64(1, "D")
    assert study < np.datetime64("2033-04-01")
    assert str(dataset.AcquisitionDateTime)[8:] == "101112.5"
    assert dataset.PatientBirthDate == ""
    codes = [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113107"]
    assert dataset.LongitudinalTemporalInformationModified == "MODIFIED"
    assert b"203304" not in everything_in(tmp_path / "out")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"BurnedInAnnotation": "YES"}, "burned into"),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, "picture of a screen"),
        ({"Modality": "US"}, "often show a name"),
    ],
)
def test_pictures_that_may_show_a_name_are_left_out(
    dds_viewer, series: Path, tmp_path: Path, change: dict[str, str], why: str
) -> None:
    path = files_of(series / "a")[0]
    dataset = pydicom.dcmread(path)
    for name, value in change.items():
        setattr(dataset, name, value)
    dataset.save_as(path)
    outcome = dds_viewer("deidentify", series / "a", "--out", tmp_path / "out")
    assert outcome.code == 1
    assert why in outcome.err
    assert len(files_of(tmp_path / "out")) == 3
    outcome = dds_viewer("deidentify", series / "a", "--out", tmp_path / "all", "--allow-burned-in")
    assert outcome.code == 0
    assert "Look at 1 of them" in outcome.err
    assert len(files_of(tmp_path / "all")) == 4


def test_what_is_damaged_or_no_image_is_told_and_left_out(dds_viewer, series: Path, tmp_path: Path) -> None:
    first, second, third, fourth = files_of(series / "a")
    whole = first.read_bytes()
    first.write_bytes(whole[: whole.index(b"\xe0\x7f\x10\x00")])
    second.write_bytes(second.read_bytes()[:-50])
    report = pydicom.dcmread(third)
    del report.PixelData, report.Rows
    report.save_as(third)
    listing = Dataset()
    listing.file_meta = pydicom.dataset.FileMetaDataset()
    listing.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    listing.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    listing.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    listing.FileSetID = CANARY
    listing.save_as(series / "a" / "DICOMDIR", enforce_file_format=True)
    outcome = dds_viewer("deidentify", series / "a", "--out", tmp_path / "out")
    assert outcome.code == 1
    assert len(files_of(tmp_path / "out")) == 1
    for path in (first, second, third):
        assert f"Left out {path}" in outcome.err
    assert "no pixels" in outcome.err
    assert "DICOMDIR" not in outcome.err
    assert "ends before its pixels" in outcome.err
    fourth.unlink()
    outcome = dds_viewer("deidentify", series / "a", "--out", tmp_path / "none")
    assert outcome.code == 2
    assert "No image was written" in outcome.err
    assert not (tmp_path / "none").exists()


def test_nothing_is_ever_written_over(dds_viewer, series: Path, tmp_path: Path) -> None:
    before = everything_in(series)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    for out in (series, series / "inside", tmp_path / "full", tmp_path / "no" / "where"):
        outcome = dds_viewer("deidentify", series, "--out", out)
        assert outcome.code == 2, out
    assert everything_in(series) == before
    assert sorted(os.listdir(tmp_path)) == ["full", series.name]
    (tmp_path / "empty").mkdir()
    assert dds_viewer("deidentify", series, "--out", tmp_path / "empty").code == 0
    assert everything_in(series) == before


@pytest.mark.parametrize("fault", ["disk", "stop"])
def test_a_fault_on_the_way_leaves_nothing(
    series: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    calls = []
    real = Dataset.save_as

    def full(self: Dataset, *args: object, **kwargs: object) -> None:
        calls.append(self)
        if len(calls) == 3:
            raise OSError(28, "No space left on device") if fault == "disk" else KeyboardInterrupt
        real(self, *args, **kwargs)

    monkeypatch.setattr(Dataset, "save_as", full)
    with pytest.raises(ExportError if fault == "disk" else KeyboardInterrupt):
        deidentify([series], tmp_path / "out")
    assert os.listdir(tmp_path) == [series.name]


def test_compressed_pixels_stay_compressed(series: Path, tmp_path: Path) -> None:
    path = files_of(series / "a")[0]
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(path)
    deidentify([path], tmp_path / "out")
    made = pydicom.dcmread(files_of(tmp_path / "out")[0])
    assert made.file_meta.TransferSyntaxUID == RLELossless
    assert made.PixelData == dataset.PixelData


def test_an_enhanced_file_keeps_its_frames(tmp_path: Path) -> None:
    array = np.arange(4 * 6 * 5, dtype=np.int16).reshape(4, 6, 5)
    extra = canaries()
    path = write_enhanced(tmp_path / "in.dcm", Series(array), [2, 0, 1, 3])
    dataset = pydicom.dcmread(path)
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        frame.FrameContentSequence = sequence(FrameAcquisitionDateTime="20330401101112", FrameComments=CANARY)
    dataset.SpecificCharacterSet, dataset.PatientName = extra["SpecificCharacterSet"], extra["PatientName"]
    dataset.save_as(path)
    deidentify([path], tmp_path / "out")
    before, after = open_volume(path).volume, open_volume(files_of(tmp_path / "out")[0]).volume
    assert np.array_equal(before.array, after.array)
    assert np.array_equal(before.affine, after.affine)
    assert CANARY.encode() not in everything_in(tmp_path / "out")
    assert b"203304" not in everything_in(tmp_path / "out")


def test_values_are_never_quoted(dds_viewer, series: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """pydicom warns of invalid values by quoting them."""
    path = files_of(series / "a")[0]
    data = path.read_bytes()
    path.write_bytes(data.replace(b"20330401", f"{CANARY}"[:8].encode()))
    outcome = dds_viewer("deidentify", path, "--out", tmp_path / "out")
    assert outcome.code in (0, 1, 2)
    assert CANARY[:8] not in (outcome.out + outcome.err).replace(str(tmp_path), "").replace(series.name, "")
    assert CANARY not in caplog.text
    if outcome.code == 0:
        assert CANARY[:8].encode() not in everything_in(tmp_path / "out")


def test_a_sequence_without_end_is_refused(series: Path, tmp_path: Path) -> None:
    path = files_of(series / "a")[0]
    dataset = pydicom.dcmread(path)
    inner = Dataset()
    inner.ReferencedSOPInstanceUID = generate_uid()
    for _ in range(60):
        outer = Dataset()
        outer.PurposeOfReferenceCodeSequence = [inner]
        inner = outer
    dataset.SourceImageSequence = [inner]
    dataset.save_as(path)
    with pytest.raises(ExportError, match="cannot be read"):
        deidentify([path], tmp_path / "out")


def test_the_table_is_that_of_the_standard() -> None:
    """Some rows of PS3.15 table E.1-1, of every action."""
    rows = {
        0x00100010: Action.EMPTY,
        0x00100030: Action.EMPTY,
        0x00080080: Action.DUMMY,
        0x00081030: Action.REMOVE,
        0x00104000: Action.REMOVE,
        0x0020000D: Action.UID,
        0x00200052: Action.UID,
        0x00081140: Action.INSIDE,
        0x00080022: Action.EMPTY,
        0x00400275: Action.REMOVE,
    }
    assert {tag: actions()[tag] for tag in rows} == rows
    assert len(actions()) > 600


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="the program dciodvfy is not installed")
def test_a_valid_image_stays_valid(dds_viewer, tmp_path: Path) -> None:
    affine = np.diag([0.7, 1.3, 3.3, 1.0])
    volume = Volume(np.linspace(-900, 900, 3 * 8 * 9, dtype=np.float32).reshape(3, 8, 9), "HU", affine, slices=3)
    who = Identity(patient_name=f"{CANARY}^J", patient_id=CANARY, study_uid=UID, study_date="20330401", sex="F")
    paths = dicom_series.write(
        volume, tmp_path / "in.dcm", about=about_volume(volume, identity=who, keep_identity=True)
    )
    assert errors_of(paths[0]) == []
    for words in ((), ("--keep-dates-shifted",)):
        out = tmp_path / f"out{len(words)}"
        assert dds_viewer("deidentify", tmp_path / "in.dcm", "--out", out, *words).code == 0
        assert errors_of(files_of(out)[0]) == []
        assert CANARY.encode() not in everything_in(out)


def errors_of(path: Path) -> list[str]:
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, timeout=60, check=False)
    return [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]
