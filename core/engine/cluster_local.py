"""A Dask cluster of processes on this machine, which stands as long as it is wanted."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from core.engine.cluster import HTTP, SETTINGS, Cluster, connected
from core.engine.stop import Stop
from core.errors import JobError

START_S = 120.0
"""For the first worker to stand."""
LOOPBACK = "127.0.0.1"


def usual_workers() -> int:
    """One for each GPU of this machine; without any, as many as processors but at most four."""
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return gpus or max(1, min(os.cpu_count() or 1, 4))


@contextmanager
def own_cluster(workers: int = 0, threads: int = 0, stop: Stop | None = None) -> Iterator[Cluster]:
    """A Cluster of processes on this machine, on loopback; at the end nothing is left of it, whatever they do.

    workers: how many, 0 for `usual_workers`. threads: of each, 0 to share the processors out. stop: ends the waiting
    for them, with a cluster that does nothing. Raises JobError.
    """
    import dask
    from distributed import LocalCluster

    workers, stop = workers or usual_workers(), stop or Stop()
    threads = threads or max(1, (os.cpu_count() or 1) // workers)
    with ExitStack() as held, dask.config.set(SETTINGS):
        scratch = held.enter_context(tempfile.TemporaryDirectory(prefix="dds-viewer-", ignore_cleanup_errors=True))
        try:
            # Without workers at first: it could not be stopped while it waits for them.
            local = held.enter_context(
                LocalCluster(
                    n_workers=0,
                    threads_per_worker=1,
                    processes=True,
                    host=LOOPBACK,
                    memory_limit=0,
                    dashboard_address=HTTP,
                    worker_dashboard_address=HTTP,
                    local_directory=scratch,
                    silence_logs=logging.CRITICAL,
                )
            )
        except OSError as error:
            why = f"{error.strerror or error}."
            raise JobError("No workers can be started on this machine.", why, "Compute in this window.") from error
        held.callback(_kill, local)
        _add(local, workers)
        yield held.enter_context(connected(local.scheduler_address, None, threads, START_S, stop))


def _add(local: Any, workers: int) -> None:
    """Start workers; each sees a GPU of its own, where there are as many."""
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for number in range(workers):
        spec = local.new_worker_spec()
        for name, each in spec.items():
            if gpus:
                each["options"] = {**each["options"], "env": {"CUDA_VISIBLE_DEVICES": str(number % gpus)}}
            local.worker_spec[name] = each
    local.scale(len(local.worker_spec))


def _kill(local: Any) -> None:
    """End the workers at once: what they still do nobody wants, and asked to they would first finish it."""
    for nanny in list(local.workers.values()):
        nanny.auto_restart = False
        process = getattr(nanny.process, "process", None)
        number = getattr(process, "pid", None)
        if number:
            with suppress(OSError):
                os.kill(number, getattr(signal, "SIGKILL", signal.SIGTERM))
