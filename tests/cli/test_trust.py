"""dds-viewer trust, as its users type it."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner, Result

from app.cli_trust import trust
from core.errors import JobError


def typed(*words: object) -> Result:
    return CliRunner().invoke(trust, [str(word) for word in words])


@pytest.fixture
def card(dds_viewer, scan_file: Path, prior_file: Path, tmp_path: Path) -> Path:
    """Of a DDS run of the MRI scan."""
    image = tmp_path / "image.npy"
    words = ("--prior", prior_file, "--nfe", 3, "--undersample", "gaussian1d:2:0.3", "--device", "cpu")
    outcome = dds_viewer("recon", scan_file, "--out", image, *words)
    assert outcome.code == 0, outcome.err
    return next(tmp_path.glob("image*.card.json"))


def test_maps_and_figures_are_written(card: Path, tmp_path: Path) -> None:
    out = tmp_path / "maps"
    result = typed(card, "--out", out, "--samples", 2)
    assert result.exit_code == 0, result.output
    report = json.loads((out / "trust.json").read_text())
    image = np.load(tmp_path / "image.npy")
    for name in ("support", "unseen", "seen", "difference", "mean", "uncertainty", "low", "high"):
        assert np.load(out / f"{name}.npy").shape == image.shape
        assert report["shows"][name].endswith(".")
    support = np.load(out / "support.npy")
    assert 0 <= np.nanmin(support) <= np.nanmax(support) <= 1
    assert report["residual"] in result.output
    assert report["verdict"] in ("consistent", "worse", "fits noise", "unknown")
    assert report["samples"] == 2
    assert "Research use only" in result.output
    assert "Research use only" in report["notice"]


def test_maps_of_ct_go_into_any_format(dds_viewer, tmp_path: Path, make_ct: Path) -> None:
    outcome = dds_viewer("recon", make_ct, "--out", tmp_path / "ct.npy", "--method", "fbp")
    assert outcome.code == 0, outcome.err
    result = typed(next(tmp_path.glob("ct*.card.json")), "--out", tmp_path / "maps", "--format", ".nii.gz")
    assert result.exit_code == 0, result.output
    support = nibabel.load(tmp_path / "maps" / "support.nii.gz").get_fdata()
    assert np.isnan(support).any()
    assert np.nanmax(support) <= 1
    assert not (tmp_path / "maps" / "uncertainty.nii.gz").exists()
    assert json.loads((tmp_path / "maps" / "trust.json").read_text())["noise_from"] == "photon count"


@pytest.fixture
def make_ct(dds_viewer, tmp_path: Path) -> Path:
    array = np.full((2, 24, 20), -1000, np.int16)
    array[:, 6:18, 5:15] = 40
    nibabel.save(nibabel.Nifti1Image(array.T, np.diag([2.0, 2.0, 3.0, 1.0])), tmp_path / "chest.nii.gz")
    words = ("--geometry", "parallel", "--views", 20, "--photons", "1e5")
    outcome = dds_viewer("simulate", tmp_path / "chest.nii.gz", "--out", tmp_path / "ct.h5", *words)
    assert outcome.code == 0, outcome.err
    return tmp_path / "ct.h5"


def test_what_cannot_be_judged_is_told(card: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert isinstance(typed(card, "--out", tmp_path / "file").exception, JobError)
    (tmp_path / "wrong.card.json").write_text("{}")
    assert isinstance(typed(tmp_path / "wrong.card.json", "--out", tmp_path / "maps").exception, JobError)
    assert typed(tmp_path / "none", "--out", tmp_path / "maps").exit_code == 2
    assert not (tmp_path / "maps").exists()
