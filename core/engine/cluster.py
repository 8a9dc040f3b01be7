"""Does tasks on a Dask cluster, whose scheduler is named by its address or is this process."""

from __future__ import annotations

import asyncio
import concurrent.futures
import io
import logging
import math
import queue
import time
import uuid
import warnings
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import core
from core.engine import cluster_worker
from core.engine.cluster_link import TIMEOUT_S, Tls, address_of, no_scheduler, scheduler_versions, wait_for_port
from core.engine.stop import Stop
from core.engine.tasks import Task, TaskEvent, TaskFailed, TaskResult, TaskStarted, TaskStep
from core.errors import JobError

LOOK_S = 0.25
"""How often `stop` is looked at while nothing happens."""
GONE_S = 60.0
"""Without any worker before it is given up."""
CLOSE_S = 1.0
"""To wait for a scheduler that may be gone, before it is looked at `stop` again."""
SILENT_S = 10.0
"""That a scheduler may be silent before it is given up."""
LOST = 3
"""Workers that one task may take with it."""

HTTP = "127.0.0.1:0"
"""Dask's servers of web pages cannot be left out; theirs are empty, and seen from here only."""

SETTINGS: dict[str, Any] = {
    "distributed.scheduler.allowed-failures": LOST,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.diagnostics.nvml": False,
    # Dask's own also has malloc give back all it can at once, which doubles the time of a run.
    "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": 1, "MKL_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1},
}
"""Of Dask, for the schedulers and workers that this program starts."""


@contextmanager
def joined_cluster(scheduler: str, tls: Tls | None = None, stop: Stop | None = None) -> Iterator[Cluster]:
    """A Cluster by the address of its scheduler. Raises JobError where it is not there or of another version.

    stop: ends the waiting for it, with a cluster that does nothing.
    """
    from distributed.utils import silence_logging_cmgr

    address, stop = address_of(scheduler, tls), stop or Stop()
    with silence_logging_cmgr(logging.CRITICAL):
        wait_for_port(address, TIMEOUT_S, stop)
        with connected(address, tls, 0, TIMEOUT_S, stop) as cluster:
            yield cluster


@dataclass
class Cluster:
    """A Workplace. client: distributed.Client. threads: of each run, 0 for what the worker was started with."""

    client: Any
    threads: int = 0
    _told: queue.SimpleQueue[tuple[str, Any]] = field(default_factory=queue.SimpleQueue)

    def workers(self) -> dict[str, dict[str, Any]]:
        """By address what each worker is, see core.engine.cluster_worker.about; none where it was stopped."""
        if self.client is None:
            return {}
        found: dict[str, dict[str, Any]] = self.client.run(cluster_worker.about)
        return found

    def work(self, tasks: Iterable[Task | TaskEvent], stop: Stop) -> Generator[TaskEvent, None, None]:
        """See core.engine.tasks.Workplace. Of a worker that is lost the tasks are done again by another.

        Twice as many tasks as workers are under way, the others wait here. While `stop` is paused none is sent.
        Raises JobError when the scheduler or all workers are gone.
        """
        if stop.ending or self.client is None:
            return
        topic, waiting = f"dds-viewer-{uuid.uuid4().hex}", iter(tasks)
        flying: dict[str, _Flight] = {}
        self.client.subscribe_topic(topic, lambda event: self._told.put(("told", event[1])))
        crew, more = _Crew(self.client), True
        try:
            while not stop.ending and (more or flying):
                crew.look()
                while more and not stop.paused and len(flying) < max(1, 2 * crew.size):
                    task = next(waiting, None)
                    more = task is not None
                    if isinstance(task, TaskEvent):
                        yield task
                    elif task is not None:
                        self._send(task, topic, flying)
                yield from self._happened(flying, stop)
        finally:
            # Without asking the scheduler, which may be gone: workers give up what nobody wants.
            if self.client.status == "running":
                self.client.unsubscribe_topic(topic)
            for flight in flying.values():
                flight.let_go()

    def _send(self, task: Task, topic: str, flying: dict[str, _Flight]) -> None:
        job = replace(task.job, scan=None, threads=task.job.threads or self.threads)
        task = replace(task, job=job)
        key = f"dds-viewer-{task.digest[:16]}-{uuid.uuid4().hex}"
        future = self.client.submit(cluster_worker.perform, cluster_worker.order_of(task), topic, key=key, pure=False)
        flying[key] = _Flight(task, future)
        future.add_done_callback(lambda done: self._told.put(("done", done.key)))

    def _happened(self, flying: dict[str, _Flight], stop: Stop) -> Iterator[TaskEvent]:
        """What is told within a moment; what is told of tasks that are done already is dropped."""
        try:
            kind, about = self._told.get(timeout=LOOK_S)
        except queue.Empty:
            return
        key = about["key"] if kind == "told" else about
        flight = flying.get(key)
        if flight is None:
            return
        if kind == "told":
            yield _event(flight.task, about)
        elif kind == "done":
            self._fetch(flight)
        else:
            del flying[key]
            found = self._result(flight)
            flight.let_go()
            if not stop.ending:
                yield found

    def _fetch(self, flight: _Flight) -> None:
        """Let the result come, however large it is; meanwhile others are told of."""
        coming = self.client.gather(flight.future, asynchronous=True)
        flight.coming = asyncio.run_coroutine_threadsafe(coming, self.client.loop.asyncio_loop)
        flight.coming.add_done_callback(lambda _: self._told.put(("came", flight.future.key)))

    def _result(self, flight: _Flight) -> TaskResult | TaskFailed:
        from distributed import CancelledError
        from distributed.scheduler import KilledWorker

        task = flight.task
        try:
            found = flight.coming.result() if flight.coming is not None else {}
        except KilledWorker:
            what = f"{LOST + 1} workers died over {task.name}."
            return TaskFailed(task, JobError(what, "The memory of the machine may be too small.", "Use fewer workers."))
        except (CancelledError, concurrent.futures.CancelledError) as error:
            raise _scheduler_gone() from error
        except Exception as error:  # What a worker raised; the others go on.
            return TaskFailed(task, JobError("The worker could not do it.", f"{type(error).__name__}: {error}"[:300]))
        if "failed" in found:
            return TaskFailed(task, cluster_worker.error_from(found["failed"]))
        if not found:
            return TaskFailed(task, JobError(f"{task.name} was stopped on its worker.", "", "Run it again."))
        return TaskResult(task, found["record"], found["volume"])


@dataclass
class _Crew:
    """How many workers there are, asked once a second, and since when there was none."""

    client: Any
    size: int = 0
    asked: float = -math.inf
    seen: float = field(default_factory=time.monotonic)
    answered: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        """Raises JobError when the scheduler is gone, or no worker came back for GONE_S."""
        if self.client.status != "running":
            raise _scheduler_gone()
        now = time.monotonic()
        if now - self.asked < 1.0:
            return
        try:
            self.asked, self.size = now, len(self.client.nthreads(callback_timeout=CLOSE_S))
            self.answered = now
        except TimeoutError as error:
            if now - self.answered > SILENT_S:
                raise _scheduler_gone() from error
        except OSError as error:
            raise _scheduler_gone() from error
        self.seen = now if self.size else self.seen
        if now - self.seen > GONE_S:
            raise JobError("All workers are gone.", f"None came back within {GONE_S:.0f} s.", "Start one again.")


@dataclass
class _Flight:
    """A task under way, and its result on the way back."""

    task: Task
    future: Any
    coming: concurrent.futures.Future[Any] | None = None

    def let_go(self) -> None:
        """Nobody wants it any more."""
        if self.coming is not None:
            self.coming.cancel()
        self.future.release()


def _event(task: Task, about: dict[str, Any]) -> TaskEvent:
    if "begun" in about:  # Dask adds "worker" to everything
        return TaskStarted(task, about["begun"])
    step = dict(about["step"])
    preview = step.pop("preview", None)
    return TaskStep(task, **step, preview=None if preview is None else _pixels(preview))


def _pixels(png: bytes) -> Any:
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture, dtype=np.uint8)


@contextmanager
def connected(address: str, tls: Tls | None, threads: int, patience: float, stop: Stop) -> Iterator[Cluster]:
    """The cluster of a scheduler that is there, once it has a worker. patience: seconds for that. Raises JobError."""
    theirs = scheduler_versions(address, tls, stop)
    if stop.ending:
        yield Cluster(None)
        return
    _check_versions(theirs)
    client = _client(address, tls)
    try:
        try:
            _wait_for_worker(client, address, patience, stop)
            if not stop.ending:
                _check_workers(client)
        except (OSError, TimeoutError) as error:
            raise _scheduler_gone() from error
        yield Cluster(client, threads)
    finally:
        with suppress(Exception):  # of one that is gone
            client.close(timeout=CLOSE_S)


def _client(address: str, tls: Tls | None) -> Any:
    """Of a scheduler that has answered. Raises JobError where it does not any more."""
    from distributed import Client

    security = None if tls is None else tls.security()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other versions, which is told in words
            return Client(address, timeout=TIMEOUT_S, security=security, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise no_scheduler(address, "It answers no more.") from error


def _wait_for_worker(client: Any, address: str, patience: float, stop: Stop) -> None:
    until = time.monotonic() + patience
    while not stop.ending and not client.nthreads(callback_timeout=TIMEOUT_S):
        if time.monotonic() > until:
            hint = f"Start one by dds-viewer worker --scheduler {address}."
            raise JobError("The scheduler has no workers.", "", hint)
        time.sleep(LOOK_S)


def _check_versions(theirs: dict[str, str]) -> None:
    """Raise JobError where the scheduler's Dask is another: they would not understand each other."""
    import dask
    import distributed

    ours = {"distributed": distributed.__version__, "dask": dask.__version__}
    for name in ("distributed", "dask"):
        if ours.get(name) != theirs.get(name):
            raise JobError(
                f"The scheduler has another version of {name}.",
                f"It has {theirs.get(name)}, this machine {ours.get(name)}.",
                "Install the same version of DDS Viewer on both.",
            )


def _check_workers(client: Any) -> None:
    found = client.run(cluster_worker.about, on_error="return")
    for address, about in found.items():
        if isinstance(about, BaseException):
            raise JobError(
                f"The worker {address} is not one of DDS Viewer.",
                f"{type(about).__name__}: {about}"[:300],
                "Start workers by dds-viewer worker.",
            )
        if about["dds-viewer"] != core.__version__:
            raise JobError(
                f"The worker {address} has another version of DDS Viewer.",
                f"It has {about['dds-viewer']}, this machine {core.__version__}.",
                "Install the same version on both.",
            )


def _scheduler_gone() -> JobError:
    return JobError(
        "The scheduler is gone.", "The connection to it has ended.", "Start it again, and go on from what is done."
    )
