"""Quick look: the slice on view with the settings chosen now, at once, whatever else is going on."""

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
    """A run of the slice on view, put in front. It starts at once; a notice says what is paused meanwhile. None, and a
    notice, where no slice can be reconstructed alone. desk: of sweeps."""
    opened = session.scan
    if opened is None:
        return None
    if not can_look(session):
        why = tr("The measurement ties all slices of this scan together.")
        session.tell(Notice(tr("Quick look is not possible."), why, tr("Reconstruct all of it."), error=False))
        return None
    paused = _in_the_way(session, desk)
    run = bridge.looks.add(_job(session, opened), desk)
    session.runs.put_in_front(run)
    session.display.look_at(RESULT)
    if paused:
        why = tr("{what} is paused until then.", what=paused)
        session.tell(Notice(tr("Quick look goes first."), why, tr("It goes on by itself."), error=False))
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
    """What is paused for it, or ""."""
    current = session.runs.current
    if current is not None and not current.stop.paused:
        return current.name
    return tr("The sweep") if desk is not None and desk.busy else ""
