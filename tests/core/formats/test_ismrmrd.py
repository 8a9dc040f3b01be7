"""ISMRMRD: flags, encoding limits, oversampling, noise, averages, named axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import ScanError
from core.formats import open_scan
from core.formats.describe import describe
from tests.core.formats.mrd_writer import Header, Line, lines_of, write_mrd
from tests.core.formats.phantom import (
    blob,
    brightest,
    coil_images,
    oversampled_kspace,
    root_sum_of_squares,
)

pytestmark = pytest.mark.usefixtures("sound_files")

IMAGE = blob((32, 32), (9, 21))
IMAGES = coil_images(IMAGE)
KSPACE = oversampled_kspace(IMAGES)
EXPECTED = np.sqrt(np.square(np.abs(IMAGES)).sum(axis=0))


def image_of(scan) -> np.ndarray:
    return root_sum_of_squares(scan.data)[0, 0, 0, 0]


def test_full_scan_is_the_object_in_place_and_without_oversampling(tmp_path: Path) -> None:
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines_of(KSPACE)))
    assert scan.data.shape == (1, 1, 1, 3, 1, 32, 32)
    assert scan.mask.shape == (1, 1, 1, 1, 32, 1)
    assert scan.fully_sampled
    assert scan.field_of_view_mm == (320.0, 320.0, 5.0)
    np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)
    assert "Readout oversampling removed (64 to 32)." in scan.provenance.done
    assert scan.provenance.vendor == "Maker Magnet"
    assert scan.provenance.field_strength_t == 2.9


def test_a_simulation_says_so(tmp_path: Path) -> None:
    header = Header(vendor="Simulated scanner")
    assert open_scan(write_mrd(tmp_path / "a.h5", lines_of(KSPACE), header)).simulated
    assert not open_scan(write_mrd(tmp_path / "b.h5", lines_of(KSPACE))).simulated


def test_order_of_the_lines_does_not_matter(tmp_path: Path) -> None:
    lines = lines_of(KSPACE)
    np.random.default_rng(0).shuffle(lines)
    np.testing.assert_allclose(image_of(open_scan(write_mrd(tmp_path / "a.mrd", lines))), EXPECTED, atol=1e-5)


def test_identity_is_kept_apart(tmp_path: Path) -> None:
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines_of(KSPACE)))
    assert scan.provenance.identifiers["patientName"] == "Doe^Jane"
    info = describe(scan)
    for shown in (str(info.to_dict()), str(info.lines()), repr(scan.provenance), repr(info)):
        assert "Doe" not in shown
        assert "4711" not in shown
        assert "Clinic" not in shown
    assert ("patientID", "4711") in info.lines(identifiers=True)
    assert info.to_dict(identifiers=True)["identifiers"]["patientName"] == "Doe^Jane"


def test_partial_fourier_is_placed_by_its_centre(tmp_path: Path) -> None:
    lines = [line for line in lines_of(KSPACE) if line.counters["kspace_encode_step_1"] >= 8]
    for line in lines:
        line.counters["kspace_encode_step_1"] -= 8
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines, Header(centre=(8, 0))))
    assert scan.sizes["ky"] == 32
    assert not scan.mask[..., :8, :].any()
    assert scan.mask[..., 8:, :].all()
    full = open_scan(write_mrd(tmp_path / "b.h5", lines_of(KSPACE)))
    np.testing.assert_allclose(scan.data[..., 8:, :], full.data[..., 8:, :], atol=1e-6)
    assert not scan.data[..., :8, :].any()


def test_lines_beyond_the_header_grow_the_matrix_about_its_centre(tmp_path: Path) -> None:
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines_of(KSPACE), Header(matrix=(64, 24, 1), centre=(16, 0))))
    assert scan.sizes["ky"] == 32
    np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)


def test_recon_matrix_does_not_zero_fill(tmp_path: Path) -> None:
    header = Header(matrix=(64, 32, 1), recon=(64, 64), recon_width=320.0)
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines_of(KSPACE), header))
    assert scan.matrix == (1, 32, 32)


@pytest.mark.parametrize("cut", [16, 10])
def test_asymmetric_echo_is_placed_by_its_centre_sample(tmp_path: Path, cut: int) -> None:
    lines = lines_of(KSPACE[..., cut:], fields={"center_sample": 32 - cut})
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines))
    assert scan.mask.shape == (1, 1, 1, 1, 32, 32)
    assert not scan.mask[..., : cut // 2].any()
    assert scan.mask[..., cut // 2 :].all()
    full = open_scan(write_mrd(tmp_path / "b.h5", lines_of(KSPACE)))
    inner = slice(cut // 2 + 4, None)
    gap = np.abs(scan.data[..., inner] - full.data[..., inner]).max() / np.abs(full.data).max()
    assert gap < 0.05
    assert brightest(image_of(scan)) == brightest(EXPECTED)
    assert scan.acceleration == 1.0


def test_discarded_samples_are_not_measured(tmp_path: Path) -> None:
    spoilt = KSPACE.copy()
    spoilt[..., :12] = 1e6
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines_of(spoilt, fields={"discard_pre": 12})))
    assert not scan.mask[..., :6].any()
    assert scan.mask[..., 6:].all()
    assert np.abs(scan.data).max() < 1e3


@pytest.mark.parametrize("centre", [32, 31])
def test_reversed_lines_are_turned_round(tmp_path: Path, centre: int) -> None:
    lines = lines_of(KSPACE)
    for line in lines[::2]:
        line.data, line.flags, line.fields = line.data[:, ::-1], ("IS_REVERSE",), {"center_sample": centre}
    # A reversed symmetric readout is the plain one shifted by a sample, whichever of its two middles is named.
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines))
    np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)
    assert "Readouts that ran backwards turned round." in scan.provenance.done


def test_reversed_asymmetric_echo(tmp_path: Path) -> None:
    plain = lines_of(KSPACE[..., 20:], fields={"center_sample": 12})
    turned = lines_of(KSPACE[..., :19:-1], fields={"center_sample": 43 - 12}, flags=("IS_REVERSE",))
    first = open_scan(write_mrd(tmp_path / "a.h5", plain))
    second = open_scan(write_mrd(tmp_path / "b.h5", turned))
    np.testing.assert_array_equal(first.data, second.data)
    np.testing.assert_array_equal(first.mask, second.mask)


def test_averages_are_averaged_only_where_measured(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    lines = []
    for average in range(3):
        noisy = KSPACE + (rng.normal(size=KSPACE.shape) + 1j * rng.normal(size=KSPACE.shape)) * 0.01
        part = lines_of(noisy.astype(np.complex64), counters={"average": average})
        lines += part if average < 2 else part[8:24]
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines))
    assert scan.averages == 2
    assert scan.fully_sampled
    np.testing.assert_allclose(image_of(scan), EXPECTED, atol=0.03)
    assert any("2 to 3 times" in sentence for sentence in scan.provenance.not_understood)


def test_repetitions_contrasts_sets_and_phases_become_named_axes(tmp_path: Path) -> None:
    lines = []
    for contrast, phase, repetition in np.ndindex(2, 2, 3):
        counters = {"contrast": contrast, "phase": phase, "repetition": repetition}
        lines += lines_of(KSPACE * (1 + contrast + 10 * repetition + 100 * phase), counters=counters)
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines))
    assert scan.sizes["contrast"] == 2
    assert scan.sizes["repetition"] == 6
    strength = np.abs(scan.data).max(axis=(2, 3, 4, 5, 6))
    order = [[1 + c + 10 * r + 100 * p for r in range(3) for p in range(2)] for c in range(2)]
    np.testing.assert_allclose(strength / strength[0, 0], np.array(order), rtol=1e-5)
    assert any("phases" in s for s in scan.provenance.done)


def test_each_repetition_has_its_own_pattern(tmp_path: Path) -> None:
    lines = []
    for repetition in range(4):
        lines += lines_of(KSPACE, counters={"repetition": repetition})[repetition::4]
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines))
    assert scan.mask.shape == (1, 4, 1, 1, 32, 1)
    assert scan.acceleration == 4.0
    for repetition in range(4):
        np.testing.assert_array_equal(np.flatnonzero(scan.mask[0, repetition]), np.arange(repetition, 32, 4))


def test_calibration_lines_are_told_from_image_lines(tmp_path: Path) -> None:
    lines = lines_of(KSPACE)[::4]
    for line in lines:
        if 10 <= line.counters["kspace_encode_step_1"] < 22:
            line.flags = ("IS_PARALLEL_CALIBRATION_AND_IMAGING",)
    apart = lines_of(KSPACE, flags=("IS_PARALLEL_CALIBRATION",))[10:22]
    apart = [line for line in apart if line.counters["kspace_encode_step_1"] % 4]
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines + apart))
    assert scan.acceleration == 4.0
    assert scan.calibration is not None
    assert scan.calibration.shape == (1, 3, 1, 12, 32)
    full = open_scan(write_mrd(tmp_path / "b.h5", lines_of(KSPACE)))
    np.testing.assert_allclose(scan.calibration[0, :, 0], full.data[0, 0, 0, :, 0, 10:22], atol=1e-6)
    info = describe(scan)
    assert info.acs_lines == (12, 1)
    assert info.acs_measured_apart
    assert info.with_calibration == pytest.approx(32 / 17)


def test_calibration_with_gaps_at_the_centre_is_not_used(tmp_path: Path) -> None:
    apart = lines_of(KSPACE, flags=("IS_PARALLEL_CALIBRATION",))[10:22:2]
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines_of(KSPACE) + apart))
    assert scan.calibration is None
    assert any("calibration" in s for s in scan.provenance.not_understood)


def test_other_lines_are_left_aside_and_named(tmp_path: Path) -> None:
    flags = ["IS_NAVIGATION_DATA", "IS_RTFEEDBACK_DATA", "IS_DUMMYSCAN_DATA", "IS_PHASECORR_DATA"]
    extra = [Line(np.full((3, 64), 1e3), flags=(flag,), counters={"kspace_encode_step_1": 16}) for flag in flags]
    scan = open_scan(write_mrd(tmp_path / "a.h5", extra + lines_of(KSPACE)))
    np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)
    told = " ".join(scan.provenance.not_understood)
    for word in ("navigator", "feedback", "dummy", "phase correction"):
        assert f"1 {word} lines" in told


def test_lines_of_another_size_are_left_aside(tmp_path: Path) -> None:
    scan = open_scan(write_mrd(tmp_path / "a.h5", [Line(np.ones((3, 20))), *lines_of(KSPACE)]))
    assert "1 lines of another size were left aside." in scan.provenance.not_understood


def test_noise_scan_whitens(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    mixing = np.array([[1, 0, 0], [0.6 + 0.3j, 0.8, 0], [0.1, -0.5j, 2]])

    def noise(samples: int) -> np.ndarray:
        white = rng.normal(size=(3, samples)) + 1j * rng.normal(size=(3, samples))
        return mixing @ white * 0.05

    noisy = (KSPACE.reshape(3, -1) + noise(32 * 64)).reshape(KSPACE.shape).astype(np.complex64)
    scans = [Line(noise(2048), flags=("IS_NOISE_MEASUREMENT",), fields={"sample_time_us": 5.0}) for _ in range(4)]
    scan = open_scan(write_mrd(tmp_path / "a.h5", scans + lines_of(noisy)))
    assert scan.whitened
    assert scan.noise_std == pytest.approx(np.sqrt(0.5))
    clean = open_scan(write_mrd(tmp_path / "b.h5", scans + lines_of(KSPACE)))
    left = (scan.data - clean.data)[0, 0, 0].reshape(3, -1)
    covariance = left @ left.conj().T / left.shape[1]
    np.testing.assert_allclose(covariance, np.eye(3), atol=0.12)
    assert any("whitened" in s for s in scan.provenance.done)


def test_noise_scan_of_another_bandwidth_is_scaled(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    samples = rng.normal(size=(3, 4096)) + 1j * rng.normal(size=(3, 4096))
    scan = Line(samples, flags=("IS_NOISE_MEASUREMENT",), fields={"sample_time_us": 5.0})
    slow = open_scan(write_mrd(tmp_path / "a.h5", [scan, *lines_of(KSPACE, fields={"sample_time_us": 20.0})]))
    same = open_scan(write_mrd(tmp_path / "b.h5", [scan, *lines_of(KSPACE, fields={"sample_time_us": 5.0})]))
    np.testing.assert_allclose(slow.data, 2 * same.data, rtol=1e-4)


def test_noise_scan_that_contradicts_the_data_is_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    noise = (rng.normal(size=(3, 64, 128)) + 1j * rng.normal(size=(3, 64, 128))).astype(np.complex64)
    noise[:, 30:34, 62:66] += 1e3
    quiet = Line(0.1 * noise[:, 10], flags=("IS_NOISE_MEASUREMENT",))
    header = Header(matrix=(128, 64, 1), recon=(64, 64), centre=(32, 0))
    scan = open_scan(write_mrd(tmp_path / "a.h5", [quiet, *lines_of(noise)], header))
    assert scan.noise_std == pytest.approx(10 * np.sqrt(0.5), rel=0.2)
    assert any("times what the noise scan tells" in s for s in scan.provenance.not_understood)


def test_whitened_noise_of_averages_is_recorded(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    samples = rng.normal(size=(3, 512)) + 1j * rng.normal(size=(3, 512))
    lines = [Line(samples, flags=("IS_NOISE_MEASUREMENT",))]
    for average in range(2):
        lines += lines_of(KSPACE, counters={"average": average})
    assert open_scan(write_mrd(tmp_path / "a.h5", lines)).noise_std == pytest.approx(0.5)


@pytest.mark.parametrize("noise", [[np.zeros((3, 256))], [np.ones((2, 256)), np.ones((1, 9))], [np.ones((3, 4))]])
def test_useless_noise_scan_is_said(tmp_path: Path, noise: list[np.ndarray]) -> None:
    lines = [*(Line(n, flags=("IS_NOISE_MEASUREMENT",)) for n in noise), *lines_of(KSPACE)]
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines))
    assert not scan.whitened
    assert any("noise scan" in s for s in scan.provenance.not_understood)


def test_noise_keeps_its_level_when_oversampling_is_removed(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    noise = (rng.normal(size=(2, 64, 256)) + 1j * rng.normal(size=(2, 64, 256))) * 0.3
    noise[:, 32, 128] = 100
    header = Header(matrix=(256, 64, 1), recon=(128, 64), centre=(32, 0))
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines_of(noise.astype(np.complex64)), header))
    assert scan.sizes["kx"] == 128
    assert scan.noise_std == pytest.approx(0.3, rel=0.05)
    assert np.median(np.abs(scan.data)) == pytest.approx(0.3 * np.sqrt(2 * np.log(2)), rel=0.03)


def test_three_dimensions(tmp_path: Path) -> None:
    image = blob((8, 16, 16), (6, 3, 11))
    kspace = oversampled_kspace(coil_images(image))
    header = Header((32, 16, 8), (16, 16), (640.0, 320.0, 40.0), 320.0, (8, 4))
    lines = [x for x in lines_of(kspace) if x.counters["kspace_encode_step_2"] >= 2]
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines, header))
    assert scan.matrix == (8, 16, 16)
    assert scan.is_3d
    assert scan.field_of_view_mm == (320.0, 320.0, 40.0)
    assert scan.mask.shape == (1, 1, 1, 8, 16, 1)
    assert not scan.mask[..., :2, :, :].any()
    assert brightest(root_sum_of_squares(scan.data)[0, 0, 0]) == (6, 3, 11)


def test_oversampling_removed_before_is_recognized(tmp_path: Path) -> None:
    removed = open_scan(write_mrd(tmp_path / "b.h5", lines_of(KSPACE))).data[0, 0, 0, :, 0]
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines_of(removed)))
    assert "Readout oversampling had been removed before." in scan.provenance.done
    np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)


def test_centre_that_the_header_leaves_out(tmp_path: Path) -> None:
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines_of(KSPACE), Header(centre=(0, 0))))
    np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)
    assert any("centre of k-space" in s for s in scan.provenance.not_understood)


def test_centre_sample_that_the_file_leaves_out(tmp_path: Path) -> None:
    scan = open_scan(write_mrd(tmp_path / "a.h5", lines_of(KSPACE, fields={"center_sample": 0})))
    np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)
    assert any("which sample" in s for s in scan.provenance.not_understood)


def test_last_measurement_of_several_is_read(tmp_path: Path) -> None:
    path = write_mrd(tmp_path / "a.h5", lines_of(KSPACE * 3), group="dataset")
    for number in (2, 10):
        write_mrd(path, lines_of(KSPACE * number), group=f"dataset_{number}")
    scan = open_scan(path)
    np.testing.assert_allclose(image_of(scan), 10 * EXPECTED, atol=1e-4)
    assert any("3 measurements" in s for s in scan.provenance.done)


@pytest.mark.parametrize(
    ("header", "flags", "word"),
    [
        (Header(trajectory="radial"), (), "radial"),
        (Header(trajectory="spiral"), (), "spiral"),
        (Header(trajectory="epi"), (), "EPI"),
        (Header(), ("IS_REVERSE",), "EPI"),
        (
            Header(
                extra="<parallelImaging><multiband><multiband_factor>2</multiband_factor></multiband></parallelImaging>"
            ),
            (),
            "simultaneous",
        ),
    ],
)
def test_what_cannot_be_reconstructed_is_refused_by_name(tmp_path: Path, header, flags, word) -> None:
    navigator = Line(np.ones((3, 64)), flags=("IS_PHASECORR_DATA",))
    with pytest.raises(ScanError, match=word):
        open_scan(write_mrd(tmp_path / "a.h5", [navigator, *lines_of(KSPACE, flags=flags)], header))


def test_several_encodings_of_the_image_are_refused(tmp_path: Path) -> None:
    lines = lines_of(KSPACE) + lines_of(KSPACE, fields={"encoding_space_ref": 1})
    with pytest.raises(ScanError, match="several encodings"):
        open_scan(write_mrd(tmp_path / "a.h5", lines, Header(encodings=2)))


def test_several_slabs_are_refused(tmp_path: Path) -> None:
    kspace = oversampled_kspace(coil_images(blob((8, 16, 16), (6, 3, 11))))
    header = Header((32, 16, 8), (16, 16), (640.0, 320.0, 40.0), 320.0, (8, 4))
    lines = lines_of(kspace) + lines_of(kspace, counters={"slice": 1})
    with pytest.raises(ScanError, match="slabs"):
        open_scan(write_mrd(tmp_path / "a.h5", lines, header))
