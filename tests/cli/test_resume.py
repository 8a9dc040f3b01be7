"""A run that is killed goes on from its checkpoint, to the image that it would have made."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAM = """
import os, signal, sys
import core.engine.checkpoint as checkpoint
write, last = checkpoint.write, int(sys.argv.pop(1))
def then_die(state, path):
    write(state, path)
    if state.done == last:
        os.kill(os.getpid(), signal.SIGKILL)
checkpoint.write = then_die
from app.cli import main
main()
"""
"""The command line in a process that is killed, by nobody's leave, after the checkpoint of a step."""


@pytest.fixture
def words(scan_file: Path, prior_file: Path) -> list[str]:
    given = ["recon", str(scan_file), "--prior", str(prior_file), "--nfe", "5", "--eta", "0.7", "--samples", "2"]
    return [*given, "--device", "cpu", "--undersample", "gaussian1d:3:0.2:0"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no such signal here")
def test_killed_and_resumed_it_is_the_same_image(dds_viewer, words: list[str], tmp_path: Path) -> None:
    last = 3
    kept, spread = tmp_path / "run.ddsrun", tmp_path / "spread.npy"
    command = [*words, "--out", str(tmp_path / "killed.npy"), "--checkpoint", str(kept), "--checkpoint-every", "0"]
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(last), *command], capture_output=True, env={**os.environ}, check=False
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert kept.exists()
    assert not (tmp_path / "killed.npy").exists()
    whole = dds_viewer(*words, "--out", tmp_path / "whole.npy", "--spread", tmp_path / "whole-spread.npy")
    assert whole.code == 0, whole.err
    report = tmp_path / "report.json"
    resumed = dds_viewer("resume", kept, "--out", tmp_path / "resumed.npy", "--spread", spread, "--report", report)
    assert resumed.code == 0, resumed.err
    assert np.array_equal(np.load(tmp_path / "resumed.npy"), np.load(tmp_path / "whole.npy"))
    assert np.array_equal(np.load(spread), np.load(tmp_path / "whole-spread.npy"))
    assert any(f"step {last}" in note for note in json.loads(report.read_text())["notes"])
    assert not kept.exists(), "it is not needed any more"


def test_what_is_no_checkpoint_is_refused(dds_viewer, tmp_path: Path) -> None:
    (tmp_path / "run.ddsrun").write_bytes(b"\x10" * 100)
    for name in ("run.ddsrun", "nothing.ddsrun"):
        told = dds_viewer("resume", tmp_path / name, "--out", tmp_path / "a.npy")
        assert told.code == 2
        assert "cannot be read" in told.err
    assert not (tmp_path / "a.npy").exists()


def test_a_folder_that_is_not_there_is_told_before_the_run(dds_viewer, words: list[str], tmp_path: Path) -> None:
    told = dds_viewer(*words, "--out", tmp_path / "a.npy", "--checkpoint", tmp_path / "gone" / "run.ddsrun")
    assert told.code == 2
    assert "gone" in told.err


def test_a_run_that_ends_leaves_no_checkpoint(dds_viewer, words: list[str], tmp_path: Path) -> None:
    kept = tmp_path / "run.ddsrun"
    told = dds_viewer(*words, "--out", tmp_path / "a.npy", "--checkpoint", kept, "--checkpoint-every", "0")
    assert told.code == 0, told.err
    assert (tmp_path / "a.npy").exists()
    assert not kept.exists()
