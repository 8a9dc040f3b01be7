"""A worker of a cluster, with a scheduler of its own or for one elsewhere, until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

from core.engine.cluster import HTTP, SETTINGS
from core.engine.cluster_link import TIMEOUT_S, Tls, address_of, host_and_port
from core.engine.cluster_worker import THREADS
from core.errors import JobError

LOOPBACK = "127.0.0.1"


def serve(
    scheduler: str = "",
    listen: str = "",
    tls: Tls | None = None,
    gpu: int | None = None,
    threads: int = 0,
    tell: Callable[[str], None] | None = None,
) -> None:
    """Work for a scheduler, or listen as one with a worker; returns at SIGINT, SIGTERM, or when the scheduler ends.

    scheduler: its address; "" starts one that listens at `listen`, HOST:PORT, loopback where that is "" too. gpu: the
    number of the only CUDA device that the worker sees. threads: of each run, 0 for all. tell: called with the address
    once it stands. Raises JobError where the scheduler is not there, and for an address beyond loopback without TLS.
    """
    import dask
    from distributed.utils import silence_logging_cmgr

    address = address_of(scheduler or listen or LOOPBACK, tls)
    with dask.config.set(SETTINGS), silence_logging_cmgr(logging.CRITICAL):
        asyncio.run(_serve(address, not scheduler, tls, _environment(gpu, threads), tell or (lambda _: None)))


def _environment(gpu: int | None, threads: int) -> dict[str, str]:
    """Of the worker's process."""
    found = {THREADS: str(threads), "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE")}
    return found if gpu is None else {**found, "CUDA_VISIBLE_DEVICES": str(gpu)}


async def _serve(address: str, own: bool, tls: Tls | None, env: dict[str, str], tell: Callable[[str], None]) -> None:
    from distributed import Nanny, Scheduler

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # on Windows, where Ctrl+C raises KeyboardInterrupt
            loop.add_signal_handler(number, ended.set)
    security = {} if tls is None else {"security": tls.security()}
    async with AsyncExitStack() as held:
        if own:
            address = await _scheduler(held, Scheduler, address, security)
        else:
            await _answers(address, security)
        # Results go through the scheduler, so a worker beside it need not be seen from outside.
        beside = own or host_and_port(address.partition("://")[2])[0] in (LOOPBACK, "localhost", "::1")
        place = {"host": LOOPBACK} if beside else {}
        worker = Nanny(
            address,
            nthreads=1,
            memory_limit=0,
            env=env,
            dashboard_address=HTTP,
            silence_logs=logging.CRITICAL,
            **place,
            **security,
        )
        await held.enter_async_context(worker)
        tell(address)
        over = [asyncio.ensure_future(ended.wait()), asyncio.ensure_future(worker.finished())]
        await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
        for each in over:
            each.cancel()


async def _scheduler(held: AsyncExitStack, kind: Any, address: str, security: dict[str, Any]) -> str:
    protocol, _, place = address.partition("://")
    host, port = host_and_port(place)
    try:
        made = kind(host=host, port=port, protocol=protocol, dashboard=False, dashboard_address=HTTP, **security)
        started = await held.enter_async_context(made)
    except OSError as error:
        reason = error.strerror or str(error)
        raise JobError(f"Nothing can listen at {place}.", f"{reason}.", "Choose another port, by --listen.") from error
    return str(started.address)


async def _answers(address: str, security: dict[str, Any]) -> None:
    """Raise JobError where no scheduler answers: a worker on its own would ask for ever."""
    from distributed.comm import connect

    arguments = security["security"].get_connection_args("worker") if security else {}
    try:
        comm = await connect(address, timeout=TIMEOUT_S, **arguments)
    except (OSError, TimeoutError) as error:
        why = f"Nobody answered within {TIMEOUT_S:.0f} s" + (", or TLS did not agree." if security else ".")
        raise JobError(f"There is no scheduler at {address}.", why, "Start it first, or check the address.") from error
    await comm.close()
