"""BART, fastMRI and plain arrays: the formats that store whole arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy import io

from core.errors import ScanError
from core.formats import guess_all_axes, guess_axes, open_scan
from core.formats.bart import DIMS
from core.formats.describe import describe
from tests.core.formats.mrd_writer import Header
from tests.core.formats.phantom import blob, centred_fft, coil_images, oversampled_kspace, root_sum_of_squares

pytestmark = pytest.mark.usefixtures("sound_files")

IMAGE = blob((24, 32), (5, 21))
IMAGES = coil_images(IMAGE)
KSPACE = centred_fft(IMAGES, (1, 2))
EXPECTED = np.sqrt(np.square(np.abs(IMAGES)).sum(axis=0))


def image_of(scan) -> np.ndarray:
    return root_sum_of_squares(scan.data)[0, 0, 0, 0]


def write_cfl(folder: Path, array: np.ndarray, command: str = "") -> Path:
    """array: with BART's dimensions, up to sixteen."""
    dims = array.shape + (1,) * (16 - array.ndim)
    text = f"# Dimensions\n{' '.join(map(str, dims))} \n"
    (folder / "scan.hdr").write_text(text + (f"# Command\n{command}\n" if command else ""))
    array.astype("<c8").ravel(order="F").tofile(folder / "scan.cfl")
    return folder / "scan.cfl"


def bart_array(**sizes: int) -> np.ndarray:
    """The object's k-space (READ, PHS1, 1, COIL, ...), with growing strength along the named dimensions."""
    plane = KSPACE.transpose(2, 1, 0)[:, :, None]
    shape = [1] * 16
    for name, size in sizes.items():
        shape[DIMS.index(name)] = size
    strength = np.arange(1, np.prod(shape) + 1).reshape(shape)
    return plane.reshape(plane.shape + (1,) * 12) * strength


class TestBart:
    def test_order_of_the_axes(self, tmp_path: Path) -> None:
        scan = open_scan(write_cfl(tmp_path, bart_array()))
        np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)
        assert scan.fully_sampled
        assert not scan.simulated

    @pytest.mark.parametrize("name", ["scan.cfl", "scan.hdr", "scan"])
    def test_either_file_or_their_stem(self, tmp_path: Path, name: str) -> None:
        write_cfl(tmp_path, bart_array(), "phantom -k -s3 scan")
        scan = open_scan(tmp_path / name)
        assert scan.coils == 3
        assert scan.simulated

    @pytest.mark.parametrize(
        ("name", "axis"),
        [
            ("TE", "contrast"),
            ("CSHIFT", "contrast"),
            ("TIME", "repetition"),
            ("BATCH", "repetition"),
            ("SLICE", "slice"),
        ],
    )
    def test_named_axes(self, tmp_path: Path, name: str, axis: str) -> None:
        scan = open_scan(write_cfl(tmp_path, bart_array(**{name: 3})))
        assert scan.sizes[axis] == 3
        strength = np.abs(scan.data).max(axis=tuple(range(3, 7))).ravel()
        np.testing.assert_allclose(strength / strength[0], [1, 2, 3], rtol=1e-5)

    def test_average_only_over_what_was_measured(self, tmp_path: Path) -> None:
        array = bart_array(AVG=2)
        array[:, ::2, ..., 1, :] = 0
        scan = open_scan(write_cfl(tmp_path, array))
        lines = scan.data[0, 0, 0, 0, 0] / KSPACE[0]
        np.testing.assert_allclose(lines[::2].real, 1, rtol=1e-3)
        np.testing.assert_allclose(lines[1::2].real, 1.5, rtol=1e-3)

    def test_three_dimensions(self, tmp_path: Path) -> None:
        images = coil_images(blob((6, 24, 32), (4, 5, 21)))
        scan = open_scan(write_cfl(tmp_path, centred_fft(images, (1, 2, 3)).transpose(3, 2, 1, 0)))
        expected = np.sqrt(np.square(np.abs(images)).sum(axis=0))
        np.testing.assert_allclose(root_sum_of_squares(scan.data)[0, 0, 0], expected, atol=1e-5)

    def test_pattern_comes_from_the_zeros(self, tmp_path: Path) -> None:
        array = bart_array()
        array[:, np.arange(24) % 4 != 1] = 0
        scan = open_scan(write_cfl(tmp_path, array))
        assert scan.acceleration == 4.0
        assert scan.mask.shape[-1] == 1
        np.testing.assert_array_equal(np.flatnonzero(scan.mask), np.arange(1, 24, 4))

    @pytest.mark.parametrize("scale", [1e-12, 1e14, 1e30])
    def test_any_scale_survives(self, tmp_path: Path, scale: float) -> None:
        scan = open_scan(write_cfl(tmp_path, bart_array() * scale))
        assert np.isfinite(scan.data).all()
        np.testing.assert_allclose(scan.data[0, 0, 0, :, 0] / np.float64(scale), KSPACE, atol=1e-5)

    def test_spokes_are_refused(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        spokes = rng.normal(size=(1, 64, 30, 2)) * np.exp(-np.abs(np.arange(64) - 32))[None, :, None, None]
        with pytest.raises(ScanError, match="non-Cartesian"):
            open_scan(write_cfl(tmp_path, spokes))
        assert open_scan(write_cfl(tmp_path, KSPACE.transpose(1, 2, 0)[None])).matrix == (32, 24, 1)

    @pytest.mark.parametrize("name", ["MAPS", "COEFF", "COEFF2", "ITER", "LEVEL"])
    def test_dimensions_that_no_scan_has(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ScanError, match=name):
            open_scan(write_cfl(tmp_path, bart_array(**{name: 2})))

    @pytest.mark.parametrize("missing", ["scan.hdr", "scan.cfl"])
    def test_missing_companion(self, tmp_path: Path, missing: str) -> None:
        other = "scan.cfl" if missing == "scan.hdr" else "scan.hdr"
        write_cfl(tmp_path, bart_array())
        (tmp_path / missing).unlink()
        with pytest.raises(ScanError, match=f"{missing} is missing"):
            open_scan(tmp_path / other)

    @pytest.mark.parametrize(
        "text",
        ["", "# Dimensions\n", "# Dimensions\n1000000 1000000\n", "# Dimensions\n-24 32\n", "# Dimensions\nx y\n",
         "# Dimensions\n0 32\n", "# Dimensions\n99999999999999999999 2\n", "# Dimensions\n32 25 1 3\n"],
    )  # fmt: skip
    def test_wrong_header(self, tmp_path: Path, text: str) -> None:
        path = write_cfl(tmp_path, bart_array())
        path.with_suffix(".hdr").write_text(text)
        with pytest.raises(ScanError):
            open_scan(path)


def write_fastmri(path: Path, kspace: np.ndarray, header: str | None = None, **more: Any) -> Path:
    with h5py.File(path, "w") as file:
        file["kspace"] = kspace
        if header is not None:
            file["ismrmrd_header"] = header.encode()
        for name, value in more.items():
            if name == "mask":
                file["mask"] = value
            else:
                file.attrs[name] = value
    return path


FASTMRI_HEADER = Header(matrix=(64, 24, 1), recon=(32, 24), field_of_view=(640.0, 240.0, 4.0), recon_width=320.0).xml()


def fastmri_kspace(slices: int = 2) -> np.ndarray:
    """(slice, coil, readout, phase), the readout oversampled twice."""
    full = oversampled_kspace(IMAGES).transpose(0, 2, 1)
    return np.stack([full * (1 + i) for i in range(slices)])


class TestFastMri:
    def test_readout_becomes_kx_and_loses_its_oversampling(self, tmp_path: Path) -> None:
        path = write_fastmri(tmp_path / "a.h5", fastmri_kspace(), FASTMRI_HEADER, acquisition="AXT2", patient_id="p99")
        scan = open_scan(path)
        assert scan.data.shape == (1, 1, 2, 3, 1, 24, 32)
        images = root_sum_of_squares(scan.data)[0, 0, :, 0]
        np.testing.assert_allclose(images, np.stack([EXPECTED, 2 * EXPECTED]), atol=1e-5)
        assert scan.field_of_view_mm == (320.0, 240.0, 4.0)
        assert (scan.contrast, scan.anatomy) == ("T2", "brain")
        assert scan.provenance.identifiers["patient_id"] == "p99"
        assert "p99" not in str(describe(scan).to_dict())

    def test_single_coil(self, tmp_path: Path) -> None:
        scan = open_scan(
            write_fastmri(tmp_path / "a.h5", fastmri_kspace()[:, 0], FASTMRI_HEADER, acquisition="CORPDFS_FBK")
        )
        assert scan.sizes["coil"] == 1
        np.testing.assert_allclose(image_of(scan), np.abs(IMAGES[0]), atol=1e-5)
        assert (scan.contrast, scan.anatomy) == ("PDFS", "knee")

    def test_padding_at_the_side_was_not_measured(self, tmp_path: Path) -> None:
        kspace = fastmri_kspace()
        kspace[..., :3] = 0
        kspace[..., -2:] = 0
        scan = open_scan(write_fastmri(tmp_path / "a.h5", kspace, FASTMRI_HEADER))
        np.testing.assert_array_equal(np.flatnonzero(scan.mask), np.arange(3, 22))

    @pytest.mark.parametrize("zeroed", [True, False])
    def test_mask_of_the_file(self, tmp_path: Path, zeroed: bool) -> None:
        mask = (np.arange(24) % 3 == 0) | (np.abs(np.arange(24) - 12) < 3)
        kspace = fastmri_kspace() * (mask if zeroed else 1)
        scan = open_scan(
            write_fastmri(tmp_path / "a.h5", kspace, FASTMRI_HEADER, mask=mask[None, :].astype(np.float32))
        )
        np.testing.assert_array_equal(scan.mask.ravel(), mask)
        assert describe(scan).acs_lines == (7, 1)

    def test_readout_in_the_last_axis_is_recognized_by_the_header(self, tmp_path: Path) -> None:
        scan = open_scan(write_fastmri(tmp_path / "a.h5", fastmri_kspace().swapaxes(2, 3), FASTMRI_HEADER))
        np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)

    def test_without_a_header_nothing_is_removed(self, tmp_path: Path) -> None:
        scan = open_scan(write_fastmri(tmp_path / "a.h5", fastmri_kspace()))
        assert scan.sizes["kx"] == 64
        assert scan.field_of_view_mm is None
        assert any("ismrmrd_header" in s for s in scan.provenance.not_understood)

    @pytest.mark.parametrize("change", [{"mask": np.ones(7)}, {"header": "<nonsense/>"}, {"header": "<broken"}])
    def test_what_does_not_fit(self, tmp_path: Path, change: dict) -> None:
        arguments = {"header": FASTMRI_HEADER} | change
        with pytest.raises(ScanError):
            open_scan(write_fastmri(tmp_path / "a.h5", fastmri_kspace(), **arguments))


def write_array(folder: Path, kind: str, array: np.ndarray) -> Path:
    path = folder / f"a.{kind[:3]}"
    if kind == "npy":
        np.save(path, array)
    elif kind == "npz":
        np.savez(path, k=array, note=np.array("x"), frequencies=np.arange(3))
    elif kind == "mat5":
        io.savemat(path, {"k": array, "note": "x", "te": 3.0})
    else:
        write_mat73(path, k=array)
    return path


def write_mat73(path: Path, **arrays: np.ndarray) -> None:
    """As MATLAB does: HDF5 behind a block of 512 bytes, axes reversed, complex numbers as pairs."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            stored = array.T
            if np.iscomplexobj(stored):
                pairs = np.empty(stored.shape, dtype=[("real", "<f8"), ("imag", "<f8")])
                pairs["real"], pairs["imag"] = stored.real, stored.imag
                stored = pairs
            file[name] = stored
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


KINDS = ["npy", "npz", "mat5", "mat73"]


class TestArrays:
    @pytest.mark.parametrize("kind", KINDS)
    def test_named_axes(self, tmp_path: Path, kind: str) -> None:
        path = write_array(tmp_path, kind, KSPACE.transpose(2, 0, 1).astype(np.complex128))
        scan = open_scan(path, axes="kx, coil, ky")
        np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)
        assert len(scan.provenance.sha256) == 64

    @pytest.mark.parametrize("kind", KINDS)
    def test_coil_images(self, tmp_path: Path, kind: str) -> None:
        path = write_array(tmp_path, kind, IMAGES.transpose(1, 2, 0).astype(np.complex128))
        scan = open_scan(path, axes="y,x,coil", domain="image")
        np.testing.assert_allclose(scan.data[0, 0, 0, :, 0], KSPACE, atol=1e-5)
        assert scan.fully_sampled
        assert "Coil images transformed to k-space." in scan.provenance.done

    @pytest.mark.parametrize("kind", KINDS)
    def test_guess(self, tmp_path: Path, kind: str) -> None:
        found = guess_axes(write_array(tmp_path, kind, KSPACE))
        assert (found.axes, found.domain, found.sure) == ("coil,ky,kx", "kspace", True)
        assert found.shape == (3, 24, 32)
        assert found.variable == ("" if kind == "npy" else "k")
        assert "coils" in found.why

    def test_sure_guess_is_taken(self, tmp_path: Path) -> None:
        scan = open_scan(write_array(tmp_path, "npy", KSPACE))
        np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)
        assert "Axes taken to be coil,ky,kx." in scan.provenance.done

    def test_images_are_never_taken_for_kspace(self, tmp_path: Path) -> None:
        path = write_array(tmp_path, "npy", IMAGES.transpose(1, 2, 0))
        with pytest.raises(ScanError, match="--axes y,x,coil --domain image"):
            open_scan(path)
        np.testing.assert_allclose(image_of(open_scan(path, domain="image")), EXPECTED, atol=1e-5)

    def test_readout_is_the_axis_without_gaps(self, tmp_path: Path) -> None:
        kspace = KSPACE.swapaxes(1, 2).copy()
        kspace[:, :, 1::2] = 0
        scan = open_scan(write_array(tmp_path, "npy", kspace))
        assert scan.acceleration == 2.0
        assert scan.data.shape[-2:] == (24, 32)

    @pytest.mark.parametrize("shape", [(3, 4, 24, 32), (2, 3, 4, 24, 32), (24,), (4, 5), (24, 32, 28)])
    def test_unsure_guess_is_shown_and_not_taken(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        array = np.random.default_rng(0).normal(size=shape) + 1j
        with pytest.raises(ScanError, match="axes"):
            open_scan(write_array(tmp_path, "npy", array))

    def test_averages_contrasts_and_repetitions(self, tmp_path: Path) -> None:
        array = np.stack([KSPACE * s for s in (1, 3, 10, 30)]).reshape(2, 2, *KSPACE.shape)
        scan = open_scan(write_array(tmp_path, "npy", array), axes="repetition,average,coil,ky,kx")
        strength = np.abs(scan.data).max(axis=(0, 2, 3, 4, 5, 6))
        assert strength[1] / strength[0] == pytest.approx(10, rel=1e-5)
        assert scan.averages == 2

    def test_real_and_imaginary_part_on_an_axis(self, tmp_path: Path) -> None:
        array = np.stack([KSPACE.real, KSPACE.imag], axis=-1)
        scan = open_scan(write_array(tmp_path, "npy", array), axes="coil,ky,kx,complex")
        np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)

    def test_axes_of_length_one_need_no_name(self, tmp_path: Path) -> None:
        scan = open_scan(write_array(tmp_path, "npy", KSPACE[None, :, None]), axes="coil,ky,kx")
        np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)

    def test_a_pattern_within_the_plane(self, tmp_path: Path) -> None:
        mask = np.random.default_rng(0).random((24, 32)) < 0.4
        mask[10:14, 14:18] = True
        scan = open_scan(write_array(tmp_path, "npy", KSPACE * mask), axes="coil,ky,kx")
        np.testing.assert_array_equal(scan.mask[0, 0, 0, 0], mask)
        assert describe(scan).acceleration == pytest.approx(mask.size / mask.sum())

    def test_variable_is_chosen_by_name(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "a.npz", a=KSPACE, b=2 * KSPACE)
        assert [g.variable for g in guess_all_axes(tmp_path / "a.npz")] == ["a", "b"]
        with pytest.raises(ScanError, match=r"a \[3, 24, 32\], b \[3, 24, 32\]"):
            open_scan(tmp_path / "a.npz", axes="coil,ky,kx")
        scan = open_scan(tmp_path / "a.npz", axes="b:coil,ky,kx")
        np.testing.assert_allclose(image_of(scan), 2 * EXPECTED, atol=1e-5)
        assert "Variable b read." in scan.provenance.done
        np.testing.assert_allclose(image_of(open_scan(tmp_path / "a.npz", axes="b:")), 2 * EXPECTED, atol=1e-5)

    @pytest.mark.parametrize(
        ("axes", "domain", "word"),
        [
            ("ky,kx", "kspace", "do not fit"),
            ("coil,ky,ky", "kspace", "twice"),
            ("coil,ky,slice", "kspace", "kx"),
            ("coil,ky,banana", "kspace", "banana"),
            ("coil,y,x", "kspace", "--domain image"),
            ("complex,ky,kx", "kspace", "length 2"),
            ("coil,ky,kx", "frequency", "domain"),
            ("q:coil,ky,kx", "kspace", "no array q"),
            (",,", "kspace", "not the name"),
        ],
    )
    def test_wrong_axes(self, tmp_path: Path, axes: str, domain: str, word: str) -> None:
        path = write_array(tmp_path, "npz", KSPACE)
        with pytest.raises(ScanError, match=word):
            open_scan(path, axes=axes, domain=domain)

    def test_unshifted_kspace_is_refused(self, tmp_path: Path) -> None:
        path = write_array(tmp_path, "npy", np.fft.ifftshift(KSPACE, axes=(1, 2)))
        with pytest.raises(ScanError, match="corner"):
            open_scan(path, axes="coil,ky,kx")

    def test_images_named_as_kspace_are_noticed(self, tmp_path: Path) -> None:
        scan = open_scan(write_array(tmp_path, "npy", IMAGES), axes="coil,ky,kx")
        assert any("does not look like k-space" in s for s in scan.provenance.not_understood)

    def test_axes_for_a_format_that_knows_them_are_noted(self, tmp_path: Path) -> None:
        scan = open_scan(write_fastmri(tmp_path / "a.h5", fastmri_kspace(), FASTMRI_HEADER), axes="coil,ky,kx")
        assert any("axes" in s for s in scan.provenance.not_understood)
