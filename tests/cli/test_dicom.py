"""recon and rerun write DICOM and NRRD: the modality of the scan, its place, CT in HU."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest

from core.formats.volumes import open_volume

CPU = ("--device", "cpu")


@pytest.fixture
def ct_scan(dds_viewer, tmp_path: Path) -> Path:
    z, y, x = np.mgrid[:3, -1:1:40j, -1:1:48j]
    hu = np.where((x / 0.8) ** 2 + (y / 0.7) ** 2 < 1, 40.0 - 20 * z, -1000.0)
    hu[(x - 0.4) ** 2 + (y + 0.3) ** 2 < 0.02] = 800
    affine = np.diag([-2.0, -2.0, 5.0, 1.0])
    affine[:3, 3] = (50, 40, -30)
    nibabel.save(nibabel.Nifti1Image(hu.transpose(2, 1, 0).astype(np.float32), affine), tmp_path / "body.nii.gz")
    words = ("--geometry", "parallel", "--views", "36", "--out", tmp_path / "scan.h5")
    assert dds_viewer("simulate", tmp_path / "body.nii.gz", *words).code == 0
    return tmp_path / "scan.h5"


def test_mri(dds_viewer, scan_file: Path, tmp_path: Path) -> None:
    for name in ("x.dcm", "x.npy"):
        outcome = dds_viewer("recon", scan_file, "--out", tmp_path / name, "--method", "zero-filled", *CPU)
        assert outcome.code == 0, outcome.err
    dataset = pydicom.dcmread(tmp_path / "x.dcm" / "0001.dcm")
    # BART's files tell no position, so nothing may be made up.
    assert (dataset.Modality, dataset.SOPClassUID.name) == ("MR", "Secondary Capture Image Storage")
    assert "SyntheticData" not in dataset
    expected = abs(np.load(tmp_path / "x.npy"))
    assert np.abs(open_volume(tmp_path / "x.dcm").volume.array - expected).max() < expected.max() / 65535
    assert (tmp_path / "x.card.json").is_file()
    for path in (tmp_path / "x.dcm").iterdir():
        assert str(tmp_path).encode() not in path.read_bytes()


def test_ct_is_in_hu_without_asking(dds_viewer, ct_scan: Path, tmp_path: Path) -> None:
    for name, words in (("x.dcm", ()), ("x.nrrd", ("--hu",)), ("mu.npy", ())):
        outcome = dds_viewer("recon", ct_scan, "--out", tmp_path / name, "--method", "fbp", *CPU, *words)
        assert outcome.code == 0, outcome.err
    series, other = open_volume(tmp_path / "x.dcm").volume, open_volume(tmp_path / "x.nrrd").volume
    assert series.unit == "HU"
    assert np.allclose(series.affine, other.affine, atol=1e-6)
    assert np.abs(series.array - other.array).max() <= 0.5
    assert np.load(tmp_path / "mu.npy").max() < 0.1
    dataset = pydicom.dcmread(tmp_path / "x.dcm" / "0001.dcm")
    assert dataset.SOPClassUID.name == "CT Image Storage"
    assert "Simulated" in dataset.ImageComments


def test_rerun_tells_the_same(dds_viewer, ct_scan: Path, tmp_path: Path) -> None:
    words = ("--method", "fbp", *CPU)
    assert dds_viewer("recon", ct_scan, "--out", tmp_path / "x.dcm", *words).code == 0
    outcome = dds_viewer("rerun", tmp_path / "x.card.json", "--out", tmp_path / "y.dcm")
    assert outcome.code == 0, outcome.err
    first, second = (pydicom.dcmread(tmp_path / name / "0002.dcm") for name in ("x.dcm", "y.dcm"))
    assert first.PixelData == second.PixelData
    assert first.ImageComments == second.ImageComments


def test_a_folder_of_others_is_refused_before_anything_is_computed(dds_viewer, scan_file: Path, tmp_path: Path) -> None:
    (tmp_path / "x.dcm").mkdir()
    (tmp_path / "x.dcm" / "mine.txt").write_text("mine")
    outcome = dds_viewer("recon", scan_file, "--out", tmp_path / "x.dcm", "--method", "zero-filled", *CPU)
    assert outcome.code != 0
    assert "there already" in outcome.err
    assert [path.name for path in (tmp_path / "x.dcm").iterdir()] == ["mine.txt"]
