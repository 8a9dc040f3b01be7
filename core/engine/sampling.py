"""The samples of a DDS run: drawn side by side as far as the memory goes, and their mean while it forms."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Generator, Iterator, Sequence
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
from core.engine.events import Image, Noted, StepDone
from core.engine.job import JobSpec
from core.engine.legs import Leg, carry_on, seeds_of, tie_of
from core.engine.memory import give_back
from core.engine.problem import Coding, Problem
from core.engine.settings import LAST_TIMESTEP, Precision, ReconSettings
from core.engine.state import State, digest
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
    once they were too many. keep_at: end after that many steps, or None. before: the legs of a walk that branches from
    another one; prior, settings, weight and precision are of the last leg. held: a state to take up instead of walking
    there, of this run (own) or of the one that it leaves where the last leg begins.
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
    before: tuple[Leg, ...] = ()
    held: State | None = None
    own: bool = False
    done: int = 0
    network_seconds: float = 0.0
    left: dict[int, str] = field(default_factory=dict)
    """Of the samples, digests of the noisy images with which they left the run that they branch from."""
    residuals: list[float] = field(default_factory=list)
    _paces: list[float] = field(default_factory=list)
    _noisy: Tensor | None = field(default=None, repr=False)
    _tied: SliceTie | None = field(default=None, repr=False)
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

    def state(self, job: JobSpec, inputs: dict[str, str]) -> State:
        """What there is after a step, before the next one is asked for; on a CPU nothing is copied."""
        images = self._noisy.chunk(len(self._forming)) if self._noisy is not None else ()
        ended = self.done % len(self.walk) == 0
        return State(
            job,
            self.done,
            len(self.walk),
            () if ended else tuple(image.cpu() for image in images),
            () if ended else tuple(image.cpu() for image in self._forming),
            tuple(image.cpu() for image in (self.samples if ended else self._finished)),
            self.planes_at_once,
            inputs,
            tuple(self.residuals),
            dict(self.left),
            () if ended or self._tied is None else self._carried(len(self._forming)),
        )

    def _carried(self, samples: int) -> tuple[Tensor, ...]:
        """Copies, since the next step writes over them."""
        carried = None if self._tied is None else self._tied.carried
        return () if carried is None else tuple(part.cpu().clone() for part in carried.chunk(samples, dim=1))

    def noisy(self) -> Tensor | None:
        """What the first sample under way goes on with after a step, in the unit of the image; None at its end."""
        if self._noisy is None or self.done % len(self.walk) == 0:
            return None
        return (self._noisy.chunk(len(self._forming))[0] * self.coding.scale).add_(self.coding.base)

    def steps(self) -> Iterator[StepDone | Noted]:
        """Walk to the end, or until the run is kept. Raises Halt when it is discarded, JobError when it breaks down."""
        begun = self.stop.worked()
        give_back(self.problem.y.device)  # what the classical images have left behind
        self._take_up()
        first = 0
        try:
            for seeds in self.groups:
                members = tuple(range(first, first := first + len(seeds)))
                if members[0] < len(self._finished):
                    continue  # of the state that was taken up
                if self.done == self.keep_at:
                    return
                with closing(self._group(members)) as group:
                    for timestep, watched in group:
                        yield from self._notes(watched)
                        yield self._step_done(timestep, self.stop.worked() - begun)
                        if self.done == self.keep_at:
                            return
                self._finished, self._forming, self._noisy = self.samples, [], None
        except Halt:
            if self.stop.discarding:
                raise

    @property
    def legs(self) -> tuple[Leg, ...]:
        return (*self.before, Leg(self.prior, self.settings, self.weight, self.precision, len(self.walk)))

    def _take_up(self) -> None:
        """The samples of a state of this run, as far as they have come."""
        if self.held is None or not self.own:
            return
        device = self.problem.y.device
        self._under_way(self.held)
        self.done, self.residuals, self.left = self.held.done, list(self.held.residuals), dict(self.held.left)
        self.planes_at_once = min(self.planes_at_once, self.held.planes_at_once)
        self._finished = [image.to(device) for image in self.held.finished]
        self.held = None

    def _under_way(self, state: State) -> None:
        """Have samples under way stand where they stand in a state."""
        device = self.problem.y.device
        self._forming = [image.to(device) for image in state.forming]
        self._noisy = torch.cat(state.noisy).to(device) if state.noisy else None
        self._tied = None
        if state.ties:
            leg = next(leg for leg in self.legs if state.step <= leg.end)
            self._tied = tie_of(leg.settings, self.problem.slices)
            if self._tied is not None:
                self._tied.carried = torch.cat(state.ties, dim=1).to(device)

    def _begun(self, members: tuple[int, ...]) -> int:
        """How many steps a group has behind it; its noisy image is there then."""
        step = self.done % len(self.walk)
        if step:
            return step
        self._tied = None
        if self.held is None or self.keep_at is not None:
            return 0
        # Where the parent drew fewer samples, several of these leave the same one.
        state = self.held.of_samples(tuple(k % self.before[-1].settings.samples for k in members))
        if state is None:
            return 0
        self._under_way(state)
        step = state.step
        self.done += step
        self._mark(members, step)
        return step

    def _mark(self, members: tuple[int, ...], step: int) -> None:
        if self.before and step == self.before[-1].end and self._noisy is not None:
            images = self._noisy.chunk(len(members))
            self.left.update((k, digest(image)) for k, image in zip(members, images, strict=True))

    def _group(self, members: tuple[int, ...]) -> Generator[tuple[int, WatchedPrior], None, None]:
        """The timesteps of one group as they are done."""
        first = self._begun(members)
        for leg, seeds in zip(self.legs, seeds_of(self.legs, members), strict=True):
            if first < leg.end:
                with closing(self._draws(seeds)) as noise:
                    yield from self._along(leg, members, noise, first)
                first = leg.end

    def _along(
        self, leg: Leg, members: tuple[int, ...], noise: Draws, first: int
    ) -> Iterator[tuple[int, WatchedPrior]]:
        watched = self._watched_prior(leg, len(members))
        before = self.network_seconds
        for step in self._walk(leg, watched, noise, first):
            self.network_seconds = before + watched.seconds
            self.planes_at_once = watched.planes_at_once
            self._forming = list(step.denoised.chunk(len(members)))
            self._noisy = step.x
            timestep, index = step.timestep, step.index + 1
            del step  # its copies of a large volume are not needed while the next step is made
            self._forget_start(members)
            self.done += 1
            self._mark(members, index)
            yield timestep, watched
            if index == leg.end:
                return
            self._noisy = None
            if isinstance(leg.prior.twin, CompiledTwin):
                leg.prior.twin.prepare()  # here, so that it does not hold up the first picture

    def _notes(self, watched: WatchedPrior) -> Iterator[Noted]:
        """What has not been told yet."""
        twin = watched.prior.twin
        for note in [*watched.notes, *([twin.note] if isinstance(twin, CompiledTwin) else [])]:
            if note and note not in self._noted:
                self._noted.add(note)
                yield Noted(note)

    def _forget_start(self, members: tuple[int, ...]) -> None:
        """Let go of what the samples start from once the last of them have begun: it is one more large volume."""
        if members[-1] == self.settings.samples - 1:
            self.classical = self.classical[:0].clone()

    def _watched_prior(self, leg: Leg, samples: int) -> WatchedPrior:
        support = self.problem.support
        if len(support) > 1:
            support = support.repeat(samples, 1, 1)
        nothing = -self.coding.base / self.coding.scale
        return WatchedPrior(leg.prior, self.stop, self.planes_at_once, support, leg.precision, nothing)

    def _draws(self, seeds: tuple[int, ...]) -> Draws:
        operator = self.problem.operator
        like = torch.empty((1, *operator.domain_shape[1:]), dtype=self.classical.dtype, device=self.problem.y.device)
        return Draws(seeds, self.problem.keys, like, len(self.walk))

    def _walk(self, leg: Leg, prior: WatchedPrior, noise: Draws, first: int) -> Iterator[Step]:
        settings, problem, coding = leg.settings, self.problem, self.coding
        before, self._tied = self._tied, tie_of(settings, problem.slices)
        carry_on(before, self._tied)
        return sample(
            prior,
            Repeated(WatchedOperator(problem.operator, self.stop), len(noise.seeds)),
            self.measured,
            schedule=self.walk,
            cg_steps=settings.cg_steps,
            gamma=leg.weight,
            eta=settings.eta,
            x_T=self._handed_on() if first else self._start(noise),
            noise=noise,
            tie=self._tied,
            lowest=None if problem.lowest is None else (problem.lowest - coding.base) / coding.scale,
            first=first,
        )

    def _noisy_image(self) -> Image | None:
        noisy = self.noisy()
        return None if noisy is None else self.problem.to_image(noisy)

    def _residual(self) -> float:
        """||A x - y|| / ||y|| of the mean, without making it an image: A is linear."""
        gap = self.problem.operator.forward(self._mean()).sub_(self.measured)
        norm = torch.linalg.vector_norm(self.problem.y)
        return float(torch.linalg.vector_norm(gap) * abs(self.coding.scale) / norm)

    def _handed_on(self) -> Tensor:
        """The noisy image that the next leg goes on with; it is held nowhere else then."""
        image, self._noisy = self._noisy, None
        assert image is not None
        return image

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

    def _pace(self, seconds: float) -> float:
        """Seconds a step takes. seconds: since the beginning. The median, since a machine that slept in the middle of a
        step has not worked all the while."""
        self._paces.append(seconds - sum(self._paces))
        return statistics.median(self._paces)

    def _step_done(self, timestep: int, seconds: float) -> StepDone:
        value = self._residual()
        if not np.isfinite(value):
            raise JobError(
                f"The run broke down at step {self.done} (timestep {timestep}).",
                "The image holds NaN or infinite numbers; the prior or the settings do not suit this scan.",
                "Try another prior, fewer CG steps or a smaller gamma.",
            )
        self.residuals += [math.nan] * (self.done - 1 - len(self.residuals))
        self.residuals.append(value)
        return StepDone(
            step=self.done,
            total=self.total,
            timestep=timestep,
            residual=value,
            network_seconds=self.network_seconds,
            solver_seconds=seconds - self.network_seconds,
            seconds_left=self._pace(seconds) * (self.total - self.done),
            estimate=lambda: self.problem.to_image(self.mean()),
            noisy=self._noisy_image,
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
