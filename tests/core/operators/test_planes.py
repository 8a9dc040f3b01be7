"""Scans come apart into planes and together again, with everything where it was."""

from __future__ import annotations

import numpy as np
import pytest

from core.engine.events import Finished
from core.engine.job import JobSpec, ScanSource
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.errors import ScanError
from core.operators.masks import parse_undersampling
from core.operators.planes import frame_names, to_planes
from core.operators.undersample import undersample
from core.scan import KSpace, Provenance


@pytest.fixture
def volume(phantom_image) -> np.ndarray:
    """An asymmetric object (z, y, x): each slice differs, and the mark moves."""
    stack = np.stack([phantom_image(40, 36) * (0.5 + z / 16) for z in range(16)])
    stack[3:5, 8:12, 20:24] += 1
    return stack


@pytest.fixture
def scan_3d(volume: np.ndarray) -> KSpace:
    y, x = np.mgrid[-1:1:40j, -1:1:36j]
    coils = np.stack([np.exp(-((x - a) ** 2 + (y - b) ** 2) / 3) for a, b in ((1, 0), (-1, 0), (0, 1), (0, -1))])
    coils = coils / np.sqrt((coils**2).sum(0))
    images = coils[:, None] * volume
    axes = (-3, -2, -1)
    data = np.fft.fftshift(np.fft.fftn(np.fft.ifftshift(images, axes=axes), axes=axes, norm="ortho"), axes=axes)
    mask = np.ones((1, 1, 1, 16, 40, 1), bool)
    return KSpace(data[None, None, None].astype(np.complex64), mask, (16, 40, 36), Provenance("x", "test"))


def reconstruct(scan: KSpace, **source: object) -> np.ndarray:
    *_, last = run(JobSpec(ScanSource("x", **source), ReconSettings(method="cg-sense"), scan))
    assert isinstance(last, Finished), last
    assert len(last.volume.frame_names) == len(last.volume.array)
    return abs(last.volume.array)


@pytest.mark.parametrize("pattern", ["", "equispaced1d:2:12:0"])
def test_a_3d_scan_with_every_kz_alike_is_a_stack_of_slices(scan_3d: KSpace, volume: np.ndarray, pattern: str) -> None:
    scan = undersample(scan_3d, parse_undersampling(pattern)) if pattern else scan_3d
    planes = to_planes(scan)
    assert planes.data.shape == (16, 4, 40, 36)
    assert not planes.sagittal
    image = reconstruct(scan)
    assert np.linalg.norm(image - volume) < 0.08 * np.linalg.norm(volume)


def test_a_3d_scan_undersampled_in_ky_and_kz_is_solved_for_every_x(scan_3d: KSpace, volume: np.ndarray) -> None:
    scan = undersample(scan_3d, parse_undersampling("poisson2d:2:0.4:0"))
    planes = to_planes(scan)
    assert planes.sagittal
    assert planes.data.shape == (36, 4, 16, 40)
    image = reconstruct(scan)
    assert image.shape == volume.shape
    assert np.linalg.norm(image - volume) < 0.12 * np.linalg.norm(volume)


def test_its_slices_cannot_be_had_alone(scan_3d: KSpace) -> None:
    scan = undersample(scan_3d, parse_undersampling("poisson2d:2:0.4:0"))
    with pytest.raises(ScanError, match="slice by slice"):
        to_planes(scan, (0, 2))


def test_a_readout_with_gaps_in_3d_is_refused(scan_3d: KSpace) -> None:
    mask = np.repeat(scan_3d.mask, 36, axis=-1)
    mask[..., 3, 5, 7] = False
    with pytest.raises(ScanError, match="three directions"):
        to_planes(scan_3d.with_changes(mask=mask))


def test_calibration_measured_apart_serves_3d_scans(scan_3d: KSpace, volume: np.ndarray) -> None:
    own = scan_3d.data[0, 0, :, :, 2:14, 10:30, :]
    for pattern in ("equispaced1d:2:4:0", "poisson2d:2:4:0"):
        scan = undersample(scan_3d, parse_undersampling(pattern)).with_changes(calibration=own)
        image = reconstruct(scan)
        assert np.linalg.norm(image - volume) < 0.15 * np.linalg.norm(volume)


def test_chosen_slices_keep_their_names_and_keys(make_scan) -> None:
    planes = to_planes(make_scan(slices=5, repetitions=2), (2, 4))
    assert planes.names == (
        "slice 3, repetition 1", "slice 4, repetition 1", "slice 3, repetition 2", "slice 4, repetition 2",
    )  # fmt: skip
    assert planes.keys == (2, 3, 7, 8)
    assert planes.position_of.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("slices", [(-1, 2), (2, 2), (0, 9)])
def test_slices_that_are_not_there_are_refused(make_scan, slices: tuple[int, int]) -> None:
    with pytest.raises(ScanError, match="no slices"):
        to_planes(make_scan(slices=3), slices)


def test_a_single_frame_is_slice_1() -> None:
    assert frame_names(1, 1, 1) == ("slice 1",)
    assert frame_names(2, 1, 1) == ("contrast 1", "contrast 2")


def test_a_readout_that_runs_down_the_picture_changes_x_and_y_everywhere(make_scan) -> None:
    scan = make_scan(slices=2).with_changes(field_of_view_mm=(80.0, 144.0, 5.0), affine=np.diag([2.0, 3.0, 5.0, 1.0]))
    turned = scan.with_changes(readout_down=True)
    assert np.array_equal(reconstruct(turned), reconstruct(scan).swapaxes(1, 2))
    assert turned.picture_spacing_mm == (3, 2, 5)
    assert turned.picture_shape == (1, 40, 48)
    voxel = np.array([7, 3, 1, 1])
    assert np.allclose(turned.picture_affine @ voxel, scan.picture_affine @ voxel[[1, 0, 2, 3]])
    assert turned.with_changes(affine=None).picture_spacing_mm == (3, 2, 5)
