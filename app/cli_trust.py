"""The command that tells how far the measurement supports an image: trust."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from app.cli_recon import INTERRUPTED, follow, interruptible

if TYPE_CHECKING:
    from core.engine.job import JobSpec
    from core.engine.stop import Stop
    from core.engine.trust.ensemble import Ensemble
    from core.engine.trust.posed import Posed
    from core.scan import Volume

T = TypeVar("T")
FORMATS = (".npy", ".nii.gz", ".nrrd")


@click.command()
@click.argument("card", type=click.Path(exists=True, dir_okay=False))
@click.option("--out", required=True, type=Path, help="Folder for the maps; it is made.")
@click.option("--samples", type=click.IntRange(2, 64), help="Also draw so many samples, for the map of uncertainty.")
@click.option("--format", "ending", type=click.Choice(FORMATS), default=FORMATS[0], help="Of the maps.")
def trust(card: str, out: Path, samples: int | None, ending: str) -> None:
    """Make the image of the run card CARD again and tell what the measurement says for and against it."""
    from core.engine.run_card import job_from_card, read_run_card
    from core.engine.scan_source import load_scan
    from core.engine.stop import Stop
    from core.errors import JobError

    job = job_from_card(read_run_card(Path(card)))
    job = dataclasses.replace(job, scan=load_scan(job))
    if out.exists() and not out.is_dir():
        raise JobError(f"{out} is no folder.", "", "Choose another name.")
    stop = Stop()
    with interruptible(stop):
        studied = _studied(job, samples, stop)
    if studied is None:
        click.echo("Interrupted. Nothing was written.", err=True)
        sys.exit(INTERRUPTED)
    maps, report = studied
    _write(maps, report, out, ending)
    for name in ("residual", "whiteness"):
        click.echo(report[name])
    for doubt in report["doubts"]:
        click.echo(f"Doubt: {doubt}")
    click.echo(f"{out}: {', '.join(maps)}. Research use only.")


def _studied(job: JobSpec, samples: int | None, stop: Stop) -> tuple[dict[str, Volume], dict[str, Any]] | None:
    """The maps by name, and the figures; None if it was interrupted."""
    from core.engine.stop import Halt
    from core.engine.trust.posed import pose

    finished = follow(job, stop)
    if finished is None:
        return None
    try:
        posed = _with_progress(pose(finished.volume, job, stop))
        ensemble = _drawn(job, samples, stop) if samples else None
        if samples and ensemble is None:
            return None
        return _judged(posed, ensemble, stop)
    except Halt:
        return None


def _drawn(job: JobSpec, samples: int, stop: Stop) -> Ensemble | None:
    from core.engine.trust.ensemble import draw

    return _with_progress(draw(job, samples, stop))


def _judged(posed: Posed, ensemble: Ensemble | None, stop: Stop) -> tuple[dict[str, Volume], dict[str, Any]]:
    from core.engine.run_card import NOTICE
    from core.engine.trust.against_classical import difference_to_classical
    from core.engine.trust.doubts import doubts
    from core.engine.trust.residual import residual_of
    from core.engine.trust.support import support_of

    residual = residual_of(posed)
    support = _with_progress(support_of(posed, stop=stop))
    difference, _ = _with_progress(difference_to_classical(posed, stop))
    maps = {"support": support.support, "unseen": support.unseen, "seen": support.seen, "difference": difference}
    if ensemble is not None:
        maps |= {"mean": ensemble.mean, "uncertainty": ensemble.deviation, "low": ensemble.low, "high": ensemble.high}
    report = {
        "residual": residual.sentence,
        "verdict": residual.verdict,
        "ratio": residual.ratio,
        "relative": residual.relative,
        "noise_from": residual.noise.source,
        "whiteness": residual.whiteness.sentence,
        "median_support": support.median if support.median == support.median else None,
        "samples": ensemble.count if ensemble else 0,
        "doubts": list(doubts(residual, _misfits(posed), ensemble, support)),
        "shows": {name: volume.card["map"]["shows"] for name, volume in maps.items()},
        "notice": NOTICE,
    }
    return maps, report


def _misfits(posed: Posed) -> list[str]:
    from core.priors import load_prior
    from core.priors.fit import misfit

    if posed.job.settings.method != "dds":
        return []
    return misfit(load_prior(posed.job.settings.prior).card, posed.scan)


def _write(maps: dict[str, Volume], report: dict[str, Any], out: Path, ending: str) -> None:
    from core.export import save, writing
    from core.export.whole import write_json

    with writing(out):
        out.mkdir(exist_ok=True)
    for name, volume in maps.items():
        save(volume, out / f"{name}{ending}")
    with writing(out / "trust.json"):
        write_json(report, out / "trust.json")


def _with_progress(steps: Generator[Any, None, T]) -> T:
    """What a generator returns, its progress on stderr."""
    from tqdm import tqdm

    from core.engine.events import Progress

    tqdm.monitor_interval = 0
    with tqdm(total=1, file=sys.stderr, bar_format="{desc}", dynamic_ncols=True, leave=False) as bar:
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                value: T = end.value
                return value
            if isinstance(event, Progress):
                bar.set_description_str(f"{event.stage} {event.done} of {event.total}")
