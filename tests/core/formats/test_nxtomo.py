"""NXtomo files."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ScanError
from core.formats import open_scan
from core.projections import Projections
from tests.core.formats.projections_writer import integrals, opens_or_tells, parallel, write_nxtomo

BEAM = parallel(60, 96, offset_mm=-1.5)
DATA = integrals(BEAM, rows=2)
DEGREES = np.degrees(BEAM.angles)

sound = pytest.mark.usefixtures("sound_files")


@sound
def test_the_scan_is_read(tmp_path: Path) -> None:
    scan = open_scan(write_nxtomo(tmp_path / "a.nx", DATA, DEGREES))
    assert isinstance(scan, Projections)
    np.testing.assert_allclose(scan.data, DATA, atol=0.01)
    np.testing.assert_allclose(scan.geometry.angles, BEAM.angles, atol=1e-12)
    assert scan.geometry.pitch_mm == pytest.approx(0.5)
    assert scan.geometry.offset_mm == pytest.approx(-1.5, abs=0.1)
    assert scan.provenance.format == "NXtomo"
    assert scan.provenance.not_understood == ()


@sound
def test_invalid_pictures_are_left_aside(tmp_path: Path) -> None:
    keys = np.repeat([1, 2, 0], [2, 2, 60])
    keys[[10, 11]] = 3
    scan = open_scan(write_nxtomo(tmp_path / "a.nx", DATA, DEGREES, image_key=keys))
    assert scan.views == 58
    np.testing.assert_allclose(scan.data, np.delete(DATA, [6, 7], axis=1), atol=0.01)
    assert any("2 pictures are called invalid" in s for s in scan.provenance.not_understood)


@sound
def test_angles_of_the_views_alone(tmp_path: Path) -> None:
    scan = open_scan(write_nxtomo(tmp_path / "a.nx", DATA, DEGREES, rotation_angle=DEGREES))
    np.testing.assert_allclose(scan.geometry.angles, BEAM.angles, atol=1e-12)


@sound
@pytest.mark.parametrize("name", ["instrument/detector/image_key", "sample/rotation_angle"])
def test_a_huge_array_beside_the_projections_is_not_read(tmp_path: Path, name: str) -> None:
    path = write_nxtomo(tmp_path / "a.nx", DATA, DEGREES)
    with h5py.File(path, "a") as file:
        del file["entry0000"][name]
        file["entry0000"].create_dataset(name, (2**33,), "u1", chunks=(2**20,), compression="gzip")
    with pytest.raises(ScanError, match=r"does not match the projections.*8589934592"):
        open_scan(path)


@sound
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"rotation_angle": None}, "angles of the projections are missing"),
        ({"rotation_angle": DEGREES[:7]}, "do not match the projections"),
        ({"image_key": np.zeros(3, int)}, "image_key does not match"),
        ({"image_key": np.ones(64, int)}, "holds no projections"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, fields: dict[str, np.ndarray | None], words: str) -> None:
    with pytest.raises(ScanError, match=words):
        open_scan(write_nxtomo(tmp_path / "a.nx", DATA, DEGREES, **fields))


@sound
def test_no_data_and_too_much(tmp_path: Path) -> None:
    path = write_nxtomo(tmp_path / "a.nx", DATA, DEGREES)
    with h5py.File(path, "r+") as file:
        del file["entry0000/instrument/detector/data"]
    with pytest.raises(ScanError, match="holds no projections"):
        open_scan(path)
    with h5py.File(path, "r+") as file:
        file.create_dataset("entry0000/instrument/detector/data", (4, 10**6, 10**6), "u2", chunks=(1, 64, 64))
    with pytest.raises(ScanError, match="does not fit into memory"):
        open_scan(path)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    beam = parallel(10, 24)
    return write_nxtomo(tmp_path_factory.mktemp("nx") / "a.nx", integrals(beam), np.degrees(beam.angles))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage(stored: Path, data: st.DataObject) -> None:
    content = bytearray(stored.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, 8000))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    damaged = stored.with_name("damaged.nx")
    damaged.write_bytes(content)
    assert opens_or_tells(damaged)
