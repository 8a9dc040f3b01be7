"""Where sweeps, batches and samples are computed: in this window, by workers of this machine, or by a scheduler's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from psygnal import Signal

MOST_WORKERS = 64


class Kind(Enum):
    """The value is kept in the preferences."""

    HERE = "here"
    WORKERS = "workers"
    SCHEDULER = "scheduler"


@dataclass(frozen=True)
class Place:
    """What is not of the chosen kind is kept for the next time.

    workers: processes of this machine, 0 for what suits it. address: of a scheduler, HOST:PORT. ca, cert, key: PEM
    files for TLS, all or none.
    """

    kind: Kind = Kind.HERE
    workers: int = 0
    address: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""

    @property
    def elsewhere(self) -> bool:
        """Not in this window."""
        return self.kind is not Kind.HERE

    def to_dict(self) -> dict[str, Any]:
        """For the preferences. Of TLS the places of the files, never what is in them."""
        return {**asdict(self), "kind": self.kind.value}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Place:
        """The inverse; whatever is no place is this window."""
        words = {name: str(said.get(name, "")) for name in ("address", "ca", "cert", "key")}
        try:
            kind, workers = Kind(said.get("kind")), int(said.get("workers", 0))
        except (ValueError, TypeError):
            return replace(cls(), **words)
        return cls(kind, min(max(workers, 0), MOST_WORKERS), **words)


class PlaceChoice:
    """The place that is chosen."""

    changed = Signal()

    def __init__(self, place: Place | None = None) -> None:
        self.place = place or Place()

    def choose(self, place: Place) -> None:
        """From the next sweep, batch or study on."""
        if place != self.place:
            self.place = place
            self.changed.emit()


@dataclass(frozen=True)
class WorkerSeen:
    """A worker that answered. gpu: its name, "" for none. version: of DDS Viewer."""

    address: str
    threads: int
    gpu: str
    version: str
    torch: str
