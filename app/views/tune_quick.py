"""Quick look: the slice on view with the settings chosen now, at once."""

from __future__ import annotations

import os
from dataclasses import replace

from app.bridge.bridge import Bridge
from app.bridge.sweep_desk import SweepDesk
from app.state.display import RESULT
from app.state.notice import Notice
from app.state.runs import Run
from app.state.session import OpenScan, Session
from app.words import tr
from core.engine.job import JobSpec


def can_look(session: Session) -> bool:
    """A scan is open, and a slice of it can be reconstructed alone."""
    opened = session.scan
    return opened is not None and (opened.slices > 1 or opened.stack == 1)


def quick_look(session: Session, bridge: Bridge, desk: SweepDesk | None = None) -> Run | None:
    """A run of the slice on view, put in front. It starts at once where nothing else runs, else a notice says what it
    waits for; None, and a notice, where no slice can be reconstructed alone."""
    opened = session.scan
    if opened is None:
        return None
    if not can_look(session):
        why = tr("The measurement ties all slices of this scan together.")
        session.tell(Notice(tr("Quick look is not possible."), why, tr("Reconstruct all of it."), error=False))
        return None
    waits_for = _in_the_way(session, desk)
    run = bridge.queue.add(_job(session, opened))
    session.runs.put_in_front(run)
    session.display.look_at(RESULT)
    if waits_for:
        session.tell(Notice(tr("Quick look waits."), waits_for, tr("It starts by itself."), error=False))
    return run


def _job(session: Session, opened: OpenScan) -> JobSpec:
    """One processor is left to the window."""
    choice, shown = session.choice, session.shown_slice
    slices = (shown, shown + 1) if opened.slices > 1 else None
    source = replace(
        opened.source, undersample=choice.undersample, slices=slices, center=choice.center, size=choice.size
    )
    return JobSpec(source, choice.settings, opened.scan, threads=max(1, (os.cpu_count() or 2) - 1))


def _in_the_way(session: Session, desk: SweepDesk | None) -> str:
    """What must end first, or ""."""
    runs = session.runs
    if runs.current is not None:
        name, more = runs.current.name, len(runs.waiting)
        if more:
            return tr("{name} is still running, and {count} more wait.", name=name, count=more)
        return tr("{name} is still running.", name=name)
    return tr("A cell of the sweep is still running.") if desk is not None and desk.busy else ""
