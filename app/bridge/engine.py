"""What the window asks of core, imported only when it is called: nothing here runs in the window's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.bridge.item_export import save_item
from app.bridge.preload import preload_torch, without_collector
from app.bridge.trust_engine import Examine
from app.bridge.volumes import Tell, contents, open_entry, open_volume, view_volume, volume_kind, write_scan
from app.state.choice import PriorChoice
from app.state.notice import Notice
from app.state.room.item import Item
from app.state.session import Fit
from app.state.shelf import SHEETS, Sheet
from app.state.simulation import Plan
from core.engine.events import Event
from core.engine.job import JobSpec
from core.engine.settings import ReconSettings
from core.engine.state import State
from core.engine.stop import Stop
from core.errors import PriorError
from core.export.dicom_about import about_scan
from core.formats.axes import AxesGuess
from core.formats.folder import Entry as FolderEntry
from core.formats.volume_parts import Opened
from core.priors.card import ModelCard
from core.priors.catalogue import Entry
from core.scan import Scan, Volume

COMPLEX = 2
"""Channels of a prior for complex images."""
WIDEST_SHEET = 1600
"""Pixels; a larger picture of a prior is reduced to it."""
PLAIN_ARRAYS = (".npy", ".npz", ".mat")


@dataclass(frozen=True)
class Machine:
    """What there is on this machine to compute with. troubles: with plug-ins, a sentence each."""

    priors: tuple[PriorChoice, ...] = ()
    cuda: bool = False
    troubles: tuple[str, ...] = ()


def _run(job: JobSpec, stop: Stop, held: State | None = None) -> Iterator[Event]:
    from core.engine.runner import run

    return run(job, stop, held)


def _open_scan(path: str, axes: str, domain: str) -> Scan:
    from core.formats import open_scan

    return open_scan(path, axes=axes, domain=domain)


def _describe(scan: Scan) -> list[tuple[str, str]]:
    from core.formats.describe import describe

    return describe(scan).lines()


def _guess_axes(path: str) -> tuple[AxesGuess, ...]:
    from core.formats import guess_all_axes

    return guess_all_axes(path)


def _save(volume: Volume, path: str, scan: Scan | None) -> None:
    from core.export import save

    save(volume, path, None if scan is None else about_scan(scan, volume))


def _save_spread(volume: Volume, path: str, scan: Scan | None) -> None:
    from core.export import save_spread

    save_spread(volume, path, None if scan is None else about_scan(scan, volume))


def _survey() -> Machine:
    with without_collector():
        import torch

        import core.engine.runner  # noqa: F401  (so that the first run does not wait for it)
        from core import plugins
        from core.priors.catalogue import list_priors

    return Machine(offers(list_priors()), torch.cuda.is_available(), plugins.survey())


def offers(entries: Iterable[Entry]) -> tuple[PriorChoice, ...]:
    """Priors as the form offers them: those for complex MRI first."""
    ordered = sorted(entries, key=lambda entry: entry.card.channels != COMPLEX)
    return tuple(_offer(entry.path.stem, entry.card) for entry in ordered)


def _offer(name: str, card: ModelCard) -> PriorChoice:
    return PriorChoice(name, f"{card.modality} {card.anatomy}, {card.contrast}", card.modality)


def _rehearse(settings: ReconSettings) -> None:
    from core.priors.held import held_prior

    held_prior(settings.prior)


def _list_priors() -> list[Entry]:
    from core.priors.catalogue import list_priors

    return list_priors()


def _add_prior(path: str, name: str) -> str:
    from core.priors.adding import add_prior

    return add_prior(path, name).path.stem


def _remove_prior(name: str) -> None:
    from core.priors.adding import remove_prior

    remove_prior(name)


def _read_sheets(entry: Entry) -> dict[str, Sheet]:
    """The pictures beside the weights of a prior."""
    from PIL import Image

    found = {}
    for kind in SHEETS:
        path = entry.path.with_suffix(f".{kind}.png")
        if path.is_file():
            with Image.open(path) as picture:
                picture.thumbnail((WIDEST_SHEET, WIDEST_SHEET))
                found[kind] = np.ascontiguousarray(picture.convert("L"))
    return found


def _check_fit(prior: str, scan: Scan) -> Fit:
    from core.priors.catalogue import card_of
    from core.priors.fit import misfit

    try:
        card = card_of(prior)
        return Fit(tuple(misfit(card, scan)) if card else ())
    except PriorError as error:
        return Fit(refusal=Notice.of(error))


def may_need_axes(path: str) -> bool:
    """It could be a plain array, whose axes no header names."""
    return Path(path).suffix.lower() in PLAIN_ARRAYS


def _needs_axes(path: str) -> bool:
    """A plain array, unless it brings the angles of its projections, which tell its axes."""
    from core.formats import htc, projection_arrays

    try:
        return not any(reader.claims(Path(path)) for reader in (htc, projection_arrays))
    except Exception:  # what is wrong with the file is told by whoever reads it
        return True


@dataclass(frozen=True)
class Engine:
    """The functions of core that the window uses; tests put their own in place. trust: None for core's own."""

    run: Callable[..., Iterator[Event]] = _run
    open_scan: Callable[[str, str, str], Scan] = _open_scan
    describe: Callable[[Scan], list[tuple[str, str]]] = _describe
    needs_axes: Callable[[str], bool] = _needs_axes
    guess_axes: Callable[[str], tuple[AxesGuess, ...]] = _guess_axes
    volume_kind: Callable[[str], str] = volume_kind
    open_volume: Callable[[str], Opened] = open_volume
    view_volume: Callable[[str, Tell], Opened] = view_volume
    contents: Callable[[str, Tell], tuple[FolderEntry, ...]] = contents
    open_entry: Callable[[FolderEntry, Tell], Opened] = open_entry
    write_scan: Callable[[Plan, Opened, str, Tell], None] = write_scan
    save: Callable[[Volume, str, Scan | None], None] = _save
    save_spread: Callable[[Volume, str, Scan | None], None] = _save_spread
    save_item: Callable[[Item, str, bool], None] = save_item
    trust: Examine | None = None
    preload: Callable[[], None] = preload_torch
    survey: Callable[[], Machine] = _survey
    rehearse: Callable[[ReconSettings], None] = _rehearse
    list_priors: Callable[[], list[Entry]] = _list_priors
    add_prior: Callable[[str, str], str] = _add_prior
    remove_prior: Callable[[str], None] = _remove_prior
    read_sheets: Callable[[Entry], dict[str, Sheet]] = _read_sheets
    check_fit: Callable[[str, Scan], Fit] = _check_fit
