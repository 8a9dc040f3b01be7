"""How far a batch is, in words."""

from __future__ import annotations

from app.state.naming import duration
from app.state.tune.batch import Batch, Entry
from app.state.tune.cells import Fate, State
from app.words import tr


def scan_count(count: int) -> str:
    return tr("1 scan") if count == 1 else tr("{count} scans", count=count)


def missing_words(batch: Batch, folder: str) -> str:
    """What is needed before it can start; "" for nothing."""
    if not batch.entries:
        return tr("Add scans, or drop files and folders here.")
    return "" if folder else tr("Choose the folder for the results.")


def state_words(batch: Batch, folder: str, waits_for: str, where: str) -> str:
    """waits_for: the name of the run that must end first, or "". where: who computes it."""
    if batch.state is State.PLANNING:
        return tr("Waits for {name} …", name=waits_for) if waits_for else tr("Preparing …")
    if batch.looking:
        return tr("Looking for scans …")
    if not batch.busy:
        return batch.note or _ended(batch) or missing_words(batch, folder) or scan_count(len(batch.entries))
    over = batch.count(Fate.DONE) + batch.count(Fate.FAILED)
    said = tr("{done} of {all} scans", done=over, all=len(batch.entries))
    left = batch.seconds_left
    said = said if left is None else tr("{said}, about {time} left", said=said, time=duration(left))
    said = tr("{said}, by {who}", said=said, who=where) if where else said
    return tr("{said}, stopping …", said=said) if batch.state is State.STOPPING else said


def _ended(batch: Batch) -> str:
    trouble = f"{batch.trouble.what} {batch.trouble.rest} " if batch.trouble is not None else ""
    done, failed = batch.count(Fate.DONE), batch.count(Fate.FAILED)
    if not trouble and not done and not failed:
        return ""
    said = tr("{done} of {all} scans done", done=done, all=len(batch.entries))
    before = sum(entry.again for entry in batch.entries)
    if before:
        said += tr(", {count} of them before", count=before)
    if failed:
        said += tr(", {count} failed", count=failed)
    more = " " + tr("Start does what is missing.") if done < len(batch.entries) else ""
    return f"{trouble}{said}.{more}"


def fate_words(entry: Entry) -> str:
    """What has become of a scan."""
    if entry.fate is Fate.RUNNING:
        return tr("{percent} %", percent=round(100 * entry.share))
    return tr("done before") if entry.again else tr(entry.fate.value)


def time_words(entry: Entry) -> str:
    return "" if entry.seconds is None else duration(entry.seconds)
