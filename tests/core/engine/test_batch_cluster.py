"""Batches and sweeps on a local cluster of two processes, one of which is killed."""

from __future__ import annotations

import os
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.engine.batch import BatchDone, BatchPlan, plan_batch, run_batch
from core.engine.cluster import Cluster, joined_cluster
from core.engine.cluster_local import own_cluster
from core.engine.ensemble import draw_at
from core.engine.job import ScanSource
from core.engine.stop import Stop
from core.engine.sweep import SweepDone, run_sweep
from core.engine.sweep_plan import Axis, job_for, plan_sweep
from core.engine.tasks import TaskDone, TaskFailed, TaskStarted, TaskStep
from core.engine.trust.ensemble import draw
from core.engine.trust.posed import result_of
from core.engine.work import Here
from core.errors import JobError
from core.export.batch_folder import BatchFolder
from core.export.sweep_folder import SweepFolder
from core.formats import open_scan
from core.scan import KSpace


@pytest.fixture(autouse=True)
def no_thread_left() -> None:
    """Dask keeps threads of its own for the next cluster."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with own_cluster(2, threads=1) as found:
        yield found


@pytest.fixture
def plan(tmp_path: Path, make_scan: Callable[..., KSpace], tiny_prior: Callable[..., str]) -> Callable[..., BatchPlan]:
    def make(count: int, nfe: int = 2) -> BatchPlan:
        data = make_scan(noise=0.01).data[0, 0, 0, :, 0]
        paths = [str(tmp_path / f"s{k}.npy") for k in range(count)]
        for k, path in enumerate(paths):
            np.save(path, data * (k + 1))
        source = ScanSource("", axes="coil,ky,kx")
        return plan_batch(paths, source, {"nfe": nfe, "cg_steps": 1, "prior": tiny_prior()})

    return make


def test_a_worker_is_killed_and_every_result_comes_once(cluster: Cluster, plan, tmp_path: Path) -> None:
    store, done, killed = BatchFolder(tmp_path / "out", "npy"), Counter(), 0
    busy = {}
    for event in run_batch(plan(6, nfe=40), Stop(), store, cluster):
        if isinstance(event, TaskStarted):
            busy[event.task.number] = event.worker
        if isinstance(event, TaskStep) and not killed and event.task.number in busy:
            killed = cluster.workers()[busy[event.task.number]]["pid"]
            os.kill(killed, signal.SIGKILL)
        if isinstance(event, TaskDone):
            done[event.task.name] += 1
    assert event == BatchDone(6, 0, 0, 0)
    assert done == {f"s{k}": 1 for k in range(6)}
    assert len(list((tmp_path / "out").glob("*.npy"))) == 6
    images = [np.load(path) for path in sorted((tmp_path / "out").glob("*.npy"))]
    assert all(image.shape == (1, 48, 40) for image in images)
    assert list(run_batch(plan(6, nfe=40), Stop(), store, cluster))[-1] == BatchDone(6, 6, 0, 0)


def test_a_sweep_gives_the_same_figures_as_here(cluster: Cluster, plan, tmp_path: Path) -> None:
    batch = plan(1)
    source = ScanSource(batch.paths[0], axes="coil,ky,kx", undersample="gaussian1d:2:0.25:0")
    scan = open_scan(source.path, axes=source.axes)
    axes = [Axis("seed", (0, 1)), Axis("cg_steps", (1, 2))]
    sweep = plan_sweep(scan, source, axes, batch.given, keep_images=True, threads=1)
    there, here = SweepFolder(tmp_path / "there", resume=False), SweepFolder(tmp_path / "here", resume=False)
    assert list(run_sweep(sweep, Stop(), there, cluster))[-1] == SweepDone(4, 0, 0, 0)
    assert list(run_sweep(sweep, Stop(), here))[-1] == SweepDone(4, 0, 0, 0)
    for cell in sweep.cells:
        assert np.array_equal(np.load(there.image_of(cell)), np.load(here.image_of(cell)))
        ours, theirs = here.read(cell), there.read(cell)
        assert {**ours, "seconds": 0, "card": 0} == {**theirs, "seconds": 0, "card": 0}


def test_what_fails_on_a_worker_is_told_and_the_rest_done(cluster: Cluster, plan, tmp_path: Path) -> None:
    batch = plan(3)
    np.save(batch.paths[1], np.full((4, 16, 16), np.nan, np.complex64))
    Path(batch.paths[2]).write_bytes(np.random.default_rng(0).bytes(99))
    events = list(run_batch(batch, Stop(), BatchFolder(tmp_path / "out"), cluster))
    assert events[-1] == BatchDone(1, 0, 2, 0)
    gone = plan(1)
    Path(str(gone.given["prior"])).unlink()
    (failed,) = [
        e for e in run_batch(gone, Stop(), BatchFolder(tmp_path / "more"), cluster) if isinstance(e, TaskFailed)
    ]
    assert "Worker: tcp://127.0.0.1" in str(failed.error)


def test_a_stop_ends_what_runs_on_the_workers(cluster: Cluster, plan, tmp_path: Path) -> None:
    stop = Stop()
    for event in run_batch(plan(4, nfe=1000), stop, BatchFolder(tmp_path / "out"), cluster):
        if isinstance(event, TaskStep):
            stop.discard()
    assert event == BatchDone(0, 0, 0, 4)
    assert not list((tmp_path / "out").iterdir())
    # The workers are free again: these would wait for 4000 steps otherwise.
    assert list(run_batch(plan(2), Stop(), BatchFolder(tmp_path / "next"), cluster))[-1] == BatchDone(2, 0, 0, 0)


def test_samples_are_the_images_of_their_seeds_in_any_order(cluster: Cluster, plan, tmp_path: Path) -> None:
    batch = plan(1, nfe=4)
    job = job_for(open_scan(batch.paths[0], axes="coil,ky,kx"), replace(batch.source, path=batch.paths[0]), batch.given)
    job = replace(job, threads=1)
    drawn, here = result_of(draw_at(cluster, job, 5, Stop())), result_of(draw(job, 5))
    assert drawn.count == 5
    for sample, alone in zip(drawn.samples, here.samples, strict=True):
        assert np.array_equal(sample, alone)
    assert np.array_equal(drawn.deviation.array, here.deviation.array)
    assert np.array_equal(drawn.mean.array, here.mean.array)


def test_samples_of_a_scan_without_its_file_stay_here(plan) -> None:
    batch = plan(1)
    source = replace(batch.source, path=batch.paths[0])
    job = job_for(open_scan(source.path, axes="coil,ky,kx"), source, batch.given)
    Path(source.path).unlink()
    with pytest.raises(JobError, match="cannot be drawn by workers"):
        next(draw_at(Here(), job, 2, Stop()))


def test_what_listens_there_may_be_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that takes the connection and says nothing."""
    monkeypatch.setattr("core.engine.cluster_link.TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(JobError, match="does not answer as one"), joined_cluster(address):
            pass


def test_a_scheduler_of_another_version_is_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distributed.__version__", "2020.1.0")
    with pytest.raises(JobError, match="another version of distributed"):  # noqa: SIM117
        with joined_cluster(cluster.client.scheduler.address):
            pass


def test_starting_can_be_stopped() -> None:
    stop = Stop()
    stop.discard()
    with own_cluster(1, stop=stop) as cluster, joined_cluster("127.0.0.1:1", stop=stop) as other:
        assert not list(cluster.work([], stop))
        assert other.workers() == {}


def test_another_client_may_join_by_the_address(cluster: Cluster) -> None:
    with joined_cluster(cluster.client.scheduler.address) as second:
        assert len(second.workers()) == 2
        assert {about["pid"] for about in second.workers().values()}.isdisjoint({os.getpid()})


def test_workers_of_another_version_are_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.__version__", "0.0.0")
    with pytest.raises(JobError, match="another version"), joined_cluster(cluster.client.scheduler.address):
        pass


def test_no_scheduler_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.engine.cluster.TIMEOUT_S", 0.3)
    with pytest.raises(JobError, match=r"no scheduler at tcp://127\.0\.0\.1:1"), joined_cluster("127.0.0.1:1"):
        pass
