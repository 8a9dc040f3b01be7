"""The commands that reconstruct: recon, rerun and resume."""

from __future__ import annotations

import dataclasses
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli_known_prior import known_prior
from core import plugins
from core.engine.methods import known_methods
from core.engine.settings import ReconSettings, choices_of, help_of, type_of, used_by
from core.errors import ScanError

if TYPE_CHECKING:
    from core.engine.checkpoint import Checkpoints
    from core.engine.events import Finished
    from core.engine.job import JobSpec
    from core.engine.reference_source import ReferenceSource
    from core.engine.state import State
    from core.engine.stop import Stop
    from core.scan import Scan, Volume

INTERRUPTED = 130
REPORTED = (
    *("seconds", "residual", "nfe", "network_seconds", "device", "precision"),
    *("samples", "spread", "sigma_y", "warnings", "notes"),
)
"""What a report takes from the outcome on the run card."""
OUT = click.option(
    "--out",
    required=True,
    help="File to write: .npy (MRI: complex; CT: float32 (z, y, x) in 1/mm, or HU with --hu), .nii, .nii.gz, .nrrd or "
    ".png; or .dcm, a folder with a DICOM series (CT: in HU).",
)
HU = click.option("--hu", is_flag=True, help="Write CT in Hounsfield units, not 1/mm.")
REFERENCE = click.option(
    "--reference",
    help="Compare with this volume or fully sampled scan; otherwise an undersampled scan is compared with the full.",
)
MASK = click.option("--mask", help="Volume that is not 0 where the figures count.")
RESAMPLE = click.option("--resample", is_flag=True, help="Bring reference and mask onto the image's grid.")
SPREAD = click.option("--spread", type=Path, help="File for the spread of the samples, in the same formats.")
REPORT = click.option("--report", type=Path, help="JSON file for method, settings, seconds, residual and quality.")
EVERY = click.option(
    "--checkpoint-every",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    help="Seconds between two writings of the checkpoint; 0 writes it after each step.",
)
STEPS_FORMAT = "{desc} |{bar:24}| step {n_fmt} of {total_fmt}, {remaining} left{postfix}"


class MethodName(click.ParamType):
    """The name of a method, which may be a plug-in's; those are looked for when one is named, not at the start."""

    name = "method"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{'|'.join(known_methods())}]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in known_methods():
            self.fail(f"{value!r} is not one of {', '.join(map(repr, known_methods()))}.", param, ctx)
        return value


def setting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """An option for every reconstruction setting, made from its dataclass field."""
    for field in reversed(dataclasses.fields(ReconSettings)):
        about, choices = help_of(field.name), choices_of(field.name)
        unit = f" [{about.unit}]" if about.unit else ""
        text = f"{about.text}{unit}"
        name = f"--{field.name.replace('_', '-')}"
        if type_of(field.name) is bool:
            either = f"{name}/--no-{name.removeprefix('--')}"
            command = click.option(either, field.name, is_flag=True, default=None, help=text)(command)
        else:
            kind = click.Choice(choices) if choices else type_of(field.name)
            kind = MethodName() if field.name == "method" else kind
            ask = known_prior if field.name == "prior" else None
            command = click.option(name, field.name, type=kind, default=None, help=text, callback=ask)(command)
    return command


def parse_slices(text: str | None) -> tuple[int, int] | None:
    """ "A:B" as (A, B). Raises ScanError for anything else."""
    if text is None:
        return None
    try:
        first, last = (int(part) for part in text.split(":"))
    except ValueError as error:
        raise ScanError(f"The slices {text!r} cannot be read.", "", "Write FIRST:END, for example 0:4.") from error
    return first, last


@click.command()
@click.argument("path")
@OUT
@setting_options
@click.option("--slices", help="FIRST:END of the slices to reconstruct, counted from 0.")
@click.option("--undersample", default="", help="Undersample a full MRI scan on purpose: KIND:R[:ACS[:SEED]].")
@click.option("--views", type=click.IntRange(min=1), help="CT: keep so many views, evenly spread.")
@click.option("--keep-views", help="CT: keep these views, counted from 0: 0,6,12 or FIRST:END:STEP.")
@click.option("--arc", help="CT: keep the views of an arc FROM:TO in degrees from the first view.")
@click.option("--center", type=float, help="CT: detector column of the axis of rotation, counted from 0.")
@click.option("--size", type=click.IntRange(8, 8192), help="CT: pixels a side of the image.")
@HU
@click.option("--axes", default="", help="Axes of a plain array, for example coil,ky,kx.")
@click.option("--domain", type=click.Choice(["kspace", "image"]), default="kspace", help="What a plain array holds.")
@click.option("--preset", default="", help="Named settings to begin with, for example best; other options win.")
@REPORT
@REFERENCE
@MASK
@RESAMPLE
@SPREAD
@click.option(
    "--checkpoint",
    type=Path,
    help="File that a run of DDS can go on from with `dds-viewer resume`, if it is killed; deleted when that is done.",
)
@EVERY
def recon(
    path: str,
    out: str,
    slices: str | None,
    undersample: str,
    views: int | None,
    keep_views: str | None,
    arc: str | None,
    center: float | None,
    size: int | None,
    hu: bool,
    axes: str,
    domain: str,
    preset: str,
    report: Path | None,
    reference: str | None,
    mask: str | None,
    resample: bool,
    spread: Path | None,
    checkpoint: Path | None,
    checkpoint_every: float,
    **chosen: Any,
) -> None:
    """Reconstruct the raw scan PATH."""
    from core.engine.job import JobSpec, ScanSource
    from core.engine.presets import default_prior, settings_for, usual
    from core.formats import open_scan

    kept = "+".join(part for part in (undersample, kept_views(views, keep_views, arc)) if part)
    source = ScanSource(str(Path(path).resolve()), axes, domain, kept, parse_slices(slices), center, size or 0)
    given = {name: value for name, value in chosen.items() if value is not None}
    outputs = Outputs(Path(out), report, spread, hu, checkpoint, checkpoint_every)
    outputs.check(given.get("method", "dds"), given.get("samples", 2 if preset else 1))
    against = reference_from(reference, mask, resample)
    scan = open_scan(source.path, axes=axes, domain=domain)
    begun = {"prior": default_prior(scan), **usual(scan, given.get("method", "dds"))}
    settings = settings_for(preset=preset, **{**begun, **given})
    run_to_file(JobSpec(source, settings, scan, reference=against), outputs)


def reference_from(path: str | None, mask: str | None, resample: bool) -> ReferenceSource:
    """What to compare with, of the options. Raises ScanError for a file that is not there."""
    from core.engine.reference_source import ReferenceSource, hashes_of

    source = ReferenceSource(
        path=str(Path(path).resolve()) if path else "",
        mask=str(Path(mask).resolve()) if mask else "",
        resample=resample,
    )
    hashes_of(source)
    return source


def kept_views(views: int | None, keep_views: str | None, arc: str | None) -> str:
    """The views to keep, as core.operators.thinning reads them: first an arc, then a list, then so many of the rest."""
    listed = ""
    if keep_views and ":" in keep_views:
        try:
            first, end, step = (int(part) for part in keep_views.split(":"))
            listed = ",".join(str(k) for k in range(first, end, step))
        except ValueError as error:
            how = "Write numbers such as 0,6,12, or FIRST:END:STEP."
            raise ScanError(f"The views {keep_views!r} cannot be read.", "", how) from error
    parts = (
        f"arc:{arc}" if arc else "",
        f"keep:{listed or keep_views}" if keep_views else "",
        f"views:{views}" if views else "",
    )
    return "+".join(part for part in parts if part)


@click.command()
@click.argument("card")
@OUT
@SPREAD
@HU
def rerun(card: str, out: str, spread: Path | None, hu: bool) -> None:
    """Make the image of the run card CARD again."""
    from core.engine.run_card import differences, job_from_card, read_run_card
    from core.engine.scan_source import load_scan

    before = read_run_card(Path(card))
    job, outputs = job_from_card(before), Outputs(Path(out), None, spread, hu)
    outputs.check(job.settings.method, job.settings.samples)
    job = _comparable(job)
    finished = run_to_file(dataclasses.replace(job, scan=load_scan(job)), outputs)
    for change in differences(before, finished.card):
        what = "figures" if change.startswith(("input reference", "input mask")) else "image"
        click.echo(f"Note: {change}. The {what} may differ from the first one.", err=True)


def _comparable(job: JobSpec) -> JobSpec:
    """The job without its reference where that is not here: the image can be made again all the same."""
    from core.engine.reference_source import ReferenceSource, hashes_of, require_here
    from core.errors import UserError

    try:
        require_here(job.reference)
        hashes_of(job.reference)
    except UserError as error:
        click.echo(f"Note: {error.what} Nothing is compared.", err=True)
        return dataclasses.replace(job, reference=ReferenceSource(use=False))
    return job


@click.command()
@click.argument("checkpoint", type=Path)
@OUT
@SPREAD
@HU
@REPORT
@EVERY
def resume(
    checkpoint: Path, out: str, spread: Path | None, hu: bool, report: Path | None, checkpoint_every: float
) -> None:
    """Go on with the run that was kept in CHECKPOINT and interrupted, to the image that it would have made."""
    from core.engine.checkpoint import read
    from core.engine.run_card import changed_versions
    from core.engine.scan_source import load_scan

    held = read(checkpoint)
    outputs = Outputs(Path(out), report, spread, hu, checkpoint, checkpoint_every)
    outputs.check(held.job.settings.method, held.job.settings.samples)
    for change in changed_versions(held.versions):
        click.echo(f"Note: {change}. The image may differ from that of a run that was not interrupted.", err=True)
    run_to_file(dataclasses.replace(held.job, scan=load_scan(held.job)), outputs, held)


@dataclass(frozen=True)
class Outputs:
    """The files that a run is to write. hounsfield: CT in HU, not 1/mm. checkpoint: for as long as it goes on, written
    every so many seconds."""

    image: Path
    report: Path | None = None
    spread: Path | None = None
    hounsfield: bool = False
    checkpoint: Path | None = None
    every: float = 60.0

    def check(self, method: str, samples: int) -> None:
        """Raise before anything is computed for nothing."""
        from core.export import DICOM, ExportError, ending_of
        from core.export.dicom_series import check_own

        for pictured in (self.image, self.spread):
            if pictured is not None:
                ending_of(pictured)
        if ending_of(self.image) == DICOM:
            check_own(self.image)
        for target in (self.image, self.report, self.spread, self.checkpoint):
            if target is not None and not target.parent.is_dir():
                raise ScanError(f"The folder {target.parent} does not exist.", "", "Make it, or choose another.")
        if self.spread is not None and (method != "dds" or samples < 2):
            raise ExportError("There will be no spread to write.", "It takes several samples.", "Add --samples 4.")

    def write(self, finished: Finished, scan: Scan | None) -> None:
        """scan: that the image was made of; DICOM files tell more of it."""
        from core.export import save, save_spread, writing
        from core.export.dicom_about import about_scan

        about = None if scan is None else about_scan(scan, finished.volume)
        save(self._in_unit(finished.volume, self.image), self.image, about)
        if self.spread is not None:
            save_spread(self._in_unit(finished.volume, self.spread), self.spread, about)
        if self.report is not None:
            with writing(self.report):
                write_report(finished, self.report)

    def _in_unit(self, volume: Volume, path: Path) -> Volume:
        """CT in 1/mm unless HU are asked for; in DICOM, whose readers expect HU, in HU where the scan has them."""
        from core.export import DICOM, ending_of
        from core.export.units import in_unit

        expected = ending_of(path) == DICOM and volume.unit == "HU"
        return in_unit(volume, hounsfield=self.hounsfield or expected)


def run_to_file(job: JobSpec, outputs: Outputs, held: State | None = None) -> Finished:
    """Run a job with a progress bar on stderr and write its result; exits with 130 when interrupted.

    held: see core.engine.runner.run.
    """
    from core.engine.checkpoint import Checkpoints
    from core.engine.stop import Stop

    stop = Stop()
    checkpoints = None if outputs.checkpoint is None else Checkpoints(outputs.checkpoint, outputs.every)
    with interruptible(stop):
        finished = follow(job, stop, checkpoints, held)
    if finished is None:
        kept = outputs.checkpoint is not None and outputs.checkpoint.exists()
        rest = f" It can go on from {outputs.checkpoint}." if kept else ""
        click.echo(f"Interrupted. Nothing was written.{rest}", err=True)
        sys.exit(INTERRUPTED)
    outputs.write(finished, job.scan)
    if checkpoints is not None:
        checkpoints.discard()
    for trouble in plugins.troubles():
        click.echo(f"Note: {trouble}", err=True)
    outcome = finished.card["outcome"]
    quality = "".join(f", {k} {v:.4g}" for k, v in finished.metrics.items() if k != "data_range")
    told = f"residual {outcome['residual']:.4g}, {outcome['seconds']:.1f} s{quality}"
    click.echo(f"{outputs.image}: {told}. Research use only.")
    return finished


def follow(
    job: JobSpec, stop: Stop, checkpoints: Checkpoints | None = None, held: State | None = None
) -> Finished | None:
    """Pull a run to its end; None if it was discarded. Raises the error of a run that failed."""
    from tqdm import tqdm

    # Its monitor is a thread for bars that stand still; these are told of every step.
    tqdm.monitor_interval = 0
    from core.engine.events import Failed, Finished, Noted, Progress, Started, StepDone, Warned
    from core.engine.runner import run

    quality = ""
    with tqdm(total=1, file=sys.stderr, bar_format="{desc}", dynamic_ncols=True, leave=False) as bar:
        for event in run(job, stop, held):
            trouble = checkpoints.take(event) if checkpoints is not None else ""
            if trouble:
                bar.write(f"Note: {trouble}", file=sys.stderr)
            match event:
                case Progress(stage, done, total):
                    bar.set_description_str(f"{stage} {done} of {total}")
                case Started() if event.steps:
                    bar.set_description_str("Reconstructing", refresh=False)
                    bar.bar_format = STEPS_FORMAT
                    bar.reset(total=event.steps)
                case StepDone():
                    bar.set_description_str("Reconstructing", refresh=False)
                    quality = f", PSNR {event.metrics['psnr']:.2f} dB" if event.metrics else quality
                    bar.set_postfix_str(f"residual {event.residual:.3g}{quality}", refresh=False)
                    bar.update(event.step - bar.n)
                case Warned(message):
                    bar.write(f"Warning: {message}", file=sys.stderr)
                case Noted(message):
                    bar.write(f"Note: {message}", file=sys.stderr)
                case Failed(error):
                    raise error
                case Finished():
                    return event
    return None


def weighs(settings: dict[str, Any]) -> bool:
    """A penalty has a weight in a run with these settings."""
    tied = settings["method"] != "dds" or settings["rho"] > 0
    return tied and "lam" in used_by(settings["method"])


def write_report(finished: Finished, path: Path) -> None:
    """The figures of a run as JSON."""
    from core.export.whole import write_json

    outcome = finished.card["outcome"]
    settings = finished.card["job"]["settings"]
    values = {
        "method": settings["method"],
        "settings": settings,
        **{name: outcome.get(name) for name in REPORTED},
        "lam": settings["lam"] if weighs(settings) else None,
        **outcome["metrics"],
        "reference": outcome.get("reference"),
        "notice": finished.card["notice"],
    }
    write_json(values, path)


@contextmanager
def interruptible(stop: Stop) -> Iterator[None]:
    """Ctrl+C discards the run; a second one ends the program at once."""

    def on_interrupt(number: int, frame: Any) -> None:
        if stop.ending:
            raise KeyboardInterrupt
        stop.discard()

    before = {number: signal.signal(number, on_interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
