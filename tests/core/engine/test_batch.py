"""Batches in this process, and what of a cluster needs none: addresses, TLS files, what a worker is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from core.engine import cluster_worker
from core.engine.batch import BatchDone, BatchPlan, plan_batch, run_batch
from core.engine.cluster_link import address_of, is_loopback, tls_of
from core.engine.job import ScanSource
from core.engine.stop import Stop
from core.engine.tasks import Task, TaskDone, TaskFailed, TaskStarted, TaskStep
from core.errors import JobError, PriorError, UserError
from core.export import ExportError
from core.export.batch_folder import BatchFolder
from core.priors.held import held_prior
from core.scan import KSpace

SOURCE = ScanSource("", axes="coil,ky,kx", undersample="gaussian1d:2:0.25:0")


@pytest.fixture
def scans(tmp_path: Path, make_scan: Callable[..., KSpace]) -> list[str]:
    """Three scans of different size."""
    paths = []
    for k in range(3):
        data = make_scan(ny=32 + 4 * k, nx=32, noise=0.01).data[0, 0, 0, :, 0]
        paths.append(str(tmp_path / f"scan {k}.npy"))
        np.save(paths[-1], data)
    return paths


@pytest.fixture
def plan(scans: list[str], tiny_prior: Callable[..., str]) -> Callable[..., BatchPlan]:
    def make(**given: object) -> BatchPlan:
        return plan_batch(scans, SOURCE, {"nfe": 2, "cg_steps": 1, "prior": tiny_prior(), **given}, threads=1)

    return make


def all_of(plan: BatchPlan, store: BatchFolder, stop: Stop | None = None) -> list[object]:
    return list(run_batch(plan, stop or Stop(), store))


def test_every_scan_gets_its_image_and_card_once(plan, tmp_path: Path) -> None:
    out = tmp_path / "out"
    events = all_of(plan(), BatchFolder(out))
    assert events[-1] == BatchDone(3, 0, 0, 0)
    done = [e for e in events if isinstance(e, TaskDone)]
    for k, event in enumerate(done):
        image = BatchFolder(out).path_of(event.task)
        assert image.name.startswith(f"scan_{k}-")
        assert nibabel.load(image).shape[:2] == (32, 32 + 4 * k)
        card = json.loads(image.with_name(image.name.replace(".nii.gz", ".card.json")).read_text())
        assert card["digest"] == event.task.digest
        assert card["job"]["source"]["path"].endswith(f"scan {k}.npy")
    assert len(list(out.iterdir())) == 6


def test_the_same_batch_again_does_what_is_missing(plan, tmp_path: Path) -> None:
    store, stop = BatchFolder(tmp_path / "out"), Stop()
    for event in run_batch(plan(), stop, store):
        if isinstance(event, TaskStep) and event.task.number == 2:
            stop.discard()
    assert event == BatchDone(1, 0, 0, 2)
    events = all_of(plan(), store)
    assert [e.task.number for e in events if isinstance(e, TaskStarted)] == [2, 3]
    assert events[-1] == BatchDone(3, 1, 0, 0)
    images = sorted((tmp_path / "out").glob("*.nii.gz"))
    images[0].unlink()
    sorted((tmp_path / "out").glob("*.json"))[1].write_text("{")
    assert all_of(plan(), store)[-1] == BatchDone(3, 1, 0, 0)
    assert all_of(plan(nfe=3), store)[-1] == BatchDone(3, 0, 0, 0)  # other settings do not overwrite
    assert len(list((tmp_path / "out").glob("*.nii.gz"))) == 6


def test_a_scan_that_has_changed_is_done_again(plan, scans: list[str], tmp_path: Path) -> None:
    store = BatchFolder(tmp_path / "out", "npy")
    all_of(plan(), store)
    np.save(scans[1], 2 * np.load(scans[1]))
    assert all_of(plan(), store)[-1] == BatchDone(3, 2, 0, 0)


def test_scans_that_cannot_be_read_are_told_and_the_others_go_on(plan, scans: list[str], tmp_path: Path) -> None:
    Path(scans[0]).write_bytes(b"nothing")
    Path(scans[2]).unlink()
    events = all_of(plan(), BatchFolder(tmp_path / "out"))
    assert [type(e).__name__ for e in events if not isinstance(e, TaskStep)] == [
        *("TaskFailed", "TaskStarted", "TaskDone", "TaskFailed", "SweepDone")
    ]
    assert events[-1] == BatchDone(1, 0, 2, 0)


def test_a_path_named_twice_is_one_scan(scans: list[str]) -> None:
    assert plan_batch([scans[0], scans[0], scans[1]]).paths == (scans[0], scans[1])
    with pytest.raises(JobError, match="no scan"):
        plan_batch([])


def test_formats_that_are_not_known(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="format"):
        BatchFolder(tmp_path / "out", "xyz")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1", "tcp://127.0.0.1:8786"),
        ("127.3.2.1:9", "tcp://127.3.2.1:9"),
        ("tcp://localhost:9/", "tcp://localhost:9"),
        ("[::1]:9", "tcp://[::1]:9"),
    ],
)
def test_addresses(text: str, expected: str) -> None:
    assert address_of(text, None) == expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("0.0.0.0:8786", "no TLS"),
        ("192.168.1.2", "no TLS"),
        ("[::]:1", "no TLS"),
        ("tls://127.0.0.1", "needs TLS"),
        ("http://127.0.0.1", "not known"),
        ("127.0.0.1:port", "no address"),
        ("127.0.0.1:99999", "no address"),
        ("", "no address"),
        (":8786", "no address"),
    ],
)
def test_addresses_that_are_refused(text: str, word: str) -> None:
    with pytest.raises(JobError, match=word):
        address_of(text, None)


def test_tls_needs_all_its_files_and_good_ones(tmp_path: Path) -> None:
    assert tls_of(None, None, None) is None
    with pytest.raises(JobError, match="three files"):
        tls_of("ca.pem", None, "key.pem")
    with pytest.raises(JobError, match="no file"):
        tls_of("ca.pem", "cert.pem", "key.pem").security()
    (tmp_path / "x.pem").write_text("nothing")
    with pytest.raises(JobError, match="TLS files"):
        tls_of(*[str(tmp_path / "x.pem")] * 3).security()
    tls = tls_of("a", "b", "c")
    assert address_of("10.0.0.1", tls) == "tls://10.0.0.1:8786"
    with pytest.raises(JobError, match="without TLS"):
        address_of("tcp://127.0.0.1", tls)


def test_loopback() -> None:
    assert is_loopback("localhost")
    assert not is_loopback("a name that is none")


def order(plan: BatchPlan, **changes: object) -> dict:
    task = next(t for t in cluster_worker_tasks(plan))
    return {**cluster_worker.order_of(task), **changes}


def cluster_worker_tasks(plan: BatchPlan) -> list[Task]:
    return [e.task for e in run_batch(plan, Stop(), Unwritten()) if isinstance(e, TaskStarted)]


class Unwritten:
    """A store that forgets."""

    def read(self, task: Task) -> None:
        return None

    def write(self, task: Task, record: object, volume: object) -> None:
        pass


def test_an_order_is_plain_and_comes_back_as_its_task(plan) -> None:
    sent = order(plan())
    assert json.loads(json.dumps(sent))["job"] == json.loads(json.dumps(sent["job"]))
    task = cluster_worker._task(json.loads(json.dumps(sent)), "here")
    assert task.digest == sent["digest"]
    assert task.job.scan is not None
    assert task.job.scan is cluster_worker._task(sent, "here").job.scan  # read once


@pytest.mark.parametrize("missing", ["scan", "version", "reference", "other scan", "other prior"])
def test_what_a_worker_cannot_do_it_says_with_its_address(plan, scans: list[str], tiny_prior, missing: str) -> None:
    sent = order(plan())
    if missing == "scan":
        Path(scans[0]).unlink()
    elif missing == "version":
        sent["version"] = "0"
    elif missing == "other scan":
        np.save(scans[0], 3 * np.load(scans[0]))
    elif missing == "other prior":
        tiny_prior(nan=True)
    else:
        sent["job"]["reference"] = {"path": "/nowhere/truth.npy"}
    with pytest.raises(UserError, match="tcp://a:1"):
        cluster_worker._task(sent, "tcp://a:1")


def test_errors_travel_in_words() -> None:
    error = cluster_worker._placed(PriorError("There is no prior called x.", "Known: none."), "tcp://a:1")
    back = cluster_worker.error_from(cluster_worker._words(error))
    assert type(back) is PriorError
    assert "tcp://a:1" in str(back)
    assert type(cluster_worker.error_from(("Other", "a", "b", "c"))) is JobError


def test_a_prior_is_read_again_only_when_its_file_has_changed(tiny_prior: Callable[..., str]) -> None:
    path = tiny_prior()
    first = held_prior(path)
    assert held_prior(path) is first
    tiny_prior(warnings=("another",))
    assert held_prior(path) is not first


def test_failures_of_reading_are_tasks_too(plan, scans: list[str]) -> None:
    Path(scans[0]).unlink()
    events = [e for e in run_batch(plan(), Stop(), Unwritten()) if isinstance(e, TaskFailed)]
    assert [e.task.name for e in events] == ["scan 0"]
