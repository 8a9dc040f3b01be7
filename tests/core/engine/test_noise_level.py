"""The noise of a measurement, and the weight of the data that follows from it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.engine.events import Finished
from core.engine.job import JobSpec, ScanSource
from core.engine.noise_level import HEAVIEST, LEAST_LEVEL, data_weight, edge_level, noise_level
from core.engine.problem_mri import SenseProblem as Problem
from core.engine.problem_mri import prepare_kspace as prepare
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.engine.stop import Stop
from core.operators.planes import to_planes
from core.scan import KSpace

NOISE = 0.1


def problem_of(scan: KSpace) -> Problem:
    events = prepare(scan, None, torch.device("cpu"), Stop())
    while True:
        try:
            next(events)
        except StopIteration as end:
            return end.value


@pytest.fixture
def scan(make_scan) -> KSpace:
    """Noise well above the signal at the edge of k-space."""
    return make_scan(ny=96, nx=80, noise=NOISE)


def padded(scan: KSpace) -> KSpace:
    """Interpolated to twice the size in the image and saved as such: k-space ends in rounding errors."""
    ny, nx = scan.matrix[1:]
    data = np.zeros((*scan.data.shape[:-2], 2 * ny, 2 * nx), np.complex64)
    data[..., ny // 2 : -ny // 2, nx // 2 : -nx // 2] = scan.data
    data += 1e-9 * abs(data).max() * np.random.default_rng(1).standard_normal(data.shape).astype(np.float32)
    return scan.with_changes(data=data, mask=np.ones((1, 1, 1, 1, 2 * ny, 1), bool), matrix=(1, 2 * ny, 2 * nx))


def sampled(scan: KSpace, lines: np.ndarray) -> KSpace:
    mask = lines.reshape(1, 1, 1, 1, -1, 1)
    return scan.with_changes(data=np.where(mask[:, :, :, None], scan.data, 0), mask=mask)


@pytest.mark.parametrize(
    "change",
    [
        lambda scan: scan,
        padded,
        lambda scan: sampled(scan, np.arange(96) > 30),
        lambda scan: sampled(scan, (np.arange(96) % 4 == 0) | (abs(np.arange(96) - 48) < 10)),
    ],
    ids=["full", "interpolated", "partial Fourier", "undersampled"],
)
def test_the_noise_is_found_at_the_edge(scan: KSpace, change) -> None:
    assert edge_level(to_planes(change(scan))) == pytest.approx(NOISE, rel=0.15)


def test_a_strong_echo_at_the_edge_does_not_count(scan: KSpace) -> None:
    data = scan.data.copy()
    data[..., :2, :3] = 100
    assert edge_level(to_planes(scan.with_changes(data=data))) == pytest.approx(NOISE, rel=0.15)


def test_coil_compression_keeps_the_noise(make_scan) -> None:
    problem = problem_of(make_scan(ny=96, nx=80, coils=16, noise=NOISE))
    assert problem.compression is not None
    assert edge_level(problem.planes) == pytest.approx(NOISE, rel=0.15)


def test_what_the_reader_knows_is_taken_and_scaled(scan: KSpace) -> None:
    known = scan.with_changes(noise_std=0.5)
    problem = problem_of(known)
    assert noise_level(known, problem, 2.0) == pytest.approx(0.25 / problem.norm)
    guessed = noise_level(scan, problem, 2.0)
    assert guessed == pytest.approx(NOISE / 2 / problem.norm, rel=0.15)


def test_noise_below_the_rounding_errors_is_not_believed(scan: KSpace, make_scan) -> None:
    wrong = scan.with_changes(noise_std=1e-12)
    problem = problem_of(wrong)
    assert noise_level(wrong, problem, 1.0) == pytest.approx(NOISE / problem.norm, rel=0.15)
    assert noise_level(wrong, problem, 1e9) == LEAST_LEVEL


def test_the_weight_of_the_data_follows_the_noise() -> None:
    settings = ReconSettings(gamma_rule="noise", gamma=0.5)
    weight = data_weight(settings, 0.01)
    assert weight(0.02) == pytest.approx(0.5 * 4)
    assert weight(math.inf) == HEAVIEST
    assert data_weight(ReconSettings(gamma=7), 0.01) == 7
    assert data_weight(settings.replace(noiseless=True), 0.01) == math.inf


def test_a_run_by_the_noise_tells_its_noise(make_scan, tiny_prior) -> None:
    scan = make_scan(noise=1e-3)
    settings = ReconSettings(prior=tiny_prior(), nfe=3, gamma_rule="noise", gamma=1.0, device="cpu")
    job = JobSpec(ScanSource("x", undersample="gaussian1d:3:0.2"), settings, threads=1)

    def outcome(noise_std: float, **changes: object) -> dict:
        changed = replace(job, scan=scan.with_changes(noise_std=noise_std), settings=settings.replace(**changes))
        *_, event = run(changed)
        assert isinstance(event, Finished), event
        return event.card["outcome"]

    heard = outcome(1e-3)
    assert heard["sigma_y"] == pytest.approx(1e-3 / heard["operator_norm"] / heard["scale"])
    assert outcome(0.1)["residual"] > 1.2 * heard["residual"]
    assert outcome(1e-3, gamma_rule="constant")["sigma_y"] is None
