"""Checkpoints on disk: what is written is read again bit for bit, and nothing that is damaged is taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.engine import checkpoint
from core.engine.checkpoint import Checkpoints, read, summary, write
from core.engine.events import Finished, StepDone
from core.engine.job import JobSpec, ScanSource
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.engine.state import State
from core.errors import UserError


@pytest.fixture
def job(make_scan, tiny_prior) -> JobSpec:
    settings = ReconSettings(prior=tiny_prior(), nfe=4, eta=0.8, samples=2, rho=1.0, device="cpu")
    scan = make_scan(ny=16, nx=12, slices=2, noise=1e-3)
    return JobSpec(ScanSource("synthetic.h5"), settings, scan, threads=1, samples_at_once=1)


@pytest.fixture
def state(job: JobSpec) -> State:
    """In the second group, so that there is something of everything."""
    events = run(job)
    for event in events:
        if isinstance(event, StepDone) and event.step == 6:
            found = event.state()
            events.close()
            return found
    raise AssertionError


def test_what_is_written_is_read_again(state: State, job: JobSpec, tmp_path: Path) -> None:
    write(state, tmp_path / "run.ddsrun")
    again = read(tmp_path / "run.ddsrun")
    assert len(again.tensors) == len(state.tensors) == 4
    assert all(torch.equal(a, b) for a, b in zip(again.tensors, state.tensors, strict=True))
    assert again.job == replace(job, scan=None)
    for name in ("done", "length", "total", "planes_at_once", "inputs", "residuals", "left"):
        assert getattr(again, name) == getattr(state, name), name
    assert again.versions["torch"] == torch.__version__
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith((".", "run"))] == ["run.ddsrun"]
    told = summary(tmp_path / "run.ddsrun")
    assert (told["done"], told["total"], told["job"]) == (6, 8, job.to_dict())
    *_, one = run(replace(again.job, scan=job.scan), held=again)
    *_, other = run(job)
    assert isinstance(one, Finished)
    assert np.array_equal(one.volume.array, other.volume.array)
    assert np.array_equal(one.volume.spread, other.volume.spread)


def rewritten(path: Path, **changes: object) -> None:
    """A checkpoint whose record says something else, with a print that fits."""
    held = read(path)
    about = checkpoint._about(held) | changes
    for name, value in list(about.items()):
        if value is KeyError:
            del about[name]
    tensors = {
        f"{part}.{k}": torch.view_as_real(image).contiguous()
        for part in ("noisy", "forming", "finished", "ties")
        for k, image in enumerate(getattr(held, part))
    }
    text = json.dumps(about)
    told = {"format": checkpoint.FORMAT, "about": text, "sha256": checkpoint._print_of(text, tensors)}
    save_file(tensors, path, told)


@pytest.mark.parametrize("where", [0.0, 0.0001, 0.01, 0.3, 0.7, 0.999])
@pytest.mark.parametrize("how", ["cut", "flip", "zero"])
def test_damaged_files_are_refused_in_words(state: State, tmp_path: Path, where: float, how: str) -> None:
    path = tmp_path / "run.ddsrun"
    write(state, path)
    whole = path.read_bytes()
    at = int(where * len(whole))
    if how == "cut":
        path.write_bytes(whole[:at])
    else:
        new = bytes([whole[at] ^ 0x10]) if how == "flip" else bytes(min(16, len(whole) - at))
        path.write_bytes(whole[:at] + new + whole[at + len(new) :])
    if path.read_bytes() == whole:
        return
    with pytest.raises(UserError):
        read(path)


def test_every_byte_of_the_head_counts(state: State, tmp_path: Path) -> None:
    path = tmp_path / "run.ddsrun"
    write(state, path)
    whole = bytearray(path.read_bytes())
    head = 8 + int.from_bytes(whole[:8], "little")
    for at in range(0, head, 13):
        for bit in (0x01, 0x80):
            spoilt = bytearray(whole)
            spoilt[at] ^= bit
            path.write_bytes(spoilt)
            try:
                again = read(path)
            except UserError:
                continue
            # Blanks and names of keys that nothing depends on.
            assert again.job == read_back(whole, path).job
            assert all(torch.equal(a, b) for a, b in zip(again.tensors, state.tensors, strict=True))


def read_back(whole: bytes, path: Path) -> State:
    path.write_bytes(whole)
    return read(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"done": 0},
        {"done": 8},
        {"done": "many"},
        {"length": 0},
        {"job": None},
        {"job": {}},
        {"complex": KeyError},
        {"residuals": 3},
        {"inputs": []},
        {"planes_at_once": 0},
        {"left": None},
        {"versions": KeyError},
    ],
    ids=str,
)
def test_records_that_make_no_sense_are_refused(state: State, tmp_path: Path, changes: dict) -> None:
    path = tmp_path / "run.ddsrun"
    write(state, path)
    rewritten(path)
    assert read(path).done == 6
    rewritten(path, **changes)
    with pytest.raises(UserError):
        read(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(3)}, tmp_path / "weights.safetensors")
    (tmp_path / "text.ddsrun").write_text("A letter.")
    (tmp_path / "empty.ddsrun").write_bytes(b"")
    (tmp_path / "folder.ddsrun").mkdir()
    for name in ("weights.safetensors", "text.ddsrun", "empty.ddsrun", "folder.ddsrun", "nothing.ddsrun"):
        for ask in (read, summary):
            with pytest.raises(UserError):
                ask(tmp_path / name)


def written_at(job: JobSpec, writer: Checkpoints, now: list[float], seconds: float) -> list[int]:
    """After which steps of a run the file is another, where each takes so long; the clock stands still otherwise."""
    found, before = [], b""
    for event in run(job):
        if isinstance(event, StepDone):
            now[0] += seconds
            assert writer.take(event) == ""
            after = writer.path.read_bytes() if writer.path.exists() else b""
            if after != before:
                found.append(event.step)
            before = after
    return found


def test_it_is_written_every_so_often(job: JobSpec, tmp_path: Path) -> None:
    now = [0.0]
    writer = Checkpoints(tmp_path / "run.ddsrun", 30.0, clock=lambda: now[0])
    assert written_at(job, writer, now, 10.0) == [3, 6]
    assert read(writer.path).done == 6
    writer.discard()
    writer.discard()
    assert not writer.path.exists()


def test_slow_disks_are_written_to_less_often(job: JobSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def slowly(state: State, path: Path) -> None:
        write(state, path)
        now[0] += 4.0

    monkeypatch.setattr(checkpoint, "write", slowly)
    writer = Checkpoints(tmp_path / "run.ddsrun", 5.0, clock=lambda: now[0])
    assert written_at(job, writer, now, 10.0) == [1, 5]


@pytest.mark.parametrize("fault", ["no folder", "full", "too large"])
def test_a_disk_that_fails_is_told_once_and_ends_nothing(
    job: JobSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    folder = tmp_path / "gone" if fault == "no folder" else tmp_path
    if fault == "full":

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.replace", full)
    writer = Checkpoints(folder / "run.ddsrun", 0.0, 100 if fault == "too large" else 2**30, clock=lambda: 0.0)
    told = [writer.take(event) for event in run(job) if isinstance(event, StepDone)]
    assert [bool(words) for words in told] == [True, *[False] * 7]
    assert "not kept against a crash" in told[0]
    assert not list(tmp_path.glob("*.ddsrun"))
    assert not list(tmp_path.glob(".run*"))
