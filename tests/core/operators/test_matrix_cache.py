"""System matrices on disk: found again, bounded, and never a reason to fail."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from core.geometry import FanBeam, Grid, ParallelBeam, evenly_spread
from core.operators import matrix_cache, slicewise
from core.operators.joseph import system_matrix
from core.operators.parallel import Parallel

GEOMETRY, GRID = ParallelBeam(evenly_spread(7), 20, 1.0), Grid((1, 12, 16), (1.0, 1.0, 1.0))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache that keeps even small matrices."""
    monkeypatch.setenv("DDS_VIEWER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(matrix_cache, "LEAST", 0)
    slicewise.forget()
    return tmp_path / "cache"


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def made() -> torch.Tensor:
    slicewise.forget()
    return Parallel(GEOMETRY, (12, 16), (1.0, 1.0)).forward(torch.ones(1, 12, 16))


def forbidden(*_: object) -> sp.csr_array:
    raise AssertionError("built again")


def test_a_matrix_is_found_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = made()
    assert len(files(folder)) == 1
    monkeypatch.setattr(slicewise, "system_matrix", forbidden)
    assert torch.equal(made(), first)


def test_the_last_one_stays_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix_cache, "save", lambda *_: None)
    first = Parallel(GEOMETRY, (12, 16), (1.0, 1.0))
    kept = first._kept
    monkeypatch.setattr(slicewise, "system_matrix", forbidden)
    again = Parallel(replace(GEOMETRY, angles=GEOMETRY.angles.copy()), (12, 16), (1.0, 1.0), slices=5)
    assert again._kept is kept
    other = Parallel(replace(GEOMETRY, offset_mm=0.1), (12, 16), (1.0, 1.0))
    with pytest.raises(AssertionError, match="built again"):
        other.normal(torch.ones(1, 12, 16))


def test_whatever_changes_the_matrix_changes_its_name() -> None:
    fan = FanBeam(GEOMETRY.angles, 20, 1.0, 50.0, 20.0)
    geometries = [GEOMETRY, replace(GEOMETRY, offset_mm=1e-9), replace(GEOMETRY, angles=GEOMETRY.angles + 1e-12)]
    geometries += [fan, replace(fan, curved=True), replace(fan, source_mm=51.0)]
    grids = [GRID, replace(GRID, centre_mm=(0.0, 1.0, 0.0)), replace(GRID, shape=(1, 16, 12))]
    grids += [replace(GRID, spacing_mm=(1.0, 1.1, 1.0))]
    names = {matrix_cache.digest(g, grid) for g in geometries for grid in grids}
    assert len(names) == len(geometries) * len(grids)
    deeper = replace(GRID, shape=(9, 12, 16), spacing_mm=(1.0, 1.0, 4.0))
    assert matrix_cache.digest(GEOMETRY, deeper) == matrix_cache.digest(GEOMETRY, GRID)


def test_the_one_used_longest_ago_goes_first(folder: Path) -> None:
    matrix = system_matrix(GEOMETRY, GRID)
    for k, name in enumerate("abc"):
        matrix_cache.save(name, matrix)
        os.utime(folder / "matrices" / f"{name}.npz", (k, k))
    size = files(folder)[0].stat().st_size
    assert matrix_cache.load("a", matrix.shape) is not None  # now the youngest
    matrix_cache.save("d", matrix, bound=3 * size)
    assert [p.stem for p in files(folder)] == ["a", "d"] or [p.stem for p in files(folder)] == ["a", "c", "d"]
    assert sum(p.stat().st_size for p in files(folder)) <= 3 * size


def test_a_matrix_too_big_for_the_bound_is_not_kept(folder: Path) -> None:
    matrix_cache.save("a", system_matrix(GEOMETRY, GRID), bound=1000)
    assert not files(folder)


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty", "index", "other shape", "pickle", "folder"])
def test_a_damaged_file_is_built_anew(folder: Path, damage: str) -> None:
    first = made()
    (path,) = files(folder)
    whole = path.read_bytes()
    with np.load(path) as kept:
        parts = dict(kept)
    if damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "flipped":
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes(b ^ 255 for b in whole[middle : middle + 40]) + whole[middle + 40 :])
    elif damage == "text":
        path.write_text("no archive")
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "index":
        parts["column"][5] = 12 * 16
        np.savez(path, **parts)
    elif damage == "other shape":
        np.savez(path, **(parts | {"starts": parts["starts"][:-3]}))
    elif damage == "pickle":
        np.savez(path, **(parts | {"weight": np.array([{"a": 1}], dtype=object)}))
    else:
        path.unlink()
        path.mkdir()
    assert torch.equal(made(), first)
    if damage != "folder":
        assert path.read_bytes()[:2] == b"PK"
        assert matrix_cache.load(path.stem, (7 * 20, 12 * 16)) is not None


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    """A file where the folder should be: it stops even the superuser, whom no permission does."""
    folder.write_text("in the way")
    assert made().any()


def test_a_read_only_folder(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o500)
    try:
        assert made().any()
    finally:
        folder.chmod(0o700)


def test_a_full_disk_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: object, **_: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert made().any()
    assert not files(folder)
