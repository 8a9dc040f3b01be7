"""Runs a job: a generator of events that the command line, the tests and the window pull from."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from core.diffusion.schedule import Schedule, timesteps
from core.engine.accelerate import CompiledTwin
from core.engine.classical import classical_images
from core.engine.estimate import activation_bytes, estimate, refuse_if_too_large, samples_at_once, with_seconds
from core.engine.events import Discarded, Estimate, Event, Failed, Finished, Noted, Paused, Started, Warned
from core.engine.job import JobSpec
from core.engine.memory import is_out_of_memory, planes_at_once
from core.engine.noise_level import data_weight, noise_level
from core.engine.offers import methods_for, quick_methods, slices_in
from core.engine.precision import choose_precision, computing_in
from core.engine.problem import Problem, prepare
from core.engine.problem_ct import TomoProblem  # registers how CT is prepared
from core.engine.problem_mri import SenseProblem
from core.engine.result import finished
from core.engine.sampling import Sampling, seed_groups
from core.engine.scan_source import as_asked, load_scan, undersampled
from core.engine.settings import LAST_TIMESTEP, Precision, ReconSettings
from core.engine.stop import Halt, Stop
from core.errors import JobError, UserError
from core.priors.fit import misfit, range_misfit, unchecked
from core.priors.held import held_prior
from core.priors.prior import Prior
from core.scan import Scan

_PAUSE_HEARTBEAT_S = 0.1
PROBLEMS = (SenseProblem, TomoProblem)
"""The kinds of problems that can be prepared."""


def run(job: JobSpec, stop: Stop | None = None) -> Iterator[Event]:
    """Do a job. Ends with exactly one of Finished, Discarded and Failed; raises nothing for bad input.

    stop: the handle to pause, keep or discard, from any thread; it takes effect within one network evaluation and one
    solver step. While paused between events, every pull answers Paused after a tenth of a second at most.
    """
    stop = stop or Stop()
    for event in _guarded(job, stop):
        yield event
        while stop.paused and not isinstance(event, (Finished, Discarded, Failed)):
            stop.wait_while_paused(_PAUSE_HEARTBEAT_S)
            yield Paused()


def _guarded(job: JobSpec, stop: Stop) -> Iterator[Event]:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(job.threads or os.cpu_count() or 1)
        with torch.no_grad():
            yield from _Run(job, stop).events()
    except Halt:
        yield Discarded()
    except UserError as error:
        yield Failed(error)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        yield Failed(JobError("The memory ran out.", str(error), "Reconstruct fewer slices at once, or on the CPU."))
    finally:
        torch.set_num_threads(threads)


@dataclass
class _Model:
    """What DDS needs besides the problem."""

    prior: Prior
    walk: Schedule
    precision: Precision


@dataclass
class _Run:
    """One run on its way: what has been made so far."""

    job: JobSpec
    stop: Stop
    started: float = field(default_factory=time.perf_counter)
    warnings: list[str] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=dict)

    @torch.no_grad()
    def events(self) -> Iterator[Event]:
        """Scan, prior, problem, classical images, then the method that the settings name."""
        settings, slices = self.job.settings, self.job.source.slices
        whole = as_asked(load_scan(self.job), self.job.source)
        check_method(settings.method, whole)
        scan = undersampled(whole, self.job.source.undersample)
        device = choose_device(settings.device)
        model = _model(settings, device) if settings.method == "dds" else None
        misfits = misfit(model.prior.card, scan) if model else []
        needed, at_once = self._plan(scan, device, model)
        problem = yield from prepare(scan, slices, device, self.stop, settings)
        frames, height, width = problem.shape
        if model is not None:
            needed = _timed(needed, problem, settings, model)
        steps = len(model.walk) * len(seed_groups(0, settings.samples, at_once)) if model else 0
        yield Started(needed, frames, height, width, steps, str(device), problem.names)
        yield from self._warn(*scan_warnings(scan, model.prior if model else None), *misfits)
        if model is not None:
            yield from self._note(unchecked(model.prior.card, scan))

        x, spread = yield from self._image(scan, problem, model, at_once)
        self.outcome["seconds"] = time.perf_counter() - self.started
        prior = model.prior.card if model else None
        yield finished(self.job, scan, whole, problem, x, spread, prior, {**self.outcome, "warnings": self.warnings})

    def _plan(self, scan: Scan, device: torch.device, model: _Model | None) -> tuple[Estimate, int]:
        """What the run needs, and how many samples go side by side. Raises JobError when it cannot fit."""
        settings = self.job.settings
        slices, prior = self.job.source.slices, model.prior if model else None

        def needed(at_once: int) -> Estimate:
            return estimate(scan, slices, device, prior, settings, at_once)

        at_once = self.job.samples_at_once or samples_at_once(needed, settings.samples)
        chosen = slices[1] - slices[0] if slices else slices_in(scan)
        refuse_if_too_large(needed(at_once), chosen)
        return needed(at_once), at_once

    def _image(
        self, scan: Scan, problem: Problem, model: _Model | None, at_once: int
    ) -> Generator[Event, None, tuple[Tensor, Tensor | None]]:
        """The image of the method, and the spread of its samples."""
        classical = yield from classical_images(problem, self.job, quick_methods(scan), self.stop, self.outcome)
        if model is None:
            return classical, None
        sampling = yield from self._begin(scan, problem, model, classical, at_once)
        del classical  # of a large volume, so that the sampler can let go of it
        for event in sampling.steps():
            if isinstance(event, Noted):
                yield from self._note(event.message)
            else:
                yield event
                del event  # it would keep the steps that went by
        self._note_samples(sampling)
        return sampling.mean(), sampling.spread()

    def _begin(
        self, scan: Scan, problem: Problem, model: _Model, classical: Tensor, at_once: int
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
        )

    def _note_samples(self, sampling: Sampling) -> None:
        self.outcome.update(
            nfe=sampling.evaluations,
            samples=len(sampling.samples),
            network_seconds=sampling.network_seconds,
            planes_at_once=sampling.planes_at_once,
            compiled=isinstance(sampling.prior.twin, CompiledTwin) and sampling.prior.twin.ready,
        )
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
    """The device of a setting. Raises JobError when CUDA is asked for and there is none."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise JobError("There is no CUDA device on this machine.", "", "Choose auto or cpu.")
    return torch.device(name)


def scan_warnings(scan: Scan, prior: Prior | None) -> list[str]:
    """What the user must know beside the image."""
    warnings = list(prior.card.warnings) if prior else []
    if scan.undersampled:
        warnings.append(f"Undersampled on purpose: {scan.undersampled}.")
    if scan.simulated:
        warnings.append("Simulated scan: no patient was measured.")
    return warnings


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
