"""What runs on a worker of a cluster: one task at a time, with scan and prior kept for the next one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import core
from core.engine.job import JobSpec
from core.engine.reference_source import digest_of_source, require_here
from core.engine.run_card import versions
from core.engine.stop import Stop
from core.engine.sweep_plan import prior_hash
from core.engine.tasks import Task, TaskFailed, TaskResult, TaskStep, digest_of
from core.engine.work import png_of, worked
from core.errors import JobError, PriorError, ScanError, UserError
from core.formats import open_scan
from core.formats.fingerprint import Signature, signature_of
from core.scan import Scan

THREADS = "DDS_VIEWER_THREADS"
"""Environment variable: threads of each run on this worker, 0 for all."""

WATCH_S = 0.5
"""How often a worker asks whether its task is still wanted."""

_KINDS: dict[str, type[UserError]] = {kind.__name__: kind for kind in (ScanError, PriorError, JobError)}
_one_at_a_time = threading.Lock()


def about() -> dict[str, Any]:
    """What this worker is: the versions of what it computes with, its process, its threads, its GPU or ""."""
    import torch

    threads = int(os.environ.get(THREADS, "0") or 0) or os.cpu_count() or 1
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""
    return {**versions(), "pid": os.getpid(), "threads": threads, "gpu": gpu}


def order_of(task: Task) -> dict[str, Any]:
    """A task as plain values, without its scan, for another process; a prior given by its file, by its whole path."""
    job = task.job.to_dict()
    prior = Path(job["settings"]["prior"])
    if prior.suffix or len(prior.parts) > 1:
        job["settings"]["prior"] = str(prior.absolute())
    return {
        "version": core.__version__,
        "number": task.number,
        "name": task.name,
        "job": job,
        "digest": task.digest,
        "values": task.values,
        "keep_image": task.keep_image,
    }


def perform(order: dict[str, Any], topic: str) -> dict[str, Any]:
    """Do the task of an order on this Dask worker: {"record", "volume"}, {"failed"} in plain words, or {}: stopped.

    What happens on the way is told under `topic`: {"key", "begun"} at the start, then {"key", "step"} as of TaskStep.
    It ends early when nobody wants its result any more.
    """
    from distributed import get_worker

    worker = get_worker()
    key, address = str(worker.get_current_task()), worker.address
    stop = Stop()
    try:
        with _one_at_a_time, _watching(stop, lambda: _wanted(worker, key)):
            worker.log_event(topic, {"key": key, "begun": address})
            task = _task(order, address)
            missing = task.job.settings.method == "dds" and not prior_hash(task.job.settings)
            with closing(worked(task, stop)) as events:
                where = address if missing else ""
                return _last(events, where, lambda step: worker.log_event(topic, {"key": key, "step": _plain(step)}))
    except UserError as error:
        return {"failed": _words(error)}


def error_from(words: tuple[str, str, str, str]) -> UserError:
    """The error that a worker told."""
    kind, what, why, try_this = words
    return _KINDS.get(kind, JobError)(what, why, try_this)


def _last(
    events: Generator[TaskStep | TaskResult | TaskFailed, None, None], missing: str, tell: Callable[[TaskStep], None]
) -> dict[str, Any]:
    """missing: the address of this worker if it has no such prior, else ""."""
    for event in events:
        if isinstance(event, TaskStep):
            tell(event)
        elif isinstance(event, TaskFailed):
            return {"failed": _words(_placed(event.error, missing))}
        else:
            return {"record": event.record, "volume": event.volume}
    return {}


def _task(order: dict[str, Any], address: str) -> Task:
    """The task of an order, its scan read. Raises UserError where this worker cannot do it."""
    if order.get("version") != core.__version__:
        raise JobError(
            f"The worker {address} has another version of DDS Viewer.",
            f"It has {core.__version__}, the order came from {order.get('version')}.",
            "Install the same version on both.",
        )
    job = JobSpec.from_dict(order["job"])
    path = Path(job.source.path)
    if not signature_of(path):
        raise ScanError(
            f"The scan {path.name} is not visible to the worker {address}.",
            f"Workers read scans by their path, {path}.",
            "Put it on a drive that every worker has at the same place.",
        )
    scan = _scan(job.source.path, job.source.axes, job.source.domain, signature_of(path))
    threads = job.threads or int(os.environ.get(THREADS, "0") or 0)
    require_here(job.reference)
    for what, where in (("reference", job.reference.path), ("mask", job.reference.mask)):
        if where and not signature_of(Path(where)):
            raise ScanError(f"The {what} {Path(where).name} is not visible to the worker {address}.", "", "")
    _check_same(job, scan, order["digest"], address)
    job = replace(job, scan=scan, threads=threads)
    return Task(order["number"], order["name"], job, order["digest"], order["values"], bool(order["keep_image"]))


def _check_same(job: JobSpec, scan: Scan, digest: str, address: str) -> None:
    """Raise JobError where the files that this worker finds by the same names are others."""
    files = scan.provenance.sha256, prior_hash(job.settings), digest_of_source(job.reference)
    # The sender may not have the prior, and a worker without it says so when it looks for it.
    alike = {digest_of(job, files[0], prior, files[2]) for prior in (files[1], "")}
    absent = job.settings.method == "dds" and not files[1]
    if digest not in alike and not absent:
        raise JobError(
            f"The worker {address} has other files than this machine.",
            "Scan, prior or reference differ, though they are called the same.",
            "Bring the same files there.",
        )


@lru_cache(maxsize=1)
def _scan(path: str, axes: str, domain: str, signature: Signature) -> Scan:
    """The last scan that was read; the signature tells one that has changed."""
    return open_scan(path, axes=axes, domain=domain)


def _placed(error: UserError, address: str) -> UserError:
    """A prior that is missing is missing on the worker at an address; "" for one that is there."""
    if not isinstance(error, PriorError) or not address:
        return error
    why = f"{error.why} Worker: {address}.".strip()
    return PriorError(error.what, why, "Add the prior on the worker too, by dds-viewer prior add, or choose another.")


def _words(error: UserError) -> tuple[str, str, str, str]:
    kind = next((name for name, each in _KINDS.items() if isinstance(error, each)), "JobError")
    return kind, error.what, error.why, error.try_this


def _plain(step: TaskStep) -> dict[str, Any]:
    preview = None if step.preview is None else png_of(step.preview)
    told = {name: getattr(step, name) for name in ("step", "total", "residual", "seconds_left")}
    return {**told, "preview": preview}


def _wanted(worker: Any, key: str) -> bool:
    """Neither cancelled nor forgotten: Dask itself does not interrupt what runs."""
    state = worker.state.tasks.get(key)
    return state is not None and state.state not in ("cancelled", "released", "forgotten")


@contextmanager
def _watching(stop: Stop, wanted: Callable[[], bool]) -> Iterator[None]:
    """Discards the run when it is no longer wanted."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(WATCH_S):
            if not wanted():
                stop.discard()
                return

    thread = threading.Thread(target=watch, name="wanted", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
