"""TIFF pictures with a geometry.toml."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ScanError
from core.formats import open_scan
from core.geometry import ConeBeam, FanBeam, evenly_spread
from core.projections import Projections
from tests.core.formats.projections_writer import integrals, opens_or_tells, parallel, write_tiffs

BEAM = parallel(40, 96, offset_mm=1.2)
DATA = integrals(BEAM, rows=2)
PARALLEL = """
geometry = "parallel"
angles = { start = 0, step = 4.5, count = 40 }
pixel_mm = 0.5
pictures = "view_*.tif"
flat = "flat/*.tif"
dark = "dark/*.tif"
"""


@pytest.mark.parametrize("named", ["", "geometry.toml", "view_0003.tif"])
def test_a_parallel_scan(tmp_path: Path, named: str) -> None:
    folder = write_tiffs(tmp_path / "scan", DATA, PARALLEL)
    scan = open_scan(folder / named if named else folder)
    assert isinstance(scan, Projections)
    np.testing.assert_allclose(scan.data, DATA, atol=0.01)
    np.testing.assert_allclose(scan.geometry.angles, BEAM.angles)
    assert scan.geometry.offset_mm == pytest.approx(1.2, abs=0.1)
    assert scan.provenance.not_understood == ()
    assert len(scan.provenance.sha256) == 64


def test_the_digest_is_of_all_pictures(tmp_path: Path) -> None:
    folder = write_tiffs(tmp_path / "scan", DATA, PARALLEL)
    before = open_scan(folder).provenance.sha256
    tifffile.imwrite(folder / "flat" / "flat_1.tif", tifffile.imread(folder / "flat" / "flat_1.tif") + 1)
    assert open_scan(folder).provenance.sha256 != before


def test_pages_of_one_file(tmp_path: Path) -> None:
    (tmp_path / "geometry.toml").write_text(PARALLEL.replace("counts", "attenuation") + 'what = "attenuation"\n')
    tifffile.imwrite(tmp_path / "all.tif", np.moveaxis(DATA, 0, 1).astype(np.float32))
    scan = open_scan(tmp_path / "all.tif")
    np.testing.assert_allclose(scan.data, DATA, atol=1e-6)


def test_a_fan(tmp_path: Path) -> None:
    fan = FanBeam(evenly_spread(30, 2 * np.pi), 80, 1.0, 150, 75, offset_mm=-2.0)
    data = integrals(fan)
    angles = ", ".join(f"{a:.12f}" for a in fan.angles)
    toml = f"""
geometry = "fan"
angles = [{angles}]
unit = "radians"
what = "attenuation"
pixel_mm = [2.0, 1.0]
source_mm = 150
detector_mm = 75.0
centre = 41.5
pictures = "view*"
"""
    scan = open_scan(write_tiffs(tmp_path / "scan", data, toml, "attenuation"))
    assert isinstance(scan.geometry, FanBeam)
    np.testing.assert_allclose(scan.geometry.bins_mm, fan.bins_mm)
    np.testing.assert_allclose(scan.data, data, atol=1e-6)
    assert scan.grid.spacing_mm == pytest.approx((1 / 1.5, 1 / 1.5, 2 / 1.5))


def test_a_cone(tmp_path: Path) -> None:
    cone = ConeBeam.circular(evenly_spread(24, 2 * np.pi), 40, 80, (1.2, 1.0), 150, 75, (0.0, 3.0))
    data = integrals(cone)
    toml = """
geometry = "cone"
angles = { start = 0.0, step = 15, count = 24 }
pixel_mm = [1.2, 1.0]
source_mm = 150
detector_mm = 75.0
centre = 36.5
pictures = "view*"
flat = "flat/*"
dark = "dark/*"
"""
    scan = open_scan(write_tiffs(tmp_path / "scan", data, toml))
    for name in ("source_mm", "detector_mm", "column_mm", "row_mm"):
        np.testing.assert_allclose(getattr(scan.geometry, name), getattr(cone, name), atol=1e-9)
    np.testing.assert_allclose(scan.data, data, atol=0.01)
    nz, ny, nx = scan.grid.shape
    assert nx == ny
    voxel = scan.grid.spacing_mm[0]
    assert scan.grid.spacing_mm == (voxel, voxel, voxel)
    assert voxel == pytest.approx(1 / 1.5)
    assert nz == pytest.approx(40 * 1.2 / 1.5 / voxel, abs=1)
    assert 80 <= nx <= 92


def with_line(line: str) -> str:
    key = line.split("=")[0].strip()
    kept = [old for old in PARALLEL.splitlines() if not old.startswith(key)]
    return "\n".join([*kept, line])


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        (with_line("geometry = 'spiral'"), "geometry is 'spiral'"),
        (with_line("geometry = 3"), "geometry is 3"),
        (with_line("geometry = 'fan'"), "needs source_mm"),
        (with_line("geometry = 'cone'") + "\nsource_mm = 100", "needs detector_mm"),
        (with_line("geometry = 'fan'") + "\nsource_mm = -100\ndetector_mm = 3", "geometry of the scan makes no sense"),
        (with_line("geometry = 'fan'") + "\nsource_mm = 0.2\ndetector_mm = 3", "source stands inside"),
        (with_line("angles = [0, 1, 2]"), "do not match the projections"),
        (with_line("angles = ['a']"), "neither a list"),
        (with_line("angles = { start = 0, step = 1 }"), "neither a list"),
        (with_line("angles = { start = 0, step = 1, count = 100000000000 }"), "neither a list"),
        (with_line("#angles").replace("angles = {", "#"), "angles are missing"),
        (with_line("unit = 'turns'"), "unit is 'turns'"),
        (with_line("what = 'photons'"), "what is 'photons'"),
        (with_line("pixel_mm = 0"), "pixel_mm is 0"),
        (with_line("pixel_mm = [1, 2, 3]"), "pixel_mm is"),
        (with_line("pixel_mm = nan"), "pixel_mm is nan"),
        (with_line("centre = 500"), "outside the detector"),
        (with_line("centre = 'left'"), "centre is 'left'"),
        (with_line("flat = '/etc/*'"), "within the folder"),
        (with_line("flat = '../*.tif'"), "within the folder"),
        (with_line("flat = 'no/*.tif'"), "no TIFF files for flat"),
        (with_line("pictures = 'no*.tif'"), "no TIFF files for pictures"),
        ("geometry = ", "no valid TOML"),
        ("", "is empty"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, toml: str, words: str) -> None:
    with pytest.raises(ScanError, match=words):
        open_scan(write_tiffs(tmp_path / "scan", DATA[:1], toml))


def test_what_is_odd_is_told(tmp_path: Path) -> None:
    toml = "\n".join(line for line in PARALLEL.splitlines() if not line.startswith("pixel")) + "\ncenter = 3\n"
    odd = open_scan(write_tiffs(tmp_path / "scan", DATA, toml)).provenance.not_understood
    assert any("center, which mean nothing" in s for s in odd)
    assert any("1 mm was assumed" in s for s in odd)


def test_pictures_that_cannot_be_used(tmp_path: Path) -> None:
    folder = write_tiffs(tmp_path / "scan", DATA, PARALLEL)
    tifffile.imwrite(folder / "view_0007.tif", np.ones((3, 96), np.float32))
    with pytest.raises(ScanError, match="differ in size"):
        open_scan(folder)
    (folder / "view_0007.tif").write_text("no picture at all")
    with pytest.raises(ScanError, match="no TIFF picture"):
        open_scan(folder)
    (folder / "view_0007.tif").write_bytes(b"")
    with pytest.raises(ScanError, match="is empty"):
        open_scan(folder)


def test_a_picture_that_announces_too_much(tmp_path: Path) -> None:
    """10^6 x 10^6 pixels in a few bytes."""
    folder = write_tiffs(tmp_path / "scan", DATA[:1, :1], PARALLEL)
    path = folder / "view_0000.tif"
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        tags = [file.pages[0].tags[name] for name in ("ImageWidth", "ImageLength")]
        places = [(tag.offset, tag.dtype) for tag in tags]
    for offset, _ in places:
        content[offset + 2 : offset + 12] = (
            (4).to_bytes(2, "little") + (1).to_bytes(4, "little") + (10**6).to_bytes(4, "little")
        )
    path.write_bytes(content)
    with pytest.raises(ScanError, match="announces 4000000000000 bytes"):
        open_scan(folder)


def test_other_folders_and_lone_pictures(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="is a folder"):
        open_scan(tmp_path)
    tifffile.imwrite(tmp_path / "a.tif", np.ones((4, 4)))
    with pytest.raises(ScanError, match=r"TIFF picture.*geometry\.toml"):
        open_scan(tmp_path / "a.tif")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("tiff")
    short = PARALLEL.replace("40", "3").replace('flat = "flat/*.tif"', "").replace('dark = "dark/*.tif"', "")
    (folder / "geometry.toml").write_text(short)
    for number in range(3):
        tifffile.imwrite(folder / f"view_{number}.tif", np.full((2, 9), 50 + number, np.uint16))
    path = folder / data.draw(st.sampled_from(["view_1.tif", "geometry.toml"]))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    path.write_bytes(content)
    assert opens_or_tells(folder)


def test_pictures_that_name_a_file_outside_are_read_by_their_own_pages(tmp_path: Path) -> None:
    """OME metadata can say that the planes lie in another file."""
    outside = tmp_path / "outside.tif"
    tifffile.imwrite(outside, np.moveaxis(DATA, 0, 1).astype(np.float32) + 1)
    folder = tmp_path / "scan"
    folder.mkdir()
    (folder / "geometry.toml").write_text(PARALLEL.replace("view_*", "a") + 'what = "attenuation"\n')
    text = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="float" SizeX="96" SizeY="2" SizeZ="40"'
        ' SizeC="1" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData IFD="0" PlaneCount="40">'
        '<UUID FileName="../outside.tif">urn:uuid:2</UUID></TiffData></Pixels></Image></OME>'
    )
    with tifffile.TiffWriter(folder / "a.tif") as file:
        for view in range(40):
            plane = DATA[:, view].astype(np.float32)
            file.write(plane, description=None if view else text, metadata=None, contiguous=False)
    scan = open_scan(folder)
    np.testing.assert_allclose(scan.data, DATA, atol=1e-6)


def test_a_tile_far_larger_than_its_picture_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "geometry.toml").write_text(PARALLEL)
    data = np.zeros((40, 2, 32), np.uint16)
    tifffile.imwrite(tmp_path / "view_0.tif", data, tile=(16, 32), compression="zlib", photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "view_0.tif", mode="r+") as file:
        for page in file.pages:
            for tag in ("TileWidth", "TileLength"):
                page.tags[tag].overwrite(2**15)
    with pytest.raises(ScanError, match="Its tiles have"):
        open_scan(tmp_path)
