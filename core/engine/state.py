"""The state of a run between two steps: what it takes to go on from there, bit for bit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.engine.job import JobSpec
from core.engine.reference_source import ReferenceSource

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class State:
    """A run after `done` of its steps; every sample takes `length`, and the groups of samples go one after the other.

    The noise of a step follows from seed and step alone, and the classical image that the samples may start from is
    made again, so neither is here. job: with the threads and the grouping that it goes on with. noisy: what the group
    under way goes on with, one (items, a, b) a sample as the prior sees it; () between two groups. forming: its
    denoised estimates. finished: the samples of the groups before. Tensors are on the CPU and are not to be changed.
    inputs: hashes of scan and prior, see the run card. residuals: of the steps done, NaN where not known. left: digests
    of the noisy images with which samples left the run that this one branches from. ties: of the group under way, what
    the tie between slices carries along, (axes, items, a, b) a sample; () where there is none. versions: of
    what computed, where it comes from a file.
    """

    job: JobSpec
    done: int
    length: int
    noisy: tuple[Tensor, ...] = field(repr=False)
    forming: tuple[Tensor, ...] = field(repr=False)
    finished: tuple[Tensor, ...] = field(repr=False)
    planes_at_once: int = 1
    inputs: dict[str, str] = field(default_factory=dict)
    residuals: tuple[float, ...] = ()
    left: dict[int, str] = field(default_factory=dict)
    ties: tuple[Tensor, ...] = field(default=(), repr=False)
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def step(self) -> int:
        """Steps that the samples under way have behind them; 0 between two groups."""
        return self.done % self.length

    @property
    def total(self) -> int:
        """Steps of the whole run."""
        samples, at_once = self.job.settings.samples, max(self.job.samples_at_once, 1)
        return -(-samples // at_once) * self.length

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All of them: noisy, forming, finished, ties."""
        return (*self.noisy, *self.forming, *self.finished, *self.ties)

    @property
    def nbytes(self) -> int:
        return sum(t.numel() * t.element_size() for t in self.tensors)

    def under_way(self) -> State:
        """Without what the samples before have become: what a run that branches needs."""
        return replace(self, finished=tuple(image[:0].clone() for image in self.finished))

    def of_samples(self, members: tuple[int, ...]) -> State | None:
        """Of samples under way, counted from 0, their part of it; None if one of them is not under way."""
        first = len(self.finished)
        if not all(first <= k < first + len(self.noisy) for k in members):
            return None

        def of(images: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return tuple(images[k - first] for k in members) if images else ()

        return replace(self, noisy=of(self.noisy), forming=of(self.forming), finished=(), ties=of(self.ties))


def same_run(one: JobSpec, other: JobSpec) -> bool:
    """Both draw the same samples, wherever they end, on however many threads, whatever they are compared with."""
    return _plain(one) == _plain(other)


def _plain(job: JobSpec) -> JobSpec:
    reference = ReferenceSource()  # what the samples are compared with does not change them
    return replace(job, threads=0, keep_at=None, keep_image="", samples_at_once=0, reference=reference)


def digest(image: Tensor) -> str:
    """SHA-256 of the numbers of a tensor, 16 digits of it."""
    return hashlib.sha256(image.cpu().contiguous().view(-1).numpy().tobytes()).hexdigest()[:16]
