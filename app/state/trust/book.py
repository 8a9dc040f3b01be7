"""The trust book: what is known of the trustworthiness of every run, for as long as the run is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from psygnal import Signal

from app.state.runs import Run
from app.state.trust.found import Calibrated, Found, Verdict
from app.state.trust.study import Study

_ORDER = (Study.VERDICT, Study.UNCERTAINTY, Study.SUPPORT)
"""Of doubts: the measurement first."""


@dataclass(frozen=True)
class Record:
    """Of one run. doubts: sentences by the study that raised them. trouble: why it could not be judged, or ""."""

    verdict: Verdict | None = None
    misfits: tuple[str, ...] = ()
    doubts: dict[Study, tuple[str, ...]] = field(default_factory=dict)
    calibrated: Calibrated | None = None
    trouble: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """All that speaks against trusting the image, each once."""
        raised = [said for study in _ORDER for said in self.doubts.get(study, ())]
        return tuple(dict.fromkeys((*raised, *self.misfits)))


class TrustBook:
    """Records by run. `changed` tells whose has changed."""

    changed = Signal(Run)

    def __init__(self) -> None:
        self._records: dict[Run, Record] = {}

    def record(self, run: Run) -> Record | None:
        """What is known of a run; None if nothing has been asked yet."""
        return self._records.get(run)

    def warnings_of(self, run: Run) -> tuple[str, ...]:
        """What speaks against trusting a run's image, besides what the run itself warned of."""
        known = self._records.get(run)
        return tuple(said for said in known.warnings if said not in run.warnings) if known is not None else ()

    def take(self, run: Run, study: Study, found: Found) -> None:
        """Enter what a study has found; what the same study found before is replaced."""
        known = self._records.get(run, Record())
        # The residual and its verdict are one: whichever comes later has the same to say.
        raised = Study.VERDICT if study is Study.RESIDUAL else study
        self._records[run] = replace(
            known,
            verdict=found.verdict or known.verdict,
            misfits=found.misfits or known.misfits,
            doubts={**known.doubts, raised: found.doubts},
            calibrated=found.calibrated if study is Study.UNCERTAINTY else known.calibrated,
            trouble="" if found.verdict else known.trouble,
        )
        self.changed.emit(run)

    def fail(self, run: Run, why: str) -> None:
        """Enter why a run could not be judged."""
        self._records[run] = replace(self._records.get(run, Record()), trouble=why)
        self.changed.emit(run)

    def keep_only(self, runs: Iterable[Run]) -> None:
        """Forget the runs that have gone."""
        there = set(runs)
        self._records = {run: record for run, record in self._records.items() if run in there}
