"""CT on the command line: from a volume to a simulated scan, to an image, and back to where it was."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.diffusion.small_unet import SmallUNet
from core.priors.card import ModelCard
from core.priors.checkpoint import sha256_of

FAST = ("--nfe", "3", "--cg-steps", "2", "--device", "cpu")
MU_WATER = 0.01928


@pytest.fixture
def volume_file(tmp_path: Path) -> Path:
    """A CT volume in HU, 3 slices of 40 x 48 at 2 mm, bright towards the patient's left front, darker to the feet."""
    z, y, x = np.mgrid[:3, -1:1:40j, -1:1:48j]
    hu = np.where((x / 0.8) ** 2 + (y / 0.7) ** 2 < 1, 40.0 - 20 * z, -1000.0)
    hu[(x - 0.4) ** 2 + (y + 0.3) ** 2 < 0.02] = 800
    affine = np.diag([-2.0, -2.0, 5.0, 1.0])
    affine[:3, 3] = (50, 40, -30)
    nibabel.save(nibabel.Nifti1Image(hu.transpose(2, 1, 0).astype(np.float32), affine), tmp_path / "body.nii.gz")
    return tmp_path / "body.nii.gz"


@pytest.fixture
def scan(dds_viewer, volume_file: Path, tmp_path: Path) -> Path:
    words = ("--geometry", "parallel", "--views", "36", "--photons", "1e5", "--out", tmp_path / "scan.h5")
    outcome = dds_viewer("simulate", volume_file, *words)
    assert outcome.code == 0, outcome.err
    return tmp_path / "scan.h5"


@pytest.fixture
def ct_prior(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    config = {"channels": 1, "widths": [16, 16], "blocks": 1, "time_width": 16}
    path = tmp_path / "tiny.safetensors"
    save_file(SmallUNet(**config).state_dict(), path)
    card = ModelCard("tiny", "small", config, 1, parametrization="v", modality="CT", scale_percentile=0.0)
    card = card.with_changes(sha256=sha256_of(path))
    path.with_suffix(".json").write_text(card.to_json())
    return path


def test_from_volume_to_scan_to_volume(dds_viewer, scan: Path, volume_file: Path, tmp_path: Path) -> None:
    """FBP of the simulated scan lies on the volume, voxel for voxel."""
    told = json.loads(dds_viewer("info", scan, "--json").out)
    assert told["simulated"]
    outcome = dds_viewer("recon", scan, "--out", tmp_path / "x.nii.gz", "--method", "tv", "--hu", "--device", "cpu")
    assert outcome.code == 0, outcome.err
    assert "Simulated scan" in outcome.err
    before, after = nibabel.load(volume_file), nibabel.load(tmp_path / "x.nii.gz")
    assert after.header["descrip"].tobytes().startswith(b"Research use only")
    image, truth = after.get_fdata(), before.get_fdata()
    # The same patient point has the same value, whichever way the file stores it.
    voxels = np.stack(np.meshgrid(*(np.arange(n) for n in truth.shape), indexing="ij"), -1).reshape(-1, 3)
    places = nibabel.affines.apply_affine(np.linalg.inv(after.affine) @ before.affine, voxels)
    assert np.allclose(places, places.round(), atol=1e-3)
    found = image[tuple(places.round().astype(int).T)].reshape(truth.shape)
    inside = truth > -900
    assert np.abs(found - truth)[inside].mean() < 60
    assert found[truth > 500].mean() > 600


def test_numbers_are_attenuations_unless_hu_are_asked_for(dds_viewer, scan: Path, tmp_path: Path) -> None:
    for words, name in (((), "mu.npy"), (("--hu",), "hu.npy")):
        outcome = dds_viewer("recon", scan, "--out", tmp_path / name, "--method", "fbp", "--device", "cpu", *words)
        assert outcome.code == 0, outcome.err
    mu, hu = np.load(tmp_path / "mu.npy"), np.load(tmp_path / "hu.npy")
    assert mu.dtype == hu.dtype == np.float32
    assert mu.shape == (3, 40, 48)
    assert np.allclose(hu, 1000 * (mu / MU_WATER - 1), atol=0.05)


def test_dds_with_every_option_and_again_from_its_card(dds_viewer, scan: Path, ct_prior: Path, tmp_path: Path) -> None:
    tie = ("--rho", "0.5", "--lam", "0.01", "--admm-steps", "2", "--along", "volume", "--weight", "photons")
    cut = ("--arc", "0:120", "--views", "12", "--center", "47.4", "--size", "32", "--slices", "0:2")
    report = ("--report", tmp_path / "r.json", "--samples", "2", "--spread", tmp_path / "s.npy")
    words = ("--prior", ct_prior, *FAST, *tie, *cut, *report)
    outcome = dds_viewer("recon", scan, "--out", tmp_path / "x.npy", *words)
    assert outcome.code == 0, outcome.err
    figures = json.loads((tmp_path / "r.json").read_text())
    assert figures["lam"] == 0.01
    assert {"psnr", "ssim", "nrmse", "data_range"} <= figures.keys()
    assert np.load(tmp_path / "x.npy").shape == np.load(tmp_path / "s.npy").shape == (2, 32, 32)
    card = json.loads((tmp_path / "x.card.json").read_text())
    assert card["job"]["source"]["undersample"] == "arc:0:120+views:12"
    again = dds_viewer("rerun", tmp_path / "x.card.json", "--out", tmp_path / "y.npy")
    assert again.code == 0, again.err
    assert (tmp_path / "y.npy").read_bytes() == (tmp_path / "x.npy").read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--method", "cg-sense"), "does not fit this scan"),
        (("--method", "fdk"), "does not fit this scan"),
        (("--method", "fbp", "--center", "900"), "outside"),
        (("--method", "fbp", "--views", "400"), "36 views"),
        (("--method", "fbp", "--arc", "east"), "arc"),
        (("--method", "fbp", "--keep-views", "0:9"), "FIRST:END:STEP"),
        (("--method", "fbp", "--undersample", "gaussian1d:4"), "every:N"),
        (("--method", "fbp", "--slices", "2:5"), "no slices 2:5"),
        (("--prior", "mri-small"), "does not fit this scan"),
    ],
)
def test_what_cannot_be_done_is_said(dds_viewer, scan: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    outcome = dds_viewer("recon", scan, "--out", tmp_path / "x.npy", "--device", "cpu", *words)
    assert outcome.code == 2
    assert said in outcome.err
    assert not (tmp_path / "x.npy").exists()


def test_hu_are_refused_where_there_are_none(dds_viewer, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.linspace(-1, 1, 40)
    sinogram = np.sqrt(np.maximum(0.5 - y**2, 0)) + 0.001 * rng.standard_normal((2, 30, 40))
    np.savez(tmp_path / "scan.npz", sinogram=sinogram.astype(np.float32), angles=np.linspace(0, np.pi, 30, False))
    words = ("--axes", "sinogram:row,view,column", "--method", "fbp", "--device", "cpu")
    outcome = dds_viewer("recon", tmp_path / "scan.npz", "--out", tmp_path / "x.npy", *words)
    assert outcome.code == 0, outcome.err
    outcome = dds_viewer("recon", tmp_path / "scan.npz", "--out", tmp_path / "y.npy", "--hu", *words)
    assert outcome.code == 2
    assert "Hounsfield" in outcome.err
