"""The classical methods as runs: their images, their weight, and that they can be stopped."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import core.engine.watch as watch
from core.engine import classical
from core.engine.events import ClassicalImage, Discarded, Finished, Progress
from core.engine.job import JobSpec, ScanSource
from core.engine.run_card import job_from_card
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.engine.stop import Stop
from core.solvers import l1_wavelet, total_variation

METHODS = ("l1-wavelet", "tv")


@pytest.fixture
def job(make_scan) -> JobSpec:
    source = ScanSource("x", undersample="gaussian1d:3:0.2:0")
    return JobSpec(source, ReconSettings(device="cpu", lam=0.01), make_scan(slices=2, noise=1e-3), threads=1)


def by(job: JobSpec, method: str, **changes: object) -> JobSpec:
    return replace(job, settings=job.settings.replace(method=method, prior="nobody", **changes))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The genuine solvers, with fewer iterations."""
    genuine = {"tv": total_variation.iterates, "l1-wavelet": l1_wavelet.iterates}
    monkeypatch.setattr(total_variation, "iterates", partial(genuine["tv"], iterations=4))
    monkeypatch.setattr(l1_wavelet, "iterates", partial(genuine["l1-wavelet"], iterations=12))


def test_the_weight_is_of_cg_sense_only_where_it_is_the_method(job: JobSpec, quick) -> None:
    def cg_sense_of(method: str, lam: float) -> np.ndarray:
        events = run(by(job, method, lam=lam))
        return next(e.image for e in events if isinstance(e, ClassicalImage) and e.method == "cg-sense")

    assert np.array_equal(cg_sense_of("tv", 1.0), cg_sense_of("tv", 1e-3))
    assert np.array_equal(cg_sense_of("tv", 1.0), cg_sense_of("cg-sense", 3e-3))
    assert not np.array_equal(cg_sense_of("cg-sense", 1.0), cg_sense_of("cg-sense", 3e-3))


@pytest.mark.parametrize("method", METHODS)
def test_an_iterative_method_comes_after_the_simpler_ones(job: JobSpec, method: str, quick) -> None:
    events = list(run(by(job, method)))
    images = [event for event in events if isinstance(event, ClassicalImage)]
    assert [event.method for event in images] == ["zero-filled", "cg-sense", method]
    assert isinstance(events[-1], Finished)
    assert np.array_equal(events[-1].volume.array, images[-1].image)
    assert events[-1].kept_at is None
    assert events[-1].card["outcome"]["samples"] == 0
    assert "prior" not in events[-1].card["inputs"]
    told = [e for e in events if isinstance(e, Progress) and e.stage == classical.ITERATIVE[method]]
    assert [e.done for e in told] == list(range(len(told)))
    assert len(told) > 4


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("end", ["keep", "discard"])
def test_a_stop_takes_effect_within_one_iteration(
    job: JobSpec, method: str, end: str, quick, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, calls, begun = Stop(), [], []
    genuine = watch.WatchedOperator.normal

    def counted(self, x):
        if begun:
            calls.append(1)
        if len(calls) == 5:
            getattr(stop, end)()
        return genuine(self, x)

    monkeypatch.setattr(watch.WatchedOperator, "normal", counted)
    for event in run(by(job, method), stop):
        if isinstance(event, ClassicalImage) and event.method == "cg-sense":
            begun.append(1)
            before = event.image
    assert len(calls) <= 6
    if end == "discard":
        assert isinstance(event, Discarded)
        return
    assert isinstance(event, Finished)
    assert event.kept_at == 0
    assert np.array_equal(event.volume.array, before)


@pytest.mark.parametrize(
    ("method", "kept"),
    [
        ("cg-sense", "zero-filled"),
        *((method, kept) for method in ("dds", "tv") for kept in ("zero-filled", "cg-sense")),
    ],
)
def test_a_kept_run_can_be_made_again(job: JobSpec, method: str, kept: str, quick, tiny_prior) -> None:
    stop = Stop()
    job = replace(job, settings=job.settings.replace(method=method, prior=tiny_prior(), nfe=2))
    for event in run(job, stop):
        if isinstance(event, ClassicalImage) and event.method == kept:
            stop.keep()
            shown = event.image
    assert np.array_equal(event.volume.array, shown)
    *_, again = run(replace(job_from_card(event.card), scan=job.scan))
    assert event.kept_at == again.kept_at == 0
    assert np.array_equal(again.volume.array, event.volume.array)
