"""A disk that is full, may not be written to, or whose folder has gone: every writer says so, and nothing is lost."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.engine import checkpoint
from core.engine.events import Finished, StepDone
from core.engine.runner import run
from core.errors import JobError, UserError
from core.export import dicom_map, measurements, movie, project_file, save, save_spread, stl, sweep_table
from core.export.batch_folder import BatchFolder
from core.export.dataexchange import save_projections
from core.export.deidentify import deidentify
from core.export.dicom_about import about_volume
from core.export.ismrmrd_scan import save_kspace
from core.export.measurements import Row
from core.export.sweep_folder import SweepFolder
from core.priors import trainer
from core.scan import Volume
from tests.core.conftest import build_projections, build_scan
from tests.faults.conftest import Disk

CARD = {"job": {"source": {"path": "x"}}, "outcome": {"seconds": 1.0, "notes": ["n" * 9000]}}


def volume(level: float = 1.0) -> Volume:
    """Sixty kilobytes that do not shrink, with a place and a spread."""
    rng = np.random.default_rng(int(level))
    values = rng.random((5, 60, 50)).astype(np.float32)
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    spread = rng.random(values.shape).astype(np.float32)
    return Volume(values, "a.u.", affine, (2.0, 2.0, 3.0), len(values), card=CARD, spread=spread)


@dataclass
class Task:
    digest: str = "0" * 20 + "1"
    name: str = "scan"
    keep_image: bool = True


def simulated_mri(path: Path) -> None:
    save_kspace(build_scan(48, 40, slices=1).with_changes(simulated=True), path)


def project(path: Path, level: float) -> None:
    project_file.write(path, {"level": level}, {"image.npy": volume(level).array})


def map_of(path: Path, level: float) -> None:
    dicom_map.write(volume(level), path, about=about_volume(volume(level)), shows=dicom_map.SPREAD)


def film(path: Path, level: float) -> None:
    rng = np.random.default_rng(int(level))
    movie.write([rng.integers(0, 255, (96, 96, 3), np.uint8) for _ in range(6)], path, 10.0)


def table(path: Path, level: float) -> None:
    measurements.write([Row(f"{level} {'n' * 200}", "distance", "x", points=((1.0, 2.0, 3.0),) * 9)] * 60, path)


def triangles(path: Path, level: float) -> None:
    points = np.random.default_rng(int(level)).random((900, 3))
    stl.write(points, np.arange(900).reshape(-1, 3), path)


def summary(path: Path, level: float) -> None:
    sweep_table.write_summary({"what": "x" * 30_000, "level": level}, [], [], [], path)


def batch(folder: Path, level: float) -> None:
    BatchFolder(folder, ".nii").write(Task(), {}, volume(level))


def cells(folder: Path, level: float) -> None:
    record = {"format": 1, "digest": Task().digest, "metrics": {}, "seconds": level}
    SweepFolder(folder, resume=True).write(Task(), record, volume(level))


WRITERS: dict[str, Callable[[Path, float], object]] = {
    **{f"x{end}": lambda path, level: save(volume(level), path) for end in (".npy", ".nii", ".nii.gz", ".nrrd")},
    **{f"x{end}": lambda path, level: save(volume(level), path) for end in (".png", ".dcm")},
    **{f"s{end}": lambda path, level: save_spread(volume(level), path) for end in (".npy", ".nii", ".png")},
    "map.dcm": map_of,
    "x.ddsproj": project,
    "record.json": lambda path, level: project_file.write_record(path, {"level": level, "x": "x" * 30_000}),
    "x.gif": film,
    "x.mp4": film,
    "x.csv": table,
    "x.stl": triangles,
    "ct.h5": lambda path, level: save_projections(build_projections(slices=2, photons=1e4 * level), path),
    "mri.h5": lambda path, level: simulated_mri(path),
    "sweep.json": summary,
    "batch": batch,
    "cells": cells,
}
"""By the name of what they write, which is another for each level."""


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_the_older_file_stays_and_a_second_try_works(disk: Disk, name: str, fault: str) -> None:
    write, path = WRITERS[name], disk.folder / name
    write(path, 1.0)
    before = disk.held()
    assert before
    disk.fill() if fault == "full" else disk.lock()
    with pytest.raises(UserError) as caught:
        write(path, 2.0)
    said = str(caught.value)
    assert "could not be written" in said
    assert ("No space left" in said or "disk may be full" in said) if fault == "full" else "Read-only" in said
    assert disk.held() == before
    assert not list(disk.folder.rglob(".*")), "nothing half done is left"
    (disk.folder / "ballast").unlink(missing_ok=True) if fault == "full" else disk.lock(locked=False)
    write(path, 2.0)
    assert disk.held().keys() == before.keys()


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in ("batch", "cells")])
def test_the_folder_has_gone_since_it_was_chosen(tmp_path: Path, name: str) -> None:
    path = tmp_path / "gone" / name
    with pytest.raises(UserError, match="does not exist"):
        WRITERS[name](path, 1.0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write", [batch, cells])
def test_the_folder_of_a_sweep_or_batch_goes_meanwhile(tmp_path: Path, write: Callable[..., object]) -> None:
    store = BatchFolder(tmp_path / "out", ".nii") if write is batch else SweepFolder(tmp_path / "out", resume=True)
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(UserError):
        store.write(Task(), {"format": 1, "digest": "1", "metrics": {}, "seconds": 1.0}, volume())
    assert not (tmp_path / "out").exists()
    write(tmp_path / "out", 1.0)


def test_a_file_of_others_in_the_folder_of_a_batch_stays(tmp_path: Path) -> None:
    """Only what a writer that was killed has left there is taken away."""
    others = (".profile", ".a.txt", ".directory.json", ".DS_Store", ".x.nii.gz", ".notes.12345678")
    for name in (*others, ".scan-0000000000.nii.k2_9abcd.nii", ".scan.card.json.abcdefgh.json"):
        (tmp_path / name).write_text("x")
    BatchFolder(tmp_path, ".nii")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)


def test_a_result_whose_card_has_no_room_is_not_half_there(disk: Disk) -> None:
    """The image would fit, its run card would not."""
    save(Volume(np.ones((1, 2, 2), np.float32), card=CARD), disk.folder / "x.npy")
    before = disk.held()
    disk.fill()
    with pytest.raises(UserError, match="No space left"):
        save(Volume(np.zeros((1, 2, 2), np.float32), card=CARD), disk.folder / "x.npy")
    assert disk.held() == before


@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_copies_without_identity(disk: Disk, tmp_path: Path, fault: str) -> None:
    save(volume(), tmp_path / "series.dcm")
    disk.fill() if fault == "full" else disk.lock()
    with pytest.raises(UserError, match=r"could not be written|too full"):
        deidentify([tmp_path / "series.dcm"], disk.folder / "copies")
    assert not disk.held()
    assert not (disk.folder / "copies").exists()


@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_the_checkpoint_of_a_run_is_no_reason_to_end_it(make_job, disk: Disk, fault: str) -> None:
    writer = checkpoint.Checkpoints(disk.folder / "run.ddsrun", 0.0)
    last, told = None, []
    for event in run(make_job()):
        if isinstance(event, StepDone) and event.step == 2:
            disk.fill() if fault == "full" else disk.lock()
        trouble = writer.take(event)
        told += [trouble] if trouble else []
        last = event
    assert isinstance(last, Finished)
    assert len(told) == 1
    assert "not kept against a crash" in told[0]
    assert checkpoint.read(disk.folder / "run.ddsrun").done == 1, "the older one is whole"
    disk.lock(locked=False)
    assert set(disk.held()) == {"run.ddsrun"}


def test_the_table_says_what_it_said(tmp_path: Path) -> None:
    """What the tests above write is what they mean."""
    table(tmp_path / "x.csv", 1.0)
    with (tmp_path / "x.csv").open(encoding="utf-8-sig") as file:
        assert len(list(csv.reader(file))) == 61


@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_a_training_keeps_what_it_had(disk: Disk, fault: str) -> None:
    whole = trainer.write_whole
    tensors = {"a": torch.arange(9000.0)}
    path = disk.folder / "state.safetensors"
    whole(path, lambda part: save_file(tensors, part))
    before = disk.held()
    disk.fill() if fault == "full" else disk.lock()
    with pytest.raises(JobError, match="could not be written"):
        whole(path, lambda part: save_file({"a": torch.ones(9000)}, part))
    assert disk.held() == before
