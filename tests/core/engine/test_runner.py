"""The event stream: run through, paused, kept and discarded at every step, and ended in words on every fault."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

import core.engine.watch as watch
from core.engine.events import (
    ClassicalImage,
    Discarded,
    Failed,
    Finished,
    Paused,
    Started,
    StepDone,
    Warned,
)
from core.engine.job import JobSpec, ScanSource
from core.engine.run_card import job_from_card
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.engine.stop import Stop
from core.errors import JobError, PriorError, ScanError

NFE = 4


@pytest.fixture
def job(make_scan, tiny_prior) -> JobSpec:
    settings = ReconSettings(prior=tiny_prior(), nfe=NFE, eta=0.5, gamma=5.0, device="cpu")
    source = ScanSource("synthetic.h5", undersample="gaussian1d:3:0.2:0")
    return JobSpec(source, settings, make_scan(slices=2, noise=1e-3), threads=1)


def last(events) -> object:
    *_, event = events
    return event


def test_a_whole_run(job: JobSpec) -> None:
    events = list(run(job))
    kinds = [type(event) for event in events]
    assert kinds.index(Started) < kinds.index(ClassicalImage) < kinds.index(StepDone)
    assert [event.method for event in events if isinstance(event, ClassicalImage)] == ["zero-filled", "cg-sense"]
    started = next(event for event in events if isinstance(event, Started))
    assert (started.frames, started.height, started.width, started.steps) == (2, 48, 40, NFE)
    assert 0 < started.estimate.memory_bytes < started.estimate.available_bytes
    assert started.estimate.seconds > 0
    steps = [event for event in events if isinstance(event, StepDone)]
    assert [event.step for event in steps] == [1, 2, 3, 4]
    assert steps[-1].seconds_left == 0
    assert any(isinstance(event, Warned) and "on purpose" in event.message for event in events)
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.volume.array.shape == (2, 48, 40)
    assert finished.volume.array.dtype == np.complex64
    assert finished.volume.frame_names == ("slice 1", "slice 2")
    assert finished.kept_at is None
    assert set(finished.metrics) == {"psnr", "ssim", "nrmse", "hfen", "data_range"}
    assert finished.card["outcome"]["nfe"] == NFE


def test_the_same_job_gives_the_same_bits_and_another_seed_others(job: JobSpec) -> None:
    images = [last(run(j)).volume.array for j in (job, job, replace(job, settings=job.settings.replace(seed=1)))]
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_one_slice_alone_starts_from_the_same_noise(job: JobSpec) -> None:
    both = last(run(replace(job, source=replace(job.source, undersample="")))).volume
    alone = last(run(replace(job, source=replace(job.source, undersample="", slices=(1, 2))))).volume
    assert alone.array.shape == (1, 48, 40)
    assert alone.frame_names == ("slice 2",)
    assert np.linalg.norm(alone.array[0] - both.array[1]) < 0.2 * np.linalg.norm(both.array[1])


@pytest.mark.parametrize("after", range(NFE))
def test_keep_at_every_step(job: JobSpec, after: int) -> None:
    stop = Stop()
    estimates = {}
    for event in run(job, stop):
        if isinstance(event, StepDone):
            estimates[event.step] = event.estimate()
        reached = event.step if isinstance(event, StepDone) else 0 if isinstance(event, ClassicalImage) else -1
        if reached == after and not stop.ending and (after or event.method == "cg-sense"):
            stop.keep()
    assert isinstance(event, Finished)
    assert event.kept_at == after
    if after:
        assert np.array_equal(event.volume.array, estimates[after])
    again = replace(job_from_card(event.card), scan=job.scan)
    assert np.array_equal(last(run(again)).volume.array, event.volume.array)


@pytest.mark.parametrize("after", range(NFE))
def test_discard_at_every_step(job: JobSpec, after: int) -> None:
    stop = Stop()
    steps = 0
    for event in run(job, stop):
        steps += isinstance(event, StepDone)
        if steps == after:
            stop.discard()
    assert isinstance(event, Discarded)
    assert steps == after


@pytest.mark.parametrize("after", range(1, NFE))
def test_pause_at_every_step_changes_nothing(job: JobSpec, after: int) -> None:
    stop = Stop()
    undisturbed = last(run(job)).volume.array
    pauses = 0
    for event in run(job, stop):
        if isinstance(event, StepDone) and event.step == after:
            stop.pause()
        if isinstance(event, Paused):
            pauses += 1
            if pauses == 3:
                stop.resume()
    assert pauses >= 3
    assert np.array_equal(event.volume.array, undisturbed)


def test_discard_takes_effect_within_one_solver_step(job: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Stop()
    calls = []
    genuine = watch.WatchedOperator.normal

    def counted(self, x):
        calls.append(1)
        if len(calls) == 40:
            stop.discard()
        return genuine(self, x)

    monkeypatch.setattr(watch.WatchedOperator, "normal", counted)
    assert isinstance(last(run(job, stop)), Discarded)
    assert len(calls) <= 41


def test_a_pause_from_another_thread_holds_the_run_inside_a_step(job: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, held, events = Stop(), threading.Event(), []
    genuine = watch.WatchedOperator.normal

    def pausing(self, x):
        if not held.is_set():
            stop.pause()
            held.set()
        return genuine(self, x)

    monkeypatch.setattr(watch.WatchedOperator, "normal", pausing)
    worker = threading.Thread(target=lambda: events.extend(run(job, stop)))
    worker.start()
    assert held.wait(60)
    assert stop.wait_while_paused(0.05)
    assert worker.is_alive()
    stop.resume()
    worker.join(60)
    assert isinstance(events[-1], Finished)


def test_a_pause_after_the_end_changes_nothing(job: JobSpec) -> None:
    stop = Stop()
    events = []
    for event in run(job, stop):
        events.append(event)
        if isinstance(event, Finished):
            stop.pause()
    assert isinstance(events[-1], Finished)


def test_keep_while_the_classical_image_is_made(job: JobSpec) -> None:
    stop = Stop()
    for event in run(job, stop):
        if isinstance(event, ClassicalImage) and event.method == "zero-filled":
            stop.keep()
    assert isinstance(event, Finished)
    assert event.kept_at == 0


@pytest.mark.parametrize("method", ["cg-sense", "zero-filled"])
def test_classical_methods_need_no_prior(job: JobSpec, method: str) -> None:
    classical = replace(job, settings=ReconSettings(method=method, prior="nobody"))
    finished = last(run(classical))
    assert isinstance(finished, Finished)
    assert finished.card["outcome"]["nfe"] == 0


def test_a_warm_start_begins_at_its_timestep(job: JobSpec) -> None:
    warm = replace(job, settings=job.settings.replace(t_start=200))
    steps = [event for event in run(warm) if isinstance(event, StepDone)]
    assert steps[0].timestep == 200
    assert len(steps) == NFE


def test_noiseless_data_is_fitted_closer(job: JobSpec) -> None:
    def residual(**changes: object) -> float:
        return last(run(replace(job, settings=job.settings.replace(**changes)))).card["outcome"]["residual"]

    assert residual(noiseless=True, cg_steps=10) < residual(gamma=1.0, cg_steps=10)


def test_the_scale_of_the_scan_does_not_matter(job: JobSpec, make_scan) -> None:
    image = last(run(job)).volume.array
    for scale in (1e-9, 1e12):
        scaled = last(run(replace(job, scan=make_scan(slices=2, noise=1e-3, scale=scale)))).volume.array
        assert np.allclose(scaled / scale, image, atol=2e-3 * abs(image).max())


def test_a_fully_sampled_scan_comes_back(make_scan, phantom_image) -> None:
    job = JobSpec(ScanSource("x"), ReconSettings(method="cg-sense"), make_scan(ny=64, nx=60))
    volume = last(run(job)).volume
    truth = phantom_image(64, 60)
    assert np.linalg.norm(abs(volume.array[0]) - truth) < 0.05 * np.linalg.norm(truth)


def test_repetitions_with_shifted_patterns_are_frames_of_their_own(make_scan) -> None:
    scan = make_scan(slices=2, repetitions=3)
    mask = np.zeros((1, 3, 1, 1, 48, 1), dtype=bool)
    mask[..., 18:30, :] = True
    for r in range(3):
        mask[:, r, :, :, r::3] = True
    data = np.where(mask[:, :, :, None], scan.data, 0)
    shifted = scan.with_changes(data=data, mask=mask)
    volume = last(run(JobSpec(ScanSource("x"), ReconSettings(method="cg-sense"), shifted))).volume
    assert volume.array.shape == (6, 48, 40)
    assert volume.slices == 2
    assert volume.frame_names[3] == "slice 2, repetition 2"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"source": ScanSource("x", undersample="gaussian1d:3:0")}, ScanError),
        ({"source": ScanSource("x", undersample="spiral:3")}, ScanError),
        ({"source": ScanSource("x", slices=(1, 9))}, ScanError),
        ({"source": ScanSource("nothing.h5"), "scan": None}, ScanError),
        ({"settings": ReconSettings(prior="nobody")}, PriorError),
    ],
)
def test_bad_input_fails_in_words(job: JobSpec, change: dict, error: type) -> None:
    event = last(run(replace(job, **change)))
    assert isinstance(event, Failed)
    assert isinstance(event.error, error)
    assert event.error.what


def test_a_network_that_returns_nan_ends_the_run_in_words(job: JobSpec, tiny_prior) -> None:
    event = last(run(replace(job, settings=job.settings.replace(prior=tiny_prior(nan=True)))))
    assert isinstance(event, Failed)
    assert "NaN" in str(event.error)


def test_a_prior_for_one_channel_is_refused(job: JobSpec, tiny_prior) -> None:
    event = last(run(replace(job, settings=job.settings.replace(prior=tiny_prior(channels=1)))))
    assert isinstance(event, Failed)
    assert isinstance(event.error, PriorError)


def test_too_little_memory_is_said_before_anything_starts(job: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.engine.estimate.available_bytes", lambda device: 1000)
    events = list(run(job))
    assert len(events) == 1
    assert isinstance(events[0], Failed)
    assert "does not fit into memory" in str(events[0].error)


@pytest.mark.parametrize(
    "error", [MemoryError("no room"), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")]
)
def test_memory_that_runs_out_on_the_way_is_said(job: JobSpec, error, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise error

    monkeypatch.setattr(watch.WatchedPrior, "predict", full)
    event = last(run(job))
    assert isinstance(event, Failed)
    assert isinstance(event.error, JobError)
    assert "memory" in event.error.what


def test_more_than_twelve_coils_are_compressed_without_harm(make_scan, phantom_image) -> None:
    job = JobSpec(ScanSource("x"), ReconSettings(method="cg-sense"), make_scan(coils=16, ny=64, nx=60))
    finished = last(run(job))
    truth = phantom_image(64, 60)
    assert finished.card["outcome"]["coils_compressed"]
    assert np.linalg.norm(abs(finished.volume.array[0]) - truth) < 0.05 * np.linalg.norm(truth)


def test_where_no_coil_sees_anything_the_prior_makes_nothing_up(job: JobSpec, make_scan) -> None:
    scan = make_scan(slices=2, noise=1e-3)
    *_, finished = run(replace(job, scan=scan, source=ScanSource("x")))
    *_, classical = run(JobSpec(ScanSource("x"), ReconSettings(method="zero-filled"), scan))
    unseen = classical.volume.array == 0
    assert unseen.any()
    assert not finished.volume.array[unseen].any()


def test_cuda_without_a_card_is_refused(job: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    event = last(run(replace(job, settings=job.settings.replace(device="cuda"))))
    assert isinstance(event, Failed)
    assert "CUDA" in event.error.what
