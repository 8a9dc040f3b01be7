"""Siemens twix, VB and VD: flags, counters, oversampling, reference lines, noise scans, refusals."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from core.errors import ScanError
from core.formats import open_scan
from core.formats.describe import describe
from tests.core.formats.phantom import blob, brightest, coil_images, oversampled_kspace, root_sum_of_squares
from tests.core.formats.twix_writer import Measurement, Readout, readouts_of, write_twix

IMAGE = blob((32, 32), (9, 21))
IMAGES = coil_images(IMAGE)
KSPACE = oversampled_kspace(IMAGES)
EXPECTED = np.sqrt(np.square(np.abs(IMAGES)).sum(axis=0))


def image_of(scan) -> np.ndarray:
    return root_sum_of_squares(scan.data)[0, 0, 0, 0]


@pytest.mark.parametrize(("is_vd", "name"), [(True, "VD/VE"), (False, "VB")])
def test_full_scan(tmp_path: Path, is_vd: bool, name: str) -> None:
    scan = open_scan(write_twix(tmp_path / "a.dat", Measurement(readouts_of(KSPACE)), is_vd=is_vd))
    np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)
    assert scan.matrix == (1, 32, 32)
    assert scan.mask.shape == (1, 1, 1, 1, 32, 1)
    assert scan.field_of_view_mm == (320.0, 320.0, 5.0)
    told = scan.provenance
    assert (told.format, told.vendor, told.sequence) == (f"Siemens twix {name}", "Siemens Prisma", "gre")
    assert told.field_strength_t == 2.894
    assert "Readout oversampling removed (64 to 32)." in told.done


def test_opening_does_not_load_a_drawing_toolkit(tmp_path: Path) -> None:
    path = write_twix(tmp_path / "a.dat", Measurement(readouts_of(KSPACE)))
    before = set(sys.modules)
    open_scan(path)
    assert "matplotlib.pyplot" not in set(sys.modules) - before


def test_identity_is_kept_apart(tmp_path: Path) -> None:
    scan = open_scan(write_twix(tmp_path / "a.dat", Measurement(readouts_of(KSPACE))))
    assert scan.provenance.identifiers == {"tPatientName": "Doe^Jane", "PatientID": "4711"}
    info = describe(scan)
    assert "Doe" not in str(info.to_dict()) + str(info.lines()) + repr(scan.provenance)
    assert ("PatientID", "4711") in info.lines(identifiers=True)


@pytest.mark.parametrize("is_vd", [True, False])
def test_reference_lines_and_what_serves_other_purposes(tmp_path: Path, is_vd: bool) -> None:
    readouts = [r for r in readouts_of(KSPACE) if r.counters["Lin"] % 2 == 0]
    for readout in readouts:
        if 10 <= readout.counters["Lin"] < 22:
            readout.flags = ("PATREFANDIMASCAN", "PATREFSCAN")
    readouts += readouts_of(KSPACE, flags=("PATREFSCAN",))[11:22:2]
    for flag in ("RTFEEDBACK", "PHASCOR", "noname60", "RETRO_DUMMYSCAN"):
        readouts.insert(0, Readout(np.full((3, 64), 1e4), (flag,), {"Lin": 16}))
    scan = open_scan(write_twix(tmp_path / "a.dat", Measurement(readouts), is_vd=is_vd))
    assert scan.acceleration == 2.0
    assert scan.calibration is not None
    assert scan.calibration.shape == (1, 3, 1, 12, 32)
    assert np.abs(scan.data).max() < 1e3
    assert len(scan.provenance.not_understood) == 4
    assert "12 calibration lines" in " ".join(scan.provenance.done)
    assert "6 of them are not in the image" in " ".join(scan.provenance.done)


def test_synchronization_packets_are_stepped_over(tmp_path: Path) -> None:
    readouts = readouts_of(KSPACE)
    readouts.insert(5, Readout(np.zeros((3, 64)), ("SYNCDATA",)))
    scan = open_scan(write_twix(tmp_path / "a.dat", Measurement(readouts)))
    np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)


def test_partial_fourier_asymmetric_echo_and_cut_off(tmp_path: Path) -> None:
    spoilt = KSPACE[..., 16:].copy()
    spoilt[..., :4] = 1e5
    readouts = readouts_of(spoilt, fields={"CenterCol": 16, "CutOff.Pre": 4, "CenterLin": 10})[6:]
    for readout in readouts:
        readout.counters["Lin"] -= 6
    scan = open_scan(write_twix(tmp_path / "a.dat", Measurement(readouts)))
    assert scan.matrix == (1, 32, 32)
    assert not scan.mask[..., :6, :].any()
    assert not scan.mask[..., :10].any()
    assert scan.mask[..., 6:, 10:].all()
    assert np.abs(scan.data).max() < 1e3
    assert brightest(image_of(scan)) == brightest(EXPECTED)


def test_reflected_readouts_are_turned_round(tmp_path: Path) -> None:
    readouts = readouts_of(KSPACE)
    for readout in readouts[::2]:
        readout.data, readout.flags = readout.data[:, ::-1], ("REFLECT",)
    scan = open_scan(write_twix(tmp_path / "a.dat", Measurement(readouts)))
    np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)


def test_averages_repetitions_and_echoes(tmp_path: Path) -> None:
    readouts = []
    for average, repetition, echo in np.ndindex(2, 3, 2):
        counters = {"Ave": average, "Rep": repetition, "Eco": echo}
        readouts += readouts_of(KSPACE * (1 + average + 10 * repetition + 100 * echo), counters=counters)
    scan = open_scan(write_twix(tmp_path / "a.dat", Measurement(readouts)))
    assert (scan.sizes["contrast"], scan.sizes["repetition"], scan.averages) == (2, 3, 2)
    strength = np.abs(scan.data).max(axis=(2, 3, 4, 5, 6))
    order = np.array([[1.5 + 10 * r + 100 * c for r in range(3)] for c in range(2)])
    np.testing.assert_allclose(strength / strength[0, 0], order / order[0, 0], rtol=1e-5)


def test_three_dimensions(tmp_path: Path) -> None:
    kspace = oversampled_kspace(coil_images(blob((8, 32, 32), (6, 9, 21))))
    readouts = [r for r in readouts_of(kspace) if r.counters["Par"] >= 2]
    protocol = {"sKSpace.ucDimension": "0x4", "sSliceArray.asSlice[0].dThickness": 40.0}
    scan = open_scan(write_twix(tmp_path / "a.dat", Measurement(readouts, protocol)))
    assert scan.matrix == (8, 32, 32)
    assert not scan.mask[..., :2, :, :].any()
    assert brightest(root_sum_of_squares(scan.data)[0, 0, 0]) == (6, 9, 21)
    assert scan.field_of_view_mm == (320.0, 320.0, 40.0)


def test_phase_oversampling_widens_the_field_of_view(tmp_path: Path) -> None:
    protocol = {"sKSpace.dPhaseOversamplingForDialog": 0.5, "sSliceArray.asSlice[0].dPhaseFOV": 200.0}
    scan = open_scan(write_twix(tmp_path / "a.dat", Measurement(readouts_of(KSPACE), protocol)))
    assert scan.field_of_view_mm == (320.0, 300.0, 5.0)


@pytest.mark.parametrize("apart", [False, True])
def test_noise_scan_of_this_or_an_earlier_measurement_whitens(tmp_path: Path, apart: bool) -> None:
    rng = np.random.default_rng(0)
    mixing = np.array([[1, 0, 0], [0.6 + 0.3j, 0.8, 0], [0.1, -0.5j, 2]])
    # A dwell time of 30 us makes 256 samples of Siemens' noise readout as wide in bandwidth as the image.
    power = 1 / 0.793

    def noise(count: int) -> np.ndarray:
        return mixing @ (rng.normal(size=(3, count)) + 1j * rng.normal(size=(3, count))) * 0.05

    noises = [Readout(noise(256) * np.sqrt(1 / power), ("NOISEADJSCAN",)) for _ in range(16)]
    clean = readouts_of(KSPACE)
    noisy = readouts_of((KSPACE.reshape(3, -1) + noise(32 * 64)).reshape(KSPACE.shape))
    scans = []
    for name, readouts in (("clean", clean), ("noisy", noisy)):
        parts = [Measurement(noises), Measurement(readouts)] if apart else [Measurement(noises + readouts)]
        scans.append(open_scan(write_twix(tmp_path / f"{name}.dat", *parts)))
    assert scans[1].whitened
    left = (scans[1].data - scans[0].data)[0, 0, 0].reshape(3, -1)
    np.testing.assert_allclose(left @ left.conj().T / left.shape[1], np.eye(3), atol=0.15)


def test_noise_of_other_channels_is_not_used(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = Readout(rng.normal(size=(3, 256)), ("NOISEADJSCAN",), channels=(7, 8, 9))
    scan = open_scan(write_twix(tmp_path / "a.dat", Measurement([noise, *readouts_of(KSPACE)])))
    assert not scan.whitened
    assert any("other channels" in s for s in scan.provenance.not_understood)


def test_the_last_measurement_is_read(tmp_path: Path) -> None:
    parts = [Measurement(readouts_of(KSPACE * 7)), Measurement(readouts_of(KSPACE))]
    scan = open_scan(write_twix(tmp_path / "a.dat", *parts))
    np.testing.assert_allclose(image_of(scan), EXPECTED, atol=1e-5)
    assert any("2 measurements" in s for s in scan.provenance.done)


NAVIGATOR = Readout(np.ones((3, 64)), ("PHASCOR",), {"Lin": 16})


@pytest.mark.parametrize(
    ("readouts", "protocol", "system", "word"),
    [
        ([NAVIGATOR, *readouts_of(KSPACE, flags=("REFLECT",))], {}, "", "EPI"),
        (readouts_of(KSPACE), {"sFastImaging.lEPIFactor": 64}, "", "EPI"),
        (readouts_of(KSPACE), {"sKSpace.ucTrajectory": "0x2"}, "", "radial"),
        (readouts_of(KSPACE), {"sKSpace.ucTrajectory": "0x8"}, "", "BLADE"),
        (readouts_of(KSPACE), {"sSliceAcceleration.lMultiBandFactor": 3}, "", "simultaneous"),
        (readouts_of(KSPACE), {}, '<ParamLong."alRegridMode">  { 2 1  }\n', "ramps"),
        (readouts_of(KSPACE), {"sKSpace.lBaseResolution": 0}, "", "matrix"),
        ([NAVIGATOR], {}, "", "no image data"),
        ([], {}, "", "no image data"),
        (
            readouts_of(KSPACE, counters={"Sli": 0}) + readouts_of(KSPACE)[:0],
            {"sKSpace.lPhaseEncodingLines": 3},
            "",
            "do not fit",
        ),
    ],
)
def test_what_cannot_be_reconstructed_is_refused_by_name(tmp_path: Path, readouts, protocol, system, word) -> None:
    with pytest.raises(ScanError, match=word):
        open_scan(write_twix(tmp_path / "a.dat", Measurement(readouts, protocol, system)))


@pytest.mark.parametrize("is_vd", [True, False])
def test_a_measurement_without_an_end_is_cut_off(tmp_path: Path, is_vd: bool) -> None:
    path = write_twix(tmp_path / "a.dat", Measurement(readouts_of(KSPACE), ends=False), is_vd=is_vd)
    with pytest.raises(ScanError, match="cut off"):
        open_scan(path)


@pytest.mark.parametrize("is_vd", [True, False])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.98])
def test_truncated(tmp_path: Path, is_vd: bool, share: float) -> None:
    path = write_twix(tmp_path / "a.dat", Measurement(readouts_of(KSPACE)), is_vd=is_vd)
    stored = path.read_bytes()
    path.write_bytes(stored[: int(len(stored) * share)])
    with pytest.raises(ScanError):
        open_scan(path)
