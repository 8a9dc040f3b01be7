"""Data Exchange files, and the CT files that this program writes itself."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ScanError
from core.export.dataexchange import save_projections
from core.formats import open_scan
from core.formats.scan_record import to_record
from core.geometry import ConeBeam, FanBeam, Geometry, Grid, ParallelBeam, evenly_spread
from core.projections import Projections
from core.provenance import Provenance
from tests.core.formats.projections_writer import integrals, opens_or_tells, parallel, write_exchange

BEAM = parallel(90, 96, offset_mm=2.0)
DATA = integrals(BEAM, rows=2)
THETA = np.degrees(BEAM.angles)

sound = pytest.mark.usefixtures("sound_files")


@sound
class TestSynchrotron:
    def test_the_scan_is_read(self, tmp_path: Path) -> None:
        scan = open_scan(write_exchange(tmp_path / "a.h5", DATA, THETA))
        assert isinstance(scan, Projections)
        np.testing.assert_allclose(scan.data, DATA, atol=0.01)
        np.testing.assert_allclose(scan.geometry.angles, BEAM.angles, atol=1e-12)
        assert scan.geometry.pitch_mm == pytest.approx(0.5)
        assert scan.geometry.offset_mm == pytest.approx(2.0, abs=0.15)
        assert scan.grid == Grid((2, 96, 96), (0.5, 0.5, 0.5))
        assert not scan.hounsfield
        assert not scan.simulated
        assert scan.provenance.not_understood == ()
        assert any(s.startswith("Rotation axis found") for s in scan.provenance.done)

    def test_radians(self, tmp_path: Path) -> None:
        scan = open_scan(write_exchange(tmp_path / "a.h5", DATA, BEAM.angles, "radians"))
        np.testing.assert_allclose(scan.geometry.angles, BEAM.angles, atol=1e-12)

    def test_degrees_that_are_radians(self, tmp_path: Path) -> None:
        scan = open_scan(write_exchange(tmp_path / "a.h5", DATA, BEAM.angles, "degrees"))
        np.testing.assert_allclose(scan.geometry.angles, BEAM.angles, atol=1e-12)
        assert any("said to be degrees" in s and "radians were assumed" in s for s in scan.provenance.not_understood)

    def test_radians_that_are_degrees(self, tmp_path: Path) -> None:
        scan = open_scan(write_exchange(tmp_path / "a.h5", DATA, THETA, "radians"))
        np.testing.assert_allclose(scan.geometry.angles, BEAM.angles, atol=1e-12)
        assert any("said to be radians" in s for s in scan.provenance.not_understood)

    def test_a_few_degrees_are_doubted(self, tmp_path: Path) -> None:
        scan = open_scan(write_exchange(tmp_path / "a.h5", DATA, THETA / 90))
        assert np.degrees(scan.geometry.angles[-1]) == pytest.approx(THETA[-1] / 90)
        assert any("within 2 degrees" in s for s in scan.provenance.not_understood)

    def test_without_angles(self, tmp_path: Path) -> None:
        scan = open_scan(write_exchange(tmp_path / "a.h5", DATA))
        np.testing.assert_allclose(scan.geometry.angles, BEAM.angles)
        assert any("holds no angles" in s for s in scan.provenance.not_understood)

    @pytest.mark.parametrize(("theta", "words"), [(THETA[:-1], "do not match"), (THETA * np.nan, "no numbers"),
                                                  (THETA[:0], "missing")])  # fmt: skip
    def test_angles_that_do_not_fit(self, tmp_path: Path, theta: np.ndarray, words: str) -> None:
        with pytest.raises(ScanError, match=words):
            open_scan(write_exchange(tmp_path / "a.h5", DATA, theta))

    def test_without_the_size_of_pixels(self, tmp_path: Path) -> None:
        scan = open_scan(write_exchange(tmp_path / "a.h5", DATA, THETA, pixel_m=0))
        assert scan.geometry.pitch_mm == 1.0
        assert any("1 mm was assumed" in s for s in scan.provenance.not_understood)

    def test_named_axes_are_not_used(self, tmp_path: Path) -> None:
        scan = open_scan(write_exchange(tmp_path / "a.h5", DATA, THETA), axes="view,row,column")
        assert any("not used" in s for s in scan.provenance.not_understood)

    def test_fan_data_are_no_parallel_scan(self, tmp_path: Path) -> None:
        """A wide fan over a whole turn, written as if it were parallel."""
        fan = FanBeam(evenly_spread(120, 2 * np.pi), 96, 1.2, 45, 45)
        object_off_axis = (((10.0, 4.0, 0), (9.0, 5.0, 50), 0.04), ((-5.0, -9.0, 0), (3.0, 3.0, 50), 0.04))
        data = integrals(fan, ellipsoids=object_off_axis)
        scan = open_scan(write_exchange(tmp_path / "a.h5", data, np.degrees(fan.angles)))
        assert any("do not mirror" in s for s in scan.provenance.not_understood)

    @pytest.mark.parametrize("shape", [(10**6, 10**6, 1), (10**6, 1, 10**6)])
    def test_sizes_beyond_memory(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_dataset("exchange/data", shape, dtype="f4", chunks=(64, 1, 64 if shape[2] > 1 else 1))
        with pytest.raises(ScanError, match="does not fit into memory"):
            open_scan(tmp_path / "a.h5")

    @pytest.mark.parametrize("shape", [(5, 8), (0, 2, 8), (2, 0, 8), (2, 2, 2, 2)])
    def test_shapes_that_are_no_stack(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["exchange/data"] = np.ones(shape, np.float32)
        with pytest.raises(ScanError, match="no stack of pictures"):
            open_scan(tmp_path / "a.h5")

    def test_nothing_in_the_beam(self, tmp_path: Path) -> None:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["exchange/data"] = np.ones((4, 1, 8), np.float32)
            file["exchange/data_white"] = np.ones((1, 1, 8), np.float32)
        with pytest.raises(ScanError, match="no signal"):
            open_scan(tmp_path / "a.h5")

    def test_text_for_projections(self, tmp_path: Path) -> None:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["exchange/data"] = "nothing"
        with pytest.raises(ScanError, match="no numbers"):
            open_scan(tmp_path / "a.h5")


def own_scan(geometry: Geometry, rows: int = 1) -> Projections:
    data = integrals(geometry, rows).astype(np.float32)
    slices = 8 if isinstance(geometry, ConeBeam) else len(data)
    return Projections(
        data,
        geometry,
        Grid((slices, 40, 48), (0.9, 1.1, 2.0), (1.0, -1.0, 0.0)),
        Provenance("made", "test"),
        affine=np.diag([0.9, 1.1, 2.0, 1.0]),
        photons=1e4,
        hounsfield=True,
        mu_water=0.02,
        simulated=True,
        undersampled="every second view",
        anatomy="head",
    )


def write_own(path: Path, scan: Projections, record: str | None = None, as_dataset: bool = False) -> Path:
    with h5py.File(path, "w") as file:
        photons = np.full((1, scan.rows, scan.columns), scan.photons, np.float32)
        file["exchange/data"] = np.moveaxis(scan.photons * np.exp(-scan.data), 0, 1)
        file["exchange/data_white"] = photons
        file["exchange/data_dark"] = 0 * photons
        text = json.dumps(to_record(scan)) if record is None else record
        group = file.create_group("dds_viewer")
        if as_dataset:
            group["scan"] = text
        else:
            group.attrs["scan"] = text
    return path


@sound
class TestOwnFiles:
    @pytest.mark.parametrize("as_dataset", [False, True])
    @pytest.mark.parametrize(
        ("geometry", "rows"),
        [
            (parallel(33, 64, 1.5), 3),
            (FanBeam(evenly_spread(20, 6.0), 64, 1.0, 200, 100, 0.7, curved=True), 2),
            (ConeBeam.circular(evenly_spread(12, 6.28), 8, 64, (1.0, 1.2), 200, 100), 8),
        ],
    )
    def test_everything_comes_back(self, tmp_path: Path, geometry: Geometry, rows: int, as_dataset: bool) -> None:
        made = own_scan(geometry, rows)
        scan = open_scan(write_own(tmp_path / "a.h5", made, as_dataset=as_dataset))
        np.testing.assert_allclose(scan.data, made.data, atol=1e-5)
        assert to_record(scan) == to_record(made)
        assert scan.valid is None
        assert scan.provenance.not_understood == ()
        assert not any("tripes" in s or "axis" in s for s in scan.provenance.done)

    @pytest.mark.parametrize("record", ["", "{", "[]", "{}", "7", '{"format": 1}', '{"format": 99}', '"text"'])
    def test_a_damaged_record(self, tmp_path: Path, record: str) -> None:
        with pytest.raises(ScanError, match=r"damaged|later version"):
            open_scan(write_own(tmp_path / "a.h5", own_scan(parallel(33, 64)), record))

    def test_what_is_dense_faint_or_mostly_not_trusted(self, tmp_path: Path) -> None:
        """Line integrals of 25, a column that stays the same in every view, and two thirds that are not valid."""
        made = own_scan(parallel(33, 96))
        data = made.data * (25 / made.data.max())
        data[:, :, 70] = 20.0
        valid = (np.arange(96) >= 64)[None, None]
        save_projections(made.with_changes(data=data, valid=valid, photons=None), tmp_path / "a.h5")
        scan = open_scan(tmp_path / "a.h5")
        assert isinstance(scan, Projections)
        np.testing.assert_array_equal(np.broadcast_to(scan.valid, data.shape), np.broadcast_to(valid, data.shape))
        np.testing.assert_allclose(scan.data[:, :, 64:], data[:, :, 64:], atol=1e-5)

    @pytest.mark.parametrize(
        ("part", "value"),
        [
            (("grid", "shape"), [1, 40.5, 48]),
            (("grid", "shape"), [1, True, 48]),
            (("grid", "shape"), [40, 48]),
            (("geometry", "detectors"), 64.0),
            (("geometry", "pitch_mm"), "0.5"),
            (("affine",), [[float("nan")] * 4] * 4),
            (("affine",), [[0.0] * 4] * 4),
            (("photons",), -1),
            (("mu_water",), 0),
            (("mu_water",), "1"),
        ],
    )
    def test_a_record_of_what_cannot_be(self, tmp_path: Path, part: tuple[str, ...], value: object) -> None:
        scan = own_scan(parallel(33, 64))
        record = to_record(scan)
        *groups, name = part
        inner = record
        for group in groups:
            inner = inner[group]
        inner[name] = value
        with pytest.raises(ScanError, match="geometry is damaged"):
            open_scan(write_own(tmp_path / "a.h5", scan, json.dumps(record)))

    def test_a_record_of_an_image_beyond_memory(self, tmp_path: Path) -> None:
        scan = own_scan(parallel(33, 64))
        record = to_record(scan)
        record["grid"]["shape"] = [1, 10**6, 10**7]
        with pytest.raises(ScanError, match="does not fit into memory"):
            open_scan(write_own(tmp_path / "a.h5", scan, json.dumps(record)))

    def test_a_record_of_another_scan(self, tmp_path: Path) -> None:
        record = json.dumps(to_record(own_scan(parallel(34, 64))))
        with pytest.raises(ScanError, match="do not match the geometry"):
            open_scan(write_own(tmp_path / "a.h5", own_scan(parallel(33, 64)), record))

    def test_a_cone_that_looks_elsewhere(self, tmp_path: Path) -> None:
        cone = ConeBeam.circular(evenly_spread(12, 6.28), 8, 64, (1.0, 1.2), 200, 100)
        scan = own_scan(cone, 8)
        aside = scan.with_changes(grid=Grid(scan.grid.shape, scan.grid.spacing_mm, (0.0, 0.0, 300.0)))
        with pytest.raises(ScanError, match="does not see the image"):
            open_scan(write_own(tmp_path / "a.h5", aside))

    def test_a_geometry_that_cannot_see_the_image(self, tmp_path: Path) -> None:
        scan = own_scan(parallel(33, 64))
        beside = scan.with_changes(geometry=ParallelBeam(scan.geometry.angles, 64, 0.5, offset_mm=900.0))
        with pytest.raises(ScanError, match="does not see the image"):
            open_scan(write_own(tmp_path / "a.h5", beside))
        fan = own_scan(FanBeam(evenly_spread(20, 6.0), 64, 1.0, 200, 100))
        inside = fan.with_changes(geometry=FanBeam(fan.geometry.angles, 64, 1.0, 10, 100))
        with pytest.raises(ScanError, match="source stands inside"):
            open_scan(write_own(tmp_path / "b.h5", inside))


def test_real_tooth(real_data: Path) -> None:
    """Synchrotron data whose rotation axis is known to lie near column 296."""
    scan = open_scan(real_data / "projections" / "tooth.h5")
    assert scan.data.shape == (2, 181, 640)
    centre = (640 - 1) / 2 - scan.geometry.offset_mm / scan.geometry.pitch_mm
    assert abs(centre - 296) <= 1.0
    assert 1.5 < scan.data.max() < 2.5
    assert np.median(scan.data[:, :, :20]) == pytest.approx(0, abs=0.05)
    assert not any("mirror" in s for s in scan.provenance.not_understood)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exchange")
    beam = parallel(12, 24)
    return write_exchange(folder / "a.h5", integrals(beam), np.degrees(beam.angles))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage(stored: Path, data: st.DataObject) -> None:
    content = bytearray(stored.read_bytes())
    reach = data.draw(st.sampled_from([64, 4096, len(content)]))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, reach - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    damaged = stored.with_name("damaged.h5")
    damaged.write_bytes(content)
    assert opens_or_tells(damaged)
