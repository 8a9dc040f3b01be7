"""The samples of an ensemble of seeds: mean, standard deviation and a band, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from core.engine.events import Discarded, Event, Failed, Finished, Progress
from core.engine.job import JobSpec
from core.engine.runner import run
from core.engine.scan_source import load_scan
from core.engine.stop import Stop
from core.engine.trust.local import FloatArray, Frames, shown
from core.engine.trust.posed import map_of
from core.errors import JobError
from core.scan import Volume

COVERAGE = 0.9
"""What the band is meant to hold, from the 5th to the 95th percentile."""
ENOUGH = 19
"""Samples from which the band is read off them: then their smallest and largest are the percentiles."""
STAGE = "Samples"
SAMPLES_BYTES = 2**30
"""Of the samples that are kept."""

MEAN_SHOWS = "The mean of the samples; detail on which they disagree is smoothed away in it."
DEVIATION_SHOWS = (
    "Standard deviation of the samples in each pixel, in the image's unit: where the prior had to guess;"
    " an error that all samples share does not show."
)
LOW_SHOWS = (
    "The 5th percentile expected of a further sample; the truth lies below it in 5 % of the pixels only if the samples"
    " are spread as widely as the errors, which has to be calibrated."
)
HIGH_SHOWS = (
    "The 95th percentile expected of a further sample; the truth lies above it in 5 % of the pixels only if the samples"
    " are spread as widely as the errors, which has to be calibrated."
)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """What some samples of one run show; of complex images the magnitudes.

    count: of samples. mean, deviation, low, high: float32 volumes in the image's place and unit. samples: those that
    were kept, float32 (frame, y, x), some of them chosen evenly at random where not all fit into memory.
    """

    count: int
    mean: Volume = field(repr=False)
    deviation: Volume = field(repr=False)
    low: Volume = field(repr=False)
    high: Volume = field(repr=False)
    samples: tuple[FloatArray, ...] = field(default=(), repr=False)


def draw(
    job: JobSpec, count: int, stop: Stop | None = None, samples_bytes: int = SAMPLES_BYTES
) -> Generator[Event, None, Ensemble | None]:
    """Run a job with its seed and the seeds that follow, yielding the events of each run; return the ensemble.

    A sample is what the job gives with that seed and samples = 1, as in a run of several samples. None when it is
    discarded, or kept before there are two; kept later, the runs that were finished count. Raises JobError for a method
    without a prior or fewer than two samples, and whatever a run
    fails of.
    """
    if job.settings.method != "dds" or count < 2:
        raise JobError(
            "There is no ensemble of this.",
            "Only DDS draws samples, and it takes two to disagree.",
            "Choose DDS and two samples or more.",
        )
    stop, first = stop or Stop(), job.settings.seed
    chosen = [job.settings.replace(seed=seed, samples=1) for seed in range(first, first + count)]
    job = replace(job, scan=load_scan(job), keep_at=None, keep_image="")
    gathered = Gathered(samples_bytes)
    for k, settings in enumerate(chosen):
        yield Progress(STAGE, k, count)
        for event in run(replace(job, settings=settings), stop):
            yield event
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Discarded):
                return None
            if isinstance(event, Finished) and event.kept_at is None:
                gathered.add(event.volume)
        if stop.ending:
            break
    return gathered.ensemble() if gathered.count > 1 and not stop.discarding else None


class Gathered:
    """Samples as they come: their moments so far (Welford 1962, doi 10.2307/1266577), and as many as may be kept."""

    def __init__(self, samples_bytes: int = SAMPLES_BYTES, seed: int = 0) -> None:
        self.samples_bytes = samples_bytes
        self.count = 0
        self.samples: list[FloatArray] = []
        self._rng = np.random.default_rng(seed)
        self._first: Volume | None = None
        self._mean: npt.NDArray[np.float64] = np.zeros(0)
        self._squares: npt.NDArray[np.float64] = np.zeros(0)

    def add(self, volume: Volume) -> None:
        """One more sample. Raises JobError for one of another shape."""
        sample = shown(volume)
        if self._first is None:
            self._first = volume
            self._mean, self._squares = (np.zeros(sample.shape) for _ in range(2))
        if sample.shape != self._mean.shape:
            raise JobError("The samples are not of one run.", f"Their shapes are {sample.shape}, {self._mean.shape}.")
        self.count += 1
        gap = sample - self._mean
        self._mean += gap / self.count
        self._squares += gap * (sample - self._mean)
        self._keep(sample)

    def _keep(self, sample: FloatArray) -> None:
        """All while they fit; then each of the samples so far stays with the same chance (reservoir sampling)."""
        most = max(int(self.samples_bytes // max(sample.nbytes, 1)), 2)
        if len(self.samples) < most:
            self.samples.append(sample)
            return
        place = int(self._rng.integers(self.count))
        if place < most:
            self.samples[place] = sample

    def ensemble(self) -> Ensemble:
        """Of two samples or more."""
        if self._first is None or self.count < 2:
            raise JobError("There is no ensemble of this.", "It takes two samples to disagree.", "Draw more.")
        mean = self._mean.astype(np.float32)
        deviation = np.sqrt(np.maximum(self._squares, 0) / (self.count - 1)).astype(np.float32)
        return _ensemble(self._first, self.count, mean, deviation, tuple(self.samples))


def ensemble_of(volume: Volume, count: int) -> Ensemble:
    """From the mean and the spread of a finished run of `count` samples, which keeps no single one of them.

    The spread of complex images has both parts, and is the larger for it. Raises JobError where there is no spread.
    """
    if volume.spread is None or count < 2:
        raise JobError("This run has one sample.", "It takes two to disagree.", "Run it with several samples.")
    return _ensemble(volume, count, shown(volume), volume.spread, ())


def _ensemble(
    volume: Volume, count: int, mean: FloatArray, deviation: FloatArray, samples: tuple[FloatArray, ...]
) -> Ensemble:
    low, high = band(mean, deviation, count, samples)
    if np.iscomplexobj(volume.array):
        low = np.maximum(low, 0)  # no magnitude is below

    def made(frames: Frames, name: str, shows: str) -> Volume:
        return map_of(volume, frames, volume.unit, name, shows)

    return Ensemble(
        count,
        made(mean, "mean of samples", MEAN_SHOWS),
        made(deviation, "uncertainty", DEVIATION_SHOWS),
        made(low, "5th percentile", LOW_SHOWS),
        made(high, "95th percentile", HIGH_SHOWS),
        samples,
    )


def band(
    mean: FloatArray, deviation: FloatArray, count: int, samples: tuple[FloatArray, ...] = ()
) -> tuple[FloatArray, FloatArray]:
    """(low, high) between which one further sample lies with a chance of 90 %, 5 % on either side.

    From ENOUGH samples on their percentiles at (K + 1) p, which hold for any distribution; below, Student's prediction
    interval for normal numbers, since the extremes of K samples hold only (K - 1) / (K + 1) of what follows.
    """
    if len(samples) >= ENOUGH:
        tails = [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2]
        low, high = np.empty_like(mean), np.empty_like(mean)
        for k in range(len(mean)):
            frames = np.stack([sample[k] for sample in samples])
            low[k], high[k] = np.quantile(frames, tails, axis=0, method="weibull")
        return low, high
    half = (half_width(count) * deviation).astype(np.float32)
    return mean - half, mean + half


def half_width(count: int) -> float:
    """Of the band, in standard deviations of `count` samples: t sqrt(1 + 1 / K), t of K - 1 degrees of freedom."""
    from scipy.stats import t

    return float(t.ppf((1 + COVERAGE) / 2, count - 1)) * math.sqrt(1 + 1 / count)
