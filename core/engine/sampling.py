"""The samples of a DDS run: drawn side by side as far as the memory goes, and their mean while it forms."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from core.diffusion.dds import Step, sample
from core.diffusion.schedule import Schedule
from core.engine.accelerate import CompiledTwin
from core.engine.draws import Draws
from core.engine.events import Noted, StepDone
from core.engine.memory import give_back
from core.engine.problem import Coding, Problem
from core.engine.settings import LAST_TIMESTEP, Precision, ReconSettings
from core.engine.stop import Halt, Stop
from core.engine.watch import WatchedOperator, WatchedPrior
from core.errors import JobError
from core.operators.repeated import Repeated
from core.priors.prior import Prior
from core.solvers.slice_tie import SliceTie


@dataclass
class Sampling:
    """K samples of the posterior with seeds seed, seed + 1 ... Sample k alone is the image of seed + k.

    They walk in groups of at_once, all samples of a group a step at a time. steps() yields a StepDone for each step of
    each group, after what there is to note of it; samples, mean() and spread() are of what there is by then: finished
    samples, and the denoised estimates of the group that is under way. coding: how `classical`, (items, a, b), looks to
    the prior. weight: of the data, see core.diffusion.dds.Weight. planes_at_once: in one call of the network, fewer
    once they were too many. keep_at: end after that many steps, or None.
    """

    problem: Problem
    prior: Prior
    walk: Schedule
    settings: ReconSettings
    classical: Tensor = field(repr=False)
    coding: Coding
    weight: float | Callable[[float], float]
    precision: Precision
    stop: Stop
    at_once: int
    planes_at_once: int = 1
    keep_at: int | None = None
    done: int = 0
    network_seconds: float = 0.0
    _finished: list[Tensor] = field(default_factory=list, repr=False)
    _forming: list[Tensor] = field(default_factory=list, repr=False)
    _noted: set[str] = field(default_factory=set, repr=False)

    @property
    def groups(self) -> list[tuple[int, ...]]:
        """The seeds of each group."""
        return seed_groups(self.settings.seed, self.settings.samples, self.at_once)

    @property
    def total(self) -> int:
        """Steps of all groups."""
        return len(self.groups) * len(self.walk)

    @property
    def samples(self) -> list[Tensor]:
        """What there is, each (items, a, b), as the prior sees it."""
        return self._finished + self._forming

    @property
    def evaluations(self) -> int:
        """Network evaluations for each frame so far, over all samples."""
        full, rest = divmod(self.done, len(self.walk))
        sizes = [len(seeds) for seeds in self.groups]
        return sum(sizes[:full]) * len(self.walk) + (rest * sizes[full] if rest else 0)

    def mean(self) -> Tensor:
        """The mean of the samples; the classical image before the first step."""
        if not self.samples:
            return self.classical
        return (self._mean() * self.coding.scale).add_(self.coding.base)

    def _mean(self) -> Tensor:
        """The mean as the prior sees it."""
        samples = self.samples
        return samples[0] if len(samples) == 1 else mean_of(samples)

    @cached_property
    def measured(self) -> Tensor:
        """The measurement of what the prior sees."""
        y, coding = self.problem.y, self.coding
        if coding.base:
            everywhere = torch.full(self.problem.operator.domain_shape, coding.base, dtype=y.dtype, device=y.device)
            y = y - self.problem.operator.forward(everywhere)
        return y / coding.scale

    def spread(self) -> Tensor | None:
        """Standard deviation of the samples in each pixel, real; None of fewer than two."""
        if len(self.samples) < 2:
            return None
        return standard_deviation(self.samples).mul_(self.coding.scale)

    def steps(self) -> Iterator[StepDone | Noted]:
        """Walk to the end, or until the run is kept. Raises Halt when it is discarded, JobError when it breaks down."""
        begun = time.perf_counter()
        give_back(self.problem.y.device)  # what the classical images have left behind
        try:
            for seeds in self.groups:
                if self.done == self.keep_at:
                    return
                with closing(self._draws(seeds)) as noise:
                    for timestep, watched in self._group(seeds, noise):
                        yield from self._notes(watched)
                        yield self._step_done(timestep, time.perf_counter() - begun)
                        if self.done == self.keep_at:
                            return
                self._finished, self._forming = self.samples, []
        except Halt:
            if self.stop.discarding:
                raise

    def _group(self, seeds: tuple[int, ...], noise: Draws) -> Iterator[tuple[int, WatchedPrior]]:
        """The timesteps of one group as they are done."""
        watched = self._watched_prior(len(seeds))
        before = self.network_seconds
        for step in self._walk(watched, noise):
            self.network_seconds = before + watched.seconds
            self.planes_at_once = watched.planes_at_once
            self._forming = list(step.denoised.chunk(len(seeds)))
            timestep = step.timestep
            del step  # its copies of a large volume are not needed while the next step is made
            self._forget_start(seeds)
            self.done += 1
            yield timestep, watched
            if isinstance(self.prior.twin, CompiledTwin):
                self.prior.twin.prepare()  # here, so that it does not hold up the first picture

    def _notes(self, watched: WatchedPrior) -> Iterator[Noted]:
        """What has not been told yet."""
        twin = self.prior.twin
        for note in [*watched.notes, *([twin.note] if isinstance(twin, CompiledTwin) else [])]:
            if note and note not in self._noted:
                self._noted.add(note)
                yield Noted(note)

    def _forget_start(self, seeds: tuple[int, ...]) -> None:
        """Let go of what the samples start from once the last of them have begun: it is one more large volume."""
        if seeds == self.groups[-1]:
            self.classical = self.classical[:0].clone()

    def _watched_prior(self, samples: int) -> WatchedPrior:
        support = self.problem.support
        if len(support) > 1:
            support = support.repeat(samples, 1, 1)
        nothing = -self.coding.base / self.coding.scale
        return WatchedPrior(self.prior, self.stop, self.planes_at_once, support, self.precision, nothing)

    def _draws(self, seeds: tuple[int, ...]) -> Draws:
        operator = self.problem.operator
        like = torch.empty((1, *operator.domain_shape[1:]), dtype=self.classical.dtype, device=self.problem.y.device)
        return Draws(seeds, self.problem.keys, like, len(self.walk))

    def _walk(self, prior: WatchedPrior, noise: Draws) -> Iterator[Step]:
        settings, problem, coding = self.settings, self.problem, self.coding
        return sample(
            prior,
            Repeated(WatchedOperator(problem.operator, self.stop), len(noise.seeds)),
            self.measured,
            schedule=self.walk,
            cg_steps=settings.cg_steps,
            gamma=self.weight,
            eta=settings.eta,
            x_T=self._start(noise),
            noise=noise,
            tie=self._tie(),
            lowest=None if problem.lowest is None else (problem.lowest - coding.base) / coding.scale,
        )

    def _residual(self) -> float:
        """||A x - y|| / ||y|| of the mean, without making it an image: A is linear."""
        gap = self.problem.operator.forward(self._mean()).sub_(self.measured)
        norm = torch.linalg.vector_norm(self.problem.y)
        return float(torch.linalg.vector_norm(gap) * abs(self.coding.scale) / norm)

    def _tie(self) -> SliceTie | None:
        """What ties the slices of each sample, where that is asked for and there are several."""
        settings, slices = self.settings, self.problem.slices
        if not settings.rho or slices < 2:
            return None
        along = "z" if settings.along == "auto" else settings.along
        return SliceTie(slices, settings.rho, settings.lam, along, settings.admm_steps)

    def _start(self, noise: Draws) -> Tensor:
        """Pure noise, or the noised classical image for a warm start."""
        signal, level = self.walk.levels.levels(self.walk.timesteps[0])
        start = noise.start().mul_(level)
        if self.settings.t_start == LAST_TIMESTEP:
            return start
        classical = (self.classical - self.coding.base).mul_(signal / self.coding.scale)
        for part in start.chunk(len(noise.seeds)):
            part.add_(classical)
        return start

    def _step_done(self, timestep: int, seconds: float) -> StepDone:
        value = self._residual()
        if not np.isfinite(value):
            raise JobError(
                f"The run broke down at step {self.done} (timestep {timestep}).",
                "The image holds NaN or infinite numbers; the prior or the settings do not suit this scan.",
                "Try another prior, fewer CG steps or a smaller gamma.",
            )
        return StepDone(
            step=self.done,
            total=self.total,
            timestep=timestep,
            residual=value,
            network_seconds=self.network_seconds,
            solver_seconds=seconds - self.network_seconds,
            seconds_left=seconds / self.done * (self.total - self.done),
            estimate=lambda: self.problem.to_image(self.mean()),
        )


def seed_groups(seed: int, samples: int, at_once: int) -> list[tuple[int, ...]]:
    """The seeds of all samples in groups of at most at_once, as even as they can be."""
    count = -(-samples // max(at_once, 1))
    return [tuple(int(s) for s in part) for part in np.array_split(np.arange(seed, seed + samples), count)]


def mean_of(samples: Sequence[Tensor]) -> Tensor:
    """The mean of some images, with no array beside it."""
    total = samples[0].clone()
    for each in samples[1:]:
        total.add_(each)
    return total.div_(len(samples))


def standard_deviation(samples: Sequence[Tensor]) -> Tensor:
    """sqrt of the sum of |x_k - mean|^2 over K - 1; real also for complex samples."""
    mean = mean_of(samples)
    squares = torch.zeros_like(mean.real)
    for each in samples:
        squares.add_((each - mean).abs().square_())
    return squares.div_(len(samples) - 1).sqrt_()
