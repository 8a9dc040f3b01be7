"""dds-viewer sweep, as its users type it."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

FAST = ("--nfe", "2", "--cg-steps", "1", "--device", "cpu", "--undersample", "gaussian1d:2:0.25:0")


@pytest.fixture
def sweep(
    dds_viewer: Callable[..., object], scan_file: Path, prior_file: Path, tmp_path: Path
) -> Callable[..., object]:
    def call(*words: object) -> object:
        return dds_viewer("sweep", scan_file, "--prior", prior_file, "--out", tmp_path / "s", *FAST, *words)

    return call


def test_a_grid_its_table_and_its_sheet(sweep, tmp_path: Path) -> None:
    outcome = sweep("--vary", "nfe=2:4:1", "--vary", "cg-steps=1,2", "--keep-images")
    assert outcome.code == 0, outcome.err
    assert "6 of 6 cells. Research use only." in outcome.out
    assert "nfe 3, cg_steps 2: residual" in outcome.err
    with (tmp_path / "s" / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(r["nfe"], r["cg_steps"]) for r in rows] == [(n, c) for n in "234" for c in "12"]
    assert all(float(r["psnr"]) > 0 and float(r["data_range"]) > 0 for r in rows)
    assert "True" in {r["pareto"] for r in rows}
    told = json.loads((tmp_path / "s" / "sweep.json").read_text())
    assert told["vary"] == {"nfe": [2, 3, 4], "cg_steps": [1, 2]}
    assert (tmp_path / "s" / "sweep.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((tmp_path / "s" / "images").glob("*.npy"))) == 6


def test_resume_and_refusal_of_a_full_folder(sweep, tmp_path: Path) -> None:
    assert sweep("--vary", "seed=0,1").code == 0
    refused = sweep("--vary", "seed=0:3:1")
    assert refused.code == 2
    assert "--resume" in refused.err
    outcome = sweep("--vary", "seed=0:3:1", "--resume")
    assert "4 of 4 cells, 2 of them before" in outcome.out
    assert "seed 0:" not in outcome.err


def test_a_settings_file_and_options_that_win(sweep, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("eta: 0.5\nslices: 0:1\nnfe: 50\nvary:\n  gamma: 1:100:log3\n")
    outcome = sweep("--settings", tmp_path / "s.yaml")
    assert outcome.code == 0, outcome.err
    cards = [json.loads(p.read_text())["card"] for p in (tmp_path / "s" / "cells").iterdir()]
    assert {card["job"]["settings"]["gamma"] for card in cards} == {1.0, 10.0, 100.0}
    assert {(c["job"]["settings"]["eta"], c["job"]["settings"]["nfe"]) for c in cards} == {(0.5, 2)}
    assert {tuple(card["job"]["source"]["slices"]) for card in cards} == {(0, 1)}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "one or two"),
        (("--vary", "nfe=2", "--vary", "nfe=3"), "twice"),
        (("--vary", "iterations=2,3"), "no meaning for dds"),
        (("--vary", "seed=0:300:1"), "301 cells. They may take"),
        (("--vary", "nfe=1,2"), "from 2 to 1000"),
        (("--vary", "nfe=2", "--workers", "1", "--scheduler", "127.0.0.1"), "--workers is for this machine"),
        (("--vary", "nfe=2", "--scheduler", "10.0.0.1"), "no TLS"),
        (("--vary", "nfe=2", "--tls-ca", "x"), "three files"),
        (("--vary", "nfe=2", "--reference", "none.npy"), "no reference"),
    ],
)
def test_refused_before_anything_is_written(sweep, tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    outcome = sweep(*words)
    assert outcome.code == 2
    assert told in outcome.err
    assert not list((tmp_path / "s").glob("**/*.json"))


def test_failed_cells_are_told_and_the_others_written(sweep, tmp_path: Path) -> None:
    outcome = sweep("--vary", "undersample=gaussian1d:2:0.25;gaussian1d:9:0.5")
    assert outcome.code == 1
    assert "failed. An ACS" in outcome.err
    assert "1 of 2 cells, 1 failed" in outcome.out
    assert len((tmp_path / "s" / "sweep.csv").read_text().splitlines()) == 2


def test_killed_in_the_middle_it_goes_on_with_what_is_missing(
    sweep, scan_file: Path, prior_file: Path, tmp_path: Path
) -> None:
    vary = ("--vary", "seed=0:9:1", "--nfe", "40")
    command = ["-m", "app", "sweep", scan_file, "--prior", prior_file, "--out", tmp_path / "s", *FAST, *vary]
    words = [sys.executable, *map(str, command)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(words, cwd=root, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as killed:
        assert killed.stderr is not None
        for line in killed.stderr:
            if "seed 1: residual" in line:
                killed.send_signal(signal.SIGKILL)
                break
    cells = {path: path.stat().st_mtime_ns for path in (tmp_path / "s" / "cells").glob("*.json")}
    assert 2 <= len(cells) < 10
    outcome = sweep(*vary, "--resume")
    assert f"10 of 10 cells, {len(cells)} of them before" in outcome.out
    assert {path: path.stat().st_mtime_ns for path in cells} == cells
    assert len(list((tmp_path / "s" / "cells").iterdir())) == 10


def test_the_mean_over_seeds_is_that_of_a_run_with_samples(
    sweep, dds_viewer, scan_file: Path, prior_file: Path, tmp_path: Path
) -> None:
    outcome = sweep("--vary", "seed=3:5:1", "--mean", tmp_path / "m.npy", "--slices", "1:2")
    assert outcome.code == 0, outcome.err
    words = ("--prior", prior_file, "--seed", "3", "--samples", "3", "--slices", "1:2", *FAST)
    outputs = ("--out", tmp_path / "r.npy", "--spread", tmp_path / "r.spread.npy")
    assert dds_viewer("recon", scan_file, *words, *outputs).code == 0
    for name in ("{}.npy", "{}.spread.npy"):
        ours, theirs = (np.load(tmp_path / name.format(letter)) for letter in "mr")
        assert ours.dtype == theirs.dtype
        assert np.allclose(ours, theirs, rtol=1e-4, atol=1e-5 * np.abs(theirs).max())
    again = dds_viewer("rerun", tmp_path / "m.card.json", "--out", tmp_path / "again.npy")
    assert again.code == 0, again.err
    assert np.allclose(np.load(tmp_path / "again.npy"), np.load(tmp_path / "r.npy"), atol=1e-5)


@pytest.mark.parametrize("vary", ["seed=0", "seed=0,2", "nfe=2,3"])
def test_what_has_no_mean(sweep, tmp_path: Path, vary: str) -> None:
    outcome = sweep("--vary", vary, "--mean", tmp_path / "m.npy")
    assert outcome.code == 2
    assert "no ensemble" in outcome.err
