"""What a DICOM export tells beside its pixels: of which modality, of whom, made how."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

from core.formats.identity import Identity, identity_from
from core.projections import Projections
from core.scan import KSpace, Scan, Volume

_MODALITIES = {"HU": "CT", "1/mm": "CT"}
"""By the unit of a volume; of the others, MR."""

_TOLD = ("nfe", "cg_steps", "gamma", "eta", "rho", "lam", "iterations", "filter", "samples", "seed", "prior")
_OF_ALL = ("iterations", "filter", "lam")


@dataclass(frozen=True, kw_only=True)
class About:
    """modality: "MR" or "CT", as DICOM names them. identity: of the source; it is written only with keep_identity, and
    else searched for in all words and taken out. description: method and settings. card: the run card. anatomy: the
    part of the body, or "". simulated: no scanner made this."""

    modality: str
    identity: Identity = field(default_factory=Identity, repr=False)
    keep_identity: bool = False
    description: str = field(default="", repr=False)
    card: dict[str, Any] = field(default_factory=dict, repr=False)
    anatomy: str = field(default="", repr=False)
    simulated: bool = False

    @property
    def identified(self) -> bool:
        """The files will tell who was scanned."""
        return self.keep_identity and self.identity.known


def about_volume(volume: Volume, **changes: Any) -> About:
    """What the volume itself tells: the modality by its unit, the method by its run card."""
    told: dict[str, Any] = {
        "modality": _MODALITIES.get(volume.unit, "MR"),
        "description": described(volume.card),
        "card": volume.card,
    }
    return About(**(told | changes))


@singledispatch
def about_scan(scan: Scan, volume: Volume) -> About:
    """What is told of a volume that was made of a scan."""
    raise TypeError(type(scan))


@about_scan.register
def _(scan: KSpace, volume: Volume) -> About:
    return about_volume(volume, modality="MR", **_told_by(scan))


@about_scan.register
def _(scan: Projections, volume: Volume) -> About:
    return about_volume(volume, modality="CT", **_told_by(scan))


def _told_by(scan: Scan) -> dict[str, Any]:
    """identity: so that it can be taken out of every word, or kept where that is asked for."""
    identity = identity_from(scan.provenance.identifiers)
    return {"anatomy": scan.anatomy, "simulated": scan.simulated, "identity": identity}


def described(card: dict[str, Any]) -> str:
    """Method and settings of a run card in one line; "" where there is no method."""
    settings = card.get("job", {}).get("settings", {})
    method = str(settings.get("method", ""))
    if not method:
        return ""
    told = _TOLD if method == "dds" else _OF_ALL
    # A prior may be named by its path, which is nobody's business.
    chosen = {name: str(settings[name]).replace("\\", "/").split("/")[-1] for name in told if name in settings}
    return ", ".join([f"{method} reconstruction", *(f"{name} {value}" for name, value in chosen.items())])
