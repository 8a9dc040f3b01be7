"""What of an image its measurement supports, against dense projections."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.engine.events import Finished
from core.engine.job import JobSpec, ScanSource
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.engine.stop import Halt, Stop
from core.engine.trust.against_classical import difference_to_classical
from core.engine.trust.agreement import error_of, rank_correlation, reference_of
from core.engine.trust.local import Window, object_mask
from core.engine.trust.posed import from_frames, linear_frames, parts, pose, result_of, solution
from core.engine.trust.row_space import seen_part
from core.engine.trust.support import shares, support_of
from core.errors import JobError
from core.formats import open_scan
from core.operators.linear import LinearOperator, Scaled, operator_norm
from core.operators.planes import to_planes
from core.operators.sense import Sense
from core.operators.tomography import projector
from core.scan import Volume


def dense(operator: LinearOperator) -> np.ndarray:
    """The matrix of one system."""
    size = int(np.prod(operator.domain_shape))
    columns = torch.eye(size, dtype=operator.dtype).reshape(size, *operator.domain_shape)
    return np.stack([operator.forward(column).numpy().ravel() for column in columns], axis=1)


def random_image(operator: LinearOperator) -> torch.Tensor:
    return torch.randn(operator.domain_shape, dtype=operator.dtype, generator=torch.Generator().manual_seed(1))


def unit(operator: LinearOperator) -> LinearOperator:
    return Scaled(operator, 1 / operator_norm(operator))


def sense(coils: int, mask: np.ndarray, shape: tuple[int, int]) -> Sense:
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(1, coils, *shape, dtype=torch.complex128, generator=generator)
    maps = maps / torch.linalg.vector_norm(maps, dim=1, keepdim=True)
    return Sense(maps, torch.from_numpy(mask)[None])


def test_half_of_k_space_of_one_coil_is_seen_as_it_is() -> None:
    mask = np.zeros((12, 10), bool)
    mask[:6] = True
    operator = Sense(torch.ones(1, 1, 12, 10, dtype=torch.complex128), torch.from_numpy(mask)[None])
    x = random_image(operator)
    shifted = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(x.numpy(), axes=(1, 2))), axes=(1, 2)) * mask
    known = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(shifted, axes=(1, 2))), axes=(1, 2))
    np.testing.assert_allclose(seen_part(operator, x, damping=0).numpy(), known, atol=1e-12)
    np.testing.assert_allclose(seen_part(operator, x, damping=0.25).numpy(), known / 1.25, atol=1e-12)


@pytest.mark.parametrize("coils", [1, 2, 3])
def test_mri_is_projected_as_by_the_pseudo_inverse(coils: int) -> None:
    operator = unit(sense(coils, (np.arange(8) % 4 == 0)[:, None], (8, 6)))
    x, matrix = random_image(operator), dense(operator)
    projected = np.linalg.pinv(matrix, rcond=1e-9) @ matrix @ x.numpy().ravel()
    assert np.linalg.norm(projected - x.numpy().ravel()) > 0.3  # something is not seen
    seen = seen_part(operator, x, damping=0, iterations=500, tolerance=1e-13)
    np.testing.assert_allclose(seen.numpy().ravel(), projected, atol=1e-8)


@pytest.mark.parametrize("kind", ["parallel", "fan"])
def test_ct_is_projected_as_by_the_pseudo_inverse(make_projections, kind: str) -> None:
    scan = make_projections(kind, views=3, size=(9, 8))
    operator = unit(projector(scan.geometry, scan.grid, scan.rows, dtype=torch.float64))
    x, matrix = random_image(operator), dense(operator)
    projected = np.linalg.pinv(matrix, rcond=1e-7) @ matrix @ x.numpy().ravel()
    assert np.linalg.norm(projected - x.numpy().ravel()) > 0.3 * np.linalg.norm(projected)
    seen = seen_part(operator, x, damping=0, iterations=3000, tolerance=1e-13)
    np.testing.assert_allclose(seen.numpy().ravel(), projected, atol=1e-5)


@pytest.mark.parametrize("kind", ["mri", "fan", "cone"])
def test_damping_keeps_each_direction_to_its_share(make_projections, kind: str) -> None:
    """Also where slices are one system."""
    if kind == "mri":
        operator = unit(sense(2, (np.arange(8) % 3 == 0)[:, None], (8, 6)))
    else:
        scan = make_projections(kind, slices=1 if kind == "fan" else 3, views=3, size=(9, 8))
        operator = unit(projector(scan.geometry, scan.grid, scan.rows, dtype=torch.float64))
    x, damping = random_image(operator), 0.02
    _, s, basis = np.linalg.svd(dense(operator), full_matrices=False)
    expected = basis.conj().T @ (s**2 / (s**2 + damping) * (basis @ x.numpy().ravel()))
    seen = seen_part(operator, x, damping, iterations=300, tolerance=1e-12)
    np.testing.assert_allclose(seen.numpy().ravel(), expected, atol=1e-6)


def finished(scan: object, undersample: str = "", **settings: object) -> tuple[JobSpec, Volume]:
    chosen = ReconSettings(device="cpu", **settings)
    job = JobSpec(ScanSource("x", undersample=undersample), chosen, scan, threads=1)
    *_, event = run(job)
    assert isinstance(event, Finished), event
    return job, event.volume


def posed_of(scan: object, undersample: str = "", **settings: object):
    job, volume = finished(scan, undersample, **settings)
    return result_of(pose(volume, job))


def test_all_that_is_fully_sampled_is_supported(make_scan) -> None:
    posed = posed_of(make_scan(slices=2, coils=4), method="zero-filled")
    found = result_of(support_of(posed))
    inside = np.isfinite(found.support.array)
    assert 0.1 < inside.mean() < 0.9
    assert found.support.array[inside].min() > 1 - 2e-4
    assert found.median == pytest.approx(1, abs=2e-4)
    assert found.unseen.array.max() < 0.011 * abs(posed.volume.array).max()
    assert found.support.unit == ""
    assert found.unseen.unit == found.seen.unit == "a.u."
    assert "not" in found.support.card["map"]["shows"]


def test_what_was_made_up_is_not_supported(make_scan) -> None:
    """One coil and every second line: the image and its fold are one, so that a mark at one place is half seen."""
    scan = make_scan(coils=1)
    mask = (np.arange(48) % 2 == 0).reshape(1, 1, 1, 1, 48, 1)
    half = scan.with_changes(data=np.where(mask[:, :, :, None], scan.data, 0), mask=mask)
    job = JobSpec(ScanSource("x"), ReconSettings(method="cg-sense", device="cpu"), half)
    image = np.zeros((1, 48, 40), np.complex64)
    image[0, 10:14, 10:14] = 1
    even = image.copy()
    even[0, 34:38, 10:14] = 1  # half a field of view apart
    odd = image.copy()
    odd[0, 34:38, 10:14] = -1
    supports = [
        result_of(support_of(result_of(pose(Volume(each), job)), Window(0.0))).support.array[0, 12, 12]
        for each in (image, even, odd)
    ]
    np.testing.assert_allclose(supports, [0.5, 1, 0], atol=2e-2)


@pytest.mark.parametrize("size", [1, 2])
def test_slices_in_parts_are_as_all_at_once(make_scan, make_projections, size: int) -> None:
    scans = (
        make_scan(slices=3, repetitions=2, coils=3),
        make_projections("parallel", slices=3, photons=1e4),
        make_projections("fan", slices=3),
        make_projections("cone", slices=3),
    )
    for scan in scans:
        weighed = {"method": "tv", "weight": "photons"} if getattr(scan, "photons", None) else {"method": quick(scan)}
        posed = posed_of(scan, **weighed)
        whole = posed.problem.operator.normal(posed.x)
        pieces = torch.zeros_like(posed.x)
        for part, operator in parts(posed.problem, size):
            pieces[part] = operator.normal(posed.x[part])
        torch.testing.assert_close(pieces, whole, rtol=1e-4, atol=1e-5 * float(whole.abs().max()))


def quick(scan: object) -> str:
    from core.engine.offers import quick_methods

    return quick_methods(scan)[-1]


def test_a_solved_image_is_found_again(make_scan, make_projections) -> None:
    for scan in (
        make_scan(slices=2),
        make_scan().with_changes(readout_down=True),
        make_projections(slices=2),
        make_projections(hounsfield=False),
    ):
        posed = posed_of(scan, method=quick(scan))
        frames = posed.volume.array
        torch.testing.assert_close(solution(posed.problem, posed.problem.to_image(posed.x)), posed.x)
        np.testing.assert_allclose(posed.problem.to_image(posed.x), frames, rtol=1e-5, atol=1e-3)
        nothing = posed.problem.to_image(torch.zeros_like(posed.x))
        np.testing.assert_allclose(linear_frames(posed.problem, posed.x), frames - nothing, rtol=1e-4, atol=1e-3)


def test_planes_across_the_readout_are_turned_back(make_scan) -> None:
    scan = make_scan(ny=12, nx=10, coils=2)
    data = np.repeat(scan.data, 6, axis=4) * np.linspace(1, 2, 6).reshape(6, 1, 1)
    mask = np.ones((1, 1, 1, 6, 12, 1), bool)
    mask[0, 0, 0, 0, 0] = False
    volume = scan.with_changes(data=(data * mask[:, :, :, None]).astype(np.complex64), mask=mask, matrix=(6, 12, 10))
    for readout_down in (False, True):
        planes = to_planes(volume.with_changes(readout_down=readout_down))
        assert planes.sagittal
        images = np.random.default_rng(0).standard_normal((10, 6, 12)).astype(np.complex64)
        np.testing.assert_array_equal(from_frames(planes, planes.to_frames(images)), images)


def test_nothing_is_said_where_there_is_no_signal() -> None:
    seen, unseen = np.zeros((2, 20, 20), np.float32), np.zeros((2, 20, 20), np.float32)
    seen[0, 5:9, 5:9], unseen[0, 5:9, 5:9] = 3, 4
    support, strength = shares(seen, unseen, (0, 0))
    assert np.isnan(support[1]).all()
    assert np.isfinite(support[0]).sum() == 16
    assert support[0, 6, 6] == pytest.approx(9 / 25)
    assert strength[0, 6, 6] == 4
    assert strength[1].max() == 0
    empty = np.zeros((1, 8, 8), np.complex64)
    support, strength = shares(empty, empty, (2, 2))
    assert np.isnan(support).all()
    assert not strength.any()


def test_a_window_is_told_in_pixels_or_in_mm() -> None:
    assert Window().sigmas((0.5, 2.0, 5.0)) == (2.0, 2.0)
    assert Window(mm=4).sigmas((0.5, 2.0, 5.0)) == (2.0, 8.0)
    for wrong in (-1.0, float("nan"), 1e9):
        with pytest.raises(JobError):
            Window(wrong)


def test_an_object_has_no_holes() -> None:
    hu = np.full((1, 30, 30), -1000, np.float32)
    hu[0, 5:25, 5:25] = 0
    hu[0, 12:16, 12:16] = -1000
    mask = object_mask(Volume(hu, "HU"))
    assert mask.sum() == 400
    assert mask[0, 13, 13]


def test_the_run_is_found_again_by_its_card(make_scan, make_projections) -> None:
    scan = make_scan()
    job, volume = finished(scan, "gaussian1d:2", method="cg-sense")
    assert result_of(pose(volume, job)).scan.undersampled
    for wrong in (
        replace(volume, array=volume.array[:, :-1]),
        replace(volume, array=volume.array * np.float32("nan")),
        replace(volume, card={**volume.card, "inputs": {"scan": "1" * 64}}),
    ):
        with pytest.raises(JobError):
            result_of(pose(wrong, job))
    with pytest.raises(JobError):
        result_of(pose(replace(volume, card={})))


def test_the_support_can_be_stopped(make_scan) -> None:
    posed, stop = posed_of(make_scan(), method="zero-filled"), Stop()
    stop.discard()
    with pytest.raises(Halt):
        result_of(support_of(posed, stop=stop))


def test_the_difference_to_the_classical_image_is_signed(make_scan, make_projections) -> None:
    for scan, unit_, step in ((make_scan(), "a.u.", 0.5), (make_projections(), "HU", 100)):
        job, volume = finished(scan, method=quick(scan))
        same, classical = result_of(difference_to_classical(result_of(pose(volume, job))))
        assert abs(same.array).max() < 1e-3 * step
        assert same.unit == unit_
        np.testing.assert_allclose(classical.array, volume.array, atol=1e-3 * step)
        less = volume.array.copy()
        middle = (0, less.shape[1] // 2, less.shape[2] // 2)
        less[middle] *= 1 - step / abs(less[middle])
        shift = (
            abs(less[middle]) - abs(volume.array[middle]) if unit_ == "a.u." else less[middle] - volume.array[middle]
        )
        moved, _ = result_of(difference_to_classical(result_of(pose(replace(volume, array=less), job))))
        assert moved.array[middle] == pytest.approx(shift, rel=1e-3, abs=1e-3)
        assert shift != 0


def test_on_a_real_brain_the_unseen_part_points_to_the_errors(real_data) -> None:
    scan = open_scan(real_data / "kspace" / "img_brain_4ch.mat", axes="y,x,coil", domain="image")
    posed = posed_of(scan, "gaussian1d:6", method="cg-sense")
    found = result_of(support_of(posed))
    share = found.support.array[np.isfinite(found.support.array)]
    assert 0 <= share.min() < 0.9
    assert share.max() <= 1
    reference = reference_of(posed)
    mask = object_mask(replace(posed.volume, array=reference))
    error = np.abs(error_of(posed.volume, reference).array)
    assert rank_correlation(found.unseen.array, error, mask) > 0.1
