"""Files of the Helsinki Tomography Challenge 2022."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import io
from scipy.optimize import least_squares

from core.errors import ScanError
from core.formats import open_scan
from core.geometry import FanBeam
from tests.core.formats.projections_writer import integrals, opens_or_tells

SINOGRAM = np.random.default_rng(0).uniform(0, 1, (11, 40))
PARAMETERS: dict[str, Any] = {
    "projectName": "made up",
    "distanceSourceOrigin": 400.0,
    "distanceSourceDetector": 500.0,
    "pixelSizePost": 0.8,
    "effectivePixelSizePost": 0.64,
    "numDetectorsPost": 40.0,
    "angles": np.arange(20.0, 25.5, 0.5),
}


def write_htc(path: Path, sinogram: np.ndarray = SINOGRAM, struct: str = "CtDataLimited", **changes: Any) -> Path:
    """A MATLAB file, of version 7.3 where it is called .h5.mat. changes: of the parameters; None leaves one out."""
    parameters = {k: v for k, v in (PARAMETERS | changes).items() if v is not None}
    if path.name.endswith(".h5.mat"):
        with h5py.File(path, "w") as file:
            file[f"{struct}/sinogram"] = sinogram.T
            for name, value in parameters.items():
                stored = np.frombuffer(value.encode(), np.uint8) if isinstance(value, str) else value
                file[f"{struct}/parameters/{name}"] = np.atleast_2d(stored).T
        return path
    io.savemat(path, {struct: {"type": "2d", "sinogram": sinogram, "parameters": parameters}})
    return path


@pytest.mark.usefixtures("sound_files")
@pytest.mark.parametrize("name", ["a.mat", "a.h5.mat"])
@pytest.mark.parametrize("struct", ["CtDataLimited", "CtDataFull"])
def test_the_scan_is_read(tmp_path: Path, name: str, struct: str) -> None:
    scan = open_scan(write_htc(tmp_path / name, struct=struct))
    geometry = scan.geometry
    assert isinstance(geometry, FanBeam)
    np.testing.assert_allclose(scan.data[0], SINOGRAM[:, ::-1], rtol=1e-6)
    assert (geometry.source_mm, geometry.detector_mm, geometry.pitch_mm) == (400.0, 100.0, 0.8)
    assert geometry.offset_mm == 0
    np.testing.assert_allclose(np.degrees(np.pi - geometry.angles), PARAMETERS["angles"])
    assert scan.grid.shape == (1, 512, 512)
    assert scan.grid.spacing_mm == pytest.approx((0.64, 0.64, 0.64))


def test_images_come_out_as_the_challenge_shows_them(tmp_path: Path) -> None:
    """A spot on the right and above the middle, projected as ASTRA defines it with y up, is where it belongs.

    ASTRA's "fanflat": source at (sin, -cos) of the angle, detector along (cos, sin).
    """
    angles = np.radians(np.arange(0, 360, 5.0))
    x, up = 8.0, 4.0
    across = x * np.cos(angles) + up * np.sin(angles)
    along = 400 - x * np.sin(angles) + up * np.cos(angles)
    bins = (np.arange(40) - 19.5) * 0.8
    spot = np.exp(-(((bins[None] - (across / along * 500)[:, None]) / 1.5) ** 2))
    scan = open_scan(write_htc(tmp_path / "a.mat", spot, angles=np.degrees(angles)))
    ours = integrals(scan.geometry, ellipsoids=[((x, -up, 0.0), (1.5, 1.5, 50.0), 1.0)])[0]
    places = np.arange(40)
    seen, expected = ((s * places).sum(axis=1) / s.sum(axis=1) for s in (scan.data[0], ours))
    np.testing.assert_allclose(seen, expected, atol=0.15)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"angles": None}, "angles is missing"),
        ({"distanceSourceOrigin": None}, "distanceSourceOrigin is missing"),
        ({"angles": np.arange(10.0)}, "do not match the projections"),
        ({"numDetectorsPost": 39.0}, "does not match its detector"),
        ({"pixelSizePost": "wide"}, "pixelSizePost is no number"),
        ({"distanceSourceOrigin": -4.0}, "makes no sense"),
        ({"distanceSourceDetector": 100.0}, "makes no sense"),
        ({"sinogram": np.full((11, 40), np.nan)}, "NaN"),
        ({"sinogram": np.zeros((11, 40))}, "no signal"),
        ({"sinogram": np.zeros((0, 40))}, "no array of views"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ScanError, match=words):
        open_scan(write_htc(tmp_path / "a.mat", **changes))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = write_htc(tmp_path_factory.mktemp("htc") / "a.mat", SINOGRAM[:3, :5], angles=np.arange(3.0))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    path.write_bytes(content)
    assert opens_or_tells(path)


@pytest.mark.parametrize("name", ["ta", "tc"])
def test_real_discs(real_data: Path, name: str) -> None:
    """The acrylic discs of 70 mm are round and of one size, seen with the angles turning as they are read."""
    scan = open_scan(real_data / "projections" / f"{name}_category7.mat")
    geometry = scan.geometry
    assert scan.data.shape == (1, 61, 560)
    assert np.degrees(np.ptp(geometry.angles)) == pytest.approx(30)
    assert scan.grid.spacing_mm[0] == pytest.approx(0.1483223)
    edges = np.array([[edge(view), 559 - edge(view[::-1])] for view in scan.data[0]])
    places = (edges - 279.5) * geometry.pitch_mm

    def misfit(disc: np.ndarray) -> np.ndarray:
        x, y, radius = disc
        across = x * np.cos(geometry.angles) + y * np.sin(geometry.angles)
        along = geometry.source_mm - x * np.sin(geometry.angles) + y * np.cos(geometry.angles)
        middle, half = np.arctan2(across, along), np.arcsin(radius / np.hypot(across, along))
        shadow = np.stack((np.tan(middle - half), np.tan(middle + half)), axis=1)
        return ((geometry.source_mm + geometry.detector_mm) * shadow - places).ravel()

    found = least_squares(misfit, (0, 0, 35))
    assert found.x[2] == pytest.approx(35, abs=0.1)
    assert np.sqrt(np.mean(found.fun**2)) < 0.13 * geometry.pitch_mm


def edge(view: np.ndarray) -> float:
    """Where a disc's shadow begins: its square falls to 0 along a line there."""
    first = int(np.argmax(view > 0.25))
    near = np.arange(first, first + 12)
    slope, start = np.polyfit(near, view[near].astype(np.float64) ** 2, 1)
    return float(-start / slope)
