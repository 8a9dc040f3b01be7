"""NRRD and STL: numbers, corners and places as they are."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import nrrd
import numpy as np
import pytest

from core.export import ExportError, save, save_spread, stl
from core.formats.volumes import open_volume


@pytest.mark.parametrize("kind", ["even", "oblique", "oblique sheared", "left-handed", "sagittal"])
def test_nrrd_keeps_numbers_and_places(build, tmp_path: Path, kind: str) -> None:
    volume = build(kind)
    save(volume, tmp_path / "x.nrrd")
    data, header = nrrd.read(str(tmp_path / "x.nrrd"))
    assert np.array_equal(data.transpose(2, 1, 0), volume.array)
    assert data.dtype == np.float32
    assert header["space"] == "left-posterior-superior"
    assert np.array_equal(header["space directions"].T, volume.affine[:3, :3])
    assert np.array_equal(header["space origin"], volume.affine[:3, 3])
    assert "Research use only" in header["content"]
    found = open_volume(tmp_path / "x.nrrd").volume
    inverse = np.linalg.inv(found.affine) @ volume.affine
    x, y, z = np.round(inverse @ [16, 3, 4, 1]).astype(int)[:3]
    assert found.array[z, y, x] == volume.array[4, 3, 16]


def test_nrrd_of_complex_stacks_and_of_an_unknown_place(build, tmp_path: Path) -> None:
    volume = build()
    twice = replace(volume, array=np.concatenate([volume.array, 2 * volume.array]) * np.complex64(1j))
    for name, some in (("a", twice), ("b", replace(twice, affine=None))):
        save(some, tmp_path / f"{name}.nrrd")
        data, header = nrrd.read(str(tmp_path / f"{name}.nrrd"))
        assert data.shape == (24, 20, 5, 2)
        assert np.allclose(data[..., 1].transpose(2, 1, 0), 2 * volume.array)
        assert ("space" in header) == (name == "a")
    lost = open_volume(tmp_path / "b.nrrd").volume
    assert lost.affine is None
    assert np.allclose(lost.spacing_mm, volume.spacing_mm)


def test_nrrd_of_a_spread(build, tmp_path: Path) -> None:
    volume = build()
    save_spread(replace(volume, spread=0.1 * volume.array), tmp_path / "s.nrrd")
    assert np.allclose(nrrd.read(str(tmp_path / "s.nrrd"))[0].transpose(2, 1, 0), 0.1 * volume.array)


POINTS = np.array([[0, 0, 0], [10, 0, 0], [0, 20, 0], [0, 0, 30.5], [0, 0, 0]], dtype=np.float64)
TRIANGLES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3], [0, 4, 1]])


def test_stl_holds_the_triangles(tmp_path: Path) -> None:
    stl.write(POINTS, TRIANGLES, tmp_path / "x.stl")
    held = (tmp_path / "x.stl").read_bytes()
    assert len(held) == 84 + 50 * len(TRIANGLES)
    assert not held.startswith(b"solid")
    assert b"Research use only" in held[:80]
    assert b"LPS, mm" in held[:80]
    assert struct.unpack("<I", held[80:84]) == (5,)
    facets = [struct.unpack("<12fH", held[84 + 50 * i : 134 + 50 * i]) for i in range(5)]
    assert np.allclose([f[3:12] for f in facets], POINTS[TRIANGLES].reshape(-1, 9))
    assert np.allclose(facets[0][:3], (0, 0, -1))
    assert np.allclose(facets[4][:3], 0)
    inwards = [np.dot(f[:3], np.mean(np.reshape(f[3:12], (3, 3)), axis=0) - [2.5, 5, 7]) for f in facets[:4]]
    assert min(inwards) > 0, "normals point outwards"


@pytest.mark.parametrize(
    ("points", "triangles"),
    [
        (POINTS, TRIANGLES[:0]),
        (POINTS, TRIANGLES + 1),
        (POINTS, TRIANGLES - 1),
        (POINTS * np.nan, TRIANGLES),
        (POINTS[:, :2], TRIANGLES),
        (POINTS, TRIANGLES.astype(float)),
        (np.zeros(3), np.zeros(3, int)),
    ],
)
def test_stl_of_no_surface_is_refused(tmp_path: Path, points: np.ndarray, triangles: np.ndarray) -> None:
    with pytest.raises(ExportError):
        stl.write(points, triangles, tmp_path / "x.stl")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_the_older_surface(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.stl"
    path.write_bytes(b"older")

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(ExportError, match="No space left"):
        stl.write(POINTS, TRIANGLES, path)
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]
