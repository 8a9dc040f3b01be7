"""Cone-beam projections with RTK's geometry."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ScanError
from core.formats import open_scan
from core.formats.rtk_geometry import Panel, cone_of, read_rtk_geometry
from core.geometry import ConeBeam, evenly_spread
from core.projections import Projections
from tests.core.formats.projections_writer import integrals, opens_or_tells, write_mha, write_rtk_xml

GANTRY = np.degrees(evenly_spread(12, 2 * np.pi))
CONE = ConeBeam.circular(np.radians(GANTRY), 20, 64, (1.5, 1.2), 200, 100, (0.0, 4.0))
DATA = np.moveaxis(integrals(CONE), 1, 0).astype(np.float32)
SPACING = (1.2, 1.5, 1.0)
ORIGIN = (-63 / 2 * 1.2, -19 / 2 * 1.5, 0.0)
DISTANCES = {"SourceToIsocenterDistance": 200, "SourceToDetectorDistance": 300, "ProjectionOffsetX": 4.0}


def write_scan(folder: Path, data: np.ndarray = DATA, compress: bool = False, xml: str = "geometry.xml") -> Path:
    write_rtk_xml(folder / xml, [{"GantryAngle": g} for g in GANTRY], **DISTANCES)
    return write_mha(folder / "projections.mha", data, SPACING, ORIGIN, compress)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("named", ["projections.mha", "geometry.xml"])
def test_the_scan_is_read(tmp_path: Path, compress: bool, named: str) -> None:
    write_scan(tmp_path, compress=compress)
    scan = open_scan(tmp_path / named)
    assert isinstance(scan, Projections)
    np.testing.assert_array_equal(scan.data, np.moveaxis(DATA, 0, 1))
    for name in ("source_mm", "detector_mm", "column_mm", "row_mm"):
        np.testing.assert_allclose(getattr(scan.geometry, name), getattr(CONE, name), atol=1e-9)
    assert scan.grid.spacing_mm[0] == pytest.approx(1.2 * 2 / 3)


def test_counts_are_turned_into_line_integrals(tmp_path: Path) -> None:
    write_scan(tmp_path, (30000 * np.exp(-DATA)).astype(np.uint16))
    scan = open_scan(tmp_path / "projections.mha")
    np.testing.assert_allclose(scan.data, np.moveaxis(DATA, 0, 1), atol=1e-3)
    assert any("no flat field" in s for s in scan.provenance.not_understood)


def test_axes_that_run_backwards(tmp_path: Path) -> None:
    """Columns and rows reversed in the file, as its directions say: every pixel keeps its place."""
    path = write_scan(tmp_path, DATA[:, ::-1, ::-1])
    there = tuple(-place for place in ORIGIN[:2])
    text = path.read_bytes().replace(
        f"Offset = {ORIGIN[0]} {ORIGIN[1]} 0.0".encode(),
        f"TransformMatrix = -1 0 0 0 -1 0 0 0 1\nOffset = {there[0]} {there[1]} 0".encode(),
    )
    path.write_bytes(text)
    scan = open_scan(path)
    assert isinstance(scan, Projections)
    assert isinstance(scan.geometry, ConeBeam)
    np.testing.assert_array_equal(scan.data, np.moveaxis(DATA[:, ::-1, ::-1], 0, 1))
    np.testing.assert_allclose(scan.geometry.column_mm, -CONE.column_mm, atol=1e-9)
    np.testing.assert_allclose(scan.geometry.row_mm, -CONE.row_mm, atol=1e-9)
    np.testing.assert_allclose(scan.geometry.detector_mm, CONE.detector_mm, atol=1e-9)
    assert scan.provenance.not_understood == ()


def test_numbers_at_the_end_of_another_file(tmp_path: Path) -> None:
    """HeaderSize -1: whatever comes before them is left aside."""
    path = write_scan(tmp_path)
    head, numbers = path.read_bytes().split(b"ElementDataFile = LOCAL\n")
    path.unlink()
    (tmp_path / "projections.raw").write_bytes(b"a header of unknown length" + numbers)
    path = path.with_suffix(".mhd")
    path.write_bytes(head + b"HeaderSize = -1\nElementDataFile = projections.raw\n")
    scan = open_scan(path)
    assert isinstance(scan, Projections)
    np.testing.assert_array_equal(scan.data, np.moveaxis(DATA, 0, 1))


@pytest.mark.parametrize("named", ["../outside.raw", "LIST", "view_%03d.raw 1 12 1", ".."])
def test_no_other_file_than_the_one_beside_it_is_read(tmp_path: Path, named: str) -> None:
    (tmp_path / "scan").mkdir()
    path = write_scan(tmp_path / "scan")
    head, numbers = path.read_bytes().split(b"ElementDataFile = LOCAL\n")
    (tmp_path / "outside.raw").write_bytes(numbers)
    path.write_bytes(head + f"ElementDataFile = {named}\n".encode())
    with pytest.raises(ScanError):
        open_scan(path)


def test_parameters_keep_their_last_value(tmp_path: Path) -> None:
    views = [{"GantryAngle": 10.0, "OutOfPlaneAngle": 3.0}, {"GantryAngle": 20.0}, {"Angle": 30.0, "SourceOffsetY": 2}]
    read = read_rtk_geometry(write_rtk_xml(tmp_path / "g.xml", views, 2, **DISTANCES))
    np.testing.assert_array_equal(read[:, 2], [10, 20, 30])
    np.testing.assert_array_equal(read[:, 3], [3, 3, 3])
    np.testing.assert_array_equal(read[:, 8], [0, 0, 2])


PARAMETERS = np.array(
    [
        # sid, sdd, gantry, out of plane, in plane, projection offset x y, source offset x y
        [200, 300, 0, 0, 0, 0, 0, 0, 0],
        [200, 300, 30, 0, 0, 4, -3, 0, 0],
        [210, 330, 140, 7, -4, 4, -3, 1.5, -2.5],
        [190, 310, 290, -12, 25, -6, 2, -3.5, 0.5],
    ],
    dtype=np.float64,
)


@pytest.mark.slow
def test_views_in_any_position_agree_with_rtk() -> None:
    """Our panel's pixel under a point's shadow is the one that RTK's projection matrix gives."""
    itk = pytest.importorskip("itk")
    with warnings.catch_warnings():
        # Warnings as errors crash the process while its modules load.
        warnings.simplefilter("ignore")
        theirs = itk.RTK.ThreeDCircularProjectionGeometry.New()
    for distances, turns, offsets, source in ((v[:2], v[2:5], v[5:7], v[7:]) for v in PARAMETERS.tolist()):
        theirs.AddProjection(*distances, turns[0], *offsets, *turns[1:], *source)
    cone = cone_of(PARAMETERS, Panel(20, 64, SPACING[:2], ORIGIN[:2]))
    point = np.array([11.0, -7.0, 5.0])
    in_iec = np.array([point[0], point[2], -point[1]])
    for number in range(len(PARAMETERS)):
        matrix = itk.array_from_vnl_matrix(theirs.GetMatrix(number).GetVnlMatrix().as_matrix())
        u, v, w = matrix @ [*in_iec, 1]
        expected = [(u / w - ORIGIN[0]) / SPACING[0], (v / w - ORIGIN[1]) / SPACING[1]]
        np.testing.assert_allclose(pixel_under(cone, number, point), expected, atol=1e-9)


def pixel_under(cone: ConeBeam, view: int, point: np.ndarray) -> tuple[float, float]:
    """(column, row) where the ray from the source through a point meets the panel."""
    source, middle = cone.source_mm[view], cone.detector_mm[view]
    steps = np.stack((cone.column_mm[view], cone.row_mm[view], source - point), axis=1)
    column, row, _ = np.linalg.solve(steps, source - middle)
    return column + (cone.columns - 1) / 2, row + (cone.rows - 1) / 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: (f / "geometry.xml").unlink(), "no RTK geometry.*Simulate"),
        (lambda f: write_rtk_xml(f / "geometry.xml", [{"GantryAngle": 0}], **DISTANCES), "places 1 views"),
        (lambda f: write_rtk_xml(f / "geometry.xml", [], **DISTANCES), "no projection"),
        (lambda f: write_rtk_xml(f / "geometry.xml", [{}], 1), "version 1"),
        (lambda f: write_rtk_xml(f / "geometry.xml", [{"GantryAngle": 0}] * 12), "Parallel projections"),
        (lambda f: write_rtk_xml(f / "geometry.xml", [{}] * 12, RadiusCylindricalDetector=3), "Cylindrical"),
        (lambda f: write_rtk_xml(f / "geometry.xml", [{"GantryAngle": "x"}] * 12, **DISTANCES), "no number"),
        (lambda f: (f / "geometry.xml").write_text("<RTKThreeDCircularGeometry"), "damaged XML"),
        (
            lambda f: write_rtk_xml(f / "geometry.xml", [{"ProjectionOffsetX": 90}] * 12, **DISTANCES),
            "axis of rotation lies outside the detector",
        ),
    ],
)
def test_what_is_wrong_with_the_geometry(tmp_path: Path, change, words: str) -> None:
    write_scan(tmp_path)
    change(tmp_path)
    with pytest.raises(ScanError, match=words):
        open_scan(tmp_path / "projections.mha")


def test_the_geometry_that_is_meant(tmp_path: Path) -> None:
    write_scan(tmp_path, xml="projections.xml")
    write_rtk_xml(tmp_path / "other.xml", [{}], **DISTANCES)
    assert open_scan(tmp_path / "projections.mha").views == 12
    write_mha(tmp_path / "more.mha", DATA, SPACING, ORIGIN)
    with pytest.raises(ScanError, match="no RTK geometry for more"):
        open_scan(tmp_path / "more.mha")
    with pytest.raises(ScanError, match="cannot be told"):
        open_scan(tmp_path / "other.xml")


def with_header(path: Path, old: bytes, new: bytes) -> None:
    path.write_bytes(path.read_bytes().replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"DimSize = 64 20 12", b"DimSize = 1000000 1000000 12", "does not fit into memory"),
        (b"DimSize = 64 20 12", b"DimSize = 64 20 13", "damaged or cut off"),
        (b"DimSize = 64 20 12", b"DimSize = 64 20", "damaged or cut off"),
        (b"DimSize = 64 20 12", b"DimSize = 64 -20 12", "damaged or cut off"),
        (b"DimSize = 64 20 12", b"DimSize = many", "damaged"),
        (b"MET_FLOAT", b"MET_OTHER", "no real numbers"),
        (b"= LOCAL", b"= gone.raw", "gone.raw is missing"),
        (b"ElementDataFile", b"ElementNothing", "damaged or cut off"),
    ],
)
def test_a_damaged_header(tmp_path: Path, old: bytes, new: bytes, words: str) -> None:
    path = write_scan(tmp_path)
    with_header(path, old, new)
    with pytest.raises(ScanError, match=words):
        open_scan(path)


def test_a_header_apart_from_its_numbers(tmp_path: Path) -> None:
    path = write_scan(tmp_path)
    content = path.read_bytes()
    head, _, numbers = content.partition(b"LOCAL\n")
    (tmp_path / "a.mhd").write_bytes(head + b"a.raw\n")
    (tmp_path / "a.raw").write_bytes(numbers)
    np.testing.assert_array_equal(open_scan(tmp_path / "a.mhd").data, np.moveaxis(DATA, 0, 1))
    (tmp_path / "a.raw").write_bytes(numbers[:-7])
    with pytest.raises(ScanError, match="cut off"):
        open_scan(tmp_path / "a.mhd")


@pytest.mark.parametrize("name", ["a.his", "a.hnd", "a.xim"])
def test_makers_formats_need_rtk(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "itk", None)
    write_scan(tmp_path)
    (tmp_path / name).write_bytes(b"\0" * 600)
    with pytest.raises(ScanError, match=r"pip install dds-viewer\[cone\]"):
        open_scan(tmp_path / name)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("rtk")
    path = write_scan(folder, DATA[:, :2, :3], compress=data.draw(st.booleans()))
    target = data.draw(st.sampled_from([path, folder / "geometry.xml"]))
    content = bytearray(target.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    target.write_bytes(content)
    assert opens_or_tells(path)
