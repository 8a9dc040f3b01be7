"""Where a scan comes from."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Provenance:
    """Where a scan comes from, without identity.

    path and sha256 name the file read. done: what the reader did, one sentence each ("Readout oversampling removed").
    not_understood: what it met and left aside. identifiers: patient name, id and the like; shown only when asked for,
    never logged, saved or put in a file name.
    """

    path: str
    format: str
    sha256: str = ""
    vendor: str = ""
    sequence: str = ""
    field_strength_t: float | None = None
    done: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    identifiers: dict[str, str] = field(default_factory=dict, repr=False)
