"""Makes a run of a cell, as if it had been made among the runs."""

from __future__ import annotations

from typing import Any

from app.state.display import RESULT
from app.state.naming import run_name
from app.state.picture import Picture
from app.state.runs import Phase, Run
from app.state.session import Session
from core.engine.job import JobSpec
from core.scan import Volume


def open_as_run(session: Session, job: JobSpec, volume: Volume, record: dict[str, Any]) -> Run:
    """Put the image of a cell among the runs of the open scan, and in front. record: see core.engine.work."""
    runs = session.runs
    run = runs.add(job, run_name(job))
    outcome = volume.card.get("outcome", {})
    run.phase = Phase.FINISHED
    run.volume, run.metrics = volume, dict(record["metrics"])
    run.device, run.frame_names = str(outcome.get("device", "")), volume.frame_names
    run.warnings = [str(words) for words in outcome.get("warnings", ())]
    run.borrow_classical([other for other in runs if other is not run])
    run.show_result(Picture(volume.array, volume.unit), 0)
    runs.told.emit(run)
    runs.changed.emit()
    runs.put_in_front(run)
    session.display.look_at(RESULT)
    return run
