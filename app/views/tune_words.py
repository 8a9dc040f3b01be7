"""How far a sweep is, and what it would be, in words."""

from __future__ import annotations

from app.state.naming import duration
from app.state.tune.cells import Bench, Fate, State
from app.state.tune.draft import Wanted
from app.words import tr


def how_long(seconds: float | None) -> str:
    """Such as "They take about 2 min 5 s."."""
    if seconds is None:
        return tr("How long they take is not known yet.")
    return tr("They take about {time}.", time=duration(max(seconds, 1)))


def wanted_words(wanted: Wanted, seconds: float | None, *, scan: bool) -> str:
    """What the form means. scan: one is open."""
    if not scan:
        return tr("Open a scan first.")
    if not wanted.cells:
        return wanted.trouble or tr("Type the values to try, such as 5, 10, 20 or 1:9:2 or 1e-4:1e-2:log5.")
    count = tr("{count} cells", count=wanted.cells) if wanted.cells > 1 else tr("1 cell")
    if seconds is None:
        return tr("{cells}; time not known yet", cells=count)
    return tr("{cells}, about {time}", cells=count, time=duration(max(seconds, 1)))


def progress_words(bench: Bench, waits_for: str, expected: float | None) -> str:
    """waits_for: the name of the run that must end first, or "". expected: seconds for all of it, if that is known."""
    if bench.state is State.PLANNING:
        return tr("Waits for {name} …", name=waits_for) if waits_for else tr("Preparing …")
    done, left = bench.count(Fate.DONE) + bench.count(Fate.FAILED), bench.seconds_left
    if left is None and expected is not None and not done:
        left = max(expected, 1)
    said = tr("{done} of {all} cells", done=done, all=len(bench.cells))
    if bench.state is State.STOPPING:
        return tr("{said}, stopping …", said=said)
    return said if left is None else tr("{said}, about {time} left", said=said, time=duration(left))


def ended_words(bench: Bench) -> str:
    """What has become of it; "" where there was none."""
    if bench.trouble is not None:
        return f"{bench.trouble.what} {bench.trouble.rest}"
    if not bench.cells:
        return ""
    failed = bench.count(Fate.FAILED)
    said = tr("{done} of {all} cells done", done=bench.count(Fate.DONE), all=len(bench.cells))
    return (said + tr(", {count} failed", count=failed) if failed else said) + "."
