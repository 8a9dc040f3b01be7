"""What the window asks of core, imported only when it is called: nothing here runs in the window's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.bridge.preload import preload_torch, without_collector
from app.state.choice import PriorChoice
from core.engine.events import Event
from core.engine.job import JobSpec
from core.engine.settings import ReconSettings
from core.engine.stop import Stop
from core.formats.axes import AxesGuess
from core.scan import Scan, Volume

PLAIN_ARRAYS = (".npy", ".npz", ".mat")


@dataclass(frozen=True)
class Machine:
    """What there is on this machine to compute with."""

    priors: tuple[PriorChoice, ...] = ()
    cuda: bool = False


def _run(job: JobSpec, stop: Stop) -> Iterator[Event]:
    from core.engine.runner import run

    return run(job, stop)


def _open_scan(path: str, axes: str, domain: str) -> Scan:
    from core.formats import open_scan

    return open_scan(path, axes=axes, domain=domain)


def _describe(scan: Scan) -> list[tuple[str, str]]:
    from core.formats.describe import describe

    return describe(scan).lines()


def _guess_axes(path: str) -> tuple[AxesGuess, ...]:
    from core.formats import guess_all_axes

    return guess_all_axes(path)


def _save(volume: Volume, path: str) -> None:
    from core.export import save

    save(volume, path)


def _survey() -> Machine:
    with without_collector():
        import torch

        import core.engine.runner  # noqa: F401  (so that the first run does not wait for it)
        from core.priors.catalogue import list_priors

    priors = tuple(
        PriorChoice(
            entry.path.stem,
            f"{entry.card.modality} {entry.card.anatomy}, {entry.card.contrast}",
        )
        for entry in list_priors()
        if entry.card.channels == 2
    )
    return Machine(priors, torch.cuda.is_available())


def _rehearse(settings: ReconSettings) -> None:
    from core.priors import load_prior

    load_prior(settings.prior)


def needs_axes(path: str) -> bool:
    """A plain array, whose axes no header names."""
    return Path(path).suffix.lower() in PLAIN_ARRAYS


@dataclass(frozen=True)
class Engine:
    """The functions of core that the window uses; tests put their own in place."""

    run: Callable[[JobSpec, Stop], Iterator[Event]] = _run
    open_scan: Callable[[str, str, str], Scan] = _open_scan
    describe: Callable[[Scan], list[tuple[str, str]]] = _describe
    guess_axes: Callable[[str], tuple[AxesGuess, ...]] = _guess_axes
    save: Callable[[Volume, str], None] = _save
    preload: Callable[[], None] = preload_torch
    survey: Callable[[], Machine] = _survey
    rehearse: Callable[[ReconSettings], None] = _rehearse
