"""Scans made from volumes: what they measure, how noisy they are, and where the image lies."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest

from core.engine.simulate_ct import CtSettings, integrals, simulate_ct
from core.engine.simulate_mri import MriSettings, simulate_mri
from core.errors import JobError, ScanError
from core.export import ExportError
from core.export.dataexchange import save_projections
from core.export.ismrmrd_scan import save_kspace
from core.formats import open_scan
from core.formats.scan_record import to_record
from core.formats.volume_parts import Opened
from core.geometry import ConeBeam, FanBeam, ParallelBeam
from core.hounsfield import MU_WATER
from core.priors.phantoms_simple import coil_maps
from core.scan import Volume

ROOT = Path(__file__).parents[3]
LPS = np.array([[2.0, 0, 0, -31], [0, 2.0, 0, -30], [0, 0, 4.0, 50], [0, 0, 0, 1]])
RADIUS = 20.0


def opened(array: np.ndarray, unit: str = "HU", affine: np.ndarray | None = LPS) -> Opened:
    volume = Volume(array, unit, affine, (2.0, 2.0, 4.0), len(array))
    return Opened(volume, "v.nii", "NIfTI", ("Read.",), "chest", "t2")


def disc(n: int = 32, slices: int = 3, at: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Water in air, (x, y) mm from the middle, with soft edges."""
    line = (np.arange(n) - (n - 1) / 2) * 2.0
    far = np.hypot(line[None] - at[0], line[:, None] - at[1])
    one = np.clip((RADIUS - far) / 2 + 0.5, 0, 1) * 1000 - 1000
    return np.repeat(one[None], slices, axis=0).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "kind", "turn"), [("parallel", ParallelBeam, 180), ("fan", FanBeam, 360), ("cone", ConeBeam, 360)]
)
def test_the_middle_ray_through_a_disc_is_its_diameter(name: str, kind: type, turn: float) -> None:
    scan = simulate_ct(opened(disc()), CtSettings(8, name))
    assert isinstance(scan.geometry, kind)
    assert scan.simulated
    assert scan.hounsfield
    assert scan.photons is None
    assert scan.anatomy == "chest"
    assert np.ptp(np.unwrap(scan.geometry.angles)) == pytest.approx(np.radians(turn) * 7 / 8)
    middle = scan.data[scan.rows // 2, :, scan.columns // 2 - 1 : scan.columns // 2 + 1].max(axis=1)
    np.testing.assert_allclose(middle, 2 * RADIUS * MU_WATER, rtol=0.03)
    assert scan.data[:, :, [0, -1]].max() == 0
    assert "Simulated: no scanner made this." in scan.provenance.done


@pytest.mark.parametrize("name", ["parallel", "fan"])
def test_the_detector_sees_the_whole_picture(name: str) -> None:
    full = np.zeros((1, 32, 32), np.float32)
    full[0, 0, 0] = -1000
    scan = simulate_ct(opened(full), CtSettings(16, name, detectors=400))
    assert scan.columns == 400
    edge = scan.data[0] > 0
    assert edge.any(axis=0)[8:-8].any()
    assert (scan.data[0][:, [0, -1]] < 0.2).all()
    # The mean of a parallel view times its width is the mass of the picture.
    if name == "parallel":
        mass = scan.data[0].sum(axis=1) * scan.geometry.pitch_mm
        np.testing.assert_allclose(mass, 64 * 64 * MU_WATER, rtol=0.02)


def test_an_object_beside_the_middle_lands_where_the_geometry_says() -> None:
    """At angle t the detector's axis is (cos t, sin t), y downwards."""
    scan = simulate_ct(opened(disc(at=(9.0, -6.0))), CtSettings(12))
    weight = scan.data[0] / scan.data[0].sum(axis=1, keepdims=True)
    centre = weight @ scan.geometry.bins_mm
    angles = scan.geometry.angles
    np.testing.assert_allclose(centre, 9.0 * np.cos(angles) - 6.0 * np.sin(angles), atol=0.1)


def test_what_is_projected_is_finer_than_what_is_reconstructed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watched(geometry, grid, hu, report):
        seen.append(grid)
        return integrals(geometry, grid, hu, report)

    monkeypatch.setattr("core.engine.simulate_ct.integrals", watched)
    for size, fine in ((None, 64), (16, 32), (20, 40), (32, 64)):
        grid = simulate_ct(opened(disc()), CtSettings(2, size=size)).grid
        assert seen[-1].shape == (3, fine, fine)
        assert seen[-1].extent_mm == pytest.approx(grid.extent_mm)
        assert grid.extent_mm == pytest.approx((64, 64, 12))


def test_slices_and_size_move_the_affine_along() -> None:
    array = disc(slices=6)
    scan = simulate_ct(opened(array), CtSettings(4, slices=(2, 5), size=16))
    assert scan.grid.shape == (3, 16, 16)
    assert scan.picture_spacing_mm == pytest.approx((4, 4, 4))
    # The corner of the picture, half a voxel before the first middle, stays; slices begin two steps later.
    corner = scan.affine @ [-0.5, -0.5, 0, 1]
    np.testing.assert_allclose(corner, LPS @ [-0.5, -0.5, 2, 1])


def test_photons_make_poisson_noise_that_the_seed_fixes() -> None:
    clean = simulate_ct(opened(disc(slices=8)), CtSettings(30))
    settings = CtSettings(30, photons=1e4, seed=3)
    noisy = simulate_ct(opened(disc(slices=8)), settings)
    assert noisy.photons == 1e4
    counts, expected = 1e4 * np.exp(-noisy.data), 1e4 * np.exp(-clean.data)
    deviation = (counts - expected) / np.sqrt(expected)
    assert deviation.std() == pytest.approx(1, abs=0.02)
    assert abs(deviation.mean()) < 0.02
    np.testing.assert_array_equal(noisy.data, simulate_ct(opened(disc(slices=8)), settings).data)
    other = simulate_ct(opened(disc(slices=8)), dataclasses.replace(settings, seed=4))
    assert (noisy.data != other.data).any()


def test_air_below_minus_1000_attenuates_nothing() -> None:
    array = disc()
    array[:, :4] = -3024
    assert simulate_ct(opened(array), CtSettings(6)).data.min() >= 0


def test_leaning_slices_are_projected_in_their_own_plane() -> None:
    sheared = LPS.copy()
    sheared[1, 2] = 2.0
    scan = simulate_ct(opened(disc(), affine=sheared), CtSettings(4))
    assert any("lean by 26.6 degrees" in note for note in scan.provenance.done)
    np.testing.assert_allclose(scan.affine, sheared)


@pytest.mark.parametrize(
    "settings",
    [
        CtSettings(0),
        CtSettings(10**6),
        CtSettings(4, "helix"),
        CtSettings(4, detectors=0),
        CtSettings(4, photons=0.0),
        CtSettings(4, photons=float("nan")),
        CtSettings(4, size=1),
        CtSettings(4, size=100_000),
        CtSettings(4, slices=(2, 2)),
        CtSettings(4, slices=(0, 99)),
        CtSettings(4, arc_degrees=0.0),
        CtSettings(4, arc_degrees=float("nan")),
        CtSettings(4, "fan", source_mm=40.0),
        CtSettings(4, "cone", detector_mm=-1.0),
        CtSettings(4, "fan", source_mm=float("inf")),
        CtSettings(4, "fan", source_mm=45.3),
        CtSettings(4, seed=-1),
    ],
)
def test_what_makes_no_scan_is_refused(settings: CtSettings) -> None:
    with pytest.raises((JobError, ScanError)) as refused:
        simulate_ct(opened(disc()), settings)
    assert refused.value.what


def test_a_volume_that_is_not_in_hu_is_refused() -> None:
    with pytest.raises(JobError, match="Hounsfield"):
        simulate_ct(opened(disc(), "a.u."), CtSettings(4))


@pytest.mark.parametrize(("name", "photons"), [("parallel", 1e5), ("fan", None), ("cone", 1e3)])
def test_a_ct_file_reads_back_as_it_was(tmp_path: Path, name: str, photons: float | None) -> None:
    scan = simulate_ct(opened(disc()), CtSettings(9, name, photons=photons))
    path = tmp_path / "s.h5"
    save_projections(scan, path)
    with h5py.File(path) as file:
        assert file["implements"][()] == b"exchange"
        assert file["exchange/data"].shape == (9, scan.rows, scan.columns)
        assert file["exchange/data"].dtype == np.float32
        assert (file["exchange/data_white"][()] == (photons or 1)).all()
        assert not file["exchange/data_dark"][()].any()
        np.testing.assert_allclose(np.radians(file["exchange/theta"]), scan.geometry.angles)
        assert file["exchange/title"][()].startswith(b"Simulated")
        counts = file["exchange/data"][()]
        assert (counts == np.rint(counts)).all() == (photons is not None)
    back = open_scan(path)
    np.testing.assert_allclose(back.data, scan.data, atol=2e-6)
    assert to_record(back) == to_record(scan)
    assert [p.name for p in tmp_path.iterdir()] == ["s.h5"]


def test_what_cannot_be_trusted_is_not_trusted_after_reading(tmp_path: Path) -> None:
    scan = simulate_ct(opened(disc()), CtSettings(20))
    valid = np.ones(scan.data.shape, dtype=bool)
    valid[1, 4, 20] = valid[2, :, 22] = False
    thinned = scan.with_changes(valid=valid, simulated=False, undersampled="every:2 (20 of 40 views)")
    save_projections(thinned, tmp_path / "s.h5")
    back = open_scan(tmp_path / "s.h5")
    np.testing.assert_array_equal(np.broadcast_to(back.valid, valid.shape), valid)
    assert back.undersampled == thinned.undersampled
    np.testing.assert_allclose(back.data[valid], scan.data[valid], atol=2e-6)


def test_a_long_record_becomes_a_dataset(tmp_path: Path) -> None:
    scan = simulate_ct(opened(disc(24, 2)), CtSettings(400, "cone"))
    save_projections(scan, tmp_path / "s.h5")
    assert to_record(open_scan(tmp_path / "s.h5")) == to_record(scan)


def test_a_ct_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = simulate_ct(opened(disc(24)), CtSettings(4))
    for path in (tmp_path / "s.txt", tmp_path / "absent" / "s.h5"):
        with pytest.raises(ExportError):
            save_projections(scan, path)

    def full_disk(record: object) -> dict:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.export.dataexchange.to_record", full_disk)
    with pytest.raises(ExportError, match="No space left"):
        save_projections(scan, tmp_path / "s.h5")
    assert list(tmp_path.iterdir()) == []


def demo_maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_demo_ct", ROOT / "packaging" / "make_demo_ct.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_demo_chest_is_small_and_what_its_maker_makes() -> None:
    path = ROOT / "resources" / "demo" / "ct_chest.h5"
    assert path.stat().st_size < 3e6
    scan = open_scan(path)
    assert scan.simulated
    assert scan.grid.shape == (28, 256, 256)
    np.testing.assert_array_equal(np.sign(np.diag(scan.affine)), 1)
    made = demo_maker().scan(2, 64)
    fields = ("format", "photons", "hounsfield", "simulated", "anatomy")
    assert {f: to_record(made)[f] for f in fields} == {f: to_record(scan)[f] for f in fields}
    with h5py.File(path) as file:
        assert json.loads(file["dds_viewer"].attrs["scan"])["photons"] == 1e5


def brain(shape: tuple[int, int, int] = (2, 32, 24)) -> np.ndarray:
    rng = np.random.default_rng(0)
    array = np.zeros(shape, np.float32)
    array[:, 6:-6, 5:-5] = 400 + 100 * rng.random((shape[0], shape[1] - 12, shape[2] - 10))
    return array


def root_sum_of_squares(scan) -> np.ndarray:
    axes = (-2, -1)
    shifted = np.fft.ifftshift(scan.data[0, 0, :, :, 0], axes=axes)
    images = np.fft.fftshift(np.fft.ifftn(shifted, axes=axes, norm="ortho"), axes=axes)
    return np.sqrt((np.abs(images) ** 2).sum(axis=1))


def test_the_coils_together_see_the_volume() -> None:
    array = brain()
    scan = simulate_mri(opened(array, "a.u."), MriSettings(5)).scan
    assert scan.coils == 5
    assert scan.simulated
    assert scan.contrast == "t2"
    np.testing.assert_allclose(root_sum_of_squares(scan), array / array.max(), atol=1e-4)
    np.testing.assert_allclose(scan.affine, LPS)


def test_a_complex_volume_keeps_its_phase() -> None:
    array = (brain() * np.exp(0.7j)).astype(np.complex64)
    scan = simulate_mri(opened(array, "a.u."), MriSettings(1)).scan
    axes = (-2, -1)
    image = np.fft.fftshift(
        np.fft.ifft2(np.fft.ifftshift(scan.data[0, 0, :, 0, 0], axes=axes), norm="ortho"), axes=axes
    )
    expected = array / np.abs(array).max() * coil_maps(1, (32, 24))[0]
    np.testing.assert_allclose(image, expected, atol=1e-5)


def test_a_smaller_matrix_keeps_the_place_of_the_object() -> None:
    array = np.zeros((1, 33, 48), np.float32)
    array[0, 20:24, 30:36] = 1
    centre = LPS @ [32.5, 21.5, 0, 1]
    for size in (32, 33, 31):
        scan = simulate_mri(opened(array, "a.u."), MriSettings(3, size=size)).scan
        image = root_sum_of_squares(scan)[0] ** 2
        y, x = ((image.sum(axis=1 - a) * np.arange(size)).sum() / image.sum() for a in (0, 1))
        np.testing.assert_allclose((scan.affine @ [x, y, 0, 1])[:3], centre[:3], atol=0.35)
        assert root_sum_of_squares(scan).max() == pytest.approx(1, abs=0.2)


def test_noise_and_lines() -> None:
    made = simulate_mri(opened(brain((3, 64, 64)), "a.u."), MriSettings(4, "equispaced1d:2:0.1:0", noise=0.05))
    scan = made.scan
    assert scan.acceleration == pytest.approx(2)
    assert not scan.data[:, :, :, :, :, ~scan.mask[0, 0, 0, 0, :, 0]].any()
    clean = simulate_mri(opened(brain((3, 64, 64)), "a.u."), MriSettings(4, "equispaced1d:2:0.1:0")).scan
    off = (scan.data - clean.data)[:, :, :, :, :, scan.mask[0, 0, 0, 0, :, 0]]
    assert off.real.std() == pytest.approx(0.05 / 2**0.5, rel=0.03)
    assert scan.noise_std == pytest.approx(0.05 / 2**0.5)
    assert np.abs(made.noise).std() > 0
    assert made.noise.shape == (4, 512)


@pytest.mark.parametrize(
    "settings",
    [
        MriSettings(0),
        MriSettings(10**6),
        MriSettings(2, noise=-1.0),
        MriSettings(2, noise=float("nan")),
        MriSettings(2, "gaussian2d:4"),
        MriSettings(2, "nonsense"),
        MriSettings(2, size=64),
        MriSettings(2, slices=(5, 6)),
        MriSettings(2, seed=-1),
    ],
)
def test_what_makes_no_mri_scan_is_refused(settings: MriSettings) -> None:
    with pytest.raises((JobError, ScanError)) as refused:
        simulate_mri(opened(brain(), "a.u."), settings)
    assert refused.value.what


OBLIQUE = np.array([[0.8, 0.0, 1.8, -10], [0.6, 0.0, -2.4, -20], [0.0, -1.5, 0.0, 30], [0, 0, 0, 1.0]])


@pytest.mark.parametrize("affine", [LPS, OBLIQUE, None])
def test_an_mri_file_reads_back_as_it_was(tmp_path: Path, affine: np.ndarray | None) -> None:
    array = brain((3, 32, 24))
    spacing = (1.0, 1.5, 3.0) if affine is OBLIQUE else (2.0, 2.0, 4.0)
    found = Opened(Volume(array, "a.u.", affine, spacing, 3), "v", "NIfTI")
    made = simulate_mri(found, MriSettings(4, "gaussian1d:2:8:1", noise=0.01))
    save_kspace(made.scan, tmp_path / "m.h5", noise=made.noise)
    back = open_scan(tmp_path / "m.h5")
    assert back.simulated
    assert back.whitened
    assert back.acceleration == pytest.approx(made.scan.acceleration)
    assert back.picture_spacing_mm == pytest.approx(spacing, rel=1e-4)
    if affine is None:
        assert back.affine is None
    else:
        np.testing.assert_allclose(back.affine, affine, atol=1e-3)
    clean = simulate_mri(found, MriSettings(4))
    save_kspace(clean.scan, tmp_path / "c.mrd")
    np.testing.assert_allclose(open_scan(tmp_path / "c.mrd").data, clean.scan.data, atol=1e-6)


def test_an_mri_file_of_leaning_slices_keeps_their_middles(tmp_path: Path) -> None:
    sheared = LPS.copy()
    sheared[1, 2] = 1.0
    made = simulate_mri(opened(brain((3, 32, 24)), "a.u.", sheared), MriSettings(2))
    assert any("lean by 14.0 degrees" in note for note in made.scan.provenance.done)
    save_kspace(made.scan, tmp_path / "m.h5")
    back = open_scan(tmp_path / "m.h5")
    np.testing.assert_allclose(back.affine @ [12, 16, 1, 1], sheared @ [12, 16, 1, 1], atol=1e-3)


def test_scans_that_ismrmrd_cannot_tell_are_refused(tmp_path: Path) -> None:
    scan = simulate_mri(opened(brain(), "a.u."), MriSettings(2)).scan
    with pytest.raises(ExportError):
        save_kspace(dataclasses.replace(scan, simulated=False), tmp_path / "m.h5")
    with pytest.raises(ExportError):
        save_kspace(scan, tmp_path / "m.nii")
    assert list(tmp_path.iterdir()) == []
