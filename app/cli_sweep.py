"""The command that varies settings over a grid: sweep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli_cluster import CONSENT, cluster_options, follow_tasks, leave_after, read_settings, workplace
from app.cli_recon import MASK, REFERENCE, RESAMPLE, interruptible, parse_slices, reference_from, setting_options

if TYPE_CHECKING:
    from core.engine.settings_text import SettingsFile
    from core.engine.sweep_plan import SweepPlan
    from core.export.sweep_folder import SweepFolder


@click.command(epilog=CONSENT)
@click.argument("path", metavar="SCAN")
@click.option("--out", required=True, type=Path, help="Folder for the results; it is made.")
@click.option(
    "--vary",
    multiple=True,
    help="NAME=VALUES, once or twice: nfe=10,20,50, cg_steps=1:9:2 (both ends belong to it) or gamma=1e-1:1e1:log5. "
    "NAME: any setting, or undersample, center or size.",
)
@click.option("--settings", type=Path, help="YAML file with settings, and under vary: what is varied; options win.")
@setting_options
@click.option("--preset", help="Named settings to begin with, for example best.")
@click.option("--slices", help="FIRST:END of the slices to reconstruct, counted from 0.")
@click.option("--undersample", help="Undersample on purpose: KIND:R[:ACS[:SEED]]; CT: every:N, views:N and their like.")
@click.option("--axes", help="Axes of a plain array, for example coil,ky,kx.")
@click.option("--domain", type=click.Choice(["kspace", "image"]), help="What a plain array holds.")
@REFERENCE
@MASK
@RESAMPLE
@click.option("--keep-images", is_flag=True, help="Keep every image too, as .npy with its run card.")
@click.option(
    "--mean",
    type=Path,
    help="For --vary seed=0:7:1: file for the mean of the samples; their spread is written beside it as NAME.spread.",
)
@click.option("--resume", is_flag=True, help="Do only what is missing in the folder.")
@click.option("--yes", is_flag=True, help="Also compute more than 200 cells.")
@cluster_options
def sweep(
    path: str,
    out: Path,
    vary: tuple[str, ...],
    settings: Path | None,
    preset: str | None,
    slices: str | None,
    undersample: str | None,
    axes: str | None,
    domain: str | None,
    reference: str | None,
    mask: str | None,
    resample: bool,
    keep_images: bool,
    mean: Path | None,
    resume: bool,
    yes: bool,
    scheduler: str | None,
    workers: int | None,
    tls_ca: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    **chosen: Any,
) -> None:
    """Reconstruct SCAN with one or two settings over all their values.

    The folder gets cells/ with a record of each cell, sweep.csv, sweep.json and sweep.png, a sheet of the middle
    slices. Cells that no other one beats in both time and PSNR are marked. A sweep that was killed goes on with
    --resume.
    """
    from core.engine.cluster_link import tls_of
    from core.engine.stop import Stop
    from core.engine.sweep import check_size, run_sweep
    from core.export.sweep_folder import SweepFolder

    tls = tls_of(tls_ca, tls_cert, tls_key)
    told = read_settings(settings)
    source = {"slices": slices, "undersample": undersample, "axes": axes, "domain": domain}
    told = _over(told, vary, chosen, preset, {k: v for k, v in source.items() if v is not None}, keep_images or mean)
    told = replace(
        told, reference=reference or told.reference, mask=mask or told.mask, resample=resample or told.resample
    )
    plan = _planned(path, told)
    if mean is not None:
        _check_mean(plan, mean)
    if not yes:
        check_size(plan)
    store, stop = SweepFolder(out, resume=resume), Stop()
    with workplace(scheduler, workers, tls) as place, interruptible(stop):
        ended = follow_tasks(run_sweep(plan, stop, store, place), len(plan.cells))
    _write_tables(plan, store, out)
    if mean is not None and ended.done == len(plan.cells):
        _write_mean(plan, store, mean)
    leave_after(ended, f"{out}: {ended.done} of {len(plan.cells)} cells", "Interrupted. Add --resume to go on.")


def _over(
    told: SettingsFile,
    vary: tuple[str, ...],
    chosen: dict[str, Any],
    preset: str | None,
    source: dict[str, str],
    keep_images: object,
) -> SettingsFile:
    """What the file says with what the options say put over it."""
    from core.engine.settings_text import SettingsFile, parse_vary
    from core.errors import JobError

    varied = [parse_vary(text) for text in vary]
    names = [name for name, _ in varied]
    if len(set(names)) != len(names):
        raise JobError(f"{names[0]} is varied twice.", "", "Give all its values at once: --vary nfe=10,20,50.")
    return SettingsFile(
        told.given | {name: value for name, value in chosen.items() if value is not None},
        told.preset if preset is None else preset,
        told.source | source,
        told.vary | dict(varied),
        told.reference,
        bool(keep_images) or told.keep_images,
        told.mask,
        told.resample,
    )


def _planned(path: str, told: SettingsFile) -> SweepPlan:
    from core.engine.job import ScanSource
    from core.engine.sweep_plan import Axis, plan_sweep
    from core.formats import open_scan

    said = {**told.source, "slices": parse_slices(told.source.get("slices"))}
    source = ScanSource(str(Path(path).resolve()), **said)
    scan = open_scan(source.path, axes=source.axes, domain=source.domain)
    reference = reference_from(told.reference, told.mask, told.resample)
    axes = [Axis(name, values) for name, values in told.vary.items()]
    return plan_sweep(scan, source, axes, told.given, told.preset, reference, told.keep_images)


def _write_tables(plan: SweepPlan, store: SweepFolder, out: Path) -> None:
    """The table and the sheet of the cells that are done."""
    from core.engine.sweep import pareto
    from core.export.sweep_table import write_csv, write_sheet, write_summary

    records = [record for record in map(store.read, plan.cells) if record is not None]
    compared = any(record["metrics"] for record in records)
    best = pareto(records, "psnr" if compared else "residual")
    names, values = [axis.name for axis in plan.axes], [axis.values for axis in plan.axes]
    about = {
        "scan": Path(plan.source.path).name,
        "scan_sha256": plan.scan.provenance.sha256,
        "vary": dict(zip(names, values, strict=True)),
        "planned": len(plan.cells),
        "pareto": "seconds against " + ("psnr" if compared else "residual"),
    }
    write_csv(names, records, best, out / "sweep.csv")
    write_summary(about, names, records, best, out / "sweep.json")
    write_sheet([axis.label for axis in plan.axes], names, values, records, best, out / "sweep.png")


def _check_mean(plan: SweepPlan, path: Path) -> None:
    """Raise before anything is computed for nothing."""
    from app.cli_recon import Outputs
    from core.engine.ensemble import check_ensemble

    check_ensemble(plan)
    Outputs(path, spread=_spread_of(path)).check("dds", len(plan.cells))


def _write_mean(plan: SweepPlan, store: SweepFolder, path: Path) -> None:
    import numpy as np

    from core.engine.ensemble import ensemble_of
    from core.export import save, save_spread

    records = [record for record in map(store.read, plan.cells) if record is not None]
    volume = ensemble_of(plan, lambda cell: np.load(store.image_of(cell), mmap_mode="r"), records)
    save(volume, path)
    save_spread(volume, _spread_of(path))
    click.echo(f"{path}: the mean of {len(records)} samples, and their spread. Research use only.")


def _spread_of(path: Path) -> Path:
    """x.nii.gz to x.spread.nii.gz."""
    from core.export import ending_of

    ending = ending_of(path)
    return path.with_name(f"{path.name[: -len(ending)]}.spread{ending}")
