"""What was found in a scan, for the terminal, the window and JSON."""

from __future__ import annotations

from functools import singledispatch
from typing import Any, Protocol

from core.formats.describe_ct import describe_projections
from core.formats.describe_mri import describe_kspace
from core.projections import Projections
from core.scan import KSpace, Scan


class ScanInfo(Protocol):
    """The card of a scan. Identifiers (patient name, id and the like) are in it only where asked for."""

    def to_dict(self, identifiers: bool = False) -> dict[str, Any]:
        """Plain values, ready for JSON."""

    def lines(self, identifiers: bool = False) -> list[tuple[str, str]]:
        """(label, value) pairs in the order to show them; what is done and not understood takes a pair each."""


@singledispatch
def describe(scan: Scan) -> ScanInfo:
    """Gather what is known of a scan: a KSpaceInfo or a ProjectionsInfo."""
    raise TypeError(f"{type(scan).__name__} is no scan")


describe.register(KSpace, describe_kspace)
describe.register(Projections, describe_projections)
