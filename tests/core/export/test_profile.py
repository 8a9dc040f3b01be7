"""What our own DICOM writers write, against the Basic Profile's list: nothing of the patient is among it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from core.export import dicom_map, dicom_series
from core.export.deidentify_profile import Action, actions, removed_as_a_group
from core.export.dicom_about import about_volume
from core.export.dicom_headers import PRIVATE_GROUP
from core.formats.identity import Identity

WHO = Identity(
    patient_name="Zzcanaryzz^Jane",
    patient_id="Z-4711",
    birth_date="19330303",
    sex="F",
    study_uid="1.2.826.0.1.3680043.777777.1",
    study_id="Z9",
    study_date="20330401",
    study_time="101112",
    study_description="zzcanaryzz again",
    accession_number="ZACC",
    referring_physician="Zhouse^Greg",
    series_uid="1.2.826.0.1.3680043.777777.2",
    frame_of_reference_uid="1.2.826.0.1.3680043.777777.3",
)
OURS = ("SeriesDescription", "DerivationDescription", "ContributionDescription", "ImageComments")
"""Listed to be removed, and written by this program about its own work."""
MADE_UP = ("Anonymous", "19000101", "000000", "none")


@pytest.fixture(params=["series", "secondary capture", "map", "map of a series"])
def made(request: pytest.FixtureRequest, build, tmp_path: Path) -> Path:
    volume = build(affine=None) if request.param == "secondary capture" else build()
    about = about_volume(volume, identity=WHO, anatomy="HEAD")
    if request.param == "map":
        return dicom_map.write(volume, tmp_path / "m.dcm", about=about, shows=dicom_map.SPREAD)[0]
    paths = dicom_series.write(volume, tmp_path / "x.dcm", about=about)
    if request.param == "map of a series":
        return dicom_map.write(volume, tmp_path / "m.dcm", about=about, shows=dicom_map.SPREAD, sources=paths)[0]
    return paths[0]


def leaves(dataset: Dataset) -> Iterator[pydicom.DataElement]:
    for element in dataset:
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from leaves(item)


def test_every_listed_attribute_is_empty_new_or_ours(made: Path) -> None:
    listed = 0
    for element in leaves(pydicom.dcmread(made)):
        action = actions().get(int(element.tag))
        if removed_as_a_group(int(element.tag)):
            assert element.tag.group == PRIVATE_GROUP, element
        if action is None:
            continue
        listed += 1
        if action is Action.REMOVE:
            assert element.keyword in OURS, element
        elif action is Action.UID:
            assert not str(element.value).startswith("1.2.826.0.1.3680043.777777"), element
        elif element.VR != "SQ":
            assert str(element.value) in ("", *MADE_UP) or str(element.value).startswith("DDS-"), element
    assert listed > 10


def test_it_says_so_as_the_profile_asks(made: Path) -> None:
    dataset = pydicom.dcmread(made)
    assert dataset.PatientIdentityRemoved == "YES"
    assert dataset.LongitudinalTemporalInformationModified == "REMOVED"
    codes = [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113111"]
    dates = [e for e in leaves(dataset) if e.VR in ("DA", "TM", "DT") and e.value]
    assert [str(e.value) for e in dates if str(e.value) not in MADE_UP] == []


def test_with_the_identity_it_claims_nothing(build, tmp_path: Path) -> None:
    volume = build()
    about = about_volume(volume, identity=WHO, keep_identity=True)
    dataset = pydicom.dcmread(dicom_series.write(volume, tmp_path / "x.dcm", about=about)[0])
    assert dataset.PatientIdentityRemoved == "NO"
    assert "DeidentificationMethodCodeSequence" not in dataset
    mapped = pydicom.dcmread(dicom_map.write(volume, tmp_path / "m.dcm", about=about, shows=dicom_map.SPREAD)[0])
    assert mapped.ContentDate not in ("", "19000101")


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="the program dciodvfy is not installed")
def test_it_is_valid(made: Path) -> None:
    done = subprocess.run(["dciodvfy", str(made)], capture_output=True, text=True, timeout=60, check=False)
    assert [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")] == []
