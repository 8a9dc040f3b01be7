"""Plain arrays of CT projections."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import io

from core.errors import ScanError
from core.formats import guess_axes, open_scan
from core.geometry import FanBeam, evenly_spread
from core.projections import Projections
from core.scan import KSpace
from tests.core.formats.projections_writer import integrals, opens_or_tells, parallel

BEAM = parallel(40, 96)
DATA = integrals(BEAM, rows=3).astype(np.float32)


@pytest.mark.parametrize(
    ("axes", "order"),
    [
        ("row,view,column", (0, 1, 2)),
        ("view,row,column", (1, 0, 2)),
        ("column, angle, slice", (2, 1, 0)),
        ("Slice,Detector,Views", (0, 2, 1)),
    ],
)
def test_any_order_of_named_axes(tmp_path: Path, axes: str, order: tuple[int, ...]) -> None:
    np.save(tmp_path / "a.npy", DATA.transpose(order))
    scan = open_scan(tmp_path / "a.npy", axes=axes)
    assert isinstance(scan, Projections)
    np.testing.assert_array_equal(scan.data, DATA)
    np.testing.assert_allclose(scan.geometry.angles, BEAM.angles)
    assert scan.geometry.offset_mm == pytest.approx(0, abs=1e-12)
    assert any("spread evenly over half a turn" in s for s in scan.provenance.not_understood)
    assert any("1 mm was assumed" in s for s in scan.provenance.not_understood)


def test_a_single_sinogram(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", DATA[0])
    scan = open_scan(tmp_path / "a.npy", axes="view,column")
    assert scan.grid.shape == (1, 96, 96)
    np.save(tmp_path / "b.npy", DATA[:1])
    np.testing.assert_array_equal(open_scan(tmp_path / "b.npy", axes="view,column").data, scan.data)


@pytest.mark.parametrize("kind", ["npz", "mat"])
@pytest.mark.parametrize(("name", "unit"), [("angles", 1.0), ("theta", 180 / np.pi), ("ProjectionAngles", 1.0)])
def test_angles_of_the_file(tmp_path: Path, kind: str, name: str, unit: float) -> None:
    angles = np.linspace(0.1, 3.0, 40)
    held = {"sinogram": DATA[0], name: angles * unit, "pixel_mm": 0.5}
    path = tmp_path / f"a.{kind}"
    np.savez(path, **held) if kind == "npz" else io.savemat(path, held)
    scan = open_scan(path)
    sign = -1 if name == "ProjectionAngles" else 1
    np.testing.assert_allclose(scan.geometry.angles, sign * angles)
    assert scan.geometry.pitch_mm == 0.5
    assert any("ASTRA" in s for s in scan.provenance.done) == (sign < 0)
    told = [s for s in scan.provenance.not_understood if "does not say the unit" in s]
    assert len(told) == (name != "ProjectionAngles")
    if told:
        assert ("degrees" if unit > 1 else "radians") + " were assumed" in told[0]
    guess = guess_axes(path)
    assert (guess.axes, guess.sure, guess.variable) == ("view,column", True, "sinogram")


def test_distances_make_a_fan(tmp_path: Path) -> None:
    fan = FanBeam(evenly_spread(50, 2 * np.pi), 64, 1.0, 120.0, 60.0, 1.5)
    held = {"angles": fan.angles, "source_mm": 120.0, "detector_mm": 60.0, "pixel_mm": 1.0, "centre": 30.0}
    np.savez(tmp_path / "a.npz", sinogram=integrals(fan)[0], **held)
    scan = open_scan(tmp_path / "a.npz")
    assert isinstance(scan.geometry, FanBeam)
    np.testing.assert_allclose(scan.geometry.bins_mm, fan.bins_mm)


def test_fan_data_read_as_parallel_are_told(tmp_path: Path) -> None:
    fan = FanBeam(evenly_spread(120, 2 * np.pi), 96, 1.2, 45, 45)
    seen = integrals(fan, ellipsoids=[((10.0, 4.0, 0), (9.0, 5.0, 50), 0.04), ((-5.0, -9.0, 0), (3.0, 3.0, 50), 0.04)])
    np.savez(tmp_path / "a.npz", sinogram=seen[0], angles=fan.angles)
    assert any("do not mirror" in s for s in open_scan(tmp_path / "a.npz").provenance.not_understood)
    np.savez(tmp_path / "b.npz", sinogram=DATA[0], angles=BEAM.angles)
    assert not any("do not mirror" in s for s in open_scan(tmp_path / "b.npz").provenance.not_understood)


def test_complex_arrays_with_angles_stay_mri(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ky, kx = np.mgrid[-20:20, -16:16]
    kspace = np.exp(-(ky**2 + kx**2) / 20) * (1 + 0.1j * rng.normal(size=ky.shape))
    np.savez(tmp_path / "a.npz", kspace=kspace, angles=np.arange(40.0))
    assert isinstance(open_scan(tmp_path / "a.npz", axes="kspace:ky,kx"), KSpace)
    assert "view" not in guess_axes(tmp_path / "a.npz").axes


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ("view,row", "No axis is named column"),
        ("view,kx", "no axis kx"),
        ("view,coil,column", "no axis coil"),
        ("view,view,column", "named twice"),
        ("view,angle,column", "named twice"),
        ("view,column", "do not fit the array"),
        ("row,column,ky", "row is one of CT projections"),
    ],
)
def test_names_that_do_not_fit(tmp_path: Path, axes: str, words: str) -> None:
    np.save(tmp_path / "a.npy", DATA)
    if axes.count(",") == 1 and "fit" not in words:
        np.save(tmp_path / "a.npy", DATA[0])
    with pytest.raises(ScanError, match=words):
        open_scan(tmp_path / "a.npy", axes=axes)


def test_arrays_that_cannot_be_used(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", DATA[0] * 1j)
    with pytest.raises(ScanError, match="Projections are real"):
        open_scan(tmp_path / "a.npy", axes="view,column")
    np.savez(tmp_path / "b.npz", s=DATA[0], angles=np.arange(30.0))
    with pytest.raises(ScanError, match="30 angles and 40 projections"):
        open_scan(tmp_path / "b.npz", axes="s:view,column")
    np.savez(tmp_path / "c.npz", s=DATA[0], angles=BEAM.angles, centre=200.0)
    with pytest.raises(ScanError, match="outside the detector"):
        open_scan(tmp_path / "c.npz")
    np.savez(tmp_path / "d.npz", s=DATA[0], angles=BEAM.angles, pixel_mm=[1.0, 2.0])
    with pytest.raises(ScanError, match="pixel_mm is no number"):
        open_scan(tmp_path / "d.npz")
    np.save(tmp_path / "e.npy", DATA[:, :0])
    with pytest.raises(ScanError, match="no stack"):
        open_scan(tmp_path / "e.npy", axes="row,view,column")
    with (tmp_path / "f.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)})
        file.truncate(10**6)
    with pytest.raises(ScanError, match="cut off"):
        open_scan(tmp_path / "f.npy", axes="view,column")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.lists(st.integers(0, 12), min_size=0, max_size=4).map(tuple),
    axes=st.sampled_from(["", "view,column", "row,view,column", "column,view", "view,row,column", "a:view,column"]),
    angles=st.integers(0, 12),
    scale=st.sampled_from([0.0, 1.0, -1.0, 1e30, np.inf]),
)
def test_any_shape(
    tmp_path_factory: pytest.TempPathFactory, shape: tuple[int, ...], axes: str, angles: int, scale: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "shapes.npz"
    array = np.random.default_rng(0).uniform(0.5, 1, shape) * scale
    np.savez(path, a=array, **({"angles": np.linspace(0, 3, angles)} if angles else {}))
    assert opens_or_tells(path, axes=axes) or isinstance(open_scan(path, axes=axes), KSpace)


def test_guessing_needs_an_axis_as_long_as_the_angles(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", s=DATA, angles=BEAM.angles)
    assert guess_axes(tmp_path / "a.npz").axes == "row,view,column"
    np.savez(tmp_path / "b.npz", s=np.ones((40, 40)), angles=BEAM.angles)
    assert guess_axes(tmp_path / "b.npz").axes == "view,column"
    assert not guess_axes(tmp_path / "b.npz").sure


def test_a_header_that_announces_gigabytes_is_not_read(tmp_path: Path) -> None:
    """Zeros pack a thousandfold: a small archive can hold a header of 4 GiB."""
    start = b"\x93NUMPY\x02\x00" + (2**32 - 1).to_bytes(4, "little")
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", start + b" " * 2**20)
    with pytest.raises(ScanError, match="header is damaged"):
        open_scan(tmp_path / "a.npz", axes="view,column")
