"""References and masks on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

QUICK = ("--method", "zero-filled", "--device", "cpu")
UNDERSAMPLED = ("--undersample", "gaussian1d:2:0.25:1")


@pytest.fixture
def truth(dds_viewer, scan_file: Path, tmp_path: Path) -> Path:
    """The image of all that was measured, magnitude (2, 40, 32)."""
    outcome = dds_viewer("recon", scan_file, "--out", tmp_path / "truth.npy", *QUICK)
    assert outcome.code == 0, outcome.err
    np.save(tmp_path / "truth.npy", abs(np.load(tmp_path / "truth.npy")))
    return tmp_path / "truth.npy"


def test_a_reference_and_a_mask_make_the_figures_of_the_report(
    dds_viewer, scan_file: Path, truth: Path, tmp_path: Path
) -> None:
    mask = np.zeros((2, 40, 32), dtype=np.float32)
    mask[:, 10:30, 8:20] = 1
    np.save(tmp_path / "mask.npy", mask)
    out, report = tmp_path / "x.npy", tmp_path / "r.json"
    words = ("--reference", truth, "--mask", tmp_path / "mask.npy", "--report", report)
    outcome = dds_viewer("recon", scan_file, "--out", out, *words, *QUICK, *UNDERSAMPLED)
    assert outcome.code == 0, outcome.err
    figures = json.loads(report.read_text())
    ours, theirs = abs(np.load(out))[mask > 0], np.load(truth)[mask > 0]
    assert figures["nrmse"] == pytest.approx(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs), rel=1e-5)
    assert figures["data_range"] == pytest.approx(theirs.max())
    assert {"psnr", "ssim", "hfen"} <= figures.keys()
    assert figures["reference"]["mask"] == "mask.npy"
    assert "psnr" in outcome.out
    assert "hfen" in outcome.out


def test_rerun_compares_again_and_says_where_it_cannot(
    dds_viewer, scan_file: Path, truth: Path, tmp_path: Path
) -> None:
    dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", "--reference", truth, *QUICK, *UNDERSAMPLED)
    again = dds_viewer("rerun", tmp_path / "x.card.json", "--out", tmp_path / "y.npy")
    assert again.code == 0, again.err
    cards = [json.loads((tmp_path / f"{name}.card.json").read_text()) for name in "xy"]
    assert cards[0]["outcome"]["metrics"] == cards[1]["outcome"]["metrics"]
    assert "Note" not in again.err
    np.save(truth, 2 * np.load(truth))
    assert "The figures may differ" in dds_viewer("rerun", tmp_path / "x.card.json", "--out", tmp_path / "y.npy").err
    truth.unlink()
    without = dds_viewer("rerun", tmp_path / "x.card.json", "--out", tmp_path / "z.npy")
    assert without.code == 0, without.err
    assert "no reference truth.npy. Nothing is compared" in without.err
    assert np.array_equal(np.load(tmp_path / "z.npy"), np.load(tmp_path / "x.npy"))


def test_bad_references_are_refused_and_nothing_is_written(
    dds_viewer, scan_file: Path, truth: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "small.npy", np.load(truth)[:, :39])
    np.save(tmp_path / "empty.npy", np.zeros((2, 40, 32), dtype=np.float32))
    nibabel.save(nibabel.Nifti1Image(np.ones((9, 9, 9), dtype=np.float32), np.eye(4)), tmp_path / "other.nii")
    cases = (
        (("--reference", tmp_path / "gone.npy"), "no reference gone.npy"),
        (("--reference", tmp_path / "small.npy"), "32 x 39 x 2 voxels, the image 32 x 40 x 2"),
        (("--reference", tmp_path / "other.nii", "--resample"), "cannot be resampled"),
        (("--reference", truth, "--mask", tmp_path / "empty.npy"), "mask empty.npy is empty"),
        (("--mask", truth), "nothing to compare with"),
    )
    for words, said in cases:
        outcome = dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", *words, *QUICK)
        assert outcome.code != 0
        assert said in outcome.err
        assert not (tmp_path / "x.npy").exists()


def test_the_cells_of_a_sweep_are_compared_within_the_mask(
    dds_viewer, scan_file: Path, truth: Path, tmp_path: Path
) -> None:
    mask = np.zeros((2, 40, 32), dtype=np.float32)
    mask[0, 12:20, 12:20] = 1
    np.save(tmp_path / "mask.npy", mask)
    settings = tmp_path / "s.yaml"
    settings.write_text("method: cg-sense\ndevice: cpu\nreference: truth.npy\nmask: mask.npy\n")
    words = ("--settings", settings, "--vary", "lam=0.001,0.1", *UNDERSAMPLED)
    outcome = dds_viewer("sweep", scan_file, "--out", tmp_path / "s", *words)
    assert outcome.code == 0, outcome.err
    cells = json.loads((tmp_path / "s" / "sweep.json").read_text())["cells"]
    assert [cell["reference"] for cell in cells] == ["truth.npy, inside mask.npy"] * 2
    assert cells[0]["hfen"] > 0
    whole = dds_viewer(
        "sweep", scan_file, "--out", tmp_path / "t", *words[2:], "--method", "cg-sense", "--reference", truth
    )
    assert whole.code == 0, whole.err
    others = json.loads((tmp_path / "t" / "sweep.json").read_text())["cells"]
    assert others[0]["nrmse"] != pytest.approx(cells[0]["nrmse"], rel=1e-3)
    assert others[0]["digest"] != cells[0]["digest"]
