"""The ensemble of seeds: its moments, its band, its calibration, and what is doubted of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.engine.events import Event, Finished
from core.engine.job import JobSpec, ScanSource
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.engine.stop import Stop
from core.engine.trust.agreement import error_of, rank_correlation, reference_of
from core.engine.trust.calibration import calibrate
from core.engine.trust.doubts import SHARED_START, disagreement, doubts
from core.engine.trust.ensemble import Ensemble, Gathered, band, draw, ensemble_of, half_width
from core.engine.trust.posed import pose, result_of
from core.engine.trust.support import Support
from core.errors import JobError, UserError
from core.scan import KSpace, Volume

SHAPE = (2, 100, 100)


def gathered(samples: list[np.ndarray], unit: str = "HU", **options: int) -> Ensemble:
    collected = Gathered(**options)
    for sample in samples:
        collected.add(Volume(sample, unit))
    return collected.ensemble()


def gaussian(count: int, deviation: float = 1.0, seed: int = 0) -> tuple[Ensemble, np.ndarray]:
    """Samples of that many times the deviation that the truth has about the same unknown mean; and the truth."""
    rng = np.random.default_rng(seed)
    strength = np.linspace(1, 20, SHAPE[2])
    mean = 100 * rng.standard_normal(SHAPE)
    truth = mean + strength * rng.standard_normal(SHAPE)
    samples = [mean + deviation * strength * rng.standard_normal(SHAPE) for _ in range(count)]
    return gathered([s.astype(np.float32) for s in samples]), truth.astype(np.float32)


@pytest.mark.parametrize("count", [2, 4, 8, 19, 40])
def test_a_calibrated_ensemble_holds_the_truth_as_often_as_it_says(count: int) -> None:
    """20000 pixels: the standard deviation of the share is 0.2 %."""
    ensemble, truth = gaussian(count)
    found = calibrate(ensemble, truth)
    assert found.coverage == pytest.approx(0.9, abs=0.01)
    assert found.factor == pytest.approx(1, abs=0.03 if count > 2 else 0.1)
    assert found.pixels == truth.size
    assert [b.pixels for b in found.bins] == [truth.size // 5] * 5
    if count == 40:
        assert all(b.coverage == pytest.approx(0.9, abs=0.03) for b in found.bins)
        assert [b.deviation for b in found.bins] == sorted(b.deviation for b in found.bins)


@pytest.mark.parametrize(("deviation", "factor"), [(0.5, 2), (2.0, 0.5)])
def test_the_factor_mends_the_deviation(deviation: float, factor: float) -> None:
    ensemble, truth = gaussian(12, deviation)
    found = calibrate(ensemble, truth)
    assert (found.coverage < 0.8) if deviation < 1 else (found.coverage > 0.97)
    assert found.factor == pytest.approx(factor, rel=0.12)


def test_the_noise_of_the_reference_is_allowed_for() -> None:
    ensemble, truth = gaussian(8)
    noisy = truth + 15 * np.random.default_rng(5).standard_normal(SHAPE)
    assert calibrate(ensemble, noisy).coverage < 0.75
    found = calibrate(ensemble, noisy, reference_noise=15.0)
    assert found.coverage == pytest.approx(0.9, abs=0.025)
    assert found.factor == pytest.approx(1, abs=0.1)


def test_percentiles_hold_for_any_distribution() -> None:
    rng = np.random.default_rng(1)
    samples = [rng.exponential(size=SHAPE).astype(np.float32) for _ in range(19)]
    ensemble = gathered(samples)
    np.testing.assert_array_equal(ensemble.low.array, np.min(samples, axis=0))
    np.testing.assert_array_equal(ensemble.high.array, np.max(samples, axis=0))
    assert calibrate(ensemble, rng.exponential(size=SHAPE)).coverage == pytest.approx(0.9, abs=0.01)


def test_moments_are_those_of_the_samples() -> None:
    rng = np.random.default_rng(2)
    samples = [(1e4 + rng.standard_normal((1, 8, 9))).astype(np.float32) for _ in range(7)]
    ensemble = gathered(samples)
    np.testing.assert_allclose(ensemble.mean.array, np.mean(samples, axis=0, dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(ensemble.deviation.array, np.std(np.float64(samples), axis=0, ddof=1), rtol=1e-4)
    assert ensemble.count == len(ensemble.samples) == 7
    for volume in (ensemble.mean, ensemble.deviation, ensemble.low, ensemble.high):
        assert volume.unit == "HU"
        assert volume.card["map"]["shows"].endswith(".")


def test_memory_is_bounded_and_the_choice_is_fair() -> None:
    one = np.zeros((1, 4, 4), np.float32)
    kept = np.zeros(20)
    for seed in range(400):
        collected = Gathered(5 * one.nbytes, seed)
        for k in range(20):
            collected.add(Volume(one + k, "HU"))
        ensemble = collected.ensemble()
        assert len(ensemble.samples) == 5
        kept[[int(sample.max()) for sample in ensemble.samples]] += 1
    assert ensemble.mean.array == pytest.approx(9.5)
    # Each of them with a chance of a quarter: 100 of 400, standard deviation below 9.
    assert abs(kept - 100).max() < 36


def test_magnitudes_are_what_a_complex_ensemble_is_of() -> None:
    turned = [np.full((1, 4, 4), np.exp(1j * turn), np.complex64) for turn in (0, 1, 2)]
    ensemble = gathered(turned, "a.u.")
    assert ensemble.mean.array == pytest.approx(1)
    assert ensemble.deviation.array == pytest.approx(0, abs=1e-6)
    weak = gathered([np.full((1, 4, 4), v, np.complex64) for v in (0.0, 1.0)], "a.u.")
    assert weak.low.array.min() == 0


def test_too_few_or_other_samples_are_refused() -> None:
    collected = Gathered()
    with pytest.raises(JobError):
        collected.ensemble()
    collected.add(Volume(np.zeros((1, 4, 4), np.float32)))
    with pytest.raises(JobError):
        collected.ensemble()
    with pytest.raises(JobError):
        collected.add(Volume(np.zeros((1, 4, 5), np.float32)))
    with pytest.raises(JobError):
        ensemble_of(Volume(np.zeros((1, 4, 4), np.float32)), 1)


def test_samples_that_agree_on_what_is_wrong_cannot_be_mended() -> None:
    same = [np.ones((1, 6, 6), np.float32)] * 3
    found = calibrate(gathered(same), np.zeros((1, 6, 6), np.float32))
    assert found.coverage == 0
    assert found.factor == float("inf")
    right = calibrate(gathered(same), np.ones((1, 6, 6), np.float32))
    assert (right.coverage, right.factor) == (1, 0)


def test_calibration_leaves_out_what_has_no_number() -> None:
    ensemble, truth = gaussian(5)
    truth[:, :50] = np.nan
    mask = np.zeros(SHAPE, bool)
    mask[:, :75] = True
    assert calibrate(ensemble, truth, mask).pixels == 2 * 25 * 100
    for wrong in (truth[:1], np.full(SHAPE, np.nan, np.float32)):
        with pytest.raises(JobError):
            calibrate(ensemble, wrong)


def make_job(scan: KSpace, prior: str, **settings: object) -> JobSpec:
    chosen = {"prior": prior, "nfe": 3, "device": "cpu", "seed": 7, **settings}
    return JobSpec(ScanSource("x", undersample="gaussian1d:2:0.4"), ReconSettings(**chosen), scan, threads=1)


def drawn(steps, see: Callable[[Event], object] = lambda event: None) -> Ensemble | None:
    def watched():
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                return end.value
            see(event)
            yield event

    return result_of(watched())


def test_the_samples_are_the_images_of_the_seeds(make_scan, tiny_prior) -> None:
    job = make_job(make_scan(ny=24, nx=20, slices=2), tiny_prior())
    ensemble = drawn(draw(job, 3))
    assert ensemble is not None
    alone = []
    for seed in (7, 8, 9):
        *_, last = run(make_job(job.scan, job.settings.prior, seed=seed))
        alone.append(abs(last.volume.array))
    for sample, expected in zip(ensemble.samples, alone, strict=True):
        np.testing.assert_array_equal(sample, expected)
    assert ensemble.deviation.array.max() > 0
    *_, together = run(make_job(job.scan, job.settings.prior, samples=3))
    quick = ensemble_of(together.volume, 3)
    assert (quick.deviation.array >= ensemble.deviation.array * 0.999 - 1e-6).all()


def test_a_drawing_can_be_ended(make_scan, tiny_prior) -> None:
    job, stop = make_job(make_scan(ny=24, nx=20), tiny_prior()), Stop()
    finished: list[Event] = []

    def discard(event: Event) -> None:
        finished.extend([event] if isinstance(event, Finished) else [])
        if len(finished) == 2:
            stop.discard()

    assert drawn(draw(job, 4, stop), discard) is None
    finished.clear()
    kept = Stop()

    def keep(event: Event) -> None:
        finished.extend([event] if isinstance(event, Finished) else [])
        if len(finished) == 2:
            kept.keep()

    ensemble = drawn(draw(job, 4, kept), keep)
    assert ensemble is not None
    assert ensemble.count == 2


def test_what_draws_no_samples_is_refused(make_scan, tiny_prior) -> None:
    scan, prior = make_scan(ny=24, nx=20), tiny_prior()
    for job, count in (
        (make_job(scan, prior, method="cg-sense"), 3),
        (make_job(scan, prior), 1),
        (make_job(scan, prior, seed=2**31 - 1), 2),
        (make_job(scan, str(prior) + ".missing"), 2),
    ):
        with pytest.raises(UserError):
            drawn(draw(job, count))


def test_strong_disagreement_is_doubted() -> None:
    rng = np.random.default_rng(0)
    base = np.full((1, 40, 40), -1000, np.float32)
    base[0, 5:35, 5:35] = 0
    calm = [base + 5 * rng.standard_normal(base.shape).astype(np.float32) for _ in range(6)]
    assert doubts(ensemble=gathered(calm)) == ()
    wild = [sample.copy() for sample in calm]
    for k, sample in enumerate(wild):
        sample[0, 10:20, 10:20] += 400 * (-1) ** k
    ensemble = gathered(wild)
    assert disagreement(ensemble) == pytest.approx(100 / 900, abs=0.02)
    (said,) = doubts(ensemble=ensemble)
    assert "disagree strongly in 11 %" in said


def test_samples_of_one_start_are_doubted(make_scan, tiny_prior) -> None:
    scan, prior = make_scan(ny=24, nx=20), tiny_prior()
    warm = drawn(draw(make_job(scan, prior, t_start=50), 2))
    assert warm is not None
    assert doubts(ensemble=warm)[0] == SHARED_START
    cold = drawn(draw(make_job(scan, prior), 2))
    assert cold is not None
    assert SHARED_START not in doubts(ensemble=cold)


def test_little_support_is_doubted() -> None:
    share = np.full((1, 10, 10), np.nan, np.float32)
    share[0, :5] = 0.9
    unseen = Volume(np.zeros_like(share))
    assert doubts(support=Support(Volume(share), unseen, unseen)) == ()
    share[0, :2] = 0.2
    (said,) = doubts(support=Support(Volume(share), unseen, unseen))
    assert said.startswith("In 40 %")
    nothing = Volume(np.full_like(share, np.nan))
    assert doubts(support=Support(nothing, unseen, unseen)) == ()


def test_errors_are_signed_and_ranked(make_scan) -> None:
    image = np.array([[[1 + 0j, 2j, 3]]], np.complex64)
    error = error_of(Volume(image), np.array([[[2, 2, 2]]], np.complex64))
    np.testing.assert_allclose(error.array, [[[-1, 0, 1]]])
    with pytest.raises(JobError):
        error_of(Volume(image), image[:, :, :2])
    rng = np.random.default_rng(0)
    a = rng.standard_normal((4, 50))
    assert rank_correlation(a, np.exp(a)) == pytest.approx(1)
    assert rank_correlation(a, -(a**3)) == pytest.approx(-1)
    assert abs(rank_correlation(a, rng.standard_normal(a.shape))) < 0.3
    broken = np.exp(a)
    broken[0, :10] = np.nan
    assert rank_correlation(a, broken) == pytest.approx(1)
    assert np.isnan(rank_correlation(a, np.ones_like(a)))
    assert np.isnan(rank_correlation(a, a, np.zeros(a.shape, bool)))


def test_the_reference_is_the_image_before_lines_were_left_out(make_scan) -> None:
    scan = make_scan()
    whole = JobSpec(ScanSource("x"), ReconSettings(method="zero-filled", device="cpu"), scan)
    *_, event = run(whole)
    image = event.volume
    assert reference_of(result_of(pose(image, whole))) is None
    some = JobSpec(ScanSource("x", undersample="gaussian1d:2"), whole.settings, scan)
    *_, event = run(some)
    found = reference_of(result_of(pose(event.volume, some)))
    assert found is not None
    assert found.shape == image.array.shape
    assert np.linalg.norm(abs(found) - abs(image.array)) < 0.2 * np.linalg.norm(image.array)


def test_the_band_is_students() -> None:
    mean, deviation = np.zeros((1, 1, 1), np.float32), np.ones((1, 1, 1), np.float32)
    low, high = band(mean, deviation, 8)
    assert high[0, 0, 0] == -low[0, 0, 0] == pytest.approx(half_width(8))
    assert half_width(8) == pytest.approx(1.8946 * (9 / 8) ** 0.5, rel=1e-3)
    assert half_width(10**6) == pytest.approx(1.645, rel=1e-3)
