"""Runs a job: a generator of events that the command line, the tests and the window pull from."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.diffusion.dds import Step, sample
from core.diffusion.schedule import Schedule, timesteps
from core.engine.estimate import estimate, refuse_if_too_large, with_seconds
from core.engine.events import ClassicalImage, Discarded, Event, Failed, Finished, Paused, Started, StepDone, Warned
from core.engine.job import JobSpec, ScanSource
from core.engine.noise import NoiseSource
from core.engine.problem import Problem, prepare
from core.engine.run_card import make_card
from core.engine.settings import LAST_TIMESTEP
from core.engine.stop import Halt, Stop
from core.engine.watch import WatchedOperator, WatchedPrior
from core.errors import JobError, UserError
from core.formats import open_scan
from core.operators.masks import parse_undersampling
from core.operators.planes import to_planes
from core.operators.undersample import undersample
from core.orientation import Affine
from core.priors import load_prior
from core.priors.prior import Prior
from core.scan import Scan, Volume
from core.solvers.baselines import cg_sense, zero_filled

_PAUSE_HEARTBEAT_S = 0.1


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
        if not _is_out_of_memory(error):
            raise
        yield Failed(JobError("The memory ran out.", str(error), "Reconstruct fewer slices at once, or on the CPU."))
    finally:
        torch.set_num_threads(threads)


def _is_out_of_memory(error: Exception) -> bool:
    """torch tells of a full CPU memory only in the words of a RuntimeError."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error)


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
        settings = self.job.settings
        whole = load_scan(self.job)
        scan = _undersampled(whole, self.job.source)
        device = choose_device(settings.device)
        prior = _ready_prior(settings.prior, device) if settings.method == "dds" else None
        needed = estimate(scan, _count_planes(scan, self.job.source.slices), device, prior)
        refuse_if_too_large(needed)
        problem = yield from prepare(scan, self.job.source.slices, device, self.stop)
        walk = _walk(prior, settings.nfe, settings.spacing, settings.t_start) if prior else None
        frames, height, width = problem.to_image(torch.zeros(problem.operator.domain_shape)).shape
        needed = with_seconds(needed, problem, prior, settings)
        yield Started(needed, frames, height, width, len(walk or ()), str(device), problem.planes.names)
        for message in scan_warnings(scan, prior):
            self.warnings.append(message)
            yield Warned(message)

        self.outcome["operator_norm"] = problem.norm
        x = yield from self._classical(problem)
        if prior is not None and walk is not None:
            x = yield from self._dds(problem, prior, walk, x)
        yield self._finished(scan, whole, problem, prior, x)

    def _classical(self, problem: Problem) -> Generator[Event, None, Tensor]:
        """The classical images, simplest first; returns the best of them that the method needs."""
        x = zero_filled(problem.operator, problem.y)
        yield ClassicalImage("zero-filled", problem.to_image(x))
        if self.job.settings.method == "zero-filled":
            return x
        try:
            x = cg_sense(WatchedOperator(problem.operator, self.stop), problem.y)
        except Halt:
            if self.stop.discarding:
                raise
            self.outcome["kept_at"] = 0
            return x
        yield ClassicalImage("cg-sense", problem.to_image(x))
        return x

    def _dds(self, problem: Problem, prior: Prior, walk: Schedule, classical: Tensor) -> Generator[Event, None, Tensor]:
        """Sample; returns the final image, or the last estimate if the run is kept early."""
        settings = self.job.settings
        scale = intensity_scale(classical, prior.card.scale_percentile)
        self.outcome["scale"] = scale
        at_once = 1 if problem.y.device.type == "cpu" else 8
        watched = WatchedPrior(prior, self.stop, at_once, problem.support)
        steps = sample(
            watched,
            WatchedOperator(problem.operator, self.stop),
            problem.y / scale,
            schedule=walk,
            cg_steps=settings.cg_steps,
            gamma=float("inf") if settings.noiseless else settings.gamma,
            eta=settings.eta,
            x_T=self._start(problem, walk, classical / scale),
            noise=self._noise(problem, classical),
        )
        latest, kept_at = classical, 0
        begun = time.perf_counter()
        while self.outcome.get("kept_at") is None and kept_at != self.job.keep_at:
            try:
                step = next(steps, None)
            except Halt:
                if self.stop.discarding:
                    raise
                step = None
            if step is None:
                break
            latest, kept_at = step.denoised * scale, step.index + 1
            yield self._step_done(problem, step, latest, walk, watched.seconds, time.perf_counter() - begun)
        self.outcome.update(nfe=kept_at, network_seconds=watched.seconds)
        if kept_at < len(walk):
            self.outcome["kept_at"] = kept_at
        return latest

    def _start(self, problem: Problem, walk: Schedule, classical: Tensor) -> Tensor:
        """Pure noise, or the noised classical image for a warm start."""
        signal, level = walk.levels.levels(walk.timesteps[0])
        noise = level * self._noise(problem, classical).start()
        return noise if self.job.settings.t_start == LAST_TIMESTEP else signal * classical + noise

    def _noise(self, problem: Problem, classical: Tensor) -> NoiseSource:
        return NoiseSource(self.job.settings.seed, problem.planes.keys, like=classical)

    def _step_done(
        self, problem: Problem, step: Step, image: Tensor, walk: Schedule, network_seconds: float, seconds: float
    ) -> StepDone:
        value = residual(problem, image)
        if not np.isfinite(value):
            raise JobError(
                f"The run broke down at step {step.index + 1} (timestep {step.timestep}).",
                "The image holds NaN or infinite numbers; the prior or the settings do not suit this scan.",
                "Try another prior, fewer CG steps or a smaller gamma.",
            )
        done = step.index + 1
        return StepDone(
            step=done,
            total=len(walk),
            timestep=step.timestep,
            residual=value,
            network_seconds=network_seconds,
            solver_seconds=seconds - network_seconds,
            seconds_left=seconds / done * (len(walk) - done),
            estimate=lambda: problem.to_image(image),
        )

    def _finished(self, scan: Scan, whole: Scan, problem: Problem, prior: Prior | None, x: Tensor) -> Finished:
        from core.quality import compare

        image = problem.to_image(x)
        metrics = {}
        if scan.undersampled:
            metrics = compare(image, problem.combine(to_planes(whole, self.job.source.slices)))
        kept_at = self.outcome.get("kept_at")
        outcome = {
            "nfe": 0,
            "network_seconds": 0.0,
            **self.outcome,
            "kept_at": kept_at,
            "seconds": time.perf_counter() - self.started,
            "residual": residual(problem, x),
            "warnings": self.warnings,
            "metrics": metrics,
            "device": str(problem.y.device),
            "threads": torch.get_num_threads(),
            "coils_compressed": problem.compression is not None,
        }
        inputs = {"scan": scan.provenance.sha256}
        if prior is not None:
            inputs["prior"] = prior.card.sha256
        card = make_card(self.job, inputs, outcome)
        affine = _affine_from(scan.picture_affine, self.job.source.slices)
        stack = len(image) // (scan.sizes["contrast"] * scan.sizes["repetition"])
        spacing = scan.picture_spacing_mm or (1.0, 1.0, 1.0)
        volume = Volume(image, "a.u.", affine, spacing, stack, problem.planes.names, card)
        return Finished(volume, kept_at, metrics)


def load_scan(job: JobSpec) -> Scan:
    """The scan of a job, as its file has it."""
    if job.scan is not None:
        return job.scan
    return open_scan(job.source.path, axes=job.source.axes, domain=job.source.domain)


def choose_device(name: str) -> torch.device:
    """The device of a setting. Raises JobError when CUDA is asked for and there is none."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise JobError("There is no CUDA device on this machine.", "", "Choose auto or cpu.")
    return torch.device(name)


def residual(problem: Problem, x: Tensor) -> float:
    """||A x - y|| / ||y|| over all that was measured."""
    gap = torch.linalg.vector_norm(problem.operator.forward(x) - problem.y)
    return float(gap / torch.linalg.vector_norm(problem.y))


def intensity_scale(image: Tensor, percentile: float) -> float:
    """The magnitude that a prior knows as 1: a percentile of the classical image."""
    magnitude = image.abs().cpu().numpy()
    return float(np.percentile(magnitude, percentile)) or float(magnitude.max()) or 1.0


def scan_warnings(scan: Scan, prior: Prior | None) -> list[str]:
    """What the user must know beside the image."""
    warnings = list(prior.card.warnings) if prior else []
    if scan.undersampled:
        warnings.append(f"Undersampled on purpose: {scan.undersampled}.")
    if scan.simulated:
        warnings.append("Simulated scan: no patient was measured.")
    return warnings


def _undersampled(scan: Scan, source: ScanSource) -> Scan:
    return undersample(scan, parse_undersampling(source.undersample)) if source.undersample else scan


def _ready_prior(name: str, device: torch.device) -> Prior:
    prior = load_prior(name)
    prior.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return prior.to(device)


def _walk(prior: Prior, nfe: int, spacing: str, t_start: int) -> Schedule:
    start = None if t_start == LAST_TIMESTEP else t_start
    return Schedule(prior.schedule, tuple(timesteps(nfe, spacing, t_start=start, steps=prior.schedule.steps)))


def _count_planes(scan: Scan, slices: tuple[int, int] | None) -> int:
    sizes = scan.sizes
    stack = max(sizes["slice"], sizes["kz"])
    chosen = slices[1] - slices[0] if slices else stack
    return sizes["contrast"] * sizes["repetition"] * max(chosen, 1)


def _affine_from(affine: Affine | None, slices: tuple[int, int] | None) -> Affine | None:
    """The affine of a stack of which the first slices were left out."""
    if affine is None or not slices:
        return affine
    moved = affine.copy()
    moved[:3, 3] += affine[:3, 2] * slices[0]
    return moved
