"""dds-viewer simulate, as its users type it."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from core.formats import open_scan
from core.geometry import ConeBeam, FanBeam, ParallelBeam
from core.scan import KSpace, Projections


@pytest.fixture
def chest(tmp_path: Path) -> Path:
    """A NIfTI volume in HU, 4 slices of 24 x 20, stored towards the right and the front."""
    array = np.full((4, 24, 20), -1000, np.int16)
    array[:, 6:18, 5:15] = 40
    array[2:, 8:10, 6:8] = 700
    affine = np.diag([-2.0, 2.0, 3.0, 1.0])
    affine[:3, 3] = 20, -20, 5
    nibabel.save(nibabel.Nifti1Image(array.T, affine), tmp_path / "chest.nii.gz")
    return tmp_path / "chest.nii.gz"


@pytest.mark.parametrize(("name", "kind"), [("parallel", ParallelBeam), ("fan", FanBeam), ("cone", ConeBeam)])
def test_a_ct_scan_of_every_geometry(dds_viewer, chest: Path, tmp_path: Path, name: str, kind: type) -> None:
    out = tmp_path / "scan.h5"
    words = ("--geometry", name, "--views", 12, "--photons", "1e5", "--slices", "1:4", "--seed", 7)
    outcome = dds_viewer("simulate", chest, "--out", out, *words)
    assert outcome.code == 0, outcome.err
    scan = open_scan(out)
    assert isinstance(scan, Projections)
    assert isinstance(scan.geometry, kind)
    assert scan.views == 12
    assert scan.picture_shape == (3, 24, 20)
    assert scan.simulated
    assert scan.hounsfield
    assert scan.photons == 1e5
    assert "Simulated" in outcome.out
    assert "Taken as Hounsfield units" in outcome.out
    assert "Rows are stored towards A" in outcome.out
    assert "Research use only" in outcome.out


def test_size_detector_arc_and_distances(dds_viewer, chest: Path, tmp_path: Path) -> None:
    out = tmp_path / "scan.h5"
    words = ("--geometry", "fan", "--views", 5, "--size", 16, "--detector", 50, "--arc", 90)
    outcome = dds_viewer("simulate", chest, "--out", out, *words, "--source", 300, "--detector-distance", 200)
    assert outcome.code == 0, outcome.err
    scan = open_scan(out)
    assert scan.picture_shape == (4, 16, 16)
    assert scan.columns == 50
    assert (scan.geometry.source_mm, scan.geometry.detector_mm) == (300, 200)
    np.testing.assert_allclose(np.degrees(scan.geometry.angles), [0, 18, 36, 54, 72])
    assert scan.photons is None


def test_an_mri_scan(dds_viewer, chest: Path, tmp_path: Path) -> None:
    out = tmp_path / "mri.h5"
    words = ("--coils", 4, "--undersample", "gaussian1d:2:6:1", "--noise", "0.01", "--size", 16)
    outcome = dds_viewer("simulate", chest, "--out", out, *words)
    assert outcome.code == 0, outcome.err
    scan = open_scan(out)
    assert isinstance(scan, KSpace)
    assert scan.coils == 4
    assert scan.simulated
    assert scan.acceleration == pytest.approx(2)
    assert scan.matrix == (1, 16, 16)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--views", 0),
        ("--views", 8, "--geometry", "helix"),
        ("--views", 8, "--noise", 0.1),
        ("--coils", 4, "--photons", 1e5),
        ("--coils", 4, "--undersample", "poisson2d:4"),
        ("--views", 8, "--slices", "9:12"),
        ("--views", 8, "--slices", "x"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(dds_viewer, chest: Path, tmp_path: Path, words: tuple) -> None:
    out = tmp_path / "scan.h5"
    outcome = dds_viewer("simulate", chest, "--out", out, *words)
    assert outcome.code == 2
    assert outcome.err.startswith("dds-viewer: ")
    assert "Traceback" not in outcome.err
    assert {p.name for p in tmp_path.iterdir()} == {"chest.nii.gz"}


def test_bad_files_and_places(dds_viewer, chest: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.nii").write_bytes(b"no volume")
    for words in (
        (tmp_path / "absent.nii", "--out", tmp_path / "a.h5"),
        (tmp_path / "broken.nii", "--out", tmp_path / "a.h5"),
        (tmp_path / "nowhere", "--out", tmp_path / "a.h5"),
        (chest, "--out", tmp_path / "no" / "a.h5"),
        (chest, "--out", tmp_path / "a.nii"),
    ):
        outcome = dds_viewer("simulate", *words, "--views", 4)
        assert outcome.code == 2, words
        assert outcome.err.startswith("dds-viewer: ")
    assert {p.name for p in tmp_path.iterdir()} == {"chest.nii.gz", "broken.nii"}
