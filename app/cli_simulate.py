"""The command that makes a scan from an image volume: simulate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli_recon import parse_slices
from core.errors import JobError

if TYPE_CHECKING:
    from core.formats.volume_parts import Opened

MRI_ONLY = ("coils", "undersample", "noise")
CT_ONLY = ("geometry", "views", "arc", "detector", "photons", "source", "detector_distance")


@click.command()
@click.argument("volume")
@click.option("--out", required=True, help="File to write: .h5, Data Exchange for CT or ISMRMRD for MRI.")
@click.option("--geometry", help="CT: parallel, fan or cone. Default: parallel.")
@click.option("--views", type=int, help="CT: number of views.")
@click.option("--arc", type=float, help="CT: degrees that the views cover. Default: 180, for fan and cone 360.")
@click.option("--detector", type=int, help="CT: detectors across the whole image. Default: one for each pixel.")
@click.option("--photons", type=float, help="CT: photons sent along each ray. Default: no noise.")
@click.option("--source", type=float, help="CT, fan and cone: mm from the axis to the source. Default: 570.")
@click.option(
    "--detector-distance", type=float, help="CT, fan and cone: mm from the axis to the detector. Default: 470."
)
@click.option("--coils", type=int, help="MRI: number of coils; makes an MRI scan.")
@click.option("--undersample", help="MRI: KIND:R[:ACS[:SEED]], for example gaussian1d:4:0.08:0. Default: all lines.")
@click.option("--noise", type=float, help="MRI: standard deviation as a share of the image's peak. Default: none.")
@click.option("--size", type=int, help="Pixels along both sides of the image to reconstruct. Default: the volume's.")
@click.option("--slices", help="FIRST:END of the slices to use, counted from 0.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of all that is random.")
def simulate(volume: str, out: str, size: int | None, slices: str | None, seed: int, **special: Any) -> None:
    """Make a scan of the image volume VOLUME that no scanner made, marked as simulated.

    VOLUME: NIfTI, NRRD, .npy, .npz, a folder of DICOM images or one file of a series.
    """
    from core.formats.volumes import open_volume

    given = {name: value for name, value in special.items() if value is not None}
    mri = "coils" in given
    _refuse_others(given, CT_ONLY if mri else MRI_ONLY, "an MRI" if mri else "a CT")
    shared = {"size": size, "slices": parse_slices(slices), "seed": seed}
    found = open_volume(volume)
    notes = _mri(found, Path(out), given | shared) if mri else _ct(found, Path(out), given | shared)
    for note in notes:
        click.echo(note)
    click.echo(f"Written: {out}. Research use only.")


def _refuse_others(given: dict[str, Any], others: tuple[str, ...], kind: str) -> None:
    for name in others:
        if name in given:
            raise JobError(
                f"--{name.replace('_', '-')} has no meaning for {kind} scan.",
                "",
                "With --coils an MRI scan is made, without it a CT scan.",
            )


def _ct(found: Opened, out: Path, given: dict[str, Any]) -> tuple[str, ...]:
    from core.engine.simulate_ct import CtSettings, simulate_ct
    from core.export.dataexchange import save_projections

    if "views" not in given:
        raise JobError("The number of views is missing.", "", "Name it by --views, or name --coils for an MRI scan.")
    names = {"arc": "arc_degrees", "detector": "detectors", "source": "source_mm", "detector_distance": "detector_mm"}
    scan = simulate_ct(found, CtSettings(**{names.get(k, k): v for k, v in given.items()}), _bar())
    save_projections(scan, out, f"Simulated CT scan of {scan.views} views, by DDS Viewer")
    size = f"{scan.rows} rows, {scan.views} views, {scan.columns} columns"
    return (*scan.provenance.done, f"{type(scan.geometry).__name__}: {size}.")


def _mri(found: Opened, out: Path, given: dict[str, Any]) -> tuple[str, ...]:
    from core.engine.simulate_mri import MriSettings, simulate_mri
    from core.export.ismrmrd_scan import save_kspace

    made = simulate_mri(found, MriSettings(**given))
    save_kspace(made.scan, out, noise=made.noise)
    sizes = made.scan.sizes
    size = f"{sizes['slice']} slices, {sizes['coil']} coils, {sizes['ky']} x {sizes['kx']}"
    return (*made.scan.provenance.done, f"k-space: {size}, R = {made.scan.acceleration:.2f}.")


def _bar() -> Any:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        return None
    from tqdm import tqdm

    bar = tqdm(bar_format="{desc} |{bar:24}| {percentage:3.0f} %, {remaining} left", desc="Projecting")

    def report(done: int, of: int) -> None:
        bar.total = of
        bar.update(done - bar.n)
        if done >= of:
            bar.close()

    return report
