"""Runs a job: a generator of events that the command line, the tests and the window pull from."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from core.diffusion.schedule import Schedule, timesteps
from core.engine.accelerate import CompiledTwin
from core.engine.branch import lineage, spliced
from core.engine.classical import classical_images
from core.engine.estimate import activation_bytes, estimate, refuse_if_too_large, samples_at_once, with_seconds
from core.engine.events import Discarded, Estimate, Event, Failed, Finished, Noted, Paused, Started, Warned
from core.engine.job import JobSpec
from core.engine.legs import Leg, require_alike, require_same_coding
from core.engine.live import Live, with_figures
from core.engine.lost_device import is_marked, lost
from core.engine.memory import give_back, planes_at_once
from core.engine.noise_level import data_weight, noise_level
from core.engine.offers import methods_for, quick_methods, slices_in
from core.engine.precision import choose_precision, computing_in
from core.engine.problem import Coding, Problem, prepare
from core.engine.problem_ct import TomoProblem  # registers how CT is prepared
from core.engine.problem_mri import SenseProblem
from core.engine.reference import reference_of
from core.engine.result import finished, inputs_of
from core.engine.sampling import Sampling, seed_groups
from core.engine.scan_source import as_asked, load_scan, undersampled
from core.engine.second_try import Extent, in_words, is_foreseen, second_try
from core.engine.settings import LAST_TIMESTEP, Precision, ReconSettings
from core.engine.state import State, same_run
from core.engine.stop import Halt, Stop
from core.errors import DeviceError, JobError, UserError
from core.priors.card import ModelCard
from core.priors.fit import misfit, range_misfit, unchecked
from core.priors.held import held_prior
from core.priors.prior import Prior
from core.scan import Scan

_PAUSE_HEARTBEAT_S = 0.1
PROBLEMS = (SenseProblem, TomoProblem)
"""The kinds of problems that can be prepared."""


def run(job: JobSpec, stop: Stop | None = None, held: State | None = None) -> Iterator[Event]:
    """Do a job. Ends with exactly one of Finished, Discarded and Failed; raises nothing for bad input.

    stop: the handle to pause, keep or discard, from any thread; it takes effect within one network evaluation and one
    solver step. While paused between events, every pull answers Paused after a tenth of a second at most. held: a state
    of this run to go on from, or of the run that it branches from; without it, it walks there again, to the same bits.
    Where the memory runs out or the graphics card is lost it may begin again, see core.engine.second_try: then a second
    Started comes, and steps are counted from 1 again.
    """
    stop = stop or Stop()
    for event in _guarded(job, stop, held):
        yield event
        while stop.paused and not isinstance(event, (Finished, Discarded, Failed)):
            stop.wait_while_paused(_PAUSE_HEARTBEAT_S)
            yield Paused()


def _guarded(job: JobSpec, stop: Stop, held: State | None) -> Iterator[Event]:
    threads, told = torch.get_num_threads(), list[str]()
    try:
        torch.set_num_threads(job.threads or os.cpu_count() or 1)
        while True:
            extent, again = Extent(), None
            try:
                with torch.no_grad():
                    yield from _Run(job, stop, held, told, extent).events()
            except (MemoryError, RuntimeError) as error:
                if not is_foreseen(error):
                    raise
                again = second_try(job, extent, error)
                failure = in_words(extent, error)
            else:
                return
            # Only here is what the run held let go of: the error had it.
            if again is None:
                yield Failed(failure)
                return
            if extent.device is not None and not is_marked():
                give_back(extent.device)
            job, note = again
            held, told = None, [*told, note]
    except Halt:
        yield Discarded()
    except UserError as error:
        yield Failed(error)
    finally:
        torch.set_num_threads(threads)


@dataclass
class _Model:
    """What DDS needs besides the problem. before: of the runs that this one goes back to, the first one first."""

    prior: Prior
    walk: Schedule
    precision: Precision
    before: tuple[_Model, ...] = ()


@dataclass
class _Run:
    """One run on its way: what has been made so far. told: what there is to note of why it was begun again. extent:
    filled in as soon as it is known."""

    job: JobSpec
    stop: Stop
    held: State | None = None
    told: list[str] = field(default_factory=list)
    extent: Extent = field(default_factory=Extent)
    started: float = field(init=False)
    warnings: list[str] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = self.stop.worked()

    @torch.no_grad()
    def events(self) -> Iterator[Event]:
        """Scan, prior, problem, classical images, then the method that the settings name."""
        settings, slices = self.job.settings, self.job.source.slices
        whole = as_asked(load_scan(self.job), self.job.source)
        check_method(settings.method, whole)
        scan = undersampled(whole, self.job.source.undersample)
        device = self.extent.device = choose_device(settings.device)
        model = _whole_model(self.job, device) if settings.method == "dds" else None
        inputs = inputs_of(scan, model.prior.card if model else None)
        misfits = misfit(model.prior.card, scan) if model else []
        needed, at_once = self._plan(scan, device, model)
        problem = yield from prepare(scan, slices, device, self.stop, settings)
        begun = time.perf_counter()
        reference = yield from reference_of(self.job, scan, whole, problem, self.stop)
        live = Live(reference, time.perf_counter() - begun) if reference is not None else None
        frames, height, width = problem.shape
        if model is not None:
            needed = _timed(needed, problem, settings, model)
        steps = len(model.walk) * len(seed_groups(0, settings.samples, at_once)) if model else 0
        yield Started(needed, frames, height, width, steps, str(device), problem.names, live.name if live else "")
        yield from self._warn(*scan_warnings(scan, model.prior if model else None), *misfits)
        for message in self.told:
            yield from self._note(message)
        if model is not None:
            yield from self._note(unchecked(model.prior.card, scan))

        x, spread = yield from with_figures(self._image(scan, problem, model, at_once, inputs), live)
        self.outcome["seconds"] = self.stop.worked() - self.started - (live.spent if live else 0.0)
        prior = model.prior.card if model else None
        yield finished(
            self.job, scan, reference, problem, x, spread, prior, {**self.outcome, "warnings": self.warnings}
        )

    def _plan(self, scan: Scan, device: torch.device, model: _Model | None) -> tuple[Estimate, int]:
        """What the run needs, and how many samples go side by side. Raises JobError when it cannot fit."""
        settings = self.job.settings
        slices, prior = self.job.source.slices, model.prior if model else None

        def needed(at_once: int) -> Estimate:
            return estimate(scan, slices, device, prior, settings, at_once)

        at_once = self.job.samples_at_once or samples_at_once(needed, settings.samples)
        chosen = slices[1] - slices[0] if slices else slices_in(scan)
        refuse_if_too_large(needed(at_once), chosen)
        self.extent.needed, self.extent.slices, self.extent.at_once = needed(at_once), chosen, at_once
        return needed(at_once), at_once

    def _image(
        self, scan: Scan, problem: Problem, model: _Model | None, at_once: int, inputs: dict[str, str]
    ) -> Generator[Event, None, tuple[Tensor, Tensor | None]]:
        """The image of the method, and the spread of its samples."""
        first = lineage(self.job)[0].settings
        begun = replace(self.job, settings=first)  # the walk begins with what the first of its runs began with
        classical = yield from classical_images(problem, begun, quick_methods(scan), self.stop, self.outcome)
        if model is None:
            return classical, None
        sampling = yield from self._begin(scan, problem, model, classical, at_once, inputs)
        del classical  # of a large volume, so that the sampler can let go of it
        job = replace(self.job, threads=torch.get_num_threads(), samples_at_once=at_once, scan=None)
        for event in sampling.steps():
            if isinstance(event, Noted):
                yield from self._note(event.message)
            else:
                yield replace(event, state=partial(sampling.state, job, inputs))
                del event  # it would keep the steps that went by
        self._note_samples(sampling)
        return sampling.mean(), sampling.spread()

    def _begin(
        self, scan: Scan, problem: Problem, model: _Model, classical: Tensor, at_once: int, inputs: dict[str, str]
    ) -> Generator[Event, None, Sampling]:
        """What draws the samples; it ends early where the stop or the job says so."""
        settings = self.job.settings
        coding = problem.coding(model.prior.card, classical)
        if coding.note:
            yield from self._warn(coding.note)
        yield from self._warn(
            *range_misfit(model.prior.card, (float(classical.abs().max()) - coding.base) / coding.scale)
        )
        pixels = math.prod(problem.operator.domain_shape[-2:])
        sigma_y = noise_level(scan, problem, coding.scale) if settings.gamma_rule == "noise" else None
        self.outcome.update(
            scale=coding.scale,
            base=coding.base,
            sigma_y=sigma_y,
            samples_at_once=at_once,
            precision=model.precision,
        )
        own = self._held(inputs, at_once, problem)
        if own and self.held is not None:
            yield from self._note(f"It went on from what had been kept after step {self.held.done}.")
        return Sampling(
            problem,
            model.prior,
            model.walk,
            settings,
            classical,
            coding,
            data_weight(settings, sigma_y),
            model.precision,
            self.stop,
            at_once,
            planes_at_once(problem.y.device, activation_bytes(model.prior, pixels)),
            keep_at=0 if self.outcome.get("kept_at") == 0 else self.job.keep_at,
            before=_legs(self.job, model, partial(problem.coding, classical=classical), sigma_y),
            held=self.held,
            own=own,
        )

    def _held(self, inputs: dict[str, str], at_once: int, problem: Problem) -> bool:
        """The state that is held is of this run. One that fits neither this nor the run that is left is let go of.

        Raises JobError where it is of this run, but scan or prior are others now.
        """
        held, start = self.held, self.job.start
        if held is None:
            return False
        shape = problem.operator.domain_shape
        own = same_run(held.job, self.job)
        images = (*held.noisy, *held.forming, *(held.finished if own else ()), *(tie[0] for tie in held.ties))
        dtype = problem.operator.dtype
        fits = all(image.shape == torch.Size(shape) and image.dtype == dtype for image in images)
        if own:
            if held.inputs != inputs or not fits or held.job.samples_at_once != at_once:
                raise JobError(
                    "The run cannot go on from what was kept of it.",
                    "The scan or the prior is no longer the one that it began with.",
                    "Start the run again.",
                )
            return True
        leaves = start is not None and same_run(held.job, start.job) and held.step == start.step
        if not leaves or not fits or held.inputs["scan"] != inputs["scan"]:
            self.held = None
        return False

    def _note_samples(self, sampling: Sampling) -> None:
        self.outcome.update(
            nfe=sampling.evaluations,
            samples=len(sampling.samples),
            network_seconds=sampling.network_seconds,
            planes_at_once=sampling.planes_at_once,
            compiled=isinstance(sampling.prior.twin, CompiledTwin) and sampling.prior.twin.ready,
        )
        if self.job.start is not None:
            self.outcome["left"] = [sampling.left[k] for k in sorted(sampling.left)]
        if sampling.done < sampling.total:
            self.outcome["kept_at"] = sampling.done

    def _warn(self, *messages: str) -> Iterator[Warned]:
        for message in messages:
            self.warnings.append(message)
            yield Warned(message)

    def _note(self, message: str) -> Iterator[Noted]:
        if message:
            self.outcome.setdefault("notes", []).append(message)
            yield Noted(message)


def check_method(method: str, scan: Scan) -> None:
    """Raise JobError for a method that a scan cannot be reconstructed with."""
    offered = methods_for(scan)
    if method not in offered:
        raise JobError(f"The method {method} does not fit this scan.", "", f"Use {', '.join(offered)}.")


def choose_device(name: str) -> torch.device:
    """The device of a setting. Raises DeviceError when CUDA is asked for and there is none, or none any more."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() and not is_marked() else "cpu")
    if name == "cuda" and is_marked():
        raise lost()
    if name == "cuda" and not torch.cuda.is_available():
        raise DeviceError("There is no CUDA device on this machine.", "", "Choose auto or cpu.")
    return torch.device(name)


def scan_warnings(scan: Scan, prior: Prior | None) -> list[str]:
    """What the user must know beside the image."""
    warnings = list(prior.card.warnings) if prior else []
    if scan.undersampled:
        warnings.append(f"Undersampled on purpose: {scan.undersampled}.")
    if scan.simulated:
        warnings.append("Simulated scan: no patient was measured.")
    return warnings


def _legs(
    job: JobSpec, model: _Model, coding_of: Callable[[ModelCard], Coding], sigma_y: float | None
) -> tuple[Leg, ...]:
    """The legs before the last of a walk. Raises JobError where their priors see the image otherwise than the last."""
    jobs = lineage(job)
    ends = [each.start.step for each in jobs if each.start is not None]
    legs = []
    for number, (each, before) in enumerate(zip(jobs, model.before, strict=False)):
        require_same_coding(before.prior, model.prior, coding_of)
        weight = data_weight(each.settings, sigma_y)
        # A run that was left before it left its own parent has no leg.
        legs.append(Leg(before.prior, each.settings, weight, before.precision, min(ends[number:])))
    return tuple(legs)


def _whole_model(job: JobSpec, device: torch.device) -> _Model:
    """What a run and those that it goes back to need. Raises JobError for a branch that cannot be walked."""
    models: list[_Model] = []
    for each in lineage(job):
        model = _model(each.settings, device)
        if models and each.start is not None:
            require_alike(models[-1].prior, model.prior)
            walk = spliced(models[-1].walk.timesteps, each.start.step, model.walk.timesteps)
            model = replace(model, walk=replace(model.walk, timesteps=walk))
        models.append(replace(model, before=tuple(models)))
    return models[-1]


def _model(settings: ReconSettings, device: torch.device) -> _Model:
    prior = held_prior(settings.prior)
    prior.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    start = None if settings.t_start == LAST_TIMESTEP else settings.t_start
    visited = timesteps(settings.nfe, settings.spacing, t_start=start, steps=prior.schedule.steps)
    precision = choose_precision(settings.precision, prior.card.family, device)
    prior.to(device)
    if device.type == "cuda":
        prior.twin = CompiledTwin(prior.network, context=partial(computing_in, precision, device))
    return _Model(prior, Schedule(prior.schedule, tuple(visited)), precision)


def _timed(needed: Estimate, problem: Problem, settings: ReconSettings, model: _Model) -> Estimate:
    def predict(x: Tensor) -> object:
        with computing_in(model.precision, x.device):
            return model.prior.predict(x, 0)

    return with_seconds(needed, problem, settings, predict)
