"""What sweep, batch and worker share: the options of a cluster, the settings of a file, the events on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli_recon import INTERRUPTED
from core.errors import JobError

if TYPE_CHECKING:
    from core.engine.cluster_link import Tls
    from core.engine.settings_text import SettingsFile
    from core.engine.sweep import SweepDone
    from core.engine.tasks import TaskEvent, Workplace

CONSENT = (
    "Dask sends pickled code, which whoever can reach a scheduler or worker can have it run: so all listen on loopback "
    "(127.0.0.1) unless told otherwise, and nothing beyond loopback is spoken to without TLS. On a machine that you "
    "share with people whom you do not trust, use TLS on loopback too."
)
TLS_OPTIONS = (
    ("--tls-ca", "PEM file of the authority that signed the certificates of the cluster."),
    ("--tls-cert", "PEM file of this machine's certificate. Both ends must show one of that authority."),
    ("--tls-key", "PEM file of its key."),
)
Command = Callable[..., Any]
FAILED = 1
"""The exit status where some tasks failed."""


def tls_options(command: Command) -> Command:
    """--tls-ca, --tls-cert and --tls-key."""
    for name, text in reversed(TLS_OPTIONS):
        command = click.option(name, help=text)(command)
    return command


def cluster_options(command: Command) -> Command:
    """--scheduler, --workers and those of TLS."""
    command = tls_options(command)
    command = click.option(
        "--workers", type=click.IntRange(min=1), help="Run on so many processes of this machine, loopback only."
    )(command)
    return click.option("--scheduler", help="Run on the cluster of the Dask scheduler at HOST:PORT.")(command)


@contextmanager
def workplace(
    scheduler: str | None, workers: int | None, tls: Tls | None, *, default: bool = False
) -> Iterator[Workplace | None]:
    """Where the work is done: a cluster if it is asked for or the default, else None, which is this process."""
    if scheduler and workers:
        raise JobError("--workers is for this machine.", "A scheduler is named.", "Leave out one of them.")
    if not scheduler and workers is None and not default:
        if tls is not None:
            raise JobError("TLS is for a cluster.", "", "Add --scheduler HOST:PORT.")
        yield None
        return
    from core.engine.cluster import joined_cluster
    from core.engine.cluster_local import own_cluster

    cluster = joined_cluster(scheduler, tls) if scheduler else own_cluster(workers or 0)
    with cluster as found:
        yield found


def read_settings(path: Path | None) -> SettingsFile:
    """The settings file, or an empty one."""
    from core.engine.settings_text import SettingsFile, read_settings_file
    from core.priors.known import refuse_unknown

    told = SettingsFile() if path is None else read_settings_file(path)
    if prior := told.given.get("prior"):
        refuse_unknown(prior)
    return told


def follow_tasks(events: Iterator[TaskEvent | SweepDone], total: int, *, quiet: bool = False) -> SweepDone:
    """Tell of tasks on stderr, and return how it ended. quiet: without the bar."""
    from tqdm import tqdm

    tqdm.monitor_interval = 0
    from core.engine.sweep import SweepDone
    from core.engine.tasks import TaskDone, TaskFailed, TaskStarted, TaskStep

    with tqdm(total=total, file=sys.stderr, dynamic_ncols=True, leave=False, disable=quiet) as bar:
        for event in events:
            match event:
                case TaskStarted(task, worker):
                    bar.set_postfix_str(f"{task.name}{f' on {worker}' if worker else ''}"[:60], refresh=True)
                case TaskStep(task, step, of):
                    bar.set_postfix_str(f"{task.name}: step {step} of {of}"[:60], refresh=False)
                    bar.update(0)
                case TaskDone(task, record, again):
                    bar.update(1)
                    if not again:
                        bar.write(f"{task.name}: {_figures(record)}", file=sys.stderr)
                case TaskFailed(task, error):
                    bar.update(1)
                    bar.write(f"{task.name}: failed. {error}", file=sys.stderr)
                case SweepDone():
                    return event
    raise AssertionError("The events end with SweepDone.")


def leave_after(ended: SweepDone, done: str, interrupted: str) -> None:
    """Say what was done; exit with INTERRUPTED or FAILED where something is missing. interrupted: how to go on."""
    before = f", {ended.again} of them before" if ended.again else ""
    failed = f", {ended.failed} failed" if ended.failed else ""
    click.echo(f"{done}{before}{failed}. Research use only.")
    if ended.left:
        click.echo(interrupted, err=True)
        sys.exit(INTERRUPTED)
    if ended.failed:
        sys.exit(FAILED)


def _figures(record: dict[str, Any]) -> str:
    quality = "".join(f", {k} {v:.4g}" for k, v in (record["metrics"] or {}).items() if k != "data_range")
    return f"residual {record['residual']:.4g}, {record['seconds']:.1f} s{quality}"
