"""Image volumes in NIfTI, NRRD and NumPy files: place, unit, and what must be refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import nrrd
import numpy as np
import pytest

from core.errors import ScanError
from core.formats.volumes import open_volume
from core.orientation import edge_letters, lps_to_ras

SHAPE = (4, 5, 6)
LPS = np.array([[1.2, 0, 0.3, -20], [0, 1.5, 0, -30], [0, 0.2, 3, 40], [0, 0, 0, 1.0]])
PLACES = ((0, 0, 0), (3, 4, 5), (1, 3, 2))


def numbers(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(0).normal(300, 100, shape).astype(np.float32)


def write_nifti(path: Path, array: np.ndarray, affine: np.ndarray | None = LPS, unit: str = "mm") -> Path:
    image = nibabel.Nifti1Image(array.T, None if affine is None else lps_to_ras(affine))
    image.header.set_xyzt_units(unit)
    nibabel.save(image, path)
    return path


def write_nrrd(path: Path, array: np.ndarray, affine: np.ndarray = LPS, space: str = "LPS", **more: object) -> Path:
    signs = {"LPS": (1, 1, 1), "RAS": (-1, -1, 1), "LAS": (1, -1, 1), "scanner-xyz": (1, 1, 1)}[space]
    own = np.diag([*signs, 1]) @ affine
    header = {"space": space, "space directions": own[:3, :3].T, "space origin": own[:3, 3]}
    nrrd.write(str(path), array.T, header | more)
    return path


def assert_same_places(path: Path, array: np.ndarray, affine: np.ndarray = LPS) -> None:
    """Voxels are found by their place in the patient."""
    volume = open_volume(path).volume
    for z, y, x in PLACES:
        index = np.linalg.solve(volume.affine, affine @ [x, y, z, 1])[:3]
        np.testing.assert_allclose(index, np.round(index), atol=1e-5)
        i, j, k = np.round(index).astype(int)
        assert volume.array[k, j, i] == pytest.approx(float(array[z, y, x]))


@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, 1), (1, -1, 1), (-1, -1, 1), (1, 1, -1)])
def test_however_it_is_stored_a_voxel_keeps_its_place_and_is_seen_as_usual(tmp_path: Path, flips: tuple) -> None:
    affine = LPS @ np.diag([*flips, 1])
    array = numbers()
    files = [write_nifti(tmp_path / "a.nii.gz", array, affine)]
    files += [write_nrrd(tmp_path / f"{s}.nrrd", array, affine, s) for s in ("LPS", "RAS", "LAS")]
    for path in files:
        assert_same_places(path, array, affine)
        found = open_volume(path)
        assert edge_letters(found.volume.affine) == ("R", "L", "A", "P")
        assert sum("turned round" in note for note in found.notes) == flips[:2].count(-1)


def test_coronal_and_sagittal_volumes_are_seen_as_usual(tmp_path: Path) -> None:
    array = numbers()
    upwards = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])
    assert_same_places(write_nifti(tmp_path / "c.nii", array, upwards), array, upwards)
    assert edge_letters(open_volume(tmp_path / "c.nii").volume.affine) == ("R", "L", "H", "F")
    sideways = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])
    assert_same_places(write_nifti(tmp_path / "s.nii", array, sideways), array, sideways)
    assert edge_letters(open_volume(tmp_path / "s.nii").volume.affine) == ("A", "P", "H", "F")


def test_units_of_length_and_nifti_without_a_place(tmp_path: Path) -> None:
    micron = np.diag([1200.0, 1500.0, 3000.0, 1.0])
    volume = open_volume(write_nifti(tmp_path / "m.nii", numbers(), micron, "micron")).volume
    assert volume.spacing_mm == pytest.approx((1.2, 1.5, 3.0))
    path = write_nifti(tmp_path / "n.nii", numbers(), None)
    image = nibabel.load(path)
    image.set_sform(None, code=0)
    image.set_qform(None, code=0)
    nibabel.save(image, tmp_path / "o.nii")
    found = open_volume(tmp_path / "o.nii")
    assert found.volume.affine is None
    assert "The file does not tell where the patient lies." in found.notes


def test_an_unknown_space_leaves_the_place_unknown(tmp_path: Path) -> None:
    volume = open_volume(write_nrrd(tmp_path / "a.nrrd", numbers(), space="scanner-xyz")).volume
    assert volume.affine is None
    assert volume.spacing_mm == pytest.approx(tuple(np.linalg.norm(LPS[:3, :3], axis=0)))


@pytest.mark.parametrize(("lowest", "unit"), [(-1024, "HU"), (-1000, "HU"), (-3024, "HU"), (0, "a.u."), (-50, "a.u.")])
def test_hounsfield_units_are_guessed_and_told(tmp_path: Path, lowest: int, unit: str) -> None:
    array = numbers()
    array[0, 0, 0] = lowest
    found = open_volume(write_nifti(tmp_path / "a.nii.gz", array))
    assert found.volume.unit == unit
    assert any("Taken as Hounsfield units" in note for note in found.notes) == (unit == "HU")


def test_of_several_volumes_the_first_is_read(tmp_path: Path) -> None:
    array = numbers((3, *SHAPE))
    found = open_volume(write_nifti(tmp_path / "a.nii.gz", array))
    np.testing.assert_allclose(found.volume.array, array[0])
    assert any("the first was read" in note for note in found.notes)
    lists = {"kinds": ["vector", "domain", "domain", "domain"], "space": "LPS", "space origin": np.zeros(3)}
    lists["space directions"] = np.vstack([np.full(3, np.nan), np.eye(3)])
    nrrd.write(str(tmp_path / "v.nrrd"), np.moveaxis(array.T, -1, 0), lists)
    np.testing.assert_allclose(open_volume(tmp_path / "v.nrrd").volume.array, array[0])


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
def test_nrrd_encodings_and_detached_headers(tmp_path: Path, encoding: str) -> None:
    array = numbers()
    assert_same_places(write_nrrd(tmp_path / "a.nrrd", array, encoding=encoding), array)
    assert_same_places(write_nrrd(tmp_path / "d.nhdr", array, encoding=encoding), array)


def test_nrrd_looks_nowhere_else(tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "d.nhdr", numbers(), encoding="raw")
    path.write_text(path.read_text().replace("data file: d.raw", "data file: ../secret.raw"))
    with pytest.raises(ScanError, match="beside"):
        open_volume(path)


def test_arrays(tmp_path: Path) -> None:
    array = numbers()
    np.save(tmp_path / "a.npy", array.astype(np.float64))
    np.save(tmp_path / "c.npy", (array + 1j * array).astype(np.complex128))
    np.savez(tmp_path / "a.npz", array)
    for name in ("a.npy", "a.npz"):
        found = open_volume(tmp_path / name)
        np.testing.assert_allclose(found.volume.array, array)
        assert found.volume.affine is None
    assert open_volume(tmp_path / "c.npy").volume.array.dtype == np.complex64
    np.save(tmp_path / "flat.npy", array[0])
    assert open_volume(tmp_path / "flat.npy").volume.array.shape == (1, 5, 6)


def test_volumes_whose_header_promises_too_much(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.zeros((2, 2, 2), np.int16) + np.arange(2, dtype=np.int16), np.eye(4))
    header = image.header.copy()
    header["dim"][1:4] = 30000
    body = header.binaryblock + bytes(20)
    (tmp_path / "a.nii").write_bytes(body)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(body))
    sizes = "sizes: 100000 100000 100000"
    (tmp_path / "a.nrrd").write_text(f"NRRD0004\ntype: float\ndimension: 3\n{sizes}\nencoding: raw\n\n")
    (tmp_path / "g.nrrd").write_text(f"NRRD0004\ntype: float\ndimension: 3\n{sizes}\nencoding: gzip\n\n")
    for name in ("a.nii", "a.nii.gz", "a.nrrd", "g.nrrd"):
        with pytest.raises(ScanError):
            open_volume(tmp_path / name)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.npy", "a.npz"])
def test_cut_off_files_are_refused_in_words(tmp_path: Path, name: str) -> None:
    array = np.random.default_rng(1).integers(0, 30000, SHAPE).astype(np.int16)
    path = tmp_path / name
    writers = {"nii": write_nifti, "gz": write_nifti, "nrrd": write_nrrd}
    ending = name.rsplit(".", 1)[1]
    if ending in writers:
        writers[ending](path, array)
    else:
        {"npy": np.save, "npz": np.savez}[ending](path, array)
    whole = path.read_bytes()
    for length in (0, 3, 40, len(whole) // 2, len(whole) - 20):
        path.write_bytes(whole[:length])
        with pytest.raises(ScanError) as refused:
            open_volume(path)
        assert refused.value.what


@pytest.mark.parametrize(
    "array",
    [np.full(SHAPE, np.nan), np.full(SHAPE, np.inf), np.ones((2, 2, 2, 2)), np.array(["a", "b"]), np.zeros((0, 3, 3))],
)
def test_what_is_no_image_is_refused(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ScanError):
        open_volume(tmp_path / "a.npy")


def test_unknown_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    for name in ("a.txt", "absent.nii"):
        with pytest.raises(ScanError):
            open_volume(tmp_path / name)


def test_real_volumes(real_data: Path) -> None:
    brain = open_volume(real_data / "volumes" / "brain2_image.nrrd")
    assert brain.volume.unit == "a.u."
    assert edge_letters(brain.volume.affine) == ("R", "L", "A", "P")
    phantom = open_volume(real_data / "volumes" / "ct_head_phantom.nii.gz")
    assert phantom.volume.unit == "HU"
    assert phantom.volume.array.shape == (54, 512, 512)
