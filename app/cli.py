"""The command dds-viewer: opens the window, or works without one."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

import core
from app.cli_batch import batch, worker
from app.cli_bench import bench
from app.cli_deidentify import deidentify
from app.cli_doctor import doctor
from app.cli_prior import prior, train
from app.cli_recon import INTERRUPTED, recon, rerun, resume
from app.cli_simulate import simulate
from app.cli_sweep import sweep
from app.cli_trust import trust
from app.quiet import keep_quiet
from core.errors import UserError

BAD_INPUT = 2
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EFBIG)
"""What a disk says when it is full, may not be written to, or fails: no mistake of the program."""


class OpensPaths(click.Group):
    """A group in which a first word that is no command is a scan to open in the window."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else ""
        if not args or (first not in self.commands and not first.startswith("-")):
            args = ["open", *args]
        return super().parse_args(ctx, args)


@click.group(cls=OpensPaths, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(core.__version__, prog_name="dds-viewer")
def cli() -> None:
    """Raw MRI and CT scans become images you can trust, while you watch. Research use only.

    Without a command: dds-viewer [PATH] opens the window, with the scan PATH if one is given.
    """


def require_display() -> None:
    """Raise UserError where Qt would end the process because there is no screen to draw on."""
    drawn = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in drawn):
        raise UserError(
            "There is no display to open the window on.",
            "Neither DISPLAY nor WAYLAND_DISPLAY is set.",
            "Start it from a desktop, under xvfb-run, or use dds-viewer recon.",
        )


@cli.command(name="open", hidden=True)
@click.argument("path", required=False)
def open_window(path: str | None) -> None:
    """Open the window, with the scan PATH if one is given."""
    require_display()
    from app.window import launch

    sys.exit(launch(path))


def open_stand(idle: int) -> int:
    """Tell how to leave, then play the demos on the whole screen; returns the exit status."""
    from app.state.kiosk import Policy
    from app.window import launch_kiosk

    click.echo(f"The stand is open. {Policy.escape} closes it. It starts over after {idle} s without a visitor.")
    return launch_kiosk(idle)


@cli.command()
@click.argument("modality", type=click.Choice(["mri", "ct"]), default="mri")
@click.option("--screenshot", help="PNG file for a picture of the window at the end of the run.")
@click.option("--exit-when-done", is_flag=True, help="Close the window when the run is finished.")
@click.option("--nfe", type=click.IntRange(1, 1000), help="Network evaluations. Default: what suits the prior.")
@click.option("--kiosk", is_flag=True, help="For a stand: the whole screen, both demos in a loop, no way to files.")
@click.option(
    "--idle",
    type=click.IntRange(5, 3600),
    default=90,
    show_default=True,
    metavar="SECONDS",
    help="With --kiosk: so long without a visitor, and it starts over.",
)
def demo(modality: str, screenshot: str | None, exit_when_done: bool, nfe: int | None, kiosk: bool, idle: int) -> None:
    """Open the window with a bundled scan and reconstruct it."""
    if kiosk and (screenshot or exit_when_done or nfe):
        raise click.UsageError("--kiosk plays both demos until it is stopped; leave out the other options.")
    require_display()
    if kiosk:
        sys.exit(open_stand(idle))
    from app.window import launch

    sys.exit(launch(None, demo=modality, screenshot=screenshot, exit_when_done=exit_when_done, nfe=nfe))


@cli.command()
@click.argument("path")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--axes", default="", help="Axes of a plain array, for example coil,ky,kx.")
@click.option("--domain", type=click.Choice(["kspace", "image"]), default="kspace", help="What a plain array holds.")
@click.option("--identifiers", is_flag=True, help="Also print who was scanned, if the file says.")
def info(path: str, as_json: bool, axes: str, domain: str, identifiers: bool) -> None:
    """Print what the raw scan PATH holds."""
    from core.formats import open_scan
    from core.formats.describe import describe

    found = describe(open_scan(path, axes=axes, domain=domain))
    if as_json:
        click.echo(json.dumps(found.to_dict(identifiers=identifiers), indent=1))
        return
    for label, value in found.lines(identifiers=identifiers):
        click.echo(f"{label + ':':<24} {value}")


for command in (recon, rerun, resume, trust, sweep, batch, worker, train, prior, doctor):
    cli.add_command(command)
cli.add_command(simulate)
cli.add_command(bench)
cli.add_command(deidentify)


def main(args: list[str] | None = None) -> None:
    """Run the command line; errors for a person go to stderr in one sentence or two, with exit code 2."""
    # Waiting threads that spin slow every other process on a small machine ten times and more.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    keep_quiet()
    try:
        cli.main(args=args, prog_name=Path(sys.argv[0]).name if args is None else "dds-viewer", standalone_mode=False)
    except UserError as error:
        click.echo(f"dds-viewer: {error}", err=True)
        sys.exit(BAD_INPUT)
    except click.exceptions.Abort:
        click.echo("Interrupted.", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        if error.errno not in DISK_FAULTS:
            report_mistake(error)
        name = Path(str(error.filename)).name if error.filename else "A file"
        click.echo(f"dds-viewer: {name} could not be read or written. {error.strerror}.", err=True)
        sys.exit(BAD_INPUT)
    except MemoryError:
        click.echo("dds-viewer: The memory ran out. Close other programs, or ask for less at once.", err=True)
        sys.exit(BAD_INPUT)
    except Exception as error:
        report_mistake(error)


def report_mistake(error: Exception) -> NoReturn:
    """Print what nobody foresaw, keep it as a report, and exit with 1."""
    from app.state.crash_report import keep, report_of

    report = keep(report_of(error))
    click.echo(report.text + (f"This report is in {report.path}." if report.path else ""), err=True)
    sys.exit(1)
