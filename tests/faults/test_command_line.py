"""Faults on the command line: a sentence and an exit code, what was there before stays, the next call works."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from core.engine import lost_device
from core.operators.sense import Sense
from core.priors.prior import Prior
from tests.faults.conftest import Disk
from tests.faults.faulty import breaking
from tests.faults.test_lost_device import LOST, failing_once
from tests.faults.test_numbers import spoilt_from
from tests.faults.test_scan_changes import bart

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def recon(tmp_path: Path, prior: str, capsys: pytest.CaptureFixture[str]) -> Call:
    """recon("--nfe", 3): its exit code and what it told; writes x.npy."""
    scan = bart(tmp_path)

    def call(*words: object, out: Path = tmp_path / "x.npy", method: str = "dds") -> tuple[int, str]:
        known = ("--prior", prior, "--nfe", 4, "--device", "auto") if method == "dds" else ()
        line = ["recon", scan, "--out", out, "--method", method, *known, *words]
        code = 0
        try:
            main([str(word) for word in line])
        except SystemExit as stop:
            code = int(stop.code or 0)
        told = capsys.readouterr()
        return code, told.out + told.err

    return call


def test_a_network_that_goes_wrong(recon: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert recon()[0] == 0
    before = (tmp_path / "x.npy").read_bytes()
    with monkeypatch.context() as fault:
        spoilt_from(fault, 2, math.nan, one=True)
        code, told = recon()
    assert code == 2
    assert "broke down at step 3" in told
    assert "Traceback" not in told
    assert (tmp_path / "x.npy").read_bytes() == before
    assert recon()[0] == 0
    assert (tmp_path / "x.npy").read_bytes() == before


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")])
def test_memory(recon: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    breaking(monkeypatch, Sense, "forward", error, 1)
    code, told = recon()
    assert code == 2
    assert "memory ran out" in told
    assert "Traceback" not in told
    assert not (tmp_path / "x.npy").exists()


def test_a_lost_card_is_noted_and_the_image_comes(recon: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_once(monkeypatch, Prior, "_run_network", LOST[0], at=3)
    code, told = recon()
    assert code == 0
    assert "graphics card has stopped working" in told
    card = json.loads((tmp_path / "x.card.json").read_text())
    assert any("graphics card" in note for note in card["outcome"]["notes"])
    assert lost_device.is_marked()


@pytest.mark.parametrize("what", ["--report", "--spread"])
@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_a_disk_that_takes_no_report(recon: Call, disk: Disk, tmp_path: Path, what: str, fault: str) -> None:
    disk.fill(leave=0) if fault == "full" else disk.lock()
    name = "r.json" if what == "--report" else "s.nii"
    code, told = recon("--samples", 2, what, disk.folder / name)
    assert code == 2, told
    assert f"{name} could not be written" in told
    assert "Traceback" not in told
    assert np.load(tmp_path / "x.npy").ndim == 3, "the image is there"
    assert not (disk.folder / name).exists()


def test_a_disk_that_takes_nothing(recon: Call, disk: Disk) -> None:
    disk.fill(leave=0)
    code, told = recon(out=disk.folder / "x.npy", method="cg-sense")
    assert code == 2
    assert "No space left" in told
    assert not disk.held()
