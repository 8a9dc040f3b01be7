"""Reading volumes, holding slices out, and cutting crops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from core.errors import ScanError
from core.priors.brain import brain_share
from core.priors.contrast import random_curves
from core.priors.dataset import CropOptions, CropSampler, PreparedVolume, mirrored, prepare, split
from core.priors.phantoms import TISSUES, head
from core.priors.volumes import read_volume

FloatArray = npt.NDArray[np.float32]
SPACING = (1.0, 1.0, 1.0)


def ramp(n: int = 60) -> FloatArray:
    """A volume whose intensity tells where along every axis a voxel lies: 0.5 in the training part, 1 beyond."""
    array = np.full((n, n, n), 0.5, np.float32)
    for axis in range(3):
        np.moveaxis(array, axis, 0)[round(n * 0.9) :] = 1.0
    return array


def plain(volumes: list[PreparedVolume], seed: int = 0, **changes: object) -> CropSampler:
    options = CropOptions(size=24, pixel_mm=(0.9, 1.1), **changes)  # type: ignore[arg-type]
    return CropSampler(volumes, [1.0] * len(volumes), options, np.random.default_rng(seed))


def test_no_held_out_voxel_is_in_the_training_part() -> None:
    training, held_out = split(ramp(), None, SPACING, "ramp")
    half = training.levels[0].codes[0, 0, 0]
    for level in training.levels:
        assert (level.codes == half).all()
    assert [v.axes for v in held_out] == [(0,), (1,), (2,)]
    for volume, axis in zip(held_out, range(3), strict=True):
        codes = volume.levels[0].codes
        assert (codes > half).all()
        assert codes.shape[axis] == 6


def test_thick_slices_are_cut_as_they_were_made_and_few_are_all_used() -> None:
    training, held_out = split(
        np.random.default_rng(0).random((20, 64, 64), np.float32), None, (6.0, 0.9, 0.9), "stack"
    )
    assert training.axes == (0,)
    assert training.levels[0].codes.shape == (18, 64, 64)
    assert training.levels[-1].codes.shape[0] == 18
    assert [v.axes for v in held_out] == [(0,)]
    alone, none = split(np.ones((1, 64, 64), np.float32), None, (6.0, 0.9, 0.9), "slice")
    assert alone.levels[0].codes.shape == (1, 64, 64)
    assert none == ()


@pytest.mark.parametrize("channels", [1, 2])
def test_crops_are_finite_scaled_and_repeatable(channels: int) -> None:
    volume = prepare(head(3, (14, 64, 64), "t1", spacing_mm=(3, 3, 3)).image, None, (3.0, 3.0, 3.0), "head")
    batch = plain([volume], channels=channels).batch(12)
    assert batch.shape == (12, channels, 24, 24)
    assert batch.dtype == torch.float32
    assert torch.isfinite(batch).all()
    size = torch.linalg.vector_norm(batch, dim=1)
    assert 0.5 < size.quantile(0.99) < 1.6
    assert torch.equal(batch, plain([volume], channels=channels).batch(12))
    assert not torch.equal(batch, plain([volume], seed=1, channels=channels).batch(12))


def test_crops_of_an_even_volume_are_even_but_for_bias() -> None:
    """Sampling, turning and mirroring invent no edges."""
    volume = prepare(np.full((50, 50, 50), 0.6, np.float32), None, SPACING, "even")
    batch = plain([volume], channels=1).batch(8)
    assert (batch.amax((1, 2, 3)) / batch.amin((1, 2, 3))).max() < 4
    assert torch.diff(batch, dim=-1).abs().max() < 0.25


def test_phase_is_smooth_and_random() -> None:
    volume = prepare(np.full((50, 50, 50), 0.6, np.float32), None, SPACING, "even")
    batch = plain([volume]).batch(16)
    image = torch.complex(batch[:, 0], batch[:, 1])
    turns = (image[..., 1:] * image[..., :-1].conj()).angle().abs()
    assert turns.median() < 0.3
    assert image.mean((1, 2)).angle().std() > 0.5


def test_weights_choose_the_sources() -> None:
    dim = prepare(np.full((50, 50, 50), 0.3, np.float32), None, SPACING, "dim")
    striped = np.tile(np.array([0.3, 0.9], np.float32), 25)[None, None] * np.ones((50, 50, 1), np.float32)
    bright = prepare(striped, None, SPACING, "striped")
    options = CropOptions(size=24, pixel_mm=(0.9, 1.1), thickness_mm=(1.0, 1.0), channels=1)
    sampler = CropSampler([dim, bright], [1.0, 0.0], options, np.random.default_rng(0))
    assert torch.diff(sampler.batch(20), dim=-1).abs().max() < 0.25


def test_contrast_curves_rank_tissues() -> None:
    rng = np.random.default_rng(0)
    codes = {name: round(value / 1.25 * 255) for name, value in (("csf", 0.1), ("grey", 0.47), ("white", 0.75))}
    bright_fluid = 0
    for _ in range(200):
        curves = random_curves(rng, True)
        assert curves.inside is not None
        for curve in (curves.outside, curves.inside):
            assert curve.shape == (256,)
            assert np.isfinite(curve).all()
            assert curve.min() >= 0
        assert (np.diff(curves.outside) >= 0).all()
        bright_fluid += bool(curves.inside[codes["csf"]] > curves.inside[codes["grey"]] > curves.inside[codes["white"]])
    assert 90 < bright_fluid < 150
    assert random_curves(rng, False).inside is None


def test_mirrored_indices() -> None:
    assert mirrored(np.arange(-3, 8), 5).tolist() == [3, 2, 1, 0, 1, 2, 3, 4, 3, 2, 1]
    assert mirrored(np.arange(-2, 3), 1).tolist() == [0, 0, 0, 0, 0]


def test_brain_is_found_in_a_head() -> None:
    made = head(7, (20, 140, 120), "t1", spacing_mm=(1.5, 1.5, 1.5), centre_mm=(0, 0, 20), jitter=0.03)
    found = brain_share(made.image, made.spacing_mm) > 0.5
    brain = np.isin(made.labels, [TISSUES.index(t) for t in ("grey", "white", "deep grey")])
    assert found[brain].mean() > 0.95
    assert found[np.isin(made.labels, [TISSUES.index(t) for t in ("skin", "fat", "bone")])].mean() < 0.05


def test_volumes_are_read_alike_from_every_format(tmp_path: Path) -> None:
    import nibabel
    import nrrd

    array = np.random.default_rng(0).random((4, 5, 6)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(array.T, np.diag([0.5, 0.6, 2.0, 1])), tmp_path / "a.nii.gz")
    nrrd.write(str(tmp_path / "a.nrrd"), array.T, {"space directions": np.diag([0.5, 0.6, 2.0]), "space": "LPS"})
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", array)
    for name in ("a.nii.gz", "a.nrrd", "a.npy", "a.npz"):
        volume = read_volume(tmp_path / name)
        np.testing.assert_array_equal(volume.array, array, err_msg=name)
        if name.startswith("a.n") and not name.startswith("a.np"):
            assert volume.spacing_mm == pytest.approx((2.0, 0.6, 0.5))


def test_dicom_slices_are_put_in_order(real_data: Path) -> None:
    volume = read_volume(real_data / "volumes" / "t1_head_dicom")
    assert len(volume.array) == 48
    steps = np.abs(np.diff(volume.array, axis=0)).mean()
    shuffled = np.abs(volume.array[::2][:-1] - volume.array[1::2][1:]).mean()
    assert steps < shuffled


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("absent.npy", None),
        ("notes.txt", b"words"),
        ("broken.nii.gz", b"\x1f\x8bgarbage"),
        ("broken.nrrd", b"NRRD0004\ntype: float\n"),
        ("broken.npy", b"\x93NUMPY\x01"),
        ("broken.dcm", b"no dicom"),
    ],
)
def test_what_is_no_volume_is_refused_in_words(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ScanError) as refused:
        read_volume(tmp_path / name)
    assert refused.value.what


@pytest.mark.parametrize("array", [np.full((3, 8, 8), np.nan), np.zeros((3, 8, 8)), np.ones(5), np.zeros((0, 4, 4))])
def test_arrays_without_an_image_are_refused(tmp_path: Path, array: FloatArray) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ScanError):
        read_volume(tmp_path / "a.npy")


def test_pickled_arrays_are_not_executed(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ScanError):
        read_volume(tmp_path / "a.npy")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="no DICOM"):
        read_volume(tmp_path)


def test_a_single_slice_is_not_cut_across() -> None:
    alone, none = split(np.ones((1, 64, 64), np.float32), None, (1.2, 0.9, 0.9), "slice")
    assert alone.axes == (0,)
    assert none == ()
    assert alone.levels[0].codes.shape == (1, 64, 64)


def bart_file(folder: Path, coils: int) -> tuple[Path, npt.NDArray[np.complex64]]:
    """A fully sampled scan of a smooth image seen by coils of known sensitivity; and that image."""
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    grain = np.random.default_rng(0).standard_normal((2, 32, 32))
    image = (np.exp(-3 * (x**2 + 2 * y**2)) * np.exp(1j * x) + 0.01 * (grain[0] + 1j * grain[1])).astype(np.complex64)
    seen = np.stack([image * np.complex64(np.exp(1j * c)) for c in range(coils)])
    axes = (-2, -1)
    data = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(seen, axes=axes), norm="ortho"), axes=axes)
    (folder / "scan.hdr").write_text(f"# Dimensions\n32 32 1 {coils} 1 1 1 1 1 1 1 1 1 1 1 1\n")
    np.ascontiguousarray(data.reshape(coils, 1, 32, 32)).astype(np.complex64).tofile(folder / "scan.cfl")
    return folder / "scan.cfl", image


@pytest.mark.parametrize("coils", [1, 4])
def test_a_fully_sampled_raw_scan_can_be_learned_from(tmp_path: Path, coils: int) -> None:
    path, image = bart_file(tmp_path, coils)
    volume = read_volume(path)
    assert volume.array.shape == (1, 32, 32)
    np.testing.assert_allclose(np.abs(volume.array[0]), np.abs(image) * np.sqrt(coils), atol=1e-4)
    assert np.iscomplexobj(volume.array) == (coils == 1)


def test_an_undersampled_raw_scan_is_refused(tmp_path: Path) -> None:
    path, _ = bart_file(tmp_path, 2)
    data = np.fromfile(path, np.complex64).reshape(2, 1, 32, 32)
    data[:, :, ::2] = 0
    data.tofile(path)
    with pytest.raises(ScanError, match="undersampled"):
        read_volume(path)
