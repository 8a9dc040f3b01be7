"""The commands for many scans: batch, and worker, which lends a machine to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.cli_cluster import CONSENT, cluster_options, follow_tasks, leave_after, read_settings, tls_options, workplace
from app.cli_recon import HU, interruptible, parse_slices, setting_options
from core.errors import JobError


@click.command(epilog=CONSENT)
@click.argument("scans", nargs=-1, required=True)
@click.option("--out", required=True, type=Path, help="Folder for the results; it is made.")
@click.option("--settings", type=Path, help="YAML file with settings; options win.")
@setting_options
@click.option("--preset", help="Named settings to begin with, for example best.")
@click.option("--slices", help="FIRST:END of the slices to reconstruct, counted from 0.")
@click.option("--undersample", help="Undersample on purpose: KIND:R[:ACS[:SEED]]; CT: every:N, views:N and their like.")
@click.option("--axes", help="Axes of plain arrays, for example coil,ky,kx.")
@click.option("--domain", type=click.Choice(["kspace", "image"]), help="What plain arrays hold.")
@click.option("--format", "ending", default="nii.gz", show_default=True, help="npy, nii, nii.gz, nrrd, png or dcm.")
@HU
@click.option("--here", is_flag=True, help="One after the other in this process, without a cluster.")
@cluster_options
def batch(
    scans: tuple[str, ...],
    out: Path,
    settings: Path | None,
    preset: str | None,
    slices: str | None,
    undersample: str | None,
    axes: str | None,
    domain: str | None,
    ending: str,
    hu: bool,
    here: bool,
    scheduler: str | None,
    workers: int | None,
    tls_ca: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    **chosen: Any,
) -> None:
    """Reconstruct all SCANS with the same settings, on processes of this machine or on a cluster.

    Each image is written with its run card when it is done. The same command again does only what is missing. Tasks of
    a worker that is lost are done again by another one. Workers read the scans by their paths.
    """
    from core.engine.batch import plan_batch, run_batch
    from core.engine.cluster_link import tls_of
    from core.engine.job import ScanSource
    from core.engine.stop import Stop
    from core.export.batch_folder import BatchFolder

    if here and (scheduler or workers):
        raise JobError("--here is without a cluster.", "", "Leave out --scheduler and --workers.")
    tls = tls_of(tls_ca, tls_cert, tls_key)
    told = read_settings(settings)
    if told.vary or told.reference or told.mask:
        raise JobError("A batch varies and compares nothing.", "The settings file asks for it.", "Use sweep.")
    options = {"slices": slices, "undersample": undersample, "axes": axes, "domain": domain}
    said = told.source | {name: value for name, value in options.items() if value is not None}
    source = ScanSource("", **{**said, "slices": parse_slices(said.get("slices"))})
    given = told.given | {name: value for name, value in chosen.items() if value is not None}
    plan = plan_batch(scans, source, given, told.preset if preset is None else preset)
    store, stop = BatchFolder(out, ending, hounsfield=hu), Stop()
    with workplace(scheduler, workers, tls, default=not here) as place, interruptible(stop):
        ended = follow_tasks(run_batch(plan, stop, store, place), len(plan.paths))
    leave_after(
        ended, f"{out}: {ended.done} of {len(plan.paths)} scans", "Interrupted. The same command does what is missing."
    )


@click.command(epilog=CONSENT)
@click.option("--scheduler", help="HOST:PORT of the scheduler to work for.")
@click.option("--listen", help="Be a scheduler with a worker at HOST:PORT. Default: 127.0.0.1:8786.")
@click.option("--gpu", type=click.IntRange(min=0), help="Number of the CUDA device to use; it sees no other one.")
@click.option("--threads", type=click.IntRange(min=0), default=0, help="Of the processor for each run; 0 for all.")
@tls_options
def worker(
    scheduler: str | None,
    listen: str | None,
    gpu: int | None,
    threads: int,
    tls_ca: str | None,
    tls_cert: str | None,
    tls_key: str | None,
) -> None:
    """Lend this machine to the batches and sweeps of others, until Ctrl+C.

    With --scheduler it works for that one; otherwise it is a scheduler with one worker, to which others can be added.
    """
    from core.engine.cluster_link import tls_of
    from core.engine.cluster_server import serve

    if scheduler and listen:
        raise JobError("A worker has one scheduler.", "", "Give --scheduler or --listen.")

    def tell(address: str) -> None:
        click.echo(f"Working for {address}. Ctrl+C ends it. Research use only.")

    serve(scheduler or "", listen or "", tls_of(tls_ca, tls_cert, tls_key), gpu, threads, tell)
