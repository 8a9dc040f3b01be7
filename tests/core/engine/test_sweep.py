"""Sweeps in this process: the grid, its figures, what a store keeps, and how it goes on."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.engine import work
from core.engine.events import Finished
from core.engine.job import JobSpec, ScanSource
from core.engine.reference_source import ReferenceSource
from core.engine.runner import run
from core.engine.stop import Stop
from core.engine.sweep import CellDone, CellFailed, CellStarted, CellStep, SweepDone, check_size, pareto, run_sweep
from core.engine.sweep_plan import Axis, SweepPlan, plan_sweep
from core.engine.tasks import TaskDone, digest_of
from core.errors import JobError, UserError
from core.export import ExportError
from core.export.sweep_folder import SweepFolder
from core.export.sweep_table import write_csv, write_sheet
from core.scan import KSpace

FIXED = {"nfe": 2, "cg_steps": 1, "device": "cpu"}
SOURCE = ScanSource("scan.h5", undersample="gaussian1d:2:0.25:0")


@pytest.fixture
def plan(make_scan: Callable[..., KSpace], tiny_prior: Callable[..., str]) -> Callable[..., SweepPlan]:
    def make(*axes: tuple[str, tuple[object, ...]], **changes: object) -> SweepPlan:
        details = {"scan": make_scan(noise=0.01), "source": SOURCE, "threads": 1, **changes}
        given = {**FIXED, "prior": tiny_prior(), **details.pop("given", {})}
        return plan_sweep(axes=[Axis(*axis) for axis in axes], given=given, **details)

    return make


def all_of(plan: SweepPlan, folder: Path, stop: Stop | None = None) -> list[object]:
    return list(run_sweep(plan, stop or Stop(), SweepFolder(folder, resume=True)))


def test_cells_one_after_the_other_each_as_a_run_of_its_own(plan, tmp_path: Path) -> None:
    sweep = plan(("nfe", (2, 3)), ("cg_steps", (1, 2)))
    events = all_of(sweep, tmp_path / "s")
    assert [c.values for c in sweep.cells] == [{"nfe": n, "cg_steps": c} for n in (2, 3) for c in (1, 2)]
    assert [type(e) for e in events if not isinstance(e, CellStep)] == [CellStarted, CellDone] * 4 + [SweepDone]
    assert events[-1] == SweepDone(done=4, again=0, failed=0, left=0)
    assert len({cell.digest for cell in sweep.cells}) == 4
    (last,) = [e for e in run(sweep.cells[-1].job) if isinstance(e, Finished)]
    record = [e for e in events if isinstance(e, CellDone)][-1].record
    assert record["residual"] == last.card["outcome"]["residual"]
    assert record["metrics"] == last.metrics
    assert record["metrics"]["data_range"] > 0
    assert record["card"]["job"]["settings"]["cg_steps"] == 2
    picture = Image.open(io.BytesIO(base64.b64decode(record["thumbnail"])))
    assert max(picture.size) == 96
    assert np.asarray(picture).max() > 200


def test_a_sweep_that_was_stopped_does_only_what_is_missing(plan, tmp_path: Path) -> None:
    sweep, stop, folder = plan(("seed", (0, 1, 2, 3))), Stop(), tmp_path / "s"
    store = SweepFolder(folder, resume=False)
    for event in run_sweep(sweep, stop, store):
        if isinstance(event, CellStep) and event.task.number == 3:
            stop.keep()  # of the third cell there is half an image, which is no result
    assert event == SweepDone(done=2, again=0, failed=0, left=2)
    files = {path: path.stat().st_mtime_ns for path in (folder / "cells").iterdir()}
    assert len(files) == 2
    (folder / "cells" / f".{sweep.cells[2].digest[:20]}.half_0f3.json").write_text("{")
    events = all_of(sweep, folder)
    assert [e.task.number for e in events if isinstance(e, CellStarted)] == [3, 4]
    assert events[-1] == SweepDone(done=4, again=2, failed=0, left=0)
    assert {path: path.stat().st_mtime_ns for path in files} == files
    assert len(list((folder / "cells").iterdir())) == 4


def test_a_pull_that_ends_early_leaves_whole_cells_only(plan, tmp_path: Path) -> None:
    events = run_sweep(plan(("seed", (0, 1))), Stop(), SweepFolder(tmp_path / "s", resume=False))
    while not isinstance(next(events), CellDone):
        pass
    next(events), events.close()
    assert len(list((tmp_path / "s" / "cells").iterdir())) == 1


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 1}', "null"])
def test_a_damaged_cell_is_done_again(plan, tmp_path: Path, damage: str) -> None:
    sweep = plan(("seed", (0, 1)))
    all_of(sweep, tmp_path / "s")
    store = SweepFolder(tmp_path / "s", resume=True)
    next((tmp_path / "s" / "cells").glob(f"{sweep.cells[1].digest[:20]}*")).write_text(damage)
    assert store.read(sweep.cells[0]) is not None
    assert store.read(sweep.cells[1]) is None
    assert all_of(sweep, tmp_path / "s")[-1] == SweepDone(2, 1, 0, 0)


def test_a_cell_that_fails_is_told_and_the_others_go_on(plan, tmp_path: Path) -> None:
    sweep = plan(("undersample", ("gaussian1d:2:0.25:0", "gaussian1d:9:0.5:0", "uniform1d:2:0.25:0")))
    events = all_of(sweep, tmp_path / "s")
    (failed,) = [e for e in events if isinstance(e, CellFailed)]
    assert failed.task.number == 2
    assert "ACS" in str(failed.error)
    assert events[-1] == SweepDone(2, 0, 1, 0)
    assert all_of(sweep, tmp_path / "s")[-1] == SweepDone(2, 2, 1, 0)


def test_a_mistake_of_the_program_and_a_full_disk_are_failures_of_their_cell(
    plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep, store, real = plan(("seed", (0, 1, 2))), SweepFolder(tmp_path / "s", resume=False), work.run

    def broken(job: JobSpec, stop: Stop) -> object:
        if job.settings.seed == 1:
            raise ZeroDivisionError("a secret")
        return real(job, stop)

    def full(task, record, volume) -> None:
        if task.number == 3:
            raise ExportError("The disk is full.")
        SweepFolder.write(store, task, record, volume)

    monkeypatch.setattr(work, "run", broken)
    monkeypatch.setattr(store, "write", full)
    events = list(run_sweep(sweep, Stop(), store))
    assert [type(e.error) for e in events if isinstance(e, CellFailed)] == [JobError, ExportError]
    assert events[-1] == SweepDone(1, 0, 2, 0)


def test_images_are_kept_when_asked_for(plan, tmp_path: Path) -> None:
    sweep = plan(("seed", (0, 1)))
    all_of(sweep, tmp_path / "s")
    assert not (tmp_path / "s" / "images").exists()
    kept = plan(("seed", (0, 1)), keep_images=True)
    assert all_of(kept, tmp_path / "s")[-1] == SweepDone(2, 0, 0, 0)  # without its image a cell is not done
    store = SweepFolder(tmp_path / "s", resume=True)
    assert np.load(store.image_of(kept.cells[0])).dtype == np.complex64
    assert all_of(sweep, tmp_path / "s")[-1] == SweepDone(2, 2, 0, 0)


def test_a_reference_wins_over_the_full_scan_and_names_itself(plan, tmp_path: Path) -> None:
    (last,) = [e for e in run(plan(("seed", (0, 1))).cells[1].job) if isinstance(e, Finished)]
    np.save(tmp_path / "truth.npy", np.abs(last.volume.array) + np.float32(1e-3))
    sweep = plan(("seed", (0, 1)), reference=ReferenceSource(path=str(tmp_path / "truth.npy")))
    first, second = (e.record for e in all_of(sweep, tmp_path / "s") if isinstance(e, CellDone))
    assert second["reference"] == "truth.npy"
    assert second["metrics"]["psnr"] > first["metrics"]["psnr"]
    assert second["metrics"]["nrmse"] < 0.1
    assert sweep.cells[0].digest != plan(("seed", (0, 1))).cells[0].digest
    np.save(tmp_path / "wrong.npy", np.ones((1, 9, 9), dtype=np.float32))
    wrong = plan(("seed", (0, 1)), reference=ReferenceSource(path=str(tmp_path / "wrong.npy")))
    events = all_of(wrong, tmp_path / "s")
    assert "does not fit" in str(next(e for e in events if isinstance(e, CellFailed)).error)
    with pytest.raises(UserError, match="no reference"):
        plan(("seed", (0,)), reference=ReferenceSource(path=str(tmp_path / "none.npy")))


@pytest.mark.parametrize(
    ("axes", "given", "word"),
    [
        ([], {}, "one or two"),
        ([("nfe", (2,)), ("eta", (0.0,)), ("seed", (0,))], {}, "one or two"),
        ([("nfe", (2,)), ("nfe", (3,))], {}, "twice"),
        ([("nfe", ())], {}, "no values"),
        ([("nfe", (2, 1001))], {}, "NFE cannot be"),
        ([("nfe", (2, 3))], {"method": "tv"}, "NFE has no meaning for tv"),
        ([("iterations", (2, 3))], {}, "Iterations has no meaning for dds"),
        ([("method", ("dds", "fdk"))], {}, "does not fit"),
        ([("method", ("dds", "tv")), ("nfe", (2, 3))], {}, "no meaning for tv"),
        ([("rho", (0.0, 1.0))], {}, "no meaning"),
        ([("lam", (0.1, 1.0))], {}, "rho"),
        ([("gamma", (0.1, 1.0))], {"noiseless": True}, "noiseless"),
        ([("seed", tuple(range(150))), ("nfe", tuple(range(2, 102)))], {}, "too much"),
    ],
)
def test_plans_that_are_refused(plan, axes, given, word: str) -> None:
    with pytest.raises(UserError, match=word):
        plan(*axes, given=given)


def test_methods_bring_their_own_weights(plan) -> None:
    sweep = plan(("method", ("cg-sense", "tv", "l1-wavelet")))
    assert len({cell.job.settings.lam for cell in sweep.cells}) == 3


def test_many_cells_are_refused_with_the_time_they_take(plan) -> None:
    sweep = plan(("seed", tuple(range(30))))
    check_size(sweep)
    with pytest.raises(JobError, match=r"30 cells. They may take \d+ (seconds|minutes)"):
        check_size(sweep, most=20)


def test_the_digest_is_of_what_the_result_depends_on(plan) -> None:
    job = plan(("seed", (0,)), ("nfe", (2,))).cells[0].job
    moved = JobSpec(ScanSource("elsewhere.h5", undersample=SOURCE.undersample), job.settings, threads=7)
    assert digest_of(job, "a", "p") == digest_of(moved, "a", "p")
    unused = JobSpec(job.source, job.settings.replace(iterations=99))
    assert digest_of(job, "a") == digest_of(unused, "a")
    assert digest_of(job, "a") != digest_of(job, "b")
    assert digest_of(job, "a", "p") != digest_of(job, "a", "q")
    others = [{"nfe": 3}, {"seed": 1}, {"method": "tv"}]
    assert len({digest_of(JobSpec(job.source, job.settings.replace(**o)), "a") for o in ({}, *others)}) == 4


def record(seconds: float, psnr: float | None, residual: float = 1.0) -> dict:
    return {"seconds": seconds, "residual": residual, "metrics": {} if psnr is None else {"psnr": psnr, "nrmse": -psnr}}


def test_the_pareto_set() -> None:
    points = [(3, 30), (1, 20), (2, 25), (2.5, 24), (2, 25), (4, 30), (1, 19), (5, None), (6, float("nan"))]
    records = [record(*point) for point in points]
    assert pareto(records) == [1, 2, 4, 0]
    assert pareto(records, "nrmse") == [1, 2, 4, 0]
    assert pareto([]) == []
    assert pareto([record(1, None, 0.2), record(2, None, 0.1), record(3, None, 0.15)], "residual") == [0, 1]


def test_no_record_of_the_front_is_beaten_and_all_others_are() -> None:
    rng = np.random.default_rng(0)
    points = rng.integers(0, 6, (60, 2)).astype(float)
    best = set(pareto([record(*map(float, point)) for point in points]))
    for k, (t, q) in enumerate(points):
        beaten = any(s <= t and p >= q and (s < t or p > q) for s, p in points)
        assert (k in best) != beaten


def test_table_and_sheet(plan, tmp_path: Path) -> None:
    sweep = plan(("nfe", (2, 3)), ("seed", (0, 1)))
    records = [e.record for e in all_of(sweep, tmp_path / "s") if isinstance(e, TaskDone)][:3]
    write_csv(["nfe", "seed"], records, [1], tmp_path / "t.csv")
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines[0].startswith("nfe,seed,seconds,residual,psnr,ssim,nrmse,hfen,data_range,unit,reference,pareto,digest")
    assert [line.split(",")[:2] for line in lines[1:]] == [["2", "0"], ["2", "1"], ["3", "0"]]
    assert [",True," in line for line in lines[1:]] == [False, True, False]
    write_sheet(["NFE", "Seed"], ["nfe", "seed"], [(2, 3), (0, 1)], records, [1], tmp_path / "t.png")
    with Image.open(tmp_path / "t.png") as whole:
        assert min(whole.size) > 200
    stored = json.loads(next((tmp_path / "s" / "cells").glob("*.json")).read_text())
    assert stored["notice"].startswith("Research use only")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(ExportError, match="not empty"):
        SweepFolder(tmp_path, resume=False)
    with pytest.raises(ExportError, match="cannot be made"):
        SweepFolder(tmp_path / "mine.txt", resume=True)
