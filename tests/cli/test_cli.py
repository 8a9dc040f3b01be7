"""The command line, as its users type it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

FAST = ("--nfe", "3", "--cg-steps", "2", "--device", "cpu")


def left_behind(folder: Path, before: set[Path]) -> set[str]:
    return {path.name for path in set(folder.iterdir()) - before}


def test_recon_writes_a_complex_image_a_card_and_a_report(
    dds_viewer, scan_file: Path, prior_file: Path, tmp_path: Path
) -> None:
    out, report = tmp_path / "x.npy", tmp_path / "r.json"
    words = ("--undersample", "gaussian1d:2:0.25:1", "--report", report, "--prior", prior_file, *FAST)
    outcome = dds_viewer("recon", scan_file, "--out", out, *words)
    assert outcome.code == 0, outcome.err
    image = np.load(out)
    assert image.shape == (2, 40, 32)
    assert image.dtype == np.complex64
    figures = json.loads(report.read_text())
    assert figures["method"] == "dds"
    assert figures["nfe"] == 3
    assert {"seconds", "residual", "psnr", "ssim", "nrmse", "data_range", "settings"} <= figures.keys()
    card = json.loads((tmp_path / "x.card.json").read_text())
    assert card["inputs"].keys() == {"scan", "prior"}
    assert "Research use only" in outcome.out


def test_samples_with_their_spread_a_preset_and_the_noise_rule(
    dds_viewer, scan_file: Path, prior_file: Path, tmp_path: Path
) -> None:
    out, spread, report = tmp_path / "x.npy", tmp_path / "x.spread.nii.gz", tmp_path / "r.json"
    words = ("--preset", "best", "--samples", "2", "--gamma-rule", "noise", "--spread", spread, "--report", report)
    outcome = dds_viewer("recon", scan_file, "--out", out, "--prior", prior_file, *words, *FAST)
    assert outcome.code == 0, outcome.err
    figures = json.loads(report.read_text())
    assert figures["samples"] == 2
    assert figures["settings"]["gamma"] == 1
    assert figures["settings"]["nfe"] == 3
    assert figures["lam"] is None
    assert 0 < figures["sigma_y"] < 1
    assert figures["precision"] in ("float32", "bfloat16")
    deviation = nibabel.load(spread).get_fdata()
    assert deviation.shape == (32, 40, 2)
    assert figures["spread"]["median"] == pytest.approx(
        np.median(deviation.T[abs(np.load(out)) > 0.1 * np.percentile(abs(np.load(out)), 99.5)])
    )
    again = dds_viewer("rerun", tmp_path / "x.card.json", "--out", tmp_path / "y.npy", "--spread", tmp_path / "y.s.npy")
    assert again.code == 0, again.err
    assert np.array_equal(np.load(tmp_path / "y.npy"), np.load(out))
    assert np.array_equal(np.load(tmp_path / "y.s.npy"), deviation.T.astype(np.float32))


def test_a_prior_that_does_not_suit_the_scan_is_said_everywhere(
    dds_viewer, scan_file: Path, prior_file: Path, tmp_path: Path
) -> None:
    card = json.loads(prior_file.with_suffix(".json").read_text())
    beside = prior_file.with_suffix(".json")
    beside.write_text(json.dumps({**card, "modality": "MR", "anatomy": "knee", "image_size": 320}))
    words = ("--prior", prior_file, "--report", tmp_path / "r.json", *FAST)
    outcome = dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", *words)
    assert outcome.code == 0, outcome.err
    figures = json.loads((tmp_path / "r.json").read_text())
    (warning,) = [w for w in figures["warnings"] if "320 x 320" in w]
    assert f"Warning: {warning}" in outcome.err
    assert warning in json.loads((tmp_path / "x.card.json").read_text())["outcome"]["warnings"]
    (note,) = figures["notes"]
    assert f"Note: {note}" in outcome.err
    beside.write_text(json.dumps({**card, "modality": "CT"}))
    refused = dds_viewer("recon", scan_file, "--out", tmp_path / "y.npy", "--prior", prior_file, *FAST)
    assert refused.code == 2
    assert "does not fit" in refused.err
    assert not (tmp_path / "y.npy").exists()


def test_the_weight_of_a_classical_method_is_reported(dds_viewer, scan_file: Path, tmp_path: Path) -> None:
    def image(lam: float) -> np.ndarray:
        words = ("--method", "cg-sense", "--lam", lam, "--report", tmp_path / "r.json")
        assert dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", *words).code == 0
        assert json.loads((tmp_path / "r.json").read_text())["lam"] == lam
        return np.load(tmp_path / "x.npy")

    assert np.linalg.norm(image(1.0)) < 0.9 * np.linalg.norm(image(1e-3))


def test_rerun_makes_the_same_bits(dds_viewer, scan_file: Path, prior_file: Path, tmp_path: Path) -> None:
    out, again = tmp_path / "x.npy", tmp_path / "again.npy"
    assert dds_viewer("recon", scan_file, "--out", out, "--prior", prior_file, *FAST).code == 0
    outcome = dds_viewer("rerun", tmp_path / "x.card.json", "--out", again)
    assert outcome.code == 0, outcome.err
    assert np.array_equal(np.load(out), np.load(again))
    assert "differ" not in outcome.err


def test_rerun_says_when_the_scan_has_changed(dds_viewer, scan_file: Path, tmp_path: Path) -> None:
    dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", "--method", "zero-filled")
    scan_file.write_bytes((np.fromfile(scan_file, np.complex64) * 2).tobytes())
    outcome = dds_viewer("rerun", tmp_path / "x.card.json", "--out", tmp_path / "y.npy")
    assert outcome.code == 0
    assert "input scan" in outcome.err


@pytest.mark.parametrize("method", ["cg-sense", "zero-filled"])
@pytest.mark.parametrize("ending", ["nii.gz", "png"])
def test_classical_methods_and_other_formats(
    dds_viewer, scan_file: Path, tmp_path: Path, method: str, ending: str
) -> None:
    out = tmp_path / f"x.{ending}"
    assert dds_viewer("recon", scan_file, "--out", out, "--method", method).code == 0
    assert out.stat().st_size > 100
    if ending == "nii.gz":
        assert nibabel.load(out).shape == (32, 40, 2)


def test_slices(dds_viewer, scan_file: Path, tmp_path: Path) -> None:
    dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", "--method", "cg-sense", "--slices", "1:2")
    assert np.load(tmp_path / "x.npy").shape == (1, 40, 32)


def test_info(dds_viewer, scan_file: Path) -> None:
    plain = dds_viewer("info", scan_file)
    assert plain.code == 0
    assert "40" in plain.out
    found = json.loads(dds_viewer("info", scan_file, "--json").out)
    assert found["coils"] == 4
    assert found["acceleration"] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("info", "nothing.h5"),
        ("recon", "nothing.h5", "--out", "x.npy"),
        ("recon", "SCAN", "--out", "x.doc"),
        ("recon", "SCAN", "--out", "nowhere/x.npy"),
        ("recon", "SCAN", "--out", "x.npy", "--report", "nowhere/r.json"),
        ("recon", "SCAN", "--out", "x.npy", "--nfe", "1"),
        ("recon", "SCAN", "--out", "x.npy", "--nfe", "many"),
        ("recon", "SCAN", "--out", "x.npy", "--eta", "2"),
        ("recon", "SCAN", "--out", "x.npy", "--slices", "a"),
        ("recon", "SCAN", "--out", "x.npy", "--slices", "5:9"),
        ("recon", "SCAN", "--out", "x.npy", "--undersample", "what:4"),
        ("recon", "SCAN", "--out", "x.npy", "--method", "cg-sense", "--undersample", "equispaced1d:4:0"),
        ("recon", "SCAN", "--out", "x.npy", "--prior", "nobody"),
        ("recon", "SCAN", "--out", "x.npy", "--preset", "paper"),
        ("recon", "SCAN", "--out", "x.npy", "--samples", "0"),
        ("recon", "SCAN", "--out", "x.npy", "--spread", "s.npy"),
        ("recon", "SCAN", "--out", "x.npy", "--spread", "s.doc", "--samples", "2"),
        ("recon", "SCAN", "--out", "x.npy", "--spread", "nowhere/s.npy", "--samples", "2"),
        ("recon", "SCAN", "--out", "x.npy", "--spread", "s.npy", "--samples", "2", "--method", "tv"),
        ("recon", "SCAN"),
        ("rerun", "SCAN", "--out", "x.npy"),
        ("prior", "info", "nobody"),
        ("train", "--out", "x"),
        ("demo", "pet"),
    ],
)
def test_bad_input_is_answered_in_words_and_leaves_nothing(
    dds_viewer, scan_file: Path, tmp_path: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    outcome = dds_viewer(*(str(scan_file) if word == "SCAN" else word for word in words))
    assert outcome.code == 2
    assert len(outcome.err.strip()) > 20
    assert "Traceback" not in outcome.err
    assert not left_behind(tmp_path, before)


def test_an_older_result_survives_a_failure(dds_viewer, scan_file: Path, tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(b"older")
    assert dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", "--prior", "nobody").code == 2
    assert (tmp_path / "x.npy").read_bytes() == b"older"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for child processes")
def test_an_interrupt_ends_with_130_and_writes_nothing(scan_file: Path, prior_file: Path, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    command = [sys.executable, "-m", "app", "recon", str(scan_file), "--out", str(tmp_path / "x.npy")]
    options = ["--prior", str(prior_file), "--nfe", "1000", "--device", "cpu"]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        seen = b""
        while b"Reconstructing" not in seen:
            chunk = process.stderr.read1(4096)
            assert chunk, seen
            seen += chunk
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert b"Nothing was written" in err
    assert not left_behind(tmp_path, before)


def test_priors_are_listed_with_their_place(dds_viewer, prior_file: Path) -> None:
    listed = dds_viewer("prior", "list")
    assert listed.code == 0
    assert "mri-small" in listed.out
    card = json.loads(dds_viewer("prior", "info", "--json", prior_file).out)
    assert card["name"] == "tiny"
    assert len(card["sha256"]) == 64


def test_doctor_finds_this_machine_fit(dds_viewer) -> None:
    outcome = dds_viewer("doctor")
    assert outcome.code == 0, outcome.out
    assert "FAIL" not in outcome.out


def test_help_names_every_setting(dds_viewer) -> None:
    outcome = dds_viewer("recon", "--help")
    assert outcome.code == 0
    for option in (
        "--nfe",
        "--eta",
        "--cg-steps",
        "--gamma",
        "--t-start",
        "--seed",
        "--undersample",
        "--axes",
        "--preset",
    ):
        assert option in outcome.out


def test_train_makes_a_prior_that_reconstructs(dds_viewer, scan_file: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.json"
    source = {"kind": "volume", "path": "volume.npy"}
    np.save(tmp_path / "volume.npy", np.random.default_rng(0).random((24, 64, 64), dtype=np.float32))
    small = {"widths": [16, 16], "blocks": [1, 1], "crop": 32, "batch": 2, "precision": "fp32"}
    recipe.write_text(json.dumps({"name": "own", "sources": [source], "steps": 3, **small}))
    made = dds_viewer("train", "--recipe", recipe, "--out", tmp_path / "made")
    assert made.code == 0, made.err
    prior = tmp_path / "made" / "own.safetensors"
    assert prior.is_file()
    assert json.loads(dds_viewer("prior", "info", "--json", prior).out)["name"] == "own"
    outcome = dds_viewer("recon", scan_file, "--out", tmp_path / "x.npy", "--prior", prior, *FAST)
    assert outcome.code == 0, outcome.err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
@pytest.mark.parametrize("words", [(), ("demo",), ("scan.h5",)])
def test_without_a_display_the_window_is_refused_in_words(dds_viewer, words, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    outcome = dds_viewer(*words)
    assert outcome.code == 2
    assert "no display" in outcome.err
