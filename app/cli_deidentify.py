"""The command deidentify: copies of DICOM series that tell of nobody who was scanned."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from app.cli_recon import STEPS_FORMAT

_SHOWN = 20


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--out", required=True, help="Folder for the copies; it must be new or empty.")
@click.option("--salt", default="", help="Any secret text: the same one gives a patient the same new ids every time.")
@click.option("--keep-dates-shifted", is_flag=True, help="Move dates by a secret number of days, and keep intervals.")
@click.option("--allow-burned-in", is_flag=True, help="Copy pictures too that may show a name in their pixels.")
def deidentify(paths: tuple[str, ...], out: str, salt: str, keep_dates_shifted: bool, allow_burned_in: bool) -> None:
    """Copy the DICOM images in files and folders PATHS without name, ids, dates and private attributes.

    By the Basic Application Level Confidentiality Profile of DICOM PS3.15 Annex E. Pixels and geometry stay as they
    are: the face can be made out in a scan of a head. Exit code 1 if a file had to be left out.
    """
    from tqdm import tqdm

    tqdm.monitor_interval = 0
    from core.export.deidentify import Options, deidentify

    options = Options(salt=salt, shift_dates=keep_dates_shifted, allow_burned_in=allow_burned_in)
    with tqdm(file=sys.stderr, bar_format=STEPS_FORMAT, desc="De-identifying") as bar:

        def tell(_: str, done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        done = deidentify([Path(path) for path in paths], Path(out), options, tell)
        bar.update((bar.total or 0) - bar.n)
    for one in done.faults[:_SHOWN]:
        click.echo(f"Left out {one.path}: {one.why}", err=True)
    if len(done.faults) > _SHOWN:
        click.echo(f"... and {len(done.faults) - _SHOWN} more.", err=True)
    if done.burned_in:
        click.echo(f"Look at {done.burned_in} of them before passing them on: their pixels may show a name.", err=True)
    foreign = len(done.skipped) - len(done.faults)
    also = f", {foreign} other files passed over" if foreign else ""
    click.echo(f"{done.images} images of {done.series} series{also}: {out}")
    sys.exit(1 if done.faults else 0)
