"""Addresses of a cluster and who may be spoken to: loopback as it is, everything else by TLS."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import JobError

PORT = 8786
TIMEOUT_S = 5.0


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
                raise JobError(f"There is no file {Path(path).name}.", f"Looked for {path}.", "Check --tls-*.")
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
        raise JobError("TLS needs three files.", "Only some are named.", "Give --tls-ca, --tls-cert and --tls-key.")
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
        raise JobError("A tls:// address needs TLS.", "", "Give --tls-ca, --tls-cert and --tls-key.")
    if tls is not None and protocol == "tcp":
        raise JobError("A tcp:// address is without TLS.", "TLS files are given.", f"Write tls://{rest}.")
    if tls is None and not is_loopback(host):
        raise JobError(
            f"{host} is not on this machine, and there is no TLS.",
            "Dask sends pickled code; without TLS anybody on the way could run theirs.",
            "Give --tls-ca, --tls-cert and --tls-key, or go through an SSH tunnel to 127.0.0.1.",
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
