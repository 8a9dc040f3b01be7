"""What the window must know of a scan by its kind. The kinds are types; no word tells them apart."""

from __future__ import annotations

from functools import singledispatch

from core.engine.offers import quick_methods, slices_in
from core.projections import Projections
from core.scan import KSpace, Scan

QUICK = ("zero-filled", "cg-sense", "fbp", "fdk")
"""Methods whose images every run over some kind of scan makes on its way, the best of each kind last."""


def on_the_way(scan: Scan | None) -> tuple[str, ...]:
    """Methods whose images every run over a scan makes on its way, simplest first; of all kinds for None."""
    return QUICK if scan is None else quick_methods(scan)


@singledispatch
def modality_of(scan: Scan) -> str:
    """What a prior's card calls the modality of a scan."""
    raise TypeError(type(scan))


@singledispatch
def single_slices(scan: Scan) -> int:
    """How many slices can be reconstructed one by one; 0 where the measurement ties them together."""
    raise TypeError(type(scan))


@modality_of.register
def _(scan: KSpace) -> str:
    return "MR"


@modality_of.register
def _(scan: Projections) -> str:
    return "CT"


@single_slices.register
def _(scan: KSpace) -> int:
    return slices_in(scan) if scan.every_kz_alike else 0


@single_slices.register
def _(scan: Projections) -> int:
    return 0 if scan.is_volume else slices_in(scan)
