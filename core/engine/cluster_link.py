"""Addresses of a cluster and who may be spoken to: loopback as it is, everything else by TLS."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.engine.stop import Stop
from core.errors import JobError

PORT = 8786
TIMEOUT_S = 5.0
GLANCE_S = 0.1
LOOK_S = 0.5
"""For one attempt to reach a port; between two it is looked whether it is still wanted."""
FILES = "Give the files of authority, certificate and key: --tls-ca, --tls-cert and --tls-key."


@dataclass(frozen=True)
class Tls:
    """Files in PEM: the authority that signed all certificates of the cluster, one's own certificate, and its key.

    Both ends must show a certificate of that authority.
    """

    ca: str
    cert: str
    key: str

    def security(self) -> Any:
        """As distributed.Security. Raises JobError for files that are no certificates."""
        from distributed import Security

        for path in (self.ca, self.cert, self.key):
            if not Path(path).is_file():
                raise JobError(
                    f"There is no file {Path(path).name}.", f"Looked for {path}.", "Check the files for TLS."
                )
        roles = {f"tls_{role}_{part}": getattr(self, part) for role in _ROLES for part in ("cert", "key")}
        security = Security(tls_ca_file=self.ca, require_encryption=True, **roles)
        try:
            security.get_connection_args("client")
        except OSError as error:
            raise JobError(
                "The TLS files cannot be used.", str(error), "They must be PEM, and fit together."
            ) from error
        return security


def tls_of(ca: str | None, cert: str | None, key: str | None) -> Tls | None:
    """From three options. Raises JobError where only some are given."""
    if ca and cert and key:
        return Tls(ca, cert, key)
    if ca or cert or key:
        raise JobError("TLS needs three files.", "Only some are named.", FILES)
    return None


def address_of(text: str, tls: Tls | None) -> str:
    """ "tcp://HOST:PORT" or "tls://HOST:PORT" from "[tcp:// or tls://]HOST[:PORT]".

    Raises JobError for what is no address, and for one beyond loopback without TLS: whoever listens there could have
    this process run code of theirs.
    """
    protocol, _, rest = text.strip().rpartition("://")
    host, port = host_and_port(rest)
    if protocol not in ("", "tcp", "tls"):
        raise JobError(f"The address {text!r} cannot be used.", f"{protocol} is not known.", "Write HOST:PORT.")
    if tls is None and protocol == "tls":
        raise JobError("A tls:// address needs TLS.", "", FILES)
    if tls is not None and protocol == "tcp":
        raise JobError("A tcp:// address is without TLS.", "TLS files are given.", f"Write tls://{rest}.")
    if tls is None and not is_loopback(host):
        raise JobError(
            f"{host} is not on this machine, and there is no TLS.",
            "Dask sends pickled code; without TLS anybody on the way could run theirs.",
            f"{FILES[:-1]}, or go through an SSH tunnel to 127.0.0.1.",
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{'tcp' if tls is None else 'tls'}://{shown}:{port}"


def host_and_port(text: str) -> tuple[str, int]:
    """From HOST, HOST:PORT or [IPv6]:PORT. Raises JobError."""
    bare = text.strip().rstrip("/")
    try:
        if bare.startswith("["):
            host, _, port = bare[1:].partition("]")
            port = port.removeprefix(":")
        else:
            host, _, port = bare.partition(":")
        number = int(port) if port else PORT
        if not host or not 0 <= number < 65536:
            raise ValueError(bare)
    except ValueError as error:
        raise JobError(f"{text!r} is no address.", "", "Write HOST:PORT, for example 127.0.0.1:8786.") from error
    return host, number


def wait_for_port(address: str, seconds: float, stop: Stop) -> None:
    """Return once somebody listens at "tcp://HOST:PORT" or "tls://HOST:PORT", or when stopped. Raises JobError."""
    host, port = host_and_port(address.partition("://")[2])
    until, why = time.monotonic() + seconds, f"Nobody answered within {seconds:.0f} s."
    while not stop.ending:
        try:
            with socket.create_connection((host, port), timeout=min(LOOK_S, seconds)):
                return
        except ConnectionRefusedError:
            why = "Nobody listens there."
        except OSError as error:
            why = why if isinstance(error, TimeoutError) else f"{error.strerror or error}."
        if time.monotonic() > until:
            raise no_scheduler(address, why)
        time.sleep(LOOK_S / 2)


def scheduler_versions(address: str, tls: Tls | None, stop: Stop) -> dict[str, str]:
    """The packages of the scheduler at an address, by name; none when stopped. Raises JobError where none answers.

    Asked before a distributed.Client is made, since that one waits for ever where something else listens.
    """
    arguments = tls.security().get_connection_args("client") if tls is not None else {}
    try:
        return asyncio.run(_versions(address, arguments, stop))
    except Exception as error:  # Whatever another program, or another version of Dask, answers.
        why = "What listens there does not answer as one" + (", or TLS did not agree." if tls is not None else ".")
        raise no_scheduler(address, why) from error


async def _versions(address: str, arguments: dict[str, Any], stop: Stop) -> dict[str, str]:
    asking = asyncio.ensure_future(_ask_for_versions(address, arguments))
    try:
        for _ in range(round(TIMEOUT_S / GLANCE_S)):
            await asyncio.wait({asking}, timeout=GLANCE_S)
            if asking.done() or stop.ending:
                return asking.result() if asking.done() else {}
        raise TimeoutError
    finally:
        asking.cancel()


async def _ask_for_versions(address: str, arguments: dict[str, Any]) -> dict[str, str]:
    from distributed.comm import connect
    from distributed.core import send_recv

    comm = await connect(address, timeout=TIMEOUT_S, **arguments)
    try:
        answer = await send_recv(comm, op="versions", packages=None)
        return {str(name): str(version) for name, version in answer["packages"].items()}
    finally:
        comm.abort()


def no_scheduler(address: str, why: str) -> JobError:
    """For a scheduler that is not there."""
    hint = "Start one by dds-viewer worker --listen HOST:PORT, or check the address."
    return JobError(f"There is no scheduler at {address}.", why, hint)


def is_loopback(host: str) -> bool:
    """All that the name stands for is on this machine; a name that cannot be resolved is not."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in found)


_ROLES = ("client", "scheduler", "worker")
