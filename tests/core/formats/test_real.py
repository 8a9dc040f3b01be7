"""Real scans, where they are present: placed, scaled and described as they were measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import io

from core.errors import ScanError
from core.formats import guess_axes, open_scan
from core.formats.describe import describe
from tests.core.formats.phantom import centred_ifft, root_sum_of_squares


def test_gradient_echo_of_a_siemens_scanner(real_data: Path) -> None:
    scan = open_scan(real_data / "kspace" / "gre.dat")
    info = describe(scan)
    assert info.matrix == (160, 160, 1)
    assert info.field_of_view_mm == (200.0, 200.0, 4.0)
    assert info.coils == 2
    assert info.acceleration == 1.0
    assert (info.vendor, info.field_strength_t, info.sequence) == ("Siemens Skyra", 2.894, "gre")
    # The scanner's transverse slice with phase encoding from front to back.
    assert info.orientation == "L A H"
    assert info.noise_std == pytest.approx(1.54e-6, rel=0.1)
    image = root_sum_of_squares(scan.data)[0, 0, 0, 0]
    inside = image > 0.2 * np.percentile(image, 99)
    rows, columns = (np.flatnonzero(inside.mean(axis=a) > 0.1) for a in (1, 0))
    # A round phantom, flat at its foot, that nearly fills the field of view: not wrapped, not shifted, not squashed.
    assert (columns[0], columns[-1]) == (pytest.approx(3, abs=2), pytest.approx(156, abs=2))
    assert (rows[0], rows[-1]) == (pytest.approx(8, abs=2), pytest.approx(147, abs=2))
    assert "xxxx" not in json.dumps(info.to_dict())


def test_echo_planar_scan_is_refused_by_name(real_data: Path) -> None:
    with pytest.raises(ScanError, match=r"echo-planar \(EPI\).*3 navigator lines"):
        open_scan(real_data / "kspace" / "epi.dat")


def test_bart_phantom(real_data: Path) -> None:
    path = real_data / "kspace" / "ksp8.cfl"
    scan = open_scan(path)
    stored = np.fromfile(path, "<c8").reshape(256, 256, 1, 8, order="F")[:, :, 0]
    np.testing.assert_array_equal(scan.data[0, 0, 0, :, 0], stored.transpose(2, 1, 0))
    assert scan.fully_sampled
    assert scan.simulated
    assert scan.noise_std is None


def test_coil_images_of_a_brain(real_data: Path) -> None:
    path = real_data / "kspace" / "img_brain_4ch.mat"
    images = io.loadmat(path)["img"]
    found = guess_axes(path)
    assert (found.variable, found.axes, found.domain, found.sure) == ("img", "y,x,coil", "image", True)
    with pytest.raises(ScanError, match="--domain image"):
        open_scan(path)
    scan = open_scan(path, axes="y,x,coil", domain="image")
    back = centred_ifft(scan.data, (5, 6))[0, 0, 0, :, 0]
    np.testing.assert_allclose(back, images.transpose(2, 0, 1), atol=1e-6 * np.abs(images).max())
    assert describe(scan).acceleration == 1.0


def test_accelerated_shepp_logan(real_data: Path) -> None:
    scan = open_scan(real_data / "kspace" / "ismrmrd_shepp_logan_r4.h5")
    info = describe(scan)
    assert info.axes == {"repetition": 4, "coil": 8, "ky": 192, "kx": 192}
    assert info.acceleration == 4.0
    assert info.with_calibration == pytest.approx(192 / 66)
    assert info.acs_lines == (24, 1)
    assert info.acs_measured_apart
    assert info.simulated
    assert scan.calibration is not None
    # The four shifted patterns make one full k-space.
    together = scan.data.sum(axis=1, keepdims=True)
    assert scan.mask.sum(axis=1).max() == 1
    image = root_sum_of_squares(together)[0, 0, 0, 0]
    rows, columns = (np.flatnonzero((image > 0.3 * image.max()).any(axis=a)) for a in (1, 0))
    # Upright ellipse of the phantom, 0.92 by 0.69 of the field of view, in its middle.
    assert rows[-1] - rows[0] == pytest.approx(0.92 * 192, abs=4)
    assert columns[-1] - columns[0] == pytest.approx(0.69 * 192, abs=4)
    assert abs(rows.mean() - 96) < 3
    assert abs(columns.mean() - 96) < 3
