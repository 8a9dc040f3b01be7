"""The command that measures this machine: bench."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from core.engine.bench import LeftOut, Measured

VIEWER_SHARE = 0.1
VIEWER = "viewer"
_START_S = 60.0
"""How long the viewer may take beside its measurements, to start and to end."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, comparable between machines.")
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 3600),
    default=120.0,
    show_default=True,
    help="Budget; with less, things are timed less often or left out.",
)
@click.option("--no-viewer", is_flag=True, help="Leave out the frame times of the viewer.")
@click.option("--frames-only", is_flag=True, hidden=True)
def bench(as_json: bool, seconds: float, no_viewer: bool, frames_only: bool) -> None:
    """Measure this machine: network, solver, steps, whole runs, frames of the viewer. It takes two minutes at most.

    Sizes are always the same, so results of two machines can be compared. Nothing in them tells whose machine it is.
    """
    if frames_only:
        _frames(seconds)
        return
    from core.engine.bench import LeftOut, Measured, about

    started = time.perf_counter()
    machine = about()
    results: list[Measured | LeftOut] = []
    for each in _all(seconds, no_viewer):
        results.append(each)
        told = f"{each.median_ms:.1f} ms" if isinstance(each, Measured) else f"left out. {each.why}"
        click.echo(f"{each.words}: {told}", err=True)
    report = _report(machine, results, seconds, time.perf_counter() - started)
    if as_json:
        click.echo(json.dumps(report, indent=1))
        return
    for line in _lines(report, [r for r in results if isinstance(r, LeftOut)]):
        click.echo(line)


def _all(seconds: float, no_viewer: bool) -> Iterator[Measured | LeftOut]:
    from core.engine.bench import LeftOut, measurements

    if no_viewer:
        yield from measurements(seconds)
        yield LeftOut(VIEWER, "Viewer", "It was asked for.")
        return
    yield from measurements(seconds * (1 - VIEWER_SHARE))
    yield from _viewer(seconds * VIEWER_SHARE)


def _viewer(seconds: float) -> Iterator[Measured | LeftOut]:
    """The frame times, from a process of its own: where Qt finds no screen it ends the process that asks."""
    from core.engine.bench import LeftOut, Measured

    frozen = getattr(sys, "frozen", False)
    command = [
        sys.executable,
        *([] if frozen else ["-m", "app"]),
        "bench",
        "--frames-only",
        "--seconds",
        f"{seconds:.1f}",
    ]
    environment = dict(os.environ)
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=_START_S + seconds, check=True
        )
        found = json.loads(ended.stdout)
        frames = [Measured(each["name"], each["words"], tuple(each["times_ms"])) for each in found["frames"]]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        yield LeftOut(VIEWER, "Viewer", f"It could not be shown here ({type(error).__name__}).")
        return
    yield from frames


def _frames(seconds: float) -> None:
    """Print the frame times as JSON."""
    from PySide6.QtWidgets import QApplication

    from app import theme
    from app.views.frame_times import frame_times

    application = QApplication([])
    theme.apply("dark")
    frames = [{"name": n, "words": w, "times_ms": times} for n, w, times in frame_times(seconds)]
    click.echo(json.dumps({"platform": application.platformName(), "frames": frames}))


def _report(
    machine: dict[str, Any], results: list[Measured | LeftOut], budget: float, elapsed: float
) -> dict[str, Any]:
    """One object for programs. Its version goes up whenever a key changes its meaning."""
    from core.engine.bench import SCHEMA, VERSION, LeftOut, Measured, expected

    measured = {r.name: r for r in results if isinstance(r, Measured)}
    return {
        "schema": SCHEMA,
        "schema_version": VERSION,
        "machine": machine,
        "budget_s": budget,
        "elapsed_s": round(elapsed, 1),
        "results": {name: each.to_dict() for name, each in measured.items()},
        "left_out": {r.name: r.why for r in results if isinstance(r, LeftOut)},
        "expect": expected({name: each.median_ms for name, each in measured.items()}),
    }


def _lines(report: dict[str, Any], left_out: list[LeftOut]) -> Iterator[str]:
    from core.engine.bench import busy_sentence, in_short

    machine = report["machine"]
    yield f"{machine['processor']}, {in_short(machine)}, {machine['memory_gib']:.0f} GiB, {machine['precision']}"
    yield f"{'':<56}{'median':>9}{'quartiles':>19}{'times':>7}"
    for each in report["results"].values():
        quartiles = f"{each['quartile_low_ms']:.1f} to {each['quartile_high_ms']:.1f}"
        yield f"{each['what']:<56}{each['median_ms']:>9.1f}{quartiles:>19}{each['repeats']:>7}  ms"
    for each in left_out:
        yield f"{each.words:<56}left out. {each.why}"
    if busy := busy_sentence(machine):
        yield busy
    yield report["expect"]["sentence"]
