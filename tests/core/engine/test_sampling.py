"""Several samples: their mean, their spread, and that each can be had alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.engine.events import Failed, Finished, Started, StepDone
from core.engine.job import JobSpec, ScanSource
from core.engine.result import summary_of_spread
from core.engine.run_card import job_from_card
from core.engine.runner import run
from core.engine.sampling import seed_groups
from core.engine.settings import ReconSettings
from core.engine.stop import Stop
from core.scan import Volume

NFE, SAMPLES = 3, 4


@pytest.fixture
def job(make_scan, tiny_prior) -> JobSpec:
    settings = ReconSettings(prior=tiny_prior(), nfe=NFE, eta=0.8, samples=SAMPLES, seed=7, device="cpu")
    source = ScanSource("synthetic.h5", undersample="gaussian1d:3:0.2:0")
    return JobSpec(source, settings, make_scan(ny=24, nx=20, slices=2, noise=1e-3), threads=1)


def volume_of(job: JobSpec) -> Volume:
    *_, event = run(job)
    assert isinstance(event, Finished), event
    return event.volume


def alone(job: JobSpec, seed: int) -> np.ndarray:
    return volume_of(replace(job, settings=job.settings.replace(seed=seed, samples=1))).array


@pytest.mark.parametrize("t_start", [999, 200])
def test_mean_and_spread_are_of_the_seeds_alone(job: JobSpec, t_start: int) -> None:
    job = replace(job, settings=job.settings.replace(t_start=t_start))
    together = volume_of(job)
    each = np.stack([alone(job, 7 + k) for k in range(SAMPLES)]).astype(np.complex128)
    peak = abs(together.array).max()
    assert np.allclose(together.array, each.mean(axis=0), atol=1e-6 * peak)
    assert together.spread.dtype == np.float32
    assert together.spread.shape == together.array.shape
    assert np.allclose(together.spread, each.std(axis=0, ddof=1), atol=1e-6 * peak)
    assert together.spread.max() > 1e-3 * peak


def test_one_sample_has_no_spread(job: JobSpec) -> None:
    volume = volume_of(replace(job, settings=job.settings.replace(samples=1)))
    assert volume.spread is None
    assert volume.card["outcome"]["spread"] is None


@pytest.mark.parametrize(("at_once", "groups"), [(4, 1), (3, 2), (2, 2), (1, 4)])
def test_the_grouping_changes_no_bit(job: JobSpec, at_once: int, groups: int) -> None:
    events = list(run(replace(job, samples_at_once=at_once)))
    steps = [event for event in events if isinstance(event, StepDone)]
    assert next(event for event in events if isinstance(event, Started)).steps == groups * NFE
    assert [event.step for event in steps] == list(range(1, groups * NFE + 1))
    assert {event.total for event in steps} == {groups * NFE}
    assert steps[-1].seconds_left == 0
    assert events[-1].kept_at is None
    assert events[-1].card["outcome"]["nfe"] == SAMPLES * NFE
    whole = volume_of(job)
    assert np.array_equal(events[-1].volume.array, whole.array)
    assert np.array_equal(events[-1].volume.spread, whole.spread)


@pytest.mark.parametrize("at_once", [1, 2, 4])
@pytest.mark.parametrize("after", range(1, 6))
def test_kept_early_it_is_the_mean_of_what_there_is_and_can_be_made_again(
    job: JobSpec, at_once: int, after: int
) -> None:
    job, stop = replace(job, samples_at_once=at_once), Stop()
    total = NFE * SAMPLES // at_once
    for event in run(job, stop):
        if isinstance(event, StepDone) and event.step == after:
            shown = event.estimate()
            stop.keep()
    assert isinstance(event, Finished)
    if after >= total:
        assert event.kept_at is None
        return
    assert event.kept_at == after
    assert np.array_equal(event.volume.array, shown)
    assert (event.volume.spread is None) == (at_once == 1 and after <= NFE)
    assert event.card["outcome"]["samples"] == -(-after // NFE) * at_once
    again = replace(job_from_card(event.card), scan=job.scan)
    assert again.samples_at_once == at_once
    assert np.array_equal(volume_of(again).array, shown)


def test_what_does_not_fit_side_by_side_goes_one_after_the_other(job: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    def limited(to: float) -> list:
        monkeypatch.setattr("core.engine.estimate.available_bytes", lambda device: int(to))
        return list(run(job))

    monkeypatch.setattr("core.engine.estimate.available_bytes", lambda device: 2**40)
    started = next(event for event in run(job) if isinstance(event, Started))
    together = started.estimate.memory_bytes
    alone = list(run(replace(job, settings=job.settings.replace(samples=1))))[1:]
    single = next(event for event in alone if isinstance(event, Started)).estimate.memory_bytes
    assert started.steps == NFE
    less = limited((single + together) / 2)
    assert less[-1].card["outcome"]["samples_at_once"] in (1, 2)
    assert less[-1].card["outcome"]["samples"] == SAMPLES
    assert isinstance(limited(single / 2)[-1], Failed)


def test_seeds_come_in_even_groups() -> None:
    assert seed_groups(5, 1, 1) == [(5,)]
    assert seed_groups(5, 4, 8) == [(5, 6, 7, 8)]
    assert seed_groups(5, 5, 4) == [(5, 6, 7), (8, 9)]
    assert seed_groups(2**31 - 1, 2, 1) == [(2**31 - 1,), (2**31,)]


def test_the_spread_is_summed_up_where_there_is_an_object() -> None:
    image = np.zeros((1, 20, 20), np.complex64)
    image[:, 5:15, 5:15] = 4j
    spread = np.where(abs(image) > 0, 0.5, 99.0).astype(np.float32)
    assert summary_of_spread(image, spread) == {"median": 0.5, "relative": 0.125}
