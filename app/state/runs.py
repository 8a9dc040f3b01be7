"""The runs of a scan: what waits, what is going on, what has been made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from psygnal import Signal

from app.state.display import RESULT, SPREAD
from app.state.kinds import on_the_way
from app.state.naming import classical_caption
from app.state.picture import Picture, Plane
from core.engine.events import (
    ClassicalImage,
    Discarded,
    Estimate,
    Event,
    Failed,
    Finished,
    Noted,
    Paused,
    Progress,
    Started,
    StepDone,
    Warned,
)
from core.engine.job import JobSpec
from core.engine.stop import Stop
from core.errors import UserError
from core.scan import Volume


class Phase(Enum):
    """Where a run is in its life; the value is the word for it."""

    WAITING = "waiting"
    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    KEPT = "kept early"
    DISCARDED = "discarded"
    FAILED = "failed"


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture to show: which of VIEWS, its caption, and whose it is (None: of the scan itself).

    family: the pictures that share its frame.
    """

    run: Run | None
    view: str
    picture: Picture
    caption: str
    family: str = RESULT


GOING_ON = (Phase.PREPARING, Phase.RUNNING, Phase.PAUSED)


@dataclass(eq=False)
class Run:
    """One run and everything that it has told. `apply` is the only place where its events change it.

    classical: its classical images by method. noisy: values of what the sampler goes on with after the
    step that is shown.
    result, spread: the other pictures; result_step is the step that
    `result` shows (0: the final image). metrics: of the estimate that was compared last, then of the result. reference:
    what with, in words. quality: (step, PSNR in dB) of the estimates that were compared.
    """

    job: JobSpec
    name: str
    stop: Stop = field(default_factory=Stop)
    phase: Phase = Phase.WAITING
    progress: Progress | None = None
    estimate: Estimate | None = None
    device: str = ""
    frame_names: tuple[str, ...] = ()
    step: int = 0
    steps: int = 0
    timestep: int | None = None
    residuals: list[float] = field(default_factory=list)
    network_seconds: float = 0.0
    solver_seconds: float = 0.0
    seconds_left: float | None = None
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    classical: dict[str, Picture] = field(default_factory=dict)
    result: Picture | None = None
    noisy: Plane | None = None
    spread: Picture | None = None
    result_step: int = 0
    volume: Volume | None = None
    kept_at: int | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    reference: str = ""
    quality: list[tuple[int, float]] = field(default_factory=list)
    error: UserError | None = None
    saved: bool = False

    @property
    def is_dds(self) -> bool:
        return self.job.settings.method == "dds"

    @property
    def going_on(self) -> bool:
        return self.phase in GOING_ON

    @property
    def is_quick(self) -> bool:
        """It makes nothing but what every run makes on its way."""
        return self.job.settings.method in self.on_the_way

    @property
    def on_the_way(self) -> tuple[str, ...]:
        """The classical methods whose images it makes whatever was asked for, simplest first."""
        return on_the_way(self.job.scan)

    @property
    def unsaved(self) -> bool:
        """A finished result, other than what every run makes on its way, that closing would lose."""
        return self.result is not None and self.volume is not None and not self.saved

    def show_classical(self, method: str, picture: Picture) -> None:
        """Take a classical image."""
        self.classical[method] = picture

    def borrow_classical(self, others: list[Run]) -> None:
        """Show the classical images of earlier runs over the same data until this run has made its own."""
        for other in others:
            if other.job.source == self.job.source:
                self.classical.update(other.classical)

    def show_result(self, picture: Picture, step: int, noisy: Plane | None = None) -> None:
        self.result, self.result_step, self.noisy = picture, step, noisy

    @property
    def length(self) -> int:
        """Steps that each sample of a run that has ended takes; 0 where that is not known."""
        outcome = self.volume.card.get("outcome", {}) if self.volume is not None else {}
        samples = self.job.settings.samples
        groups = -(-samples // max(int(outcome.get("samples_at_once") or samples), 1))
        return self.steps // groups if self.is_dds and self.steps % groups == 0 else 0

    def step_to_leave(self, step: int | None) -> int:
        """The step of its samples after which another run can branch from it, of a step of the run; 0 for none."""
        if step is None or self.volume is None or not self.length:
            return 0
        own = (step - 1) % self.length + 1
        return own if own < self.length else 0

    @property
    def views(self) -> tuple[str, ...]:
        """The pictures that there are: the result first, the best classical image next."""
        found = [RESULT] if self.result is not None else []
        if self.spread is not None:
            found.append(SPREAD)
        return (*found, *(m for m in reversed(self.on_the_way) if m in self.classical))

    def shown(self, view: str = RESULT) -> Shown | None:
        """A picture of this run: the one asked for, or the best there is."""
        views = self.views
        if not views:
            return None
        drawn = view if view in views else views[0]
        if drawn == RESULT and self.result is not None:
            return self._shown(drawn, self.result, f"{self.name} — {self._state_of_result()}")
        if drawn == SPREAD and self.spread is not None:
            return self._shown(drawn, self.spread, f"{self.name} — spread")
        return self._shown(drawn, self.classical[drawn], classical_caption(drawn))

    def _shown(self, view: str, picture: Picture, caption: str) -> Shown:
        """Frames of some slices are counted apart from those of all."""
        chosen = self.job.source.slices
        return Shown(self, view, picture, caption, f"{RESULT} of {chosen}" if chosen else RESULT)

    def _state_of_result(self) -> str:
        samples = self.job.settings.samples if self.is_dds else 1
        if self.result_step:
            mean = f", mean of {samples} samples" if samples > 1 else ""
            image = "denoised estimate" if self.is_dds else "estimate"
            return f"{image}{mean}, step {self.result_step} of {self.steps}"
        if self.going_on:
            return "estimate so far"
        if samples > 1 and self.kept_at is None:
            return f"mean of {samples} samples"
        if self.kept_at is None:
            return "result"
        return f"kept after step {self.kept_at} of {self.steps}" if self.steps else "kept early"

    def apply(self, event: Event) -> None:
        """Take in what an event says; pictures come on their own."""
        match event:
            case Started():
                self.follow_stop()
                self._begin_again()
                self.steps, self.progress = event.steps, None
                self.estimate, self.device, self.frame_names = event.estimate, event.device, event.frame_names
                self.reference = event.reference
            case Progress():
                self.progress = event
            case ClassicalImage():
                self.follow_stop()
            case StepDone():
                self._step(event)
            case Paused():
                self.follow_stop()
            case Warned():
                self.warnings.append(event.message)
            case Noted():
                self.notes.append(event.message)
            case Finished():
                self.phase = Phase.FINISHED if event.kept_at is None else Phase.KEPT
                self.volume, self.kept_at, self.metrics = event.volume, event.kept_at, event.metrics
                self.seconds_left = None
            case Discarded():
                self.phase, self.seconds_left = Phase.DISCARDED, None
            case Failed():
                self.phase, self.error, self.seconds_left = Phase.FAILED, event.error, None

    def _begin_again(self) -> None:
        """A run whose memory ran out, or whose graphics card was lost, starts a second time."""
        if self.device:
            for told in (self.warnings, self.notes, self.residuals, self.quality):
                told.clear()
            self.step, self.timestep, self.seconds_left, self.metrics = 0, None, None, {}

    def follow_stop(self) -> None:
        """Paused or running, as the user wants it: a run that pauses within a step cannot tell before it goes on."""
        self.phase = Phase.PAUSED if self.stop.paused else Phase.RUNNING

    def _step(self, event: StepDone) -> None:
        self.follow_stop()
        self.step, self.steps, self.timestep = event.step, event.total, event.timestep
        self.residuals += [math.nan] * (event.step - 1 - len(self.residuals))
        self.residuals[event.step - 1 :] = [event.residual]
        self.network_seconds, self.solver_seconds = event.network_seconds, event.solver_seconds
        self.seconds_left = event.seconds_left
        if event.metrics:
            self.metrics = event.metrics
            self.quality.append((event.step, event.metrics["psnr"]))


class Runs:
    """The runs of the open scan in order, and the one in front (whose images and progress are shown)."""

    changed = Signal()
    """Runs came, went or changed their phase."""
    told = Signal(Run)
    """A run has news."""
    fronted = Signal()
    """Another run is in front."""

    def __init__(self) -> None:
        self._runs: list[Run] = []
        self.front: Run | None = None
        self._before: Run | None = None

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    @property
    def first(self) -> Run | None:
        """The classical run that was made on opening, unless it was discarded."""
        return self._runs[0] if self._runs else None

    @property
    def current(self) -> Run | None:
        """The run that is going on."""
        return next((r for r in self._runs if r.going_on), None)

    @property
    def waiting(self) -> list[Run]:
        return [r for r in self._runs if r.phase is Phase.WAITING]

    @property
    def unsaved(self) -> list[Run]:
        return [r for r in self._runs if r.unsaved]

    def would_be_lost(self) -> list[str]:
        """What leaving this scan would lose, a sentence each."""
        reasons = []
        if self.current is not None and not self.current.is_quick:
            reasons.append(f"{self.current.name} is still running and would be discarded.")
        if self.unsaved:
            reasons.append(f"Not saved: {', '.join(run.name for run in self.unsaved)}.")
        return reasons

    def add(self, job: JobSpec, name: str) -> Run:
        """A new run that waits; of two with one name the later gets a number."""
        same = sum(r.name == name or r.name.startswith(f"{name} #") for r in self._runs)
        run = Run(job, name if not same else f"{name} #{same + 1}")
        self._runs.append(run)
        self.changed.emit()
        return run

    def remove(self, run: Run) -> None:
        """Take out a run that is not going on."""
        self._runs.remove(run)
        if run is self.front:
            self.put_in_front(next((r for r in reversed(self._runs) if r.shown()), None))
        self.changed.emit()

    def clear(self) -> None:
        self._runs.clear()
        self.put_in_front(None)
        self.changed.emit()

    def shown(self, view: str = RESULT) -> Shown | None:
        """What to show: of the run in front, or, until it has a picture, of the latest one that has."""
        every = (run.shown(view) for run in (self.front, *reversed(self._runs)) if run)
        return next((found for found in every if found), None)

    @property
    def before(self) -> Run | None:
        """The run that was in front before this one, if it is still there."""
        return self._before if self._before in self._runs and self._before is not self.front else None

    def put_in_front(self, run: Run | None) -> None:
        if run is not self.front:
            self._before = self.front
        self.front = run
        self.fronted.emit()
