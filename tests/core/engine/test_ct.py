"""Runs over projections: every method and geometry, the unit, the patient's frame, weights, ties and faults."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.engine.events import ClassicalImage, Discarded, Failed, Finished, StepDone, Warned
from core.engine.job import JobSpec, ScanSource
from core.engine.offers import methods_for, settings_of
from core.engine.run_card import job_from_card
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.engine.stop import Stop
from core.errors import JobError, PriorError, ScanError

NFE = 3
SOURCE = ScanSource("synthetic.h5")
CT_CARD = {"modality": "CT", "scale_percentile": 0.0}


@pytest.fixture
def settings(tiny_prior) -> ReconSettings:
    prior = tiny_prior(channels=1, **CT_CARD)
    return ReconSettings(prior=prior, nfe=NFE, t_start=50, eta=0.5, gamma=20.0, device="cpu", precision="float32")


def last(events) -> object:
    *_, event = events
    return event


def finished(job: JobSpec) -> Finished:
    event = last(run(job))
    assert isinstance(event, Finished), event
    return event


def far(image: np.ndarray, truth: np.ndarray) -> float:
    """Relative to attenuation."""
    return float(np.linalg.norm(image - truth) / np.linalg.norm(truth + 1000))


@pytest.mark.parametrize("kind", ["parallel", "fan", "cone"])
def test_dds_in_every_geometry(make_projections, hu_image, settings: ReconSettings, kind: str) -> None:
    scan = make_projections(kind, slices=3, views=32)
    events = list(run(JobSpec(SOURCE, settings, scan, threads=1)))
    first = "fdk" if kind == "cone" else "fbp"
    assert [e.method for e in events if isinstance(e, ClassicalImage)] == [first]
    assert sum(isinstance(e, StepDone) for e in events) == NFE
    assert any(isinstance(e, Warned) and "Simulated" in e.message for e in events)
    volume = events[-1].volume
    assert (volume.unit, volume.array.dtype, volume.slices) == ("HU", np.float32, 3)
    assert volume.array.min() >= -1000.001
    assert far(volume.array, hu_image(3, 32, 28)) < 0.3
    assert np.array_equal(volume.affine, scan.affine)


@pytest.mark.parametrize("method", ["fbp", "tv", "cgls", "sirt"])
def test_the_classical_methods_find_the_object(make_projections, hu_image, method: str) -> None:
    scan = make_projections(slices=2, views=48)
    chosen = ReconSettings(method=method, lam=1e-4, iterations=60, filter="ramp", device="cpu")
    image = finished(JobSpec(SOURCE, chosen, scan, threads=1)).volume.array
    assert far(image, hu_image(2, 32, 28)) < {"fbp": 0.3, "tv": 0.12, "cgls": 0.12, "sirt": 0.2}[method]


def test_one_slice_lies_where_it_lies_in_the_stack(make_projections, settings: ReconSettings) -> None:
    scan = make_projections(slices=4)
    all_of_them = finished(JobSpec(SOURCE, settings, scan, threads=1)).volume
    alone = finished(JobSpec(replace(SOURCE, slices=(2, 3)), settings, scan, threads=1)).volume
    assert alone.frame_names == ("slice 3",)
    assert np.allclose(alone.affine @ (0, 0, 0, 1), all_of_them.affine @ (0, 0, 2, 1))
    assert far(alone.array[0], all_of_them.array[2]) < 1e-3


def test_thinned_scans_are_measured_against_all_views(make_projections) -> None:
    scan = make_projections(slices=2, views=40)
    source = replace(SOURCE, undersample="every:2")
    event = finished(JobSpec(source, ReconSettings(method="fbp", device="cpu"), scan, threads=1))
    assert event.metrics["psnr"] > 15
    assert 900 < event.metrics["data_range"] < 4000
    assert "every:2" in event.card["job"]["source"]["undersample"]


def test_without_hounsfield_units_the_image_is_in_attenuation(make_projections, settings: ReconSettings) -> None:
    scan = make_projections(hounsfield=False)
    events = list(run(JobSpec(SOURCE, settings, scan, threads=1)))
    assert any(isinstance(e, Warned) and "no Hounsfield" in e.message for e in events)
    volume = events[-1].volume
    assert volume.unit == "1/mm"
    assert 0.005 < np.percentile(volume.array, 90) < 0.06


def test_the_photons_weigh_the_rays(make_projections, settings: ReconSettings) -> None:
    scan = make_projections(photons=300.0)
    plain = finished(JobSpec(SOURCE, settings, scan, threads=1)).volume.array
    weighed = finished(JobSpec(SOURCE, settings.replace(weight="photons"), scan, threads=1))
    assert weighed.card["outcome"]["weighted"]
    assert not np.allclose(plain, weighed.volume.array)
    failed = last(run(JobSpec(SOURCE, settings.replace(weight="photons"), make_projections(), threads=1)))
    assert isinstance(failed, Failed)
    assert "how many were sent" in failed.error.why


def test_a_dead_column_leaves_no_ring(make_projections, hu_image) -> None:
    """Its numbers are nonsense, and no method looks at them."""
    scan, valid = make_projections(views=48), np.ones((1, 1, 52), dtype=bool)
    valid[..., 20] = False
    data = scan.data.copy()
    data[..., 20] = 50.0
    for method in ("fbp", "tv"):
        chosen = ReconSettings(method=method, lam=1e-4, device="cpu")
        whole = finished(JobSpec(SOURCE, chosen, scan, threads=1)).volume.array
        dead = finished(JobSpec(SOURCE, chosen, scan.with_changes(data=data, valid=valid), threads=1)).volume.array
        assert far(dead, hu_image(1, 32, 28)) < far(whole, hu_image(1, 32, 28)) + 0.05


def test_a_tie_makes_neighbours_alike(make_projections, settings: ReconSettings) -> None:
    scan = make_projections(slices=4, views=8, photons=500.0)
    free = finished(JobSpec(SOURCE, settings, scan, threads=1)).volume.array
    tied = finished(JobSpec(SOURCE, settings.replace(rho=1.0, lam=0.05), scan, threads=1)).volume.array
    assert np.abs(np.diff(tied, axis=0)).mean() < 0.7 * np.abs(np.diff(free, axis=0)).mean()


def test_samples_do_not_touch_each_other_through_the_tie(make_projections, settings: ReconSettings) -> None:
    scan = make_projections(slices=3)
    tied = settings.replace(rho=0.5, lam=0.01)
    alone = [finished(JobSpec(SOURCE, tied.replace(seed=s), scan, threads=1)).volume.array for s in (0, 1)]
    both = finished(JobSpec(SOURCE, tied.replace(samples=2), scan, threads=1, samples_at_once=2)).volume
    assert far(both.array, (alone[0] + alone[1]) / 2) < 1e-4
    assert both.spread.shape == (3, 32, 28)


def test_the_card_makes_the_same_bits(make_projections, settings: ReconSettings) -> None:
    scan = make_projections(slices=2)
    source = replace(SOURCE, undersample="every:2", size=40)
    event = finished(JobSpec(source, settings.replace(rho=0.2), scan, threads=1))
    again = replace(job_from_card(event.card), scan=scan)
    assert event.volume.array.shape == (2, 40, 40)
    assert np.array_equal(finished(again).volume.array, event.volume.array)


def test_another_size_covers_the_same_ground(make_projections, settings: ReconSettings) -> None:
    scan = make_projections(size=(32, 32))
    small, large = (
        finished(JobSpec(replace(SOURCE, size=n), ReconSettings(method="fbp", device="cpu"), scan, threads=1)).volume
        for n in (32, 64)
    )
    corners = [v.affine @ (v.array.shape[2] - 0.5, v.array.shape[1] - 0.5, 0, 1) for v in (small, large)]
    assert np.allclose(corners[0], corners[1])
    assert np.allclose(small.affine @ (-0.5, -0.5, 0, 1), large.affine @ (-0.5, -0.5, 0, 1))
    shrunk = large.array.reshape(1, 32, 2, 32, 2).mean(axis=(2, 4))
    assert far(shrunk, small.array) < 0.1


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"method": "cg-sense"}, JobError, "does not fit this scan"),
        ({"method": "fdk"}, JobError, "does not fit this scan"),
        ({"gamma_rule": "noise"}, JobError, "constant gamma rule"),
    ],
)
def test_what_does_not_fit_is_said(make_projections, settings, changes: dict, error: type, words: str) -> None:
    failed = last(run(JobSpec(SOURCE, settings.replace(**changes), make_projections(), threads=1)))
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, error)
    assert words in str(failed.error)


def test_a_prior_for_mri_is_refused(make_projections, settings: ReconSettings, tiny_prior) -> None:
    job = JobSpec(SOURCE, settings.replace(prior=tiny_prior(modality="MR")), make_projections(), threads=1)
    assert isinstance(last(run(job)).error, PriorError)


def test_slices_of_a_cone_are_refused(make_projections, settings: ReconSettings) -> None:
    job = JobSpec(replace(SOURCE, slices=(0, 1)), settings, make_projections("cone", slices=3), threads=1)
    failed = last(run(job))
    assert isinstance(failed.error, ScanError)
    assert "cone" in failed.error.why


def test_stopped_anywhere_it_keeps_or_discards(make_projections, settings: ReconSettings) -> None:
    scan = make_projections(slices=2)
    count = len(list(run(JobSpec(SOURCE, settings, scan, threads=1))))
    for after in range(2, count, 9):
        for ending, kinds in (("keep", Finished), ("discard", (Discarded, Finished))):
            stop = Stop()
            events = run(JobSpec(SOURCE, settings, scan, threads=1), stop)
            for _ in range(after):
                next(events)
            getattr(stop, ending)()
            event = last(events)
            assert isinstance(event, kinds), (after, ending, event)
            if isinstance(event, Finished):
                assert np.isfinite(event.volume.array).all()


def test_a_network_that_breaks_down_is_told(make_projections, settings: ReconSettings, tiny_prior) -> None:
    prior = tiny_prior(nan=True, channels=1, **CT_CARD)
    failed = last(run(JobSpec(SOURCE, settings.replace(prior=prior), make_projections(), threads=1)))
    assert isinstance(failed, Failed)
    assert "broke down" in failed.error.what


def test_what_is_offered(make_projections, make_scan) -> None:
    flat, cone, mri = make_projections(), make_projections("cone", slices=2), make_scan()
    assert "fbp" in methods_for(flat)
    assert "fdk" not in methods_for(flat)
    assert "fdk" in methods_for(cone)
    assert "fbp" not in methods_for(mri)
    assert "rho" not in settings_of("dds", flat)
    assert "rho" in settings_of("dds", make_projections(slices=2))
    assert "filter" in settings_of("fbp", flat)
    assert "gamma_rule" not in settings_of("dds", flat)
    assert "weight" not in settings_of("tv", mri)


@pytest.mark.parametrize("method", ["dds", "tv", "cgls"])
def test_slices_of_air_and_rows_that_cannot_be_trusted_are_no_trouble(
    make_projections, settings: ReconSettings, method: str
) -> None:
    scan = make_projections(slices=3)
    data, valid = scan.data.copy(), np.ones((3, 1, 1), dtype=bool)
    data[0], valid[2] = 0, False
    chosen = settings.replace(method=method, along="slice")
    scan = scan.with_changes(data=data, valid=valid)
    image = finished(JobSpec(SOURCE, chosen, scan, threads=1)).volume.array
    assert np.isfinite(image).all()
    assert np.abs(image[0] + 1000).max() < 400


def test_slabs_are_solved_as_the_whole_is(make_projections, monkeypatch: pytest.MonkeyPatch) -> None:
    job = JobSpec(
        SOURCE, ReconSettings(method="tv", along="slice", device="cpu"), make_projections(slices=5), threads=1
    )
    whole = finished(job).volume.array
    monkeypatch.setattr("core.engine.problem_ct.SLAB", 2)
    assert far(finished(job).volume.array, whole) < 1e-3


def test_what_does_not_fit_is_refused_before_it_starts(make_projections, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.engine.estimate.available_bytes", lambda device: 300_000)
    scan = make_projections(slices=8, hounsfield=True)
    failed = last(run(JobSpec(SOURCE, ReconSettings(method="tv", device="cpu"), scan, threads=1)))
    assert isinstance(failed, Failed)
    assert "does not fit into memory" in failed.error.what
    assert "of its 8 slices would fit" in failed.error.try_this
