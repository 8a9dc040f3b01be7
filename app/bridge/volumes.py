"""Image volumes: what the window asks of core about them, in the file thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import singledispatch
from itertools import islice
from pathlib import Path

from app.state.naming import public_name
from app.state.notice import Notice
from app.state.simulation import CtPlan, MriPlan, Plan
from core.errors import ScanError, UserError
from core.formats.folder import Entry
from core.formats.volume_parts import Opened

Tell = Callable[[str, int, int], None]
"""Called with what is being done, how much of it has been done, and of how much: 0 where that cannot be told."""

MOST_LOOKED_AT = 2000
"""Entries of a folder among which a DICOM image is looked for."""
_KINDS = {"volume_nifti": "NIfTI", "volume_nrrd": "NRRD", "volume_dicom": "DICOM"}


def open_volume(path: str) -> Opened:
    from core.formats import volumes

    return volumes.open_volume(path)


def view_volume(path: str, tell: Tell) -> Opened:
    """Read a volume slice by slice, telling how far it is."""
    from core.formats import volumes

    return volumes.open_volume(path, tell)


def contents(path: str, tell: Tell) -> tuple[Entry, ...]:
    """What a folder holds that can be opened."""
    from core.formats import folder

    return folder.contents(path, tell)


def open_entry(entry: Entry, tell: Tell) -> Opened:
    """The series or volume of an entry."""
    from core.formats import folder

    return folder.open_series(entry, tell)


def news_of(found: Opened) -> Notice:
    """What must be told of a volume that was opened: that it is no raw data, and what its reader found odd."""
    name = public_name(Path(found.path).name, found.identity, "This")
    return Notice(
        f"{name} is a reconstructed volume ({found.format}), not raw data. It is shown in Review.",
        " ".join(found.notes),
        "To try a method on it, simulate a scan of it.",
        error=False,
        volume=found.path,
    )


def volume_kind(path: str) -> str:
    """The name of the format if a file or folder looks like a reconstructed volume, else ""."""
    from importlib import import_module

    where = Path(path)
    with suppress(OSError):
        if where.is_dir():
            return "DICOM" if not _has_geometry(where) and _holds_dicom(where) else ""
        with where.open("rb") as file:
            empty = not file.read(1)
        for module, kind in _KINDS.items():
            if not empty and import_module(f"core.formats.{module}").claims(where):
                return kind
    return ""


def refusal(path: str, error: UserError, kind: str) -> Notice:
    """Why a file or folder cannot be opened as a scan. kind: of volume that it is, or ""."""
    where = Path(path)
    if kind:
        return Notice(
            f"{where.name} is a reconstructed volume ({kind}), not raw data.",
            "Its k-space or projections have not been kept, so there is nothing to reconstruct.",
            "To try a method on it, simulate a scan of it.",
            volume=path,
        )
    if where.is_dir() and not _has_geometry(where):
        return Notice(
            f"{where.name} holds no scan that can be opened.",
            "There is no geometry.toml of TIFF projections in it, and no DICOM image.",
            "Choose another folder, or one file of raw data.",
        )
    return Notice.of(error)


@singledispatch
def write_scan(plan: Plan, found: Opened, path: str, tell: Tell) -> None:
    """Simulate a scan of a volume and write it. Raises UserError, or whatever `tell` raises to stop it."""
    raise TypeError(type(plan))


@write_scan.register
def _(plan: CtPlan, found: Opened, path: str, tell: Tell) -> None:
    from core.engine.simulate_ct import CtSettings, simulate_ct
    from core.export.dataexchange import save_projections

    tell("Projecting", 0, 0)
    scan = simulate_ct(found, CtSettings(**plan.arguments()), lambda done, of: tell("Projecting", done, of))
    tell("Writing", 0, 0)
    save_projections(scan, path)


@write_scan.register
def _(plan: MriPlan, found: Opened, path: str, tell: Tell) -> None:
    from core.engine.simulate_mri import MriSettings, simulate_mri
    from core.export.ismrmrd_scan import save_kspace

    tell("Measuring k-space", 0, 0)
    made = simulate_mri(found, MriSettings(**plan.arguments()))
    tell("Writing", 0, 0)
    save_kspace(made.scan, path, noise=made.noise)


def _has_geometry(folder: Path) -> bool:
    from core.formats import tiff_stack

    return tiff_stack.claims(folder)


def _holds_dicom(folder: Path) -> bool:
    from core.formats import volume_dicom

    for file in islice(folder.rglob("*"), MOST_LOOKED_AT):
        with suppress(OSError, ScanError):
            if file.is_file() and volume_dicom.claims(file):
                return True
    return False
