"""Runs that branch from a step of another run of the open scan."""

from __future__ import annotations

from dataclasses import replace

from app.bridge.run_queue import RunQueue
from app.state.runs import Run
from core.engine.branch import FREE, branched, lineage
from core.engine.settings import ReconSettings, help_of, used_by


def branch(queue: RunQueue, run: Run, step: int, settings: ReconSettings) -> Run:
    """Queue a run that leaves another one after a step of it, by these settings from there on.

    From the state that was kept of that step, else the other run is walked to it again. Raises JobError where it cannot
    be branched.
    """
    own = run.step_to_leave(step)
    job = replace(branched(run.job, own, settings), scan=run.job.scan, threads=_threads(run))
    lineage(job)
    held = queue.keeping.states.at(id(run), step)
    made = queue.add(job, held)
    if held is not None:
        made.residuals = list(run.residuals[:own])
    return made


def not_taken(run: Run, settings: ReconSettings) -> list[str]:
    """Labels of the settings that a branch of the run does not take, since they are the run's own."""
    mine, others = settings.to_dict(), run.job.settings.to_dict()
    names = [name for name in used_by("dds") if name not in FREE and mine[name] != others[name]]
    return [help_of(name).label for name in names]


def _threads(run: Run) -> int:
    outcome = run.volume.card.get("outcome", {}) if run.volume is not None else {}
    return int(outcome.get("threads", run.job.threads))
